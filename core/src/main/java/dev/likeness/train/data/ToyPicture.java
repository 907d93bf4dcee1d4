package dev.likeness.train.data;

import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * A square picture with its caption and the truth about what it shows.
 *
 * @param size     side in pixels
 * @param rgb      {@code size * size} pixels {@code 0xRRGGBB}, row by row
 * @param mask     {@code size * size} coverages, 0 to 1, of the subjects without their shadows
 * @param caption  lower-case words
 * @param subjects nouns of the subjects as the caption says them, first subject first; empty for a mere scene
 * @param scene    name of the scene, one of {@link Scenes#names()}
 * @param box      smallest box, in pixels, around the visible part of the first subject; null for a mere scene
 */
public record ToyPicture(int size, int[] rgb, float[] mask, String caption, List<String> subjects, String scene,
                         Rectangle box) {

    /** The pixels as an image, {@code TYPE_INT_RGB}. */
    public BufferedImage image() {
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, size, size, rgb, 0, size);
        return image;
    }
}
