package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PerturbationTest {

    private static final int COLUMNS = 11;
    private static final int TOP = 2; // of the subject's box, in no multiple of any window
    private static final int LEFT = 3;

    /** A subject with holes, moved one token to the right; each token has cells of its own. */
    private static Placement placement(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean[] covered = new boolean[10 * COLUMNS];
        byte[] cells = new byte[covered.length];
        for (int i = 0; i < covered.length; i++) {
            int row = i / COLUMNS;
            int column = i % COLUMNS;
            boolean edge = row == TOP || column == LEFT; // so that the box begins there
            covered[i] = row >= TOP && column >= LEFT && (edge || random.nextInt(4) > 0);
            cells[i] = (byte) (i % 16);
        }
        return Placement.shifted(new TokenMask(10, COLUMNS, covered, cells), 0, 1);
    }

    private static List<Long> window(long token, int side) {
        return List.of((token / COLUMNS - TOP) / side, (token % COLUMNS - LEFT) / side);
    }

    @RepeatedTest(20)
    void tokensChangePlacesWithinWindowsOfTheSubjectsBox(RepetitionInfo repetition) {
        int seed = repetition.getCurrentRepetition();
        int side = 2 + seed % 3;
        Placement placed = placement(seed);
        Placement shuffled = new Perturbation(side, 0, seed).shuffle(placed, COLUMNS);

        assertThat(shuffled.target()).isEqualTo(placed.target());
        assertThat(shuffled.clipped()).isEqualTo(placed.clipped());
        assertThat(sorted(shuffled.source())).isEqualTo(sorted(placed.source())).isNotEqualTo(shuffled.source());
        for (int i = 0; i < placed.source().length; i++) {
            assertThat(window(shuffled.source()[i], side)).isEqualTo(window(placed.source()[i], side));
            assertThat(shuffled.cells()[i]).isEqualTo((byte) (shuffled.source()[i] % 16));
        }
    }

    private static long[] sorted(long[] values) {
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }

    /** Over many seeds each token of a window comes to each of its places about equally often. */
    @Test
    void everyOrderOfAWindowIsEquallyLikely() {
        Placement four = Placement.of(new TokenMask(2, 2, new boolean[] {true, true, true, true}), null);
        Map<List<Long>, Integer> orders = new HashMap<>();
        int seeds = 24 * 100;
        for (int seed = 0; seed < seeds; seed++) {
            long[] source = new Perturbation(2, 0, seed).shuffle(four, 2).source();
            orders.merge(Arrays.stream(source).boxed().toList(), 1, Integer::sum);
        }
        assertThat(orders).hasSize(24);
        assertThat(orders.values()).allSatisfy(count -> assertThat(count).isBetween(50, 160));
    }

    @Test
    void aWindowOfOneTokenChangesNothing() {
        Placement placed = placement(1);
        for (Perturbation perturbation : List.of(Perturbation.NONE, new Perturbation(1, 0, 7))) {
            Placement kept = perturbation.shuffle(placed, COLUMNS);
            assertThat(kept.source()).isEqualTo(placed.source());
            assertThat(kept.target()).isEqualTo(placed.target());
            assertThat(kept.cells()).isEqualTo(placed.cells());
        }
    }

    @Test
    void theGivenPlacementIsNotChanged() {
        Placement placed = placement(1);
        new Perturbation(3, 0, 5).shuffle(placed, COLUMNS);
        assertThat(placed.source()).isEqualTo(placement(1).source());
        assertThat(placed.cells()).isEqualTo(placement(1).cells());
    }

    @Test
    void nothingCanBeShuffled() {
        Placement nothing = new Placement(new long[0], new long[0], new byte[0], 4);
        Placement shuffled = new Perturbation(3, 0, 5).shuffle(nothing, COLUMNS);
        assertThat(shuffled.source()).isEmpty();
        assertThat(shuffled.clipped()).isEqualTo(4);
    }

    @Test
    void theSeedDecides() {
        Placement placed = placement(1);
        List<List<Long>> made = new ArrayList<>();
        for (long seed : new long[] {1, 2, 3}) {
            long[] source = new Perturbation(3, 0, seed).shuffle(placed, COLUMNS).source();
            assertThat(new Perturbation(3, 0, seed).shuffle(placed, COLUMNS).source()).isEqualTo(source);
            made.add(Arrays.stream(source).boxed().toList());
        }
        assertThat(made).doesNotHaveDuplicates();
    }

    /** A kernel of k px reaches (k - 1) / 2 to each side on a canvas of 1024, and at least one pixel on smaller ones. */
    @ParameterizedTest
    @CsvSource({"5, 1024, 2", "5, 768, 2", "5, 512, 1", "5, 256, 1", "5, 64, 1", "5, 2048, 4", "3, 1024, 1", "3, 256, 1",
        "2, 1024, 1", "33, 512, 8", "255, 1024, 127"})
    void theKernelIsScaledToTheCanvas(int kernel, int canvas, int radius) {
        Mask mask = box(canvas, 24);
        assertThat(new Perturbation(1, kernel, 0).morph(mask)).isEqualTo(mask.dilate(radius)).isNotEqualTo(mask);
        assertThat(new Perturbation(1, -kernel, 0).morph(mask)).isEqualTo(mask.erode(radius)).isNotEqualTo(mask);
    }

    /** The longer side counts, so that a canvas on edge is treated as one lying down. */
    @Test
    void theLongerSideOfTheCanvasCounts() {
        Mask lying = box(1024, 24);
        float[] turned = new float[24 * 1024];
        for (int y = 0; y < 1024; y++) {
            for (int x = 0; x < 24; x++) {
                turned[y * 24 + x] = lying.coverage(y, x);
            }
        }
        Mask standing = Mask.of(24, 1024, turned);
        Perturbation perturbation = new Perturbation(1, 5, 0);
        assertThat(perturbation.morph(standing).fraction()).isEqualTo(perturbation.morph(lying).fraction());
    }

    /** 20 columns wide, 8 rows high, in the middle. */
    private static Mask box(int width, int height) {
        float[] coverage = new float[width * height];
        for (int i = 0; i < coverage.length; i++) {
            boolean inside = Math.abs(i % width - width / 2 + 0.5) < 10 && Math.abs(i / width - height / 2 + 0.5) < 4;
            coverage[i] = inside ? 1 : 0;
        }
        return Mask.of(width, height, coverage);
    }

    @Test
    void aKernelOfOnePixelChangesNothing() {
        Mask mask = box(64, 24);
        for (int kernel : new int[] {-1, 0, 1}) {
            assertThat(new Perturbation(3, kernel, 0).morph(mask)).isEqualTo(mask);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void windowsOutOfRangeAreRefused(int window) {
        assertRefused(() -> new Perturbation(window, 0, 0), "--shuffle-window");
    }

    @ParameterizedTest
    @ValueSource(ints = {-256, 256, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void kernelsOutOfRangeAreRefused(int kernel) {
        assertRefused(() -> new Perturbation(1, kernel, 0), "--mask-morph");
    }

    private static void assertRefused(Runnable making, String flag) {
        assertThatThrownBy(making::run)
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining(flag);
    }
}
