package dev.likeness.weights;

import java.util.List;

/**
 * What a weight of a network is made of: ranges of rows of one stored tensor, one after another. Files of other projects
 * hold several weights in one tensor, or a weight's halves in another order.
 *
 * @param key  of the stored tensor
 * @param shape of the weight; as many elements as the rows have
 * @param rows ranges along the stored tensor's first axis
 */
record Piece(String key, long[] shape, List<Rows> rows) {

    /** {@code count} rows from {@code first} on. */
    record Rows(long first, long count) {}

    /** The stored tensor as it is. */
    static Piece whole(String key, long[] shape) {
        return new Piece(key, shape, List.of(new Rows(0, shape.length == 0 ? 1 : shape[0])));
    }

    /** The same rows of a tensor under another key. */
    Piece of(String other) {
        return new Piece(other, shape, rows);
    }

    /** The same elements in another shape. */
    Piece reshaped(long... other) {
        return new Piece(key, other, rows);
    }

    /** Some rows of this stored tensor, which is taken whole here. */
    Piece rows(Rows... ranges) {
        long[] cut = shape.clone();
        cut[0] = 0;
        for (Rows range : ranges) {
            cut[0] += range.count();
        }
        return new Piece(key, cut, List.of(ranges));
    }
}
