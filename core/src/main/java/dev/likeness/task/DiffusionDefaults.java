package dev.likeness.task;

import dev.likeness.model.ConfigJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Settings that suit a diffusion model; what the user gives wins. They stand in {@code likeness.json} of the model folder, and
 * are those of the public pipeline where there is no such file.
 *
 * @param trueCfgScale classifier-free guidance; 1 means one pass a step
 */
public record DiffusionDefaults(int width, int height, int steps, double trueCfgScale) {

    /** @param otherwise where the folder says nothing */
    static DiffusionDefaults read(Path modelFolder, DiffusionDefaults otherwise) {
        Path file = modelFolder.resolve("likeness.json");
        return Files.exists(file) ? ConfigJson.read(file, DiffusionDefaults.class, Set.of()) : otherwise;
    }
}
