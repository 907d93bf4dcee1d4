package dev.likeness.model.dino;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** A vision transformer such as DINO's, in the layout of transformers' {@code ViTModel} (modeling_vit.py), without a pooler. */
public final class VitModel {

    /** Keys that files may carry without use: a pooler was not trained with DINO. */
    public static final String[] IGNORED_KEYS = {"embeddings.mask_token", "pooler.dense.weight", "pooler.dense.bias"};

    private final VitParts.Embeddings embeddings;
    private final List<Layer> layers = new ArrayList<>();
    private final VitParts.Norm layerNorm;

    public VitModel(VitConfig config, Weights weights) {
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
        private final VitParts.Norm layerNormBefore;
        private final VitParts.Attention attention;
        private final VitParts.Norm layerNormAfter;
        private final VitParts.Linear intermediate;
        private final VitParts.Linear output;

        Layer(VitConfig config, Weights weights) {
            int d = config.hiddenSize();
            layerNormBefore = new VitParts.Norm(weights.at("layernorm_before"), d, config.layerNormEps());
            attention = new VitParts.Attention(weights.at("attention"), d, config.numAttentionHeads(), config.qkvBias());
            layerNormAfter = new VitParts.Norm(weights.at("layernorm_after"), d, config.layerNormEps());
            intermediate = new VitParts.Linear(weights.at("intermediate", "dense"), d, config.intermediateSize(), true);
            output = new VitParts.Linear(weights.at("output", "dense"), config.intermediateSize(), d, true);
        }

        Tensor forward(Tensor in) {
            try (Scope scope = Scope.open()) {
                Tensor x = in.add(attention.forward(layerNormBefore.forward(in)));
                return scope.keep(x.add(output.forward(Ops.gelu(intermediate.forward(layerNormAfter.forward(x))))));
            }
        }
    }
}
