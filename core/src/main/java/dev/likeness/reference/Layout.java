package dev.likeness.reference;

import dev.likeness.error.Refusal;

/**
 * Where the middle of the subject shall stand, in fractions of the canvas from its top left corner.
 *
 * @param x 0 is the left edge, 1 the right edge
 * @param y 0 is the top edge, 1 the bottom edge
 */
public record Layout(double x, double y) {

    public Layout {
        if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) {
            throw Refusal.usage("--layout %s,%s lies outside the canvas; give the middle of the subject as two fractions "
                    + "from 0 to 1, such as 0.5,0.6.", x, y);
        }
    }

    /** @throws Refusal (usage) when the text is not {@code x,y} */
    public static Layout parse(String text) {
        String[] parts = text.split(",", -1);
        try {
            if (parts.length == 2) {
                return new Layout(Double.parseDouble(parts[0].strip()), Double.parseDouble(parts[1].strip()));
            }
        } catch (NumberFormatException e) {
            // told below, with the form that is wanted
        }
        throw Refusal.usage("--layout %s is not x,y; give the middle of the subject as two fractions from 0 to 1, such as "
                + "0.5,0.6.", text);
    }
}
