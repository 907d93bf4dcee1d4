package dev.likeness.reference;

import dev.likeness.error.Refusal;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Which tokens of the reference go where on the canvas: token {@code source[i]} to token {@code target[i]}, both row-major
 * numbers on the same grid.
 *
 * @param cells latent cells of each token that belong to the subject, as {@link TokenMask#cells} has them
 * @param clipped number of subject tokens that fell outside the canvas
 */
public record Placement(long[] source, long[] target, byte[] cells, int clipped) {

    /** Moves the subject by whole tokens; what leaves the canvas is dropped. */
    public static Placement shifted(TokenMask mask, int rowShift, int columnShift) {
        long[] source = new long[mask.count()];
        long[] target = new long[mask.count()];
        byte[] cells = new byte[mask.count()];
        int kept = 0;
        for (int i = 0; i < mask.covered().length; i++) {
            int row = i / mask.columns() + rowShift;
            int column = i % mask.columns() + columnShift;
            if (mask.covered()[i] && row >= 0 && row < mask.rows() && column >= 0 && column < mask.columns()) {
                source[kept] = i;
                cells[kept] = mask.cells()[i];
                target[kept++] = (long) row * mask.columns() + column;
            }
        }
        return new Placement(Arrays.copyOf(source, kept), Arrays.copyOf(target, kept), Arrays.copyOf(cells, kept),
                mask.count() - kept);
    }

    /**
     * Puts the middle of the subject as near to the layout's point as whole tokens allow, or leaves it where it is.
     *
     * @param layout null to leave the subject in place
     * @throws Refusal (usage) when nothing of the subject would be on the canvas
     */
    public static Placement of(TokenMask mask, Layout layout) {
        if (layout == null || mask.isEmpty()) {
            return shifted(mask, 0, 0);
        }
        double[] middle = mask.middle();
        Placement placement = shifted(mask, (int) Math.round(layout.y() * mask.rows() - middle[0]),
                (int) Math.round(layout.x() * mask.columns() - middle[1]));
        if (placement.source().length == 0) {
            throw Refusal.usage("--layout %s,%s puts the whole subject outside the canvas; move it towards 0.5,0.5.",
                    layout.x(), layout.y());
        }
        return placement;
    }

    /** What remains of it where others stand in front. @param taken target tokens of the others */
    public Placement without(Set<Long> taken) {
        int[] free = IntStream.range(0, target.length).filter(i -> !taken.contains(target[i])).toArray();
        byte[] freeCells = new byte[free.length];
        for (int i = 0; i < free.length; i++) {
            freeCells[i] = cells[free[i]];
        }
        return new Placement(Arrays.stream(free).mapToLong(i -> source[i]).toArray(),
                Arrays.stream(free).mapToLong(i -> target[i]).toArray(), freeCells, clipped);
    }
}
