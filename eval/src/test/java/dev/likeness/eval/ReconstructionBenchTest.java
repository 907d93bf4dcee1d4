package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import org.junit.jupiter.api.Test;

class ReconstructionBenchTest {

    private static final int SIDE = 64;

    private static HeldOut square(int of) {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        float[] mask = new float[SIDE * SIDE];
        for (int i = 0; i < mask.length; i++) {
            boolean inside = i % SIDE >= 20 && i % SIDE < 20 + of && i / SIDE >= 20 && i / SIDE < 20 + of;
            mask[i] = inside ? 1 : 0;
            rgb[3 * i] = (byte) (inside ? 200 : i % 7 * 9);
        }
        return new HeldOut("square", "square", Picture.of(SIDE, SIDE, rgb, null), Mask.of(SIDE, SIDE, mask), "", "", 1);
    }

    @Test
    void aSubjectTooSmallForAnInsideHasNoFigureForIt() {
        HeldOut small = square(6);
        assertThat(ReconstructionBench.measure(small, small.picture())).containsKey(Instrument.RIM_SHARPNESS)
                .doesNotContainKey(Instrument.SUBJECT_SHARPNESS).allSatisfy((instrument, value) -> assertThat(value).isFinite());
    }

    @Test
    void onAPlainGroundThereIsNoEdgeToKeep() {
        HeldOut large = square(24);
        HeldOut plain = new HeldOut("plain", "plain", Picture.filled(SIDE, SIDE, 9), large.mask(), "", "", 1);
        assertThat(ReconstructionBench.measure(plain, plain.picture())).containsOnlyKeys(Instrument.IDENTITY_PSNR,
                Instrument.IDENTITY_SSIM);
    }
}
