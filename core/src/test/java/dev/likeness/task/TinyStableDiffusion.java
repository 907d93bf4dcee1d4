package dev.likeness.task;

import static dev.likeness.golden.Golden.path;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Stable Diffusion folders with tiny random networks, put together as golden/golden_diffusion.py does. */
public final class TinyStableDiffusion {

    private TinyStableDiffusion() {}

    /** @param family sd15, sd21 or sdxl */
    public static Path write(Path folder, String family) throws IOException {
        copy(path("stable-diffusion/" + family), folder);
        copy(path("unet-" + family), folder.resolve("unet"));
        copy(path("vae-tiny-quant"), folder.resolve("vae"));
        copy(path("pipeline-tiny/text_encoder"), folder.resolve("text_encoder"));
        copy(path("pipeline-tiny/tokenizer"), folder.resolve("tokenizer"));
        if (family.equals("sdxl")) {
            for (String name : List.of("vocab.json", "merges.txt")) {
                Files.copy(path("pipeline-tiny/tokenizer").resolve(name), folder.resolve("tokenizer_2").resolve(name));
            }
        }
        return folder;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : all.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }
}
