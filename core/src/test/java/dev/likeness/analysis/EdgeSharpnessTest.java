package dev.likeness.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import org.junit.jupiter.api.Test;

class EdgeSharpnessTest {

    private static final int SIDE = 48;

    /** A bright square on dark ground, its contrast and its place as told. */
    private static Picture square(int bright, int from, int to) {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        for (int i = 0; i < SIDE * SIDE; i++) {
            int x = i % SIDE;
            int y = i / SIDE;
            boolean inside = x >= from && x < to && y >= from && y < to;
            rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = (byte) (inside ? bright : 50);
        }
        return Picture.of(SIDE, SIDE, rgb, null);
    }

    private static Mask mask() {
        float[] coverage = new float[SIDE * SIDE];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = i % SIDE >= 16 && i % SIDE < 32 && i / SIDE >= 16 && i / SIDE < 32 ? 1 : 0;
        }
        return Mask.of(SIDE, SIDE, coverage);
    }

    private static final Picture SHARP = square(150, 16, 32);
    private static final Mask RIM = EdgeSharpness.rim(mask(), 4);

    @Test
    void theSamePictureHasOne() {
        assertThat(EdgeSharpness.of(SHARP, SHARP, RIM)).isEqualTo(1);
        assertThat(EdgeSharpness.kept(SHARP, SHARP, RIM)).isEqualTo(1);
    }

    @Test
    void halfTheContrastHasHalf() {
        Picture faint = square(100, 16, 32);
        assertThat(EdgeSharpness.of(SHARP, faint, RIM)).isCloseTo(0.5, within(1e-6));
        assertThat(EdgeSharpness.kept(SHARP, faint, RIM)).isCloseTo(0.5, within(1e-6));
    }

    @Test
    void aBlurredPictureHasLess() {
        Picture blurred = SHARP.resize(SIDE / 8, SIDE / 8).resize(SIDE, SIDE);
        Mask narrow = EdgeSharpness.rim(mask(), 2);
        assertThat(EdgeSharpness.of(SHARP, blurred, narrow)).isLessThan(0.6);
        assertThat(EdgeSharpness.kept(SHARP, blurred, narrow)).isBetween(0.05, 0.6);
    }

    /** The length of gradients alone would call it sharp. */
    @Test
    void edgesElsewhereAreNotKept() {
        Picture moved = square(150, 13, 29);
        assertThat(EdgeSharpness.of(SHARP, moved, RIM)).isGreaterThan(0.7);
        assertThat(EdgeSharpness.kept(SHARP, moved, RIM)).isLessThan(0.2);
    }

    @Test
    void theRimReachesToBothSidesOfTheMask() {
        assertThat(RIM.isSubject(16, 24)).isTrue();
        assertThat(RIM.isSubject(12, 24)).isTrue();
        assertThat(RIM.isSubject(11, 24)).isFalse();
        assertThat(RIM.isSubject(19, 24)).isTrue();
        assertThat(RIM.isSubject(20, 24)).isFalse();
    }
}
