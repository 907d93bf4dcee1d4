package dev.likeness.model.classifier;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * config.json of a {@link Classifier}; the components are its keys.
 *
 * @param size side of the pictures that it sees, in pixels
 * @param widths channels of the stages; each stage halves the size
 * @param identityWidth length of an identity vector
 * @param scenes names of the scenes
 * @param subjects nouns of the subjects
 * @param unnamedSubjects number of subjects without a noun, which follow the others: they are told apart too, so that
 *     identity vectors tell strangers apart
 */
public record ClassifierConfig(int size, List<Integer> widths, int identityWidth, List<String> scenes, List<String> subjects,
        int unnamedSubjects) {

    public ClassifierConfig {
        if (widths == null || widths.isEmpty() || scenes == null || scenes.isEmpty() || subjects == null || size < 1
                || identityWidth < 1) {
            throw new IllegalArgumentException("size, widths, identity_width, scenes and subjects must be given");
        }
        if (size % (1 << widths.size()) != 0) {
            throw new IllegalArgumentException("size must be a multiple of 2 to the number of widths");
        }
    }

    /** @throws dev.likeness.error.Refusal (model) when the file is missing or does not fit */
    public static ClassifierConfig read(Path file) {
        return ConfigJson.read(file, ClassifierConfig.class, Set.of());
    }
}
