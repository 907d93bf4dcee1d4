package dev.likeness.image;

/**
 * A rectangle of whole pixels.
 *
 * @param x      left edge
 * @param y      top edge
 * @param width  at least 1
 * @param height at least 1
 */
public record Box(int x, int y, int width, int height) {

    public Box {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("a box needs at least one pixel, not " + width + " x " + height);
        }
    }

    public boolean contains(int px, int py) {
        return px >= x && px < x + width && py >= y && py < y + height;
    }
}
