package dev.likeness.model.dino;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * config.json of a Dinov2Model; the components are its keys.
 *
 * @param imageSize edge of the square pictures that the positions are made for, in pixels; other sizes take interpolated ones
 * @param mlpRatio  width inside the feed-forward layers over hidden_size
 */
public record Dinov2Config(
        int hiddenSize,
        int mlpRatio,
        int numHiddenLayers,
        int numAttentionHeads,
        int numChannels,
        int imageSize,
        int patchSize,
        double layerNormEps,
        Boolean qkvBias) {

    // layerscale_value is what training began with; the drop rates and the mask token are training's as well.
    private static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "apply_layernorm",
            "attention_probs_dropout_prob", "drop_path_rate", "eos_token_id", "hidden_dropout_prob", "layerscale_value",
            "out_features", "out_indices", "reshape_hidden_states", "stage_names", "use_mask_token");

    public Dinov2Config {
        qkvBias = qkvBias == null || qkvBias;
        VitParts.require(hiddenSize, numAttentionHeads, imageSize, patchSize);
    }

    public static Dinov2Config read(Path file) {
        return ConfigJson.read(file, Dinov2Config.class, UNUSED,
                Map.of("model_type", "dinov2", "hidden_act", "gelu", "use_swiglu_ffn", "false"));
    }
}
