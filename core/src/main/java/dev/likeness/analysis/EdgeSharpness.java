package dev.likeness.analysis;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;

/** How sharp a subject that was drawn again is, by the gradients of luminance (central differences) against the reference's. */
public final class EdgeSharpness {

    private EdgeSharpness() {}

    /**
     * Mean length of the gradient over a region as a share of the reference's there: 1 for equal pictures, less for blurred
     * ones; noise and false edges count as sharpness.
     *
     * @param where pixels of which at least half belongs to the region; the outermost row and column never count
     */
    public static double of(Picture reference, Picture made, Mask where) {
        return sum(made, where) / sum(reference, where);
    }

    /**
     * Share of the reference's gradients that the picture has in their places and directions: the sum of the products of both
     * over the sum of the reference's squares. 1 for equal pictures, less for blurred ones, near 0 for unrelated ones.
     */
    public static double kept(Picture reference, Picture made, Mask where) {
        double products = 0;
        double squares = 0;
        for (int y = 1; y + 1 < reference.height(); y++) {
            for (int x = 1; x + 1 < reference.width(); x++) {
                if (where.isSubject(x, y)) {
                    double rx = across(reference, x, y);
                    double ry = down(reference, x, y);
                    products += rx * across(made, x, y) + ry * down(made, x, y);
                    squares += rx * rx + ry * ry;
                }
            }
        }
        return products / squares;
    }

    /** The pixels within so many of the mask's rim, inside and outside. */
    public static Mask rim(Mask mask, int reach) {
        Mask solid = mask.threshold(Mask.SUBJECT);
        return solid.dilate(reach).and(solid.erode(reach).invert());
    }

    private static double sum(Picture picture, Mask where) {
        double sum = 0;
        for (int y = 1; y + 1 < picture.height(); y++) {
            for (int x = 1; x + 1 < picture.width(); x++) {
                if (where.isSubject(x, y)) {
                    sum += Math.hypot(across(picture, x, y), down(picture, x, y));
                }
            }
        }
        return sum;
    }

    private static double across(Picture picture, int x, int y) {
        int at = y * picture.width() + x;
        return (picture.luminance(at + 1) - picture.luminance(at - 1)) / 2;
    }

    private static double down(Picture picture, int x, int y) {
        int at = y * picture.width() + x;
        return (picture.luminance(at + picture.width()) - picture.luminance(at - picture.width())) / 2;
    }
}
