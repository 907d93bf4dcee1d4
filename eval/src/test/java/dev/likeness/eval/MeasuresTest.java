package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.TestPictures;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Instruments on pictures of which the answer is known: equal ones, moved ones, the wrong subject, a pasted copy. */
class MeasuresTest {

    private static final int SIZE = 64;
    private static final int MOVED = 24;
    private static final Box BOX = new Box(8, 16, 16, 24);
    private static final Mask MASK = box(BOX);
    private static final Picture PLAIN = Picture.filled(SIZE, SIZE, 0x808080);
    private static final Picture SUBJECT = TestPictures.varied(SIZE, SIZE, false, 1);
    private static final Picture REFERENCE = PLAIN.under(SUBJECT, MASK);

    private static Mask box(Box box) {
        float[] coverage = new float[SIZE * SIZE];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = box.contains(i % SIZE, i / SIZE) ? 1 : 0;
        }
        return Mask.of(SIZE, SIZE, coverage);
    }

    /** What the picture shows, that many pixels further right, on the plain ground. */
    private static Picture moved(Picture picture, int right) {
        return picture.pad(right, 0, 0, 0, 0x808080).crop(new Box(0, 0, SIZE, SIZE));
    }

    @Test
    void equalPicturesHaveAHundredDecibels() {
        assertThat(Measures.psnr(REFERENCE, MASK, REFERENCE, 0, 0)).isEqualTo(100);
    }

    @Test
    void aMovedSubjectIsEqualAtItsNewPlaceAndNotAtItsOldOne() {
        Picture made = moved(REFERENCE, MOVED);
        assertThat(Measures.psnr(REFERENCE, MASK, made, MOVED, 0)).isEqualTo(100);
        assertThat(Measures.psnr(REFERENCE, MASK, made, 0, 0)).isLessThan(15);
    }

    @Test
    void differencesOfOneStepHaveFortyEightDecibels() {
        Picture grey = Picture.filled(SIZE, SIZE, 0x646464);
        Picture lighter = Picture.filled(SIZE, SIZE, 0x656565);
        assertThat(Measures.psnr(grey, MASK, lighter, 0, 0)).isCloseTo(20 * Math.log10(255), within(1e-12));
    }

    @Test
    void theWrongSubjectIsLessAlikeThanTheRightOneInOtherLight() {
        Picture wrong = TestPictures.varied(SIZE, SIZE, false, 99);
        Picture darker = REFERENCE.under(Picture.filled(SIZE, SIZE, 0), Mask.of(SIZE, SIZE, quarter()));
        assertThat(Measures.psnr(REFERENCE, MASK, darker, 0, 0)).isGreaterThan(Measures.psnr(REFERENCE, MASK, wrong, 0, 0));
    }

    private static float[] quarter() {
        float[] coverage = new float[SIZE * SIZE];
        Arrays.fill(coverage, 0.25f);
        return coverage;
    }

    @Test
    void plainGenerationHasNoGhost() {
        assertThat(Measures.ghost(REFERENCE, MASK, PLAIN, PLAIN, MOVED, 0)).isZero();
    }

    @Test
    void aSubjectThatStaysWhereItWasIsAGhost() {
        assertThat(Measures.ghost(REFERENCE, MASK, REFERENCE, PLAIN, MOVED, 0)).isGreaterThan(80);
        Picture faint = PLAIN.under(SUBJECT, Mask.of(SIZE, SIZE, quarter()).and(MASK));
        assertThat(Measures.ghost(REFERENCE, MASK, faint, PLAIN, MOVED, 0)).isCloseTo(-20 * Math.log10(0.75), within(0.2));
    }

    @Test
    void aPastedCopyIsNoGhostEvenWhereItCoversItsOldPlace() {
        for (int right : new int[] {MOVED, 5}) {
            Picture pasted = PLAIN.under(moved(SUBJECT, right), MASK.translate(right, 0));
            assertThat(Measures.ghost(REFERENCE, MASK, pasted, PLAIN, right, 0)).as("moved by %d", right).isZero();
        }
    }

    @Test
    void aSubjectThatIsNotMovedCannotGhost() {
        assertThat(Measures.ghost(REFERENCE, MASK, REFERENCE, PLAIN, 0, 0)).isNaN();
    }

    @Test
    void equalPicturesHaveNoDiversityAndItIsSeenWhereItIs() {
        Picture other = REFERENCE.under(TestPictures.varied(SIZE, SIZE, false, 99), MASK);
        Mask far = box(new Box(40, 0, 24, SIZE));
        assertThat(Measures.diversity(REFERENCE, REFERENCE, MASK)).isCloseTo(0, within(1e-12));
        assertThat(Measures.diversity(REFERENCE, other, MASK)).isGreaterThan(0.3);
        assertThat(Measures.diversity(REFERENCE, other, far)).isCloseTo(0, within(1e-12));
    }

    @Test
    void diversityIsTheSameEitherWayRound() {
        Picture other = TestPictures.varied(SIZE, SIZE, false, 99);
        assertThat(Measures.diversity(SUBJECT, other, MASK)).isEqualTo(Measures.diversity(other, SUBJECT, MASK));
    }

    @Test
    void theTrueFillHasNoSeamAndAFillOfAnotherColourHasOne() {
        Mask hole = box(new Box(20, 20, 24, 24));
        Picture truth = TestPictures.varied(SIZE, SIZE, false, 1);
        assertThat(Measures.seam(truth, truth, hole, 8)).isEqualTo(1);
        Picture smooth = ramp(0);
        Picture jump = smooth.under(ramp(60), hole);
        assertThat(Measures.seam(smooth, jump, hole, 8)).isGreaterThan(2);
    }

    @Test
    void whatLiesFarFromTheHolesEdgeIsNoSeam() {
        Mask hole = box(new Box(20, 20, 24, 24));
        Picture middle = ramp(0).under(ramp(60), box(new Box(31, 31, 2, 2)));
        assertThat(Measures.seam(ramp(0), middle, hole, 4)).isEqualTo(1);
    }

    /** Grey that grows by one a column. */
    private static Picture ramp(int from) {
        byte[] rgb = new byte[3 * SIZE * SIZE];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (from + i / 3 % SIZE);
        }
        return Picture.of(SIZE, SIZE, rgb, null);
    }
}
