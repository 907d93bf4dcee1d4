package dev.likeness.features;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A folder in the layout of transformers: config.json, preprocessor_config.json, model.safetensors. */
record EncoderFolder(Path path) {

    private static final String STEM = "model";

    /** @throws Refusal (model) when it lacks one of its files */
    EncoderFolder {
        for (String name : new String[] {"config.json", "preprocessor_config.json"}) {
            if (!Files.isRegularFile(path.resolve(name))) {
                throw incomplete(path, name);
            }
        }
        if (Stream.of(".safetensors", ".safetensors.index.json").noneMatch(end -> Files.exists(path.resolve(STEM + end)))
                && !Files.exists(path.resolve("pytorch_model.bin"))) { // the checkpoint tells what to do with that
            throw incomplete(path, STEM + ".safetensors");
        }
    }

    private static Refusal incomplete(Path path, String name) {
        return Refusal.model("%s lacks %s; give the whole folder of a CLIP or DINO model in transformers' layout.", path, name);
    }

    Path config() {
        return path.resolve("config.json");
    }

    Preprocessing preprocessing() {
        return Preprocessing.read(path.resolve("preprocessor_config.json"));
    }

    Checkpoint weights(DType dtype, Device device) {
        return Checkpoint.open(path, STEM, dtype, device);
    }
}
