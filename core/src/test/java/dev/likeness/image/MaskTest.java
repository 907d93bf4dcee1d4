package dev.likeness.image;

import dev.likeness.error.Refusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class MaskTest {

    @TempDir
    Path folder;

    @Test
    void whiteIsTheSubjectUnlessInverted() {
        Path file = folder.resolve("mask.png");
        PngWriter.write(file, Picture.of(3, 1, new byte[] {0, 0, 0, -1, -1, -1, 51, 51, 51}, null), Map.of());
        assertThat(Mask.read(file, false).coverage()).containsExactly(0, 1, 0.2f);
        assertThat(Mask.read(file, true).coverage()).containsExactly(1, 0, 0.8f);
    }

    @Test
    void transparentPixelsAreNeverSubject() {
        Picture picture = Picture.of(2, 1, new byte[] {-1, -1, -1, 0, 0, 0}, new byte[] {0, 0});
        assertThat(Mask.ofLuminance(picture, false).isEmpty()).isTrue();
        assertThat(Mask.ofLuminance(picture, true).isEmpty()).isTrue();
    }

    @Test
    void alphaIsAMask() {
        Picture picture = Picture.of(3, 1, new byte[9], new byte[] {0, (byte) 255, 51});
        assertThat(Mask.ofAlpha(picture, "fox.png").coverage()).containsExactly(0, 1, 0.2f);
        assertThatThrownBy(() -> Mask.ofAlpha(Picture.filled(1, 1, 0), "fox.png")).isInstanceOf(Refusal.class)
                .hasMessageContaining("fox.png has no transparent pixels");
    }

    @Test
    void aMaskOfAnotherSizeIsRefusedWithBothSizes() {
        Mask mask = random(4, 3, 1);
        mask.requireSizeOf(Picture.filled(4, 3, 0), "m.png", "p.png");
        assertThatThrownBy(() -> mask.requireSizeOf(Picture.filled(3, 4, 0), "m.png", "p.png"))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining("m.png is 4 x 3").hasMessageContaining("p.png is 3 x 4");
    }

    @Test
    void theBoxHoldsEveryPixelOfTheSubject() {
        float[] coverage = new float[8 * 6];
        coverage[2 * 8 + 3] = 1;
        coverage[4 * 8 + 6] = 0.5f;
        coverage[0] = 0.49f;
        Mask mask = Mask.of(8, 6, coverage);
        assertThat(mask.box()).contains(new Box(3, 2, 4, 3));
        assertThat(mask.isEmpty()).isFalse();
        assertThat(mask.fraction()).isCloseTo(1.99 / 48, within(1e-6));
        assertThat(Mask.of(2, 2, new float[4]).box()).isEmpty();
        assertThat(Mask.of(2, 2, new float[4]).isEmpty()).isTrue();
    }

    @Test
    void writtenAndReadItIsTheSame() {
        Mask mask = Mask.of(16, 16, ramp());
        Path file = folder.resolve("mask.png");
        PngWriter.write(file, mask.toPicture(), Map.of());
        assertThat(Mask.read(file, false)).isEqualTo(mask);
    }

    @Test
    void growingAndShrinkingByWholeFactorsIsLossless() {
        Mask mask = random(5, 7, 2);
        assertThat(mask.resizeNearest(15, 35).resizeNearest(5, 7)).isEqualTo(mask);
        assertThat(mask.resizeNearest(5, 7)).isEqualTo(mask);
    }

    @Test
    void nearestTakesThePixelUnderTheCentre() {
        Mask mask = Mask.of(4, 1, new float[] {0.1f, 0.2f, 0.3f, 0.4f});
        assertThat(mask.resizeNearest(2, 1).coverage()).containsExactly(0.2f, 0.4f);
        assertThat(mask.resizeNearest(1, 1).coverage()).containsExactly(0.3f);
    }

    @Test
    void shrinkingTakesTheMeanAndGrowingIsSmooth() {
        Mask mask = random(6, 4, 6);
        assertThat(mask.resize(6, 4)).isEqualTo(mask);
        float[] shrunk = mask.resize(3, 2).coverage();
        for (int i = 0; i < shrunk.length; i++) {
            int x = i % 3 * 2;
            int y = i / 3 * 2;
            float mean = (mask.coverage(x, y) + mask.coverage(x + 1, y) + mask.coverage(x, y + 1)
                    + mask.coverage(x + 1, y + 1)) / 4;
            assertThat(shrunk[i]).isCloseTo(mean, within(1e-6f));
        }
        for (float value : Mask.of(3, 2, new float[] {1, 1, 1, 1, 1, 1}).resize(7, 9).coverage()) {
            assertThat(value).isCloseTo(1, within(1e-6f));
        }
        Mask step = Mask.of(4, 1, new float[] {0, 0, 1, 1}).resize(40, 3);
        for (int x = 1; x < 40; x++) {
            assertThat(step.coverage(x, 1)).isBetween(0f, 1f);
            assertThat(step.isSubject(x, 2)).isEqualTo(x >= 20);
        }
    }

    @Test
    void agreementIsTheSharedPartOfTheUnion() {
        Mask left = Mask.of(4, 1, new float[] {1, 0.5f, 0.4f, 0});
        Mask right = Mask.of(4, 1, new float[] {0, 0.9f, 1, 0.1f});
        assertThat(left.iou(right)).isEqualTo(1 / 3.0);
        assertThat(right.iou(left)).isEqualTo(1 / 3.0);
        assertThat(left.iou(left)).isEqualTo(1);
        Mask empty = Mask.of(4, 1, new float[4]);
        assertThat(left.iou(empty)).isZero();
        assertThat(empty.iou(empty)).isEqualTo(1);
        assertThatIllegalArgumentException().isThrownBy(() -> left.iou(random(1, 4, 1)));
    }

    @Test
    void translationMovesAndForgetsWhatLeaves() {
        Mask mask = random(9, 6, 3);
        Mask moved = mask.translate(2, -1);
        for (int y = 0; y < 6; y++) {
            for (int x = 0; x < 9; x++) {
                boolean inside = x - 2 >= 0 && y + 1 < 6;
                assertThat(moved.coverage(x, y)).isEqualTo(inside ? mask.coverage(x - 2, y + 1) : 0);
            }
        }
        assertThat(mask.translate(0, 0)).isEqualTo(mask);
        for (int far : new int[] {9, -9, 1000, -1000}) {
            assertThat(mask.translate(far, 0).fraction()).isZero();
            assertThat(mask.translate(0, far).fraction()).isZero();
        }
    }

    @Test
    void dilationIsTheMaximumUnderTheKernel() {
        Mask mask = random(17, 13, 4);
        for (int radius : new int[] {0, 1, 2, 3, 5, 40}) {
            Mask grown = mask.dilate(radius);
            for (int y = 0; y < 13; y++) {
                for (int x = 0; x < 17; x++) {
                    float expected = 0;
                    for (int v = 0; v < 13; v++) {
                        for (int u = 0; u < 17; u++) {
                            int dx = Math.abs(u - x);
                            int dy = Math.abs(v - y);
                            boolean covered = Math.max(dx, dy) <= radius;
                            expected = covered ? Math.max(expected, mask.coverage(u, v)) : expected;
                        }
                    }
                    assertThat(grown.coverage(x, y)).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void theLawsOfMorphologyHold() {
        for (int seed = 0; seed < 20; seed++) {
            Mask mask = binary(23, 19, seed);
            for (int radius = 0; radius < 4; radius++) {
                Mask grown = mask.dilate(radius);
                Mask shrunk = mask.erode(radius);
                assertBelow(shrunk, mask);
                assertBelow(mask, grown);
                assertThat(shrunk).as("duality").isEqualTo(mask.invert().dilate(radius).invert());
                Mask opened = shrunk.dilate(radius);
                assertBelow(opened, mask);
                assertBelow(mask, grown.erode(radius));
                assertThat(opened.erode(radius).dilate(radius)).as("idempotent").isEqualTo(opened);
                assertBelow(grown, mask.dilate(radius + 1));
            }
        }
    }

    @Test
    void squaresAddTheirRadii() {
        Mask mask = random(30, 20, 5);
        assertThat(mask.dilate(1).dilate(2)).isEqualTo(mask.dilate(3));
        assertThat(mask.erode(1).erode(2)).isEqualTo(mask.erode(3));
    }

    @Test
    void fullAndEmptyMasksAreLeftAlone() {
        Mask empty = Mask.of(9, 9, new float[81]);
        assertThat(empty.dilate(3)).isEqualTo(empty);
        assertThat(empty.invert().erode(3)).isEqualTo(empty.invert());
    }

    /** Distances of walks in eight directions, by looking at every pixel of the subject. */
    private static double[] walks(Mask mask) {
        double[] nearest = new double[mask.width() * mask.height()];
        for (int i = 0; i < nearest.length; i++) {
            nearest[i] = Double.POSITIVE_INFINITY;
            for (int j = 0; j < nearest.length; j++) {
                if (mask.isSubject(j % mask.width(), j / mask.width())) {
                    int dx = Math.abs(i % mask.width() - j % mask.width());
                    int dy = Math.abs(i / mask.width() - j / mask.width());
                    nearest[i] = Math.min(nearest[i], Math.abs(dx - dy) + Math.sqrt(2) * Math.min(dx, dy));
                }
            }
        }
        return nearest;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 40})
    void featheringFallsInAStraightLineToNothing(int radius) {
        for (int seed = 0; seed < 5; seed++) {
            float[] grey = random(19, 14, seed).coverage();
            for (int i = 0; i < grey.length; i++) {
                grey[i] = grey[i] > 0.97 ? grey[i] : grey[i] / 2; // a few pixels of subject among grey ones that are none
            }
            Mask mask = Mask.of(19, 14, grey);
            double[] distance = walks(mask);
            float[] soft = mask.feather(radius).coverage();
            for (int i = 0; i < soft.length; i++) {
                if (distance[i] == 0) {
                    assertThat(soft[i]).isEqualTo(1);
                } else if (distance[i] >= radius) {
                    assertThat(soft[i]).isEqualTo(0);
                } else {
                    assertThat((double) soft[i]).isCloseTo(1 - distance[i] / radius, within(1e-5));
                }
            }
        }
    }

    @Test
    void featheringIsMonotone() {
        Mask small = binary(21, 17, 1).and(binary(21, 17, 2));
        Mask large = binary(21, 17, 1);
        for (int radius = 0; radius < 6; radius++) {
            assertBelow(small.feather(radius), large.feather(radius));
            assertBelow(large.feather(radius), large.feather(radius + 1));
            assertBelow(large, large.feather(radius));
        }
    }

    @Test
    void featheredByNothingAMaskIsHard() {
        Mask mask = random(12, 9, 3);
        assertThat(mask.feather(0)).isEqualTo(mask.threshold(Mask.SUBJECT));
        Mask nothing = Mask.full(7, 5).invert();
        assertThat(nothing.feather(3)).isEqualTo(nothing);
        assertThat(nothing.feather(0)).isEqualTo(nothing);
        assertThat(Mask.full(7, 5).feather(3)).isEqualTo(Mask.full(7, 5));
    }

    /** The smaller coverage of two: as sets have it. */
    @Test
    void whatIsInBothIsTheSmallerOfThem() {
        Mask one = random(11, 8, 1);
        Mask other = random(11, 8, 2);
        Mask third = random(11, 8, 3);
        Mask both = one.and(other);
        for (int i = 0; i < 88; i++) {
            assertThat(both.coverage(i % 11, i / 11))
                    .isEqualTo(Math.min(one.coverage(i % 11, i / 11), other.coverage(i % 11, i / 11)));
        }
        assertThat(other.and(one)).isEqualTo(both);
        assertThat(both.and(third)).isEqualTo(one.and(other.and(third)));
        assertThat(one.and(one)).isEqualTo(one);
        assertThat(one.and(Mask.full(11, 8))).isEqualTo(one);
        assertThat(one.and(Mask.full(11, 8).invert())).isEqualTo(Mask.full(11, 8).invert());
        assertThatIllegalArgumentException().isThrownBy(() -> one.and(random(8, 11, 1)));
    }

    @Test
    void aThresholdDividesAtItself() {
        Mask mask = Mask.of(4, 1, new float[] {0, 0.3f, 0.30001f, 1});
        assertThat(mask.threshold(0.3f).coverage()).containsExactly(0, 1, 1, 1);
        assertThat(mask.threshold(0.30001f).coverage()).containsExactly(0, 0, 1, 1);
        assertThat(mask.threshold(0).coverage()).containsExactly(1, 1, 1, 1);
        assertThat(mask.threshold(1).coverage()).containsExactly(0, 0, 0, 1);
        Mask hard = random(9, 9, 6).threshold(0.4f);
        assertThat(hard.threshold(0.7f)).isEqualTo(hard);
        assertThat(hard.box()).isEqualTo(hard.threshold(Mask.SUBJECT).box());
        assertBelow(random(9, 9, 6).threshold(0.8f), hard);
    }

    @Test
    void aFullMaskIsSubjectEverywhere() {
        assertThat(Mask.full(5, 3).coverage()).hasSize(15).containsOnly(1);
        assertThat(Mask.full(5, 3).fraction()).isEqualTo(1);
        assertThatIllegalArgumentException().isThrownBy(() -> Mask.full(0, 3));
    }

    /** As the picture of it is: whole factors give the mean of each block, and a mask stays a mask. */
    @Test
    void resamplingTakesTheMeanWhereItShrinks() {
        Mask mask = binary(12, 8, 3);
        Mask small = mask.resize(6, 4);
        for (int i = 0; i < 24; i++) {
            int x = 2 * (i % 6);
            int y = 2 * (i / 6);
            float mean = (mask.coverage(x, y) + mask.coverage(x + 1, y) + mask.coverage(x, y + 1)
                    + mask.coverage(x + 1, y + 1)) / 4;
            assertThat(small.coverage(i % 6, i / 6)).isCloseTo(mean, within(1 / 255f));
        }
        assertThat(mask.resize(12, 8)).isEqualTo(mask);
        assertThat(Mask.full(12, 8).resize(31, 5)).isEqualTo(Mask.full(31, 5));
        assertThat(Mask.full(12, 8).invert().resize(5, 31)).isEqualTo(Mask.full(5, 31).invert());
    }

    @Test
    void impossibleValuesAreErrors() {
        assertThatIllegalArgumentException().isThrownBy(() -> Mask.of(2, 2, new float[3]));
        assertThatIllegalArgumentException().isThrownBy(() -> Mask.of(1, 1, new float[] {1.1f}));
        assertThatIllegalArgumentException().isThrownBy(() -> Mask.of(1, 1, new float[] {Float.NaN}));
        assertThatIllegalArgumentException().isThrownBy(() -> random(2, 2, 1).dilate(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> random(2, 2, 1).resizeNearest(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> random(2, 2, 1).resize(1, 0));
    }

    private static void assertBelow(Mask lower, Mask upper) {
        float[] low = lower.coverage();
        float[] high = upper.coverage();
        for (int i = 0; i < low.length; i++) {
            assertThat(low[i]).isLessThanOrEqualTo(high[i]);
        }
    }

    private static float[] ramp() {
        float[] coverage = new float[256];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = i / 255f;
        }
        return coverage;
    }

    private static Mask random(int width, int height, long seed) {
        Random random = new Random(seed);
        float[] coverage = new float[width * height];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = random.nextFloat();
        }
        return Mask.of(width, height, coverage);
    }

    private static Mask binary(int width, int height, long seed) {
        float[] coverage = random(width, height, seed).coverage();
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = coverage[i] < 0.3 ? 1 : 0;
        }
        return Mask.of(width, height, coverage);
    }
}
