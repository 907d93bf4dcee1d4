package dev.likeness.task;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.reference.Layout;

/**
 * A reference of the canvas's size; see {@link ReferenceFit}.
 *
 * @param mask white where the subject is
 * @param caption what the reference shows; may be empty
 * @param layout where the subject goes; null leaves it where it is
 * @param scene whether it is the surroundings, which every other subject stands in front of
 * @param cut share of the subject that its scale carried over the canvas's edges, in [0, 1)
 */
public record Subject(Picture picture, Mask mask, String caption, Layout layout, boolean scene, double cut) {

    public Subject(Picture picture, Mask mask, String caption, Layout layout, boolean scene) {
        this(picture, mask, caption, layout, scene, 0);
    }

    public Subject(Picture picture, Mask mask, String caption, Layout layout) {
        this(picture, mask, caption, layout, false);
    }
}
