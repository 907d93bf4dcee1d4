package dev.likeness.model.dino;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** DINOv2 without SwiGLU (small, base, large), in the layout of transformers' {@code Dinov2Model} (modeling_dinov2.py). */
public final class Dinov2Model {

    /** Keys that files may carry without use: what training put in place of hidden patches. */
    public static final String[] IGNORED_KEYS = {"embeddings.mask_token"};

    private final VitParts.Embeddings embeddings;
    private final List<Layer> layers = new ArrayList<>();
    private final VitParts.Norm layerNorm;

    public Dinov2Model(Dinov2Config config, Weights weights) {
        embeddings = new VitParts.Embeddings(weights.at("embeddings"), config.hiddenSize(), config.numChannels(),
                config.imageSize(), config.patchSize());
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new Layer(config, weights.at("encoder", "layer", i)));
        }
        layerNorm = new VitParts.Norm(weights.at("layernorm"), config.hiddenSize(), config.layerNormEps());
    }

    /**
     * @param pixels [B, C, h, w], normalised; of any size of at least one patch
     * @return all tokens after the final norm, the class token first: [B, 1 + N, d]
     */
    public Tensor forward(Tensor pixels) {
        try (Scope scope = Scope.open()) {
            Tensor x = embeddings.forward(pixels);
            for (Layer layer : layers) {
                x = layer.forward(x);
            }
            return scope.keep(layerNorm.forward(x));
        }
    }

    private static final class Layer {
        private final VitParts.Norm norm1;
        private final VitParts.Attention attention;
        private final Tensor layerScale1; // [d]
        private final VitParts.Norm norm2;
        private final VitParts.Linear fc1;
        private final VitParts.Linear fc2;
        private final Tensor layerScale2; // [d]

        Layer(Dinov2Config config, Weights weights) {
            int d = config.hiddenSize();
            int inner = d * config.mlpRatio();
            norm1 = new VitParts.Norm(weights.at("norm1"), d, config.layerNormEps());
            attention = new VitParts.Attention(weights.at("attention"), d, config.numAttentionHeads(), config.qkvBias());
            layerScale1 = weights.get("layer_scale1.lambda1", d);
            norm2 = new VitParts.Norm(weights.at("norm2"), d, config.layerNormEps());
            fc1 = new VitParts.Linear(weights.at("mlp", "fc1"), d, inner, true);
            fc2 = new VitParts.Linear(weights.at("mlp", "fc2"), inner, d, true);
            layerScale2 = weights.get("layer_scale2.lambda1", d);
        }

        Tensor forward(Tensor in) {
            try (Scope scope = Scope.open()) {
                Tensor x = Ops.gated(in, layerScale1, attention.forward(norm1.forward(in)));
                Tensor update = fc2.forward(Ops.gelu(fc1.forward(norm2.forward(x))));
                return scope.keep(Ops.gated(x, layerScale2, update));
            }
        }
    }
}
