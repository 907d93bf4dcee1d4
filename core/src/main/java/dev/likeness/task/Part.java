package dev.likeness.task;

import dev.likeness.weights.Weights;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A network of a model folder.
 *
 * @param name    what it is, in words
 * @param folder  where it stands in the model folder
 * @param stem    begin of its weights' file names
 * @param build   reads its config.json and takes its weights
 * @param ignored keys that public files carry without use
 */
record Part(String name, String folder, String stem, Consumer<Weights> build, Set<String> ignored) {

    static Part network(String name, String folder, Consumer<Weights> build) {
        return new Part(name, folder, "diffusion_pytorch_model", build, Set.of());
    }

    static Part textEncoder(String name, String folder, Consumer<Weights> build, String... ignored) {
        return new Part(name, folder, "model", build, Set.of(ignored));
    }
}
