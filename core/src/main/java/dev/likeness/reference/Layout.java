package dev.likeness.reference;

import dev.likeness.error.Refusal;

/**
 * Where the middle of the subject shall stand, in fractions of the canvas from its top left corner, and how large it shall be.
 *
 * @param x 0 is the left edge, 1 the right edge
 * @param y 0 is the top edge, 1 the bottom edge
 * @param scale size of the subject, in relation to the size it has once its reference is fitted to the canvas; 1 leaves it
 *     unchanged, 0.5 halves width and height; from {@link #MIN_SCALE} to {@link #MAX_SCALE}
 */
public record Layout(double x, double y, double scale) {

    public static final double MIN_SCALE = 0.05;
    public static final double MAX_SCALE = 8;

    /** @throws Refusal (usage) when the point lies outside the canvas or the scale out of range */
    public Layout {
        x += 0.0; // -0 becomes 0, which flag() writes
        y += 0.0;
        if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) {
            throw Refusal.usage("--layout %s lies outside the canvas; give the middle of the subject as two fractions "
                    + "from 0 to 1, such as 0.5,0.6.", flag(x, y, scale));
        }
        if (!(scale >= MIN_SCALE && scale <= MAX_SCALE)) {
            throw Refusal.usage("--layout %s has a scale out of range; give the size of the subject as a number from %s to %s, "
                    + "where 1 leaves it as it is.", flag(x, y, scale), number(MIN_SCALE), number(MAX_SCALE));
        }
    }

    /** The subject in its own size. */
    public Layout(double x, double y) {
        this(x, y, 1);
    }

    /** @throws Refusal (usage) when the text is neither {@code x,y} nor {@code x,y,scale}, or a number is out of range */
    public static Layout parse(String text) {
        String[] parts = text.split(",", -1);
        try {
            if (parts.length == 2 || parts.length == 3) {
                double x = Double.parseDouble(parts[0].strip());
                double y = Double.parseDouble(parts[1].strip());
                return new Layout(x, y, parts.length == 2 ? 1 : Double.parseDouble(parts[2].strip()));
            }
        } catch (NumberFormatException e) {
            // told below, with the form that is wanted
        }
        throw Refusal.usage("--layout %s is neither x,y nor x,y,scale; give the middle of the subject as two fractions from 0 "
                + "to 1 and, where its size shall change, a scale, such as 0.5,0.6 or 0.5,0.6,0.8.", text);
    }

    /** The text that {@link #parse} reads as this layout; a scale of 1 is left out. */
    public String flag() {
        return flag(x, y, scale);
    }

    private static String flag(double x, double y, double scale) {
        return number(x) + "," + number(y) + (scale == 1 ? "" : "," + number(scale));
    }

    /** Without the {@code .0} that Java puts behind whole numbers. */
    static String number(double value) {
        return value == (int) value ? Integer.toString((int) value) : Double.toString(value);
    }
}
