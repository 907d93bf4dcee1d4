package dev.likeness.reference;

import dev.likeness.image.Mask;

/**
 * Which image tokens belong to the subject, on the token grid (16 x 16 pixels a token).
 *
 * @param covered row-major, rows * columns
 */
public record TokenMask(int rows, int columns, boolean[] covered) {

    /** Pixels of a token along a side. */
    public static final int TOKEN = 16;

    /** When a token belongs to the subject. */
    public enum Rule {
        /** A quarter of its pixels do. */
        QUARTER(0.25),
        /** All of its pixels do: for what must be kept as it is, in- and outpainting. */
        WHOLE(1 - 1e-6),
        /** The pixel nearest to its middle is pure white, as the public implementation has it. */
        NEAREST(0);

        private final double minShare;

        Rule(double minShare) {
            this.minShare = minShare;
        }
    }

    /** @param mask pixel mask of the canvas; width and height are multiples of 16 */
    public static TokenMask of(Mask mask, Rule rule) {
        if (rule == Rule.NEAREST) {
            Mask small = mask.resizeNearest(mask.width() / TOKEN, mask.height() / TOKEN);
            boolean[] white = new boolean[small.width() * small.height()];
            for (int i = 0; i < white.length; i++) {
                white[i] = small.coverage(i % small.width(), i / small.width()) == 1;
            }
            return new TokenMask(small.height(), small.width(), white);
        }
        int rows = mask.height() / TOKEN;
        int columns = mask.width() / TOKEN;
        double[] share = new double[rows * columns];
        for (int y = 0; y < rows * TOKEN; y++) {
            for (int x = 0; x < columns * TOKEN; x++) {
                share[y / TOKEN * columns + x / TOKEN] += mask.coverage(x, y) / (TOKEN * TOKEN);
            }
        }
        boolean[] covered = new boolean[rows * columns];
        for (int i = 0; i < covered.length; i++) {
            covered[i] = share[i] >= rule.minShare;
        }
        return new TokenMask(rows, columns, covered);
    }

    public boolean isEmpty() {
        return count() == 0;
    }

    /** Number of tokens that belong to the subject. */
    public int count() {
        int count = 0;
        for (boolean token : covered) {
            count += token ? 1 : 0;
        }
        return count;
    }

    /** Row and column of the middle of the box around the subject, in tokens; the mask is not empty. */
    public double[] middle() {
        int top = rows;
        int left = columns;
        int bottom = -1;
        int right = -1;
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                if (covered[row * columns + column]) {
                    top = Math.min(top, row);
                    bottom = Math.max(bottom, row);
                    left = Math.min(left, column);
                    right = Math.max(right, column);
                }
            }
        }
        return new double[] {(top + bottom + 1) / 2.0, (left + right + 1) / 2.0};
    }
}
