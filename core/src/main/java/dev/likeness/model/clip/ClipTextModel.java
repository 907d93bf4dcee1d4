package dev.likeness.model.clip;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** CLIP's causal text transformer, in the layout of transformers' {@code CLIPTextModel} (modeling_clip.py). */
public final class ClipTextModel {

    /** Keys that files may carry without use. */
    public static final String[] IGNORED_KEYS = {"text_model.embeddings.position_ids", "text_projection.weight",
            "logit_scale"};

    private static final int LEGACY_EOS = 2;

    private final ClipTextConfig config;
    private final Tensor tokenEmbedding; // [V, d]
    private final Tensor positionEmbedding; // [P, d]
    private final List<ClipLayer> layers = new ArrayList<>();
    private final ClipLayer.Norm finalLayerNorm;

    /**
     * @param lastHiddenState hidden states [B, L, d] after the final norm
     * @param pooled those at the end token [B, d]
     * @param penultimate hidden states [B, L, d] as they enter the last layer
     */
    public record Output(Tensor lastHiddenState, Tensor pooled, Tensor penultimate) {}

    public ClipTextModel(ClipTextConfig config, Weights root) {
        this.config = config;
        Weights weights = root.at("text_model");
        int d = config.hiddenSize();
        ClipLayer.Shape shape = new ClipLayer.Shape(d, config.intermediateSize(), config.numAttentionHeads(),
                config.hiddenAct(), config.layerNormEps());
        tokenEmbedding = weights.get("embeddings.token_embedding.weight", config.vocabSize(), d);
        positionEmbedding = weights.get("embeddings.position_embedding.weight", config.maxPositionEmbeddings(), d);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new ClipLayer(shape, weights.at("encoder", "layers", i)));
        }
        finalLayerNorm = new ClipLayer.Norm(shape, weights.at("final_layer_norm"));
    }

    public ClipTextConfig config() {
        return config;
    }

    /** @param ids [B, L], L at most max_position_embeddings */
    public Output forward(long[][] ids) {
        try (Scope scope = Scope.open()) {
            int batch = ids.length;
            int length = ids[0].length;
            long[] flat = new long[batch * length];
            long[] ends = new long[batch];
            for (int i = 0; i < batch; i++) {
                System.arraycopy(ids[i], 0, flat, i * length, length);
                ends[i] = (long) i * length + end(ids[i]);
            }
            Tensor index = Tensors.onDeviceOf(Tensors.of(flat, batch, length), tokenEmbedding);
            Tensor x = Ops.embedding(tokenEmbedding, index).add(positionEmbedding.narrow(0, 0, length)); // [B, L, d]
            Tensor causal = causalBias(length);
            Tensor penultimate = x;
            for (ClipLayer layer : layers) {
                penultimate = x;
                x = layer.forward(x, causal);
            }
            Tensor hidden = finalLayerNorm.forward(x);
            Tensor rows = hidden.reshape((long) batch * length, hidden.size(2));
            Tensor pooled = rows.index_select(0, Tensors.onDeviceOf(Tensors.of(ends, batch), rows));
            return new Output(scope.keep(hidden), scope.keep(pooled), scope.keep(penultimate));
        }
    }

    /** Position of the end token: the greatest id in old files, else the first end id (0 when there is none). */
    private int end(long[] ids) {
        int best = 0;
        for (int i = 0; i < ids.length; i++) {
            if (config.eosTokenId() == LEGACY_EOS) {
                best = ids[i] > ids[best] ? i : best;
            } else if (ids[i] == config.eosTokenId()) {
                return i;
            }
        }
        return best;
    }

    /** 0 on and below the diagonal, minus infinity above: [1, 1, L, L]. */
    private Tensor causalBias(int length) {
        float[] bias = new float[length * length];
        for (int row = 0; row < length; row++) {
            for (int column = row + 1; column < length; column++) {
                bias[row * length + column] = Float.NEGATIVE_INFINITY;
            }
        }
        return Tensors.like(Tensors.of(bias, 1, 1, length, length), tokenEmbedding);
    }
}
