package dev.likeness.reference;

import dev.likeness.image.Mask;
import java.util.Arrays;

/**
 * Which image tokens belong to the subject, on the token grid (16 x 16 pixels a token, 2 x 2 latent cells).
 *
 * @param covered row-major, rows * columns
 * @param cells by token, which of its latent cells belong to the subject: bits 0 to 3, row-major; 15 for all of them
 */
public record TokenMask(int rows, int columns, boolean[] covered, byte[] cells) {

    /** All latent cells of a token. */
    public static final byte ALL_CELLS = 15;

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
        double[] cellShare = new double[4 * share.length];
        int half = TOKEN / 2;
        for (int y = 0; y < rows * TOKEN; y++) {
            for (int x = 0; x < columns * TOKEN; x++) {
                int token = y / TOKEN * columns + x / TOKEN;
                int cell = y % TOKEN / half * 2 + x % TOKEN / half;
                share[token] += mask.coverage(x, y) / (TOKEN * TOKEN);
                cellShare[4 * token + cell] += mask.coverage(x, y) / (half * half);
            }
        }
        boolean[] covered = new boolean[rows * columns];
        byte[] cells = new byte[rows * columns];
        for (int i = 0; i < covered.length; i++) {
            covered[i] = share[i] >= rule.minShare;
            // Half of a cell; of something thin, which fills no cell by half, those that hold the most of it.
            double fullest = Math.max(Math.max(cellShare[4 * i], cellShare[4 * i + 1]),
                    Math.max(cellShare[4 * i + 2], cellShare[4 * i + 3]));
            for (int cell = 0; cell < 4; cell++) {
                if (cellShare[4 * i + cell] >= Math.min(0.5, fullest - 1e-9)) {
                    cells[i] |= (byte) (1 << cell);
                }
            }
        }
        return new TokenMask(rows, columns, covered, rule == Rule.WHOLE ? whole(covered.length) : cells);
    }

    /** With all cells of each token. */
    public TokenMask(int rows, int columns, boolean[] covered) {
        this(rows, columns, covered, whole(covered.length));
    }

    private static byte[] whole(int tokens) {
        byte[] cells = new byte[tokens];
        Arrays.fill(cells, ALL_CELLS);
        return cells;
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
