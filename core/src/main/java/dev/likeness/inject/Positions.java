package dev.likeness.inject;

import dev.likeness.reference.Placement;

/** Where reference tokens stand when they join attention: the ids (0, row, column) that rotary positions are made of. */
public enum Positions {
    /** All at (0, 0, 0), as text tokens are: the paper's choice. */
    ZERO,
    /** Where the token goes to: the public implementation's choice. */
    TARGET,
    /** Where the token is in the reference. */
    KEEP,
    /** Beside the canvas: where the token is in the reference, moved right by the canvas's width. */
    SHIFT;

    /**
     * Positions (row, column), row-major [n, 2], where a network lays its canvas's tokens over a range of positions.
     *
     * @param grid positions of all tokens of the canvas [N, 2]
     * @param width of the range
     */
    double[] places(Placement placement, double[] grid, double width) {
        long[] tokens = this == TARGET ? placement.target() : placement.source();
        double[] places = new double[2 * tokens.length];
        for (int i = 0; i < tokens.length && this != ZERO; i++) {
            int token = (int) tokens[i];
            places[2 * i] = grid[2 * token];
            places[2 * i + 1] = grid[2 * token + 1] + (this == SHIFT ? width : 0);
        }
        return places;
    }

    /** Row-major [n, 3]. @param columns token columns of the canvas */
    double[] ids(Placement placement, int columns) {
        long[] tokens = this == TARGET ? placement.target() : placement.source();
        double[] ids = new double[3 * tokens.length];
        for (int i = 0; i < tokens.length && this != ZERO; i++) {
            ids[3 * i + 1] = tokens[i] / columns;
            ids[3 * i + 2] = tokens[i] % columns + (this == SHIFT ? columns : 0);
        }
        return ids;
    }
}
