package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.TestPictures;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Layout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReferenceFitTest {

    private static final int WHITE = 0xFFFFFF;
    private static final int BLUE = 0x2040C0;

    private static Mask box(int width, int height, Box subject) {
        float[] coverage = new float[width * height];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = subject.contains(i % width, i / width) ? 1 : 0;
        }
        return Mask.of(width, height, coverage);
    }

    private static Mask full(Picture picture) {
        return Mask.full(picture.width(), picture.height());
    }

    @Test
    void aPictureOfTheCanvassSizeStaysAsItIs() {
        Picture picture = TestPictures.varied(64, 48, false, 1);
        Mask mask = box(64, 48, new Box(3, 5, 20, 30));
        Layout layout = new Layout(0.2, 0.3);
        Subject subject = ReferenceFit.fit(picture, mask, 64, 48, "a fox", layout);
        assertThat(subject.picture()).isEqualTo(picture);
        assertThat(subject.mask()).isEqualTo(mask);
        assertThat(subject.caption()).isEqualTo("a fox");
        assertThat(subject.layout()).isEqualTo(layout);
        assertThat(subject.scene()).isFalse();
        assertThat(ReferenceFit.scene(picture, mask, 64, 48, "a fox"))
                .isEqualTo(new Subject(picture, mask, "a fox", null, true));
    }

    /** Picture width and height, canvas, and the box that the whole picture takes on it. */
    @ParameterizedTest
    @CsvSource({"100, 50, 128, 128, 1, 0, 32, 128, 64", "50, 100, 128, 128, 1, 32, 0, 64, 128",
        "256, 256, 64, 96, 1, 0, 16, 64, 64", "64, 64, 64, 64, 0.5, 16, 16, 32, 32", "32, 64, 64, 64, 0.5, 24, 16, 16, 32",
        "64, 32, 64, 64, 1.5, 0, 8, 64, 48"})
    void aReferenceKeepsItsProportionsInTheMiddleOfWhite(int width, int height, int canvasWidth, int canvasHeight,
            double scale, int x, int y, int w, int h) {
        Picture picture = Picture.filled(width, height, BLUE);
        Subject subject = ReferenceFit.fit(picture, full(picture), canvasWidth, canvasHeight, "",
                new Layout(0.5, 0.5, scale));
        Box box = new Box(x, y, w, h);
        assertThat(subject.mask()).isEqualTo(box(canvasWidth, canvasHeight, box));
        for (int i = 0; i < canvasWidth * canvasHeight; i++) {
            int column = i % canvasWidth;
            int row = i / canvasWidth;
            assertThat(subject.picture().colour(column, row)).isEqualTo(box.contains(column, row) ? BLUE : WHITE);
        }
    }

    @Test
    void withoutLayoutTheScaleIsOne() {
        Picture picture = TestPictures.varied(40, 30, false, 1);
        Mask mask = box(40, 30, new Box(10, 5, 20, 20));
        Subject without = ReferenceFit.fit(picture, mask, 64, 64, "", null);
        Subject with = ReferenceFit.fit(picture, mask, 64, 64, "", new Layout(0.1, 0.9, 1));
        assertThat(without.picture()).isEqualTo(with.picture());
        assertThat(without.mask()).isEqualTo(with.mask());
        assertThat(without.layout()).isNull();
    }

    /** Fourfold on its own canvas; the canvas lies around the subject as far as the picture reaches. */
    @ParameterizedTest
    @CsvSource({"28, 28, 16, 16", "44, 20, 16, 16", "0, 0, 0, 0", "56, 56, 32, 32", "10, 56, 16, 32"})
    void whatIsLargerThanTheCanvasIsCutAroundTheSubject(int x, int y, int left, int top) {
        Picture picture = TestPictures.varied(64, 64, false, 2);
        Mask mask = box(64, 64, new Box(x, y, 8, 8));
        Subject subject = ReferenceFit.fit(picture, mask, 64, 64, "", new Layout(0.5, 0.5, 4));
        assertThat(subject.mask().threshold(0.5f).box()).contains(new Box(left, top, 32, 32));
        Picture cut = picture.resize(256, 256).crop(new Box(4 * x - left, 4 * y - top, 64, 64));
        assertThat(subject.picture()).isEqualTo(cut);
        assertThat(subject.cut()).isZero();
    }

    /** A subject of half the side, threefold: two thirds of each of its sides are on the canvas. */
    @Test
    void whatOfTheSubjectIsLargerThanTheCanvasIsTold() {
        Subject subject = ReferenceFit.fit(TestPictures.varied(64, 64, false, 2), box(64, 64, new Box(16, 16, 32, 32)), 64, 64,
                "", new Layout(0.5, 0.5, 3));
        assertThat(subject.cut()).isCloseTo(5 / 9.0, within(0.01));
        Injection injection = new Injection(0.5, Injection.TauBasis.SIGMA, ReplaceAt.LATENT, false);
        assertThat(Arrangement.of(List.of(subject), injection, false).warnings()).singleElement().asString()
                .contains("56 % of the subject are larger than the canvas");
        assertRefused(Refusal.Kind.USAGE, "--strict", () -> Arrangement.of(List.of(subject), injection, true));
    }

    @ParameterizedTest
    @CsvSource({"40, 30, 64, 64", "30, 40, 64, 64", "300, 20, 64, 48", "16, 16, 96, 32", "1000, 1001, 16, 16"})
    void aSceneCoversTheWholeCanvas(int width, int height, int canvasWidth, int canvasHeight) {
        Picture picture = Picture.filled(width, height, BLUE);
        Subject scene = ReferenceFit.scene(picture, full(picture), canvasWidth, canvasHeight, "a beach");
        assertThat(scene.picture()).isEqualTo(Picture.filled(canvasWidth, canvasHeight, BLUE));
        assertThat(scene.mask()).isEqualTo(Mask.full(canvasWidth, canvasHeight));
        assertThat(scene.scene()).isTrue();
    }

    @Test
    void aSceneLosesTheSameOnBothSides() {
        byte[] rgb = new byte[3 * 96 * 32];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i / 3 % 96);
        }
        Subject scene = ReferenceFit.scene(Picture.of(96, 32, rgb, null), Mask.full(96, 32), 32, 32, "");
        assertThat(scene.picture().colour(0, 0)).isEqualTo(0x010101 * 32);
        assertThat(scene.picture().colour(31, 31)).isEqualTo(0x010101 * 63);
    }

    /** A dark cut-out: half a token around it carries its colour, less and less, and nothing is dark that was transparent. */
    @Test
    void aCutOutCarriesItsColourBeyondItsRimAndLiesOnWhite() {
        byte[] rgb = new byte[3 * 64 * 64];
        byte[] alpha = new byte[64 * 64];
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = (byte) (i % 64 < 32 ? 255 : 0); // black on the left; the rest is black as well but transparent
        }
        Picture picture = Picture.of(64, 64, rgb, alpha);
        Subject subject = ReferenceFit.fit(picture, Mask.ofAlpha(picture, "it"), 64, 64, "", null);
        assertThat(subject.picture().hasAlpha()).isFalse();
        int before = -1;
        for (int x = 31; x < 64; x++) {
            int light = subject.picture().colour(x, 20) & 255;
            assertThat(light).isGreaterThanOrEqualTo(before);
            before = light;
        }
        assertThat(subject.picture().colour(31, 20)).isZero();
        assertThat(subject.picture().colour(32, 20) & 255).isBetween(1, 60);
        assertThat(subject.picture().colour(39, 20)).isEqualTo(WHITE);
        assertThat(subject.mask()).as("the mask does not grow").isEqualTo(Mask.ofAlpha(picture, "it"));
    }

    private static int[] canvas(int width, int height, int side) {
        ModelDefaults defaults = new ModelDefaults(side, side, 4, 0, 1, 8, 0.5, ReplaceAt.ATTENTION, true, false, 0.2, 0.3);
        return ReferenceFit.canvas(Picture.filled(width, height, 0), defaults);
    }

    @ParameterizedTest
    @CsvSource({"256, 256, 256, 256", "64, 48, 288, 224", "60, 50, 288, 240", "1, 1, 256, 256", "512, 512, 256, 256",
        "512, 128, 512, 128", "1024, 256, 512, 128", "3, 300, 32, 2560", "1, 8000, 16, 4096"})
    void aCanvasHasThePicturesProportionsAndTheModelsAreaInWholeTokens(int width, int height, int w, int h) {
        assertThat(canvas(width, height, 256)).containsExactly(w, h);
    }

    @ParameterizedTest
    @CsvSource({"2000, 1500", "1500, 2000", "3000, 1000", "777, 1313", "1999, 2001"})
    void theProportionsAndTheModelsAreaAreKept(int width, int height) {
        int[] canvas = canvas(width, height, 1024);
        assertThat(canvas[0] % 16).isZero();
        assertThat(canvas[1] % 16).isZero();
        double scale = Math.sqrt(1024.0 * 1024 / (width * height));
        assertThat((double) canvas[0]).isCloseTo(width * scale, within(8.0));
        assertThat((double) canvas[1]).isCloseTo(height * scale, within(8.0));
    }

    private static void assertRefused(Refusal.Kind kind, String sentence, Runnable fitting) {
        assertThatThrownBy(fitting::run).isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(kind))
                .hasMessageContaining(sentence);
    }

    @Test
    void aSubjectThatCoversNoTokenIsRefused() {
        Picture picture = Picture.filled(64, 64, BLUE);
        assertRefused(Refusal.Kind.INPUT, "too small",
                () -> ReferenceFit.fit(picture, box(64, 64, new Box(30, 30, 2, 2)), 64, 64, "", null));
        assertRefused(Refusal.Kind.INPUT, "too small",
                () -> ReferenceFit.fit(picture, full(picture).invert(), 64, 64, "", null));
        assertRefused(Refusal.Kind.INPUT, "too small",
                () -> ReferenceFit.fit(picture, box(64, 64, new Box(8, 8, 48, 48)), 64, 64, "", new Layout(0.5, 0.5, 0.1)));
        assertRefused(Refusal.Kind.INPUT, "too small",
                () -> ReferenceFit.scene(picture, full(picture).invert(), 64, 64, ""));
    }

    @Test
    void aMaskOfAnotherSizeIsRefused() {
        Picture picture = Picture.filled(64, 64, BLUE);
        assertRefused(Refusal.Kind.INPUT, "63 x 64", () -> ReferenceFit.fit(picture, Mask.full(63, 64), 64, 64, "", null));
        assertRefused(Refusal.Kind.INPUT, "63 x 64", () -> ReferenceFit.scene(picture, Mask.full(63, 64), 64, 64, ""));
    }

    @Test
    void aScaleThatNoMemoryHoldsIsRefused() {
        Picture picture = Picture.filled(64, 64, BLUE);
        assertRefused(Refusal.Kind.USAGE, "--layout 0.5,0.5,8",
                () -> ReferenceFit.fit(picture, full(picture), 4096, 4096, "", new Layout(0.5, 0.5, 8)));
    }

    /** A thread of a picture would have to grow beyond all bounds to cover the canvas with its short side. */
    @ParameterizedTest
    @CsvSource({"1, 4000", "4000, 1", "1, 3000000"})
    void aSceneThatIsTooNarrowIsRefused(int width, int height) {
        Picture picture = Picture.filled(width, height, BLUE);
        assertRefused(Refusal.Kind.INPUT, width + " x " + height,
                () -> ReferenceFit.scene(picture, full(picture), 1024, 1024, ""));
    }
}
