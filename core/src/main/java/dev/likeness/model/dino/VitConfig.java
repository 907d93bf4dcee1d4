package dev.likeness.model.dino;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * config.json of a ViTModel; the components are its keys.
 *
 * @param imageSize edge of the square pictures that the positions are made for, in pixels; other sizes take interpolated ones
 */
public record VitConfig(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numChannels,
        int imageSize,
        int patchSize,
        double layerNormEps,
        Boolean qkvBias) {

    private static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "attention_probs_dropout_prob",
            "encoder_stride", "eos_token_id", "hidden_dropout_prob", "pooler_act", "pooler_output_size");

    public VitConfig {
        qkvBias = qkvBias == null || qkvBias;
        VitParts.require(hiddenSize, numAttentionHeads, imageSize, patchSize);
    }

    public static VitConfig read(Path file) {
        return ConfigJson.read(file, VitConfig.class, UNUSED, Map.of("model_type", "vit", "hidden_act", "gelu"));
    }
}
