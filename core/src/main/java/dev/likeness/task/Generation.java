package dev.likeness.task;

import dev.likeness.denoise.Evaluations;
import dev.likeness.image.Picture;
import java.util.List;
import java.util.Map;

/**
 * What a task made.
 *
 * @param evaluations network passes for all pictures together
 * @param milliseconds time by phase: load, text, encode, invert (with network passes), denoise, decode, total
 * @param warnings sentences for the user, such as a subject that was clipped
 */
public record Generation(List<Image> images, Evaluations evaluations, Map<String, Long> milliseconds,
        List<String> warnings) {

    /** A picture and the seed that makes it again. */
    public record Image(Picture picture, long seed) {}
}
