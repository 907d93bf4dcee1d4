package dev.likeness.reference;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Loosens the tie between the reference's tokens and their places, so that the subject's structure may change (paper,
 * section 3.3).
 *
 * @param shuffleWindow side in tokens of the windows in which the subject's tokens change places; 1 leaves them
 * @param maskMorph size in pixels, on a canvas of 1024, of the kernel that grows (above 0) or shrinks (below 0) the mask
 * @param seed of the shuffle
 */
public record Perturbation(int shuffleWindow, int maskMorph, long seed) {

    /** The paper's: windows of 3 x 3 tokens and a kernel of 5 px. */
    public static final int PAPER_WINDOW = 3;
    public static final int PAPER_MORPH = 5;

    public static final Perturbation NONE = new Perturbation(1, 0, 0);

    private static final double MORPH_SIDE = 1024;
    private static final int MAX_WINDOW = 64;
    private static final int MAX_MORPH = 255;

    public Perturbation {
        if (shuffleWindow < 1 || shuffleWindow > MAX_WINDOW) {
            throw Refusal.usage("--shuffle-window %d is out of range; use a number of tokens from 1 (no shuffle) to %d.",
                    shuffleWindow, MAX_WINDOW);
        }
        if (maskMorph < -MAX_MORPH || maskMorph > MAX_MORPH) {
            throw Refusal.usage("--mask-morph %d is out of range; use a kernel from %d (shrink) to %d (grow) pixels.", maskMorph,
                    -MAX_MORPH, MAX_MORPH);
        }
    }

    /** The mask grown or shrunk by the kernel, which is scaled to the canvas: at least one pixel to each side. */
    public Mask morph(Mask mask) {
        if (Math.abs(maskMorph) < 2) {
            return mask;
        }
        double reach = (Math.abs(maskMorph) - 1) / 2.0 * Math.max(mask.width(), mask.height()) / MORPH_SIDE;
        int radius = (int) Math.max(1, Math.round(reach));
        return maskMorph > 0 ? mask.dilate(radius) : mask.erode(radius);
    }

    /** The places stay, the tokens that come to them change within windows that start at the subject's top left token. */
    public Placement shuffle(Placement placement, int columns) {
        if (shuffleWindow == 1 || placement.source().length == 0) {
            return placement;
        }
        long[] source = placement.source();
        long top = Arrays.stream(source).map(token -> token / columns).min().orElseThrow();
        long left = Arrays.stream(source).map(token -> token % columns).min().orElseThrow();
        Map<List<Long>, List<Integer>> windows = new LinkedHashMap<>();
        for (int i = 0; i < source.length; i++) {
            List<Long> window = List.of((source[i] / columns - top) / shuffleWindow,
                    (source[i] % columns - left) / shuffleWindow);
            windows.computeIfAbsent(window, w -> new ArrayList<>()).add(i);
        }
        SplittableRandom random = new SplittableRandom(seed);
        long[] shuffled = source.clone();
        byte[] cells = placement.cells().clone();
        for (List<Integer> members : windows.values()) {
            for (int i = members.size() - 1; i > 0; i--) { // Fisher-Yates
                int a = members.get(i);
                int b = members.get(random.nextInt(i + 1));
                long token = shuffled[a];
                shuffled[a] = shuffled[b];
                shuffled[b] = token;
                byte kept = cells[a];
                cells[a] = cells[b];
                cells[b] = kept;
            }
        }
        return new Placement(shuffled, placement.target(), cells, placement.clipped());
    }
}
