package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.model.flux.FluxConfig;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Which of the models with FLUX.1's architecture a transformer is. Most of it the configuration tells; dev, Krea and Kontext
 * have the same shapes and differ in their training alone, so that only names tell them apart.
 */
enum FluxVariant {
    DEV("FLUX.1-dev"),
    KREA("FLUX.1-Krea-dev"),
    KONTEXT("FLUX.1-Kontext-dev"),
    SCHNELL("FLUX.1-schnell"),
    TOYBOX("Toybox"),
    OTHER("a model of FLUX.1's architecture"),
    FILL("FLUX.1-Fill-dev"),
    CONTROL("FLUX.1-Canny-dev or FLUX.1-Depth-dev");

    private static final int DOUBLE_BLOCKS = 19;
    private static final int SINGLE_BLOCKS = 38;

    /** What pipelines their folders' model_index.json name. */
    private static final Map<String, String> PIPELINES = Map.of("FluxPipeline", "", "FluxKontextPipeline", "kontext",
            "FluxFillPipeline", "", "FluxControlPipeline", "");

    private final String title;

    FluxVariant(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    static boolean isPipeline(String name) {
        return PIPELINES.containsKey(name);
    }

    /**
     * @param pipeline class name in model_index.json, empty when there is none
     * @param path     of the folder or file
     */
    static FluxVariant of(FluxConfig config, String pipeline, Path path) {
        if (config.inChannels() == 6 * config.outChannels()) { // latents, the picture's latents, 64 pixels of mask a latent
            return FILL;
        }
        if (config.inChannels() == 2 * config.outChannels()) { // latents, the control picture's latents
            return CONTROL;
        }
        String name = (PIPELINES.getOrDefault(pipeline, "") + ' ' + path.toAbsolutePath().normalize().getFileName())
                .toLowerCase(Locale.ROOT);
        if (config.numLayers() == DOUBLE_BLOCKS && config.numSingleLayers() == SINGLE_BLOCKS) {
            if (!config.guidanceEmbeds()) {
                return SCHNELL;
            }
            return name.contains("kontext") ? KONTEXT : name.contains("krea") ? KREA : DEV;
        }
        boolean toybox = config.numLayers() == 2 && config.numSingleLayers() == 5 && config.width() == 256;
        return toybox ? TOYBOX : OTHER;
    }

    void requireSupported(Path path) {
        if (this == FILL) {
            throw Refusal.model("%s is %s, whose transformer takes a picture and a mask as further channels, which is not "
                    + "supported; inpaint works with FLUX.1-dev, Krea or schnell.", path, title);
        }
        if (this == CONTROL) {
            throw Refusal.model("%s is %s, whose transformer takes a control picture as further channels, which is not "
                    + "supported; give FLUX.1-dev, Krea or schnell.", path, title);
        }
    }
}
