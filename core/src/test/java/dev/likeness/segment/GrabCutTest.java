package dev.likeness.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrabCutTest {

    private interface Shape {
        boolean holds(double x, double y);
    }

    /** A drawn subject and the truth about it. */
    private record Drawn(Picture picture, Mask truth) {

        /** The box around the subject, a little larger. */
        Box box() {
            Box tight = truth.box().orElseThrow();
            int margin = Math.max(1, picture.width() / 64);
            int left = Math.max(0, tight.x() - margin);
            int top = Math.max(0, tight.y() - margin);
            return new Box(left, top, Math.min(picture.width(), tight.x() + tight.width() + margin) - left,
                    Math.min(picture.height(), tight.y() + tight.height() + margin) - top);
        }
    }

    /** Noisy stripes of two reds on noisy checks of a blue and a green. */
    private static Drawn draw(int width, int height, Shape shape) {
        Random random = new Random(7);
        byte[] rgb = new byte[3 * width * height];
        float[] truth = new float[width * height];
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0; x < width; x++, i++) {
                boolean subject = shape.holds((x + 0.5) / width, (y + 0.5) / height);
                truth[i] = subject ? 1 : 0;
                int colour = subject ? (x + y) / 6 % 2 == 0 ? 0xC83C32 : 0xE0883C
                        : (x / 16 + y / 16) % 2 == 0 ? 0x4678B4 : 0x509664;
                for (int c = 0; c < 3; c++) {
                    int level = (colour >> 16 - 8 * c & 255) + (int) (14 * random.nextGaussian());
                    rgb[3 * i + c] = (byte) Math.max(0, Math.min(255, level));
                }
            }
        }
        return new Drawn(Picture.of(width, height, rgb, null), Mask.of(width, height, truth));
    }

    private static Shape ellipse(double x, double y, double halfWidth, double halfHeight) {
        return (px, py) -> Math.pow((px - x) / halfWidth, 2) + Math.pow((py - y) / halfHeight, 2) <= 1;
    }

    private static Drawn egg(int width, int height) {
        return draw(width, height, ellipse(0.55, 0.45, 0.2, 0.3));
    }

    @ParameterizedTest
    @CsvSource({"160, 160, 0.97", "200, 120, 0.97", "48, 64, 0.9", "700, 400, 0.97"})
    void aBoxFindsWhatItFrames(int width, int height, double least) {
        Drawn drawn = egg(width, height);
        Mask mask = GrabCut.box(drawn.picture, drawn.box());
        assertThat(mask.width()).isEqualTo(width);
        assertThat(mask.height()).isEqualTo(height);
        assertThat(mask.iou(drawn.truth)).isGreaterThanOrEqualTo(least);
    }

    @Test
    void aSubjectThatFillsItsBoxIsFoundWithItsCorners() {
        Drawn drawn = draw(160, 160, (x, y) -> x > 0.3 && x < 0.7 && y > 0.2 && y < 0.8);
        assertThat(GrabCut.box(drawn.picture, drawn.box()).iou(drawn.truth)).isGreaterThanOrEqualTo(0.95);
    }

    @Test
    void aSubjectAtTheRimIsFoundByItsBox() {
        Drawn drawn = draw(160, 160, ellipse(0.4, 0.9, 0.25, 0.4));
        assertThat(GrabCut.box(drawn.picture, drawn.box()).iou(drawn.truth)).isGreaterThanOrEqualTo(0.95);
    }

    @Test
    void nothingOutsideTheBoxIsSubject() {
        Drawn drawn = draw(160, 100, (x, y) -> ellipse(0.25, 0.5, 0.15, 0.3).holds(x, y)
                || ellipse(0.75, 0.5, 0.15, 0.3).holds(x, y));
        Mask mask = GrabCut.box(drawn.picture, new Box(10, 15, 60, 70));
        assertThat(mask.isSubject(40, 50)).isTrue();
        assertThat(mask.box()).hasValueSatisfying(box -> assertThat(box.x() + box.width()).isLessThanOrEqualTo(70));
    }

    @ParameterizedTest
    @CsvSource({"160, 160, 0.95", "200, 120, 0.95", "48, 64, 0.85", "700, 400, 0.95"})
    void aClickFindsWhatLiesUnderIt(int width, int height, double least) {
        Drawn drawn = egg(width, height);
        Mask mask = GrabCut.click(drawn.picture, (int) (0.55 * width), (int) (0.45 * height));
        assertThat(mask.width()).isEqualTo(width);
        assertThat(mask.height()).isEqualTo(height);
        assertThat(mask.iou(drawn.truth)).isGreaterThanOrEqualTo(least);
    }

    @Test
    void ofTwoSubjectsAClickTakesTheOneUnderIt() {
        Drawn drawn = draw(200, 120, (x, y) -> ellipse(0.25, 0.5, 0.15, 0.3).holds(x, y)
                || ellipse(0.75, 0.5, 0.15, 0.3).holds(x, y));
        Mask mask = GrabCut.click(drawn.picture, 150, 60);
        assertThat(mask.isSubject(150, 60)).isTrue();
        assertThat(mask.isSubject(50, 60)).isFalse();
        assertThat(mask.fraction()).isCloseTo(drawn.truth.fraction() / 2, within(0.02));
    }

    @Test
    void theSameInputIsTheSameMask() {
        Drawn drawn = egg(120, 90);
        assertThat(GrabCut.box(drawn.picture, drawn.box())).isEqualTo(GrabCut.box(drawn.picture, drawn.box()));
        assertThat(GrabCut.click(drawn.picture, 66, 40)).isEqualTo(GrabCut.click(drawn.picture, 66, 40));
    }

    /** The colours that files hold under full transparency are no part of the picture. */
    @Test
    void transparentPicturesLieOnWhite() {
        Drawn drawn = egg(120, 90);
        byte[] alpha = new byte[120 * 90];
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = (byte) (drawn.truth.isSubject(i % 120, i / 120) ? 255 : 0);
        }
        Picture clear = Picture.of(120, 90, drawn.picture.rgb(), alpha);
        assertThat(GrabCut.box(clear, drawn.box())).isEqualTo(GrabCut.box(clear.flatten(0xFFFFFF), drawn.box()));
        assertThat(GrabCut.box(clear, drawn.box()).iou(drawn.truth)).isGreaterThan(0.97);
    }

    @Test
    void aBoxAroundTheWholePictureStillFindsTheMiddle() {
        Drawn drawn = draw(160, 160, ellipse(0.5, 0.5, 0.3, 0.35));
        assertThat(GrabCut.box(drawn.picture, new Box(0, 0, 160, 160)).iou(drawn.truth)).isGreaterThan(0.9);
    }

    @ParameterizedTest
    @CsvSource({"100, 0, 1, 1", "0, 80, 1, 1", "50, 40, 51, 10", "50, 40, 10, 41", "-1, 0, 5, 5", "0, -1, 5, 5",
            "99, 79, 2147483647, 2147483647"})
    void aBoxThatLeavesThePictureIsRefused(int x, int y, int width, int height) {
        assertRefused(() -> GrabCut.box(Picture.filled(100, 80, 0), new Box(x, y, width, height)), Refusal.Kind.USAGE,
                "--segment box:%d,%d,%d,%d leaves".formatted(x, y, width, height), "100 x 80");
    }

    @ParameterizedTest
    @CsvSource({"100, 0", "0, 80", "-1, 0", "0, -1"})
    void aClickOutsideThePictureIsRefused(int x, int y) {
        assertRefused(() -> GrabCut.click(Picture.filled(100, 80, 0), x, y), Refusal.Kind.USAGE,
                "--segment click:%d,%d is outside".formatted(x, y), "100 x 80");
    }

    @Test
    void aPictureOfOnePixelIsRefused() {
        Picture dot = Picture.filled(1, 1, 0x123456);
        assertRefused(() -> GrabCut.box(dot, new Box(0, 0, 1, 1)), Refusal.Kind.INPUT, "too small", "--mask FILE");
        assertRefused(() -> GrabCut.click(dot, 0, 0), Refusal.Kind.INPUT, "too small", "--mask FILE");
    }

    @Test
    void whereNothingStandsOutIsToldWithARemedy() {
        Picture grey = Picture.filled(60, 40, 0x808080);
        assertRefused(() -> GrabCut.box(grey, new Box(10, 10, 30, 20)), Refusal.Kind.INPUT, "Nothing stands out",
                "box:10,10,30,20", "--mask FILE");
        assertRefused(() -> GrabCut.click(grey, 30, 20), Refusal.Kind.INPUT, "Nothing stands out", "click:30,20",
                "--mask FILE");
    }

    /** Whatever comes out, it is a mask of the picture's size or a refusal. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 9})
    void tinyAndExtremePicturesDoNoHarm(int side) {
        for (Picture picture : new Picture[] {egg(side, side).picture, egg(side, 7).picture, egg(1500, side).picture,
                Picture.filled(side, side + 1, 0x808080)}) {
            int width = picture.width();
            int height = picture.height();
            Box[] boxes = {new Box(0, 0, 1, 1), new Box(width - 1, height - 1, 1, 1), new Box(0, 0, width, height),
                    new Box(0, 0, (width + 1) / 2, (height + 1) / 2)};
            for (Box box : boxes) {
                assertSizedOrRefused(picture, () -> GrabCut.box(picture, box));
            }
            assertSizedOrRefused(picture, () -> GrabCut.click(picture, width - 1, 0));
            assertSizedOrRefused(picture, () -> GrabCut.click(picture, width / 2, height / 2));
        }
    }

    @Test
    void nothingNativeIsLeftBehind() {
        Drawn drawn = egg(60, 60);
        GrabCut.click(drawn.picture, 33, 27);
        long count = Pointer.totalCount();
        long bytes = Pointer.totalBytes();
        for (int i = 0; i < 5; i++) {
            GrabCut.click(drawn.picture, 33, 27);
            GrabCut.box(drawn.picture, drawn.box());
        }
        assertThat(Pointer.totalCount()).isEqualTo(count);
        assertThat(Pointer.totalBytes()).isEqualTo(bytes);
    }

    private interface Cut {
        Mask mask();
    }

    private static void assertSizedOrRefused(Picture picture, Cut cut) {
        try {
            Mask mask = cut.mask();
            assertThat(mask.width()).isEqualTo(picture.width());
            assertThat(mask.height()).isEqualTo(picture.height());
            assertThat(mask.isEmpty()).isFalse();
        } catch (Refusal refusal) {
            assertThat(refusal.kind()).isEqualTo(Refusal.Kind.INPUT);
        }
    }

    private static void assertRefused(Cut cut, Refusal.Kind kind, String... says) {
        assertThatThrownBy(cut::mask)
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(kind))
                .hasMessageContainingAll(says);
    }
}
