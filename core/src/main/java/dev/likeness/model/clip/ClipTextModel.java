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
    public static final String[] IGNORED_KEYS = {"text_model.embeddings.position_ids"};

    private static final int LEGACY_EOS = 2;

    private final ClipTextConfig config;
    private final Tensor tokenEmbedding; // [V, d]
    private final Tensor positionEmbedding; // [P, d]
    private final List<Layer> layers = new ArrayList<>();
    private final Norm finalLayerNorm;

    /** Hidden states [B, L, d] after the final norm, and those at the end token [B, d]. */
    public record Output(Tensor lastHiddenState, Tensor pooled) {}

    public ClipTextModel(ClipTextConfig config, Weights root) {
        this.config = config;
        Weights weights = root.at("text_model");
        int d = config.hiddenSize();
        tokenEmbedding = weights.get("embeddings.token_embedding.weight", config.vocabSize(), d);
        positionEmbedding = weights.get("embeddings.position_embedding.weight", config.maxPositionEmbeddings(), d);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new Layer(config, weights.at("encoder", "layers", i)));
        }
        finalLayerNorm = new Norm(config, weights.at("final_layer_norm"));
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
            for (Layer layer : layers) {
                x = layer.forward(x, causal);
            }
            Tensor hidden = finalLayerNorm.forward(x);
            Tensor rows = hidden.reshape((long) batch * length, hidden.size(2));
            Tensor pooled = rows.index_select(0, Tensors.onDeviceOf(Tensors.of(ends, batch), rows));
            return new Output(scope.keep(hidden), scope.keep(pooled));
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

    private static final class Norm {
        private final Tensor weight; // [d]
        private final Tensor bias; // [d]
        private final double epsilon;

        Norm(ClipTextConfig config, Weights weights) {
            weight = weights.get("weight", config.hiddenSize());
            bias = weights.get("bias", config.hiddenSize());
            epsilon = config.layerNormEps();
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, epsilon);
        }
    }

    private static final class Linear {
        private final Tensor weight; // [out, in]
        private final Tensor bias; // [out]

        Linear(Weights weights, int in, int out) {
            weight = weights.get("weight", out, in);
            bias = weights.get("bias", out);
        }

        Tensor forward(Tensor x) {
            return Ops.linear(x, weight, bias);
        }
    }

    private static final class Layer {
        private final int heads;
        private final boolean quickGelu;
        private final Norm layerNorm1;
        private final Linear qProj;
        private final Linear kProj;
        private final Linear vProj;
        private final Linear outProj;
        private final Norm layerNorm2;
        private final Linear fc1;
        private final Linear fc2;

        Layer(ClipTextConfig config, Weights weights) {
            int d = config.hiddenSize();
            heads = config.numAttentionHeads();
            quickGelu = config.hiddenAct().equals("quick_gelu");
            layerNorm1 = new Norm(config, weights.at("layer_norm1"));
            Weights attention = weights.at("self_attn");
            qProj = new Linear(attention.at("q_proj"), d, d);
            kProj = new Linear(attention.at("k_proj"), d, d);
            vProj = new Linear(attention.at("v_proj"), d, d);
            outProj = new Linear(attention.at("out_proj"), d, d);
            layerNorm2 = new Norm(config, weights.at("layer_norm2"));
            fc1 = new Linear(weights.at("mlp", "fc1"), d, config.intermediateSize());
            fc2 = new Linear(weights.at("mlp", "fc2"), config.intermediateSize(), d);
        }

        Tensor forward(Tensor in, Tensor causal) {
            try (Scope scope = Scope.open()) {
                Tensor h = layerNorm1.forward(in);
                Tensor q = Ops.splitHeads(qProj.forward(h), heads); // [B, H, L, D]
                Tensor k = Ops.splitHeads(kProj.forward(h), heads);
                Tensor v = Ops.splitHeads(vProj.forward(h), heads);
                Tensor attended = Ops.joinHeads(Ops.attention(q, k, v, causal, 1 / Math.sqrt(q.size(3))));
                Tensor x = in.add(outProj.forward(attended));
                Tensor inner = fc1.forward(layerNorm2.forward(x));
                return scope.keep(x.add(fc2.forward(quickGelu ? Ops.quickGelu(inner) : Ops.gelu(inner))));
            }
        }
    }
}
