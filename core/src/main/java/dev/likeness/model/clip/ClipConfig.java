package dev.likeness.model.clip;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * config.json of a CLIPModel.
 *
 * @param projectionDim width of the space that texts and pictures share
 */
public record ClipConfig(int projectionDim, ClipTextConfig text, ClipVisionConfig vision) {

    private static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "logit_scale_init_value", "text_config",
            "text_config_dict", "vision_config", "vision_config_dict");
    // Files need not say what transformers takes anyway.
    private static final Map<String, Object> TEXT_DEFAULTS = Map.of("vocab_size", 49408, "hidden_size", 512,
            "intermediate_size", 2048, "num_hidden_layers", 12, "num_attention_heads", 8, "max_position_embeddings", 77,
            "eos_token_id", 49407);
    private static final Map<String, Object> VISION_DEFAULTS = Map.of("hidden_size", 768, "intermediate_size", 3072,
            "num_hidden_layers", 12, "num_attention_heads", 12, "num_channels", 3, "image_size", 224, "patch_size", 32,
            "hidden_act", "quick_gelu", "layer_norm_eps", 1e-5);

    private record Top(Integer projectionDim) {}

    /**
     * Reads both towers; what old files say in {@code text_config_dict} and {@code vision_config_dict} holds before
     * {@code text_config} and {@code vision_config}.
     */
    public static ClipConfig read(Path file) {
        Top top = ConfigJson.read(file, Top.class, UNUSED, Map.of("model_type", "clip"));
        ClipTextConfig text = ConfigJson.readInside(file, ClipTextConfig.class, TEXT_DEFAULTS,
                List.of("text_config", "text_config_dict"), ClipTextConfig.UNUSED, Map.of());
        ClipVisionConfig vision = ConfigJson.readInside(file, ClipVisionConfig.class, VISION_DEFAULTS,
                List.of("vision_config", "vision_config_dict"), ClipVisionConfig.UNUSED, Map.of());
        return new ClipConfig(top.projectionDim == null ? 512 : top.projectionDim, text, vision);
    }
}
