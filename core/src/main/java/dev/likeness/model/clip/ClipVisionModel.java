package dev.likeness.model.clip;

import dev.likeness.model.Positions2d;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** CLIP's vision transformer, in the layout of transformers' {@code CLIPVisionModel} (modeling_clip.py). */
public final class ClipVisionModel {

    /** Keys that files may carry without use. */
    public static final String[] IGNORED_KEYS = {"vision_model.embeddings.position_ids"};

    private final ClipVisionConfig config;
    private final Tensor classEmbedding; // [d]
    private final Tensor patchEmbedding; // [d, C, p, p]
    private final Tensor positionEmbedding; // [1 + grid * grid, d]
    private final ClipLayer.Norm preLayerNorm;
    private final List<ClipLayer> layers = new ArrayList<>();
    private final ClipLayer.Norm postLayerNorm;

    public ClipVisionModel(ClipVisionConfig config, Weights root) {
        this.config = config;
        Weights weights = root.at("vision_model");
        int d = config.hiddenSize();
        int p = config.patchSize();
        ClipLayer.Shape shape = new ClipLayer.Shape(d, config.intermediateSize(), config.numAttentionHeads(),
                config.hiddenAct(), config.layerNormEps());
        classEmbedding = weights.get("embeddings.class_embedding", d);
        patchEmbedding = weights.get("embeddings.patch_embedding.weight", d, config.numChannels(), p, p);
        positionEmbedding = weights.get("embeddings.position_embedding.weight", 1L + config.grid() * config.grid(), d);
        preLayerNorm = new ClipLayer.Norm(shape, weights.at("pre_layrnorm")); // so it is spelt in the files
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new ClipLayer(shape, weights.at("encoder", "layers", i)));
        }
        postLayerNorm = new ClipLayer.Norm(shape, weights.at("post_layernorm"));
    }

    public ClipVisionConfig config() {
        return config;
    }

    /**
     * @param pixels [B, C, h, w], normalised; of any size of at least one patch
     * @return the class token after the final norm, [B, d]
     */
    public Tensor forward(Tensor pixels) {
        try (Scope scope = Scope.open()) {
            Tensor patches = Ops.conv2d(Tensors.like(pixels, patchEmbedding), patchEmbedding, null, config.patchSize(), 0);
            Tensor tokens = patches.flatten(2, 3).transpose(1, 2); // [B, N, d]
            Tensor classToken = classEmbedding.view(1, 1, -1).expand(tokens.size(0), 1, tokens.size(2));
            Tensor positions = Positions2d.of(positionEmbedding.unsqueeze(0), config.grid(), patches.size(2), patches.size(3));
            Tensor x = preLayerNorm.forward(Ops.cat(1, classToken, tokens).add(positions)); // [B, 1 + N, d]
            for (ClipLayer layer : layers) {
                x = layer.forward(x, null);
            }
            return scope.keep(postLayerNorm.forward(x.select(1, 0)));
        }
    }
}
