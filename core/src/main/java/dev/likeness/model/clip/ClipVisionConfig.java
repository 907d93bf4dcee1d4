package dev.likeness.model.clip;

import dev.likeness.model.ConfigJson;
import java.util.Set;

/**
 * The vision_config of a CLIPModel; the components are its keys.
 *
 * @param imageSize edge of the square pictures that the positions are made for, in pixels; other sizes take interpolated ones
 */
public record ClipVisionConfig(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numChannels,
        int imageSize,
        int patchSize,
        String hiddenAct,
        double layerNormEps) {

    static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "attention_dropout", "dropout", "eos_token_id",
            "model_type", "projection_dim");

    public ClipVisionConfig {
        ClipLayer.require(hiddenSize, numAttentionHeads, hiddenAct);
        if (patchSize < 1 || imageSize < patchSize) {
            throw new IllegalArgumentException("patch_size must be at least 1 and at most image_size");
        }
    }

    /** Patches along each side of a picture of image_size. */
    public int grid() {
        return imageSize / patchSize;
    }
}
