package dev.likeness.image;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

class PictureTest {

    @ParameterizedTest
    @CsvSource({"64, 64, 16, 16", "64, 48, 17, 5", "7, 5, 64, 48", "640, 3, 16, 96", "1, 1, 33, 2", "5, 9, 1, 1"})
    void aConstantPictureStaysConstantAtEverySize(int width, int height, int newWidth, int newHeight) {
        for (int colour : new int[] {0x000000, 0xffffff, 0x0180fe, 0x7f2a55}) {
            assertThat(Picture.filled(width, height, colour).resize(newWidth, newHeight))
                    .isEqualTo(Picture.filled(newWidth, newHeight, colour));
        }
    }

    @Test
    void shrinkingByAWholeFactorTakesTheMeanOfEachBlock() {
        Picture picture = TestPictures.varied(30, 20, false, 1);
        Picture small = picture.resize(6, 5);
        for (int y = 0; y < 5; y++) {
            for (int x = 0; x < 6; x++) {
                double blue = 0;
                for (int i = 0; i < 20; i++) {
                    blue += (picture.colour(5 * x + i % 5, 4 * y + i / 5) & 255) / 20.0;
                }
                assertThat((double) (small.colour(x, y) & 255)).isCloseTo(blue, within(0.51));
            }
        }
    }

    @Test
    void shrinkingKeepsTheMeanBrightness() {
        Picture picture = TestPictures.varied(101, 67, false, 2);
        assertThat(meanBlue(picture.resize(37, 23))).isCloseTo(meanBlue(picture), within(0.5));
    }

    @Test
    void growingKeepsAStraightGradientStraight() {
        byte[] rgb = new byte[3 * 16];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (10 * (i / 3));
        }
        Picture grown = Picture.of(16, 1, rgb, null).resize(64, 1);
        for (int x = 8; x < 56; x++) {
            double position = (x + 0.5) / 4 - 0.5;
            assertThat((double) (grown.colour(x, 0) & 255)).isCloseTo(10 * position, within(0.51));
        }
    }

    @Test
    void resizingCommutesWithMirroring() {
        Picture picture = TestPictures.varied(41, 29, true, 3);
        Orientation mirror = Orientation.ofExif(2);
        for (int[] size : new int[][] {{13, 17}, {90, 60}, {13, 60}}) {
            byte[] first = mirror.apply(picture).resize(size[0], size[1]).rgb();
            byte[] second = mirror.apply(picture.resize(size[0], size[1])).rgb();
            for (int i = 0; i < first.length; i++) {
                assertThat(Math.abs((first[i] & 255) - (second[i] & 255))).isLessThanOrEqualTo(1);
            }
        }
    }

    @Test
    void transparentPixelsLeaveNoDarkFringe() {
        byte[] rgb = new byte[3 * 64]; // a white subject on transparent black
        byte[] alpha = new byte[64];
        for (int i = 0; i < 64; i++) {
            if (i % 8 > 2) {
                Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) 255);
                alpha[i] = (byte) 255;
            }
        }
        Picture subject = Picture.of(8, 8, rgb, alpha);
        for (int size : new int[] {3, 5, 20}) {
            Picture resized = subject.resize(size, size);
            byte[] opacity = resized.alpha();
            for (int i = 0; i < opacity.length; i++) {
                if (opacity[i] != 0) {
                    assertThat(resized.colour(i % size, i / size)).isEqualTo(0xffffff);
                }
            }
            byte[] onWhite = resized.flatten(0xffffff).rgb();
            assertThat(onWhite).containsOnly(255);
        }
    }

    @Test
    void flatteningBlendsByAlpha() {
        Picture picture = Picture.of(3, 1, new byte[] {(byte) 200, 0, 0, (byte) 200, 0, 0, (byte) 200, 0, 0},
                new byte[] {0, (byte) 255, (byte) 128});
        Picture flat = picture.flatten(0x0000ff);
        assertThat(flat.hasAlpha()).isFalse();
        assertThat(flat.colour(0, 0)).isEqualTo(0x0000ff);
        assertThat(flat.colour(1, 0)).isEqualTo(0xc80000);
        assertThat(flat.colour(2, 0)).isEqualTo(0x64007f);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void croppingUndoesPadding(boolean alpha) {
        Picture picture = TestPictures.varied(9, 6, alpha, 4);
        Picture padded = picture.pad(1, 2, 3, 4, 0x123456);
        assertThat(padded.width()).isEqualTo(13);
        assertThat(padded.height()).isEqualTo(12);
        assertThat(padded.colour(0, 0)).isEqualTo(0x123456);
        assertThat(padded.colour(12, 11)).isEqualTo(0x123456);
        assertThat(padded.crop(new Box(1, 2, 9, 6))).isEqualTo(picture);
    }

    @ParameterizedTest
    @CsvSource({"false, 1, 2, 3, 4", "true, 3, 0, 0, 1", "true, 0, 0, 0, 0", "false, 20, 20, 20, 20"})
    void anExtendedPictureRepeatsItsRim(boolean alpha, int left, int top, int right, int bottom) {
        Picture picture = TestPictures.varied(9, 6, alpha, 4);
        Picture extended = picture.extend(left, top, right, bottom);
        assertThat(extended.width()).isEqualTo(left + 9 + right);
        assertThat(extended.height()).isEqualTo(top + 6 + bottom);
        assertThat(extended.crop(new Box(left, top, 9, 6))).isEqualTo(picture);
        for (int y = 0; y < extended.height(); y++) {
            for (int x = 0; x < extended.width(); x++) {
                int fromX = Math.min(8, Math.max(0, x - left));
                int fromY = Math.min(5, Math.max(0, y - top));
                assertThat(extended.colour(x, y)).isEqualTo(picture.colour(fromX, fromY));
                if (alpha) {
                    assertThat(extended.alpha()[y * extended.width() + x]).isEqualTo(picture.alpha()[fromY * 9 + fromX]);
                }
            }
        }
        assertThat(extended.hasAlpha()).isEqualTo(alpha);
        assertThatIllegalArgumentException().isThrownBy(() -> picture.extend(0, -1, 0, 0));
    }

    @Test
    void aPictureLaidOverAnotherShowsByItsMask() {
        Picture below = TestPictures.varied(8, 5, false, 1);
        Picture top = TestPictures.varied(8, 5, false, 2);
        assertThat(below.under(top, Mask.full(8, 5))).isEqualTo(top);
        assertThat(below.under(top, Mask.full(8, 5).invert())).isEqualTo(below);
        assertThat(below.under(below, Mask.of(8, 5, halves(40)))).isEqualTo(below);
        Picture mixed = Picture.filled(8, 5, 0x00ff10).under(Picture.filled(8, 5, 0xff0030), Mask.of(8, 5, halves(40)));
        assertThat(mixed).isEqualTo(Picture.filled(8, 5, 0x808020));
        byte[] rgb = below.under(top, Mask.of(8, 5, ramp(40))).rgb();
        for (int i = 0; i < rgb.length; i++) {
            double share = i / 3 / 39.0;
            assertThat((double) (rgb[i] & 255))
                    .isCloseTo((1 - share) * (below.rgb()[i] & 255) + share * (top.rgb()[i] & 255), within(0.501));
        }
    }

    private static float[] halves(int count) {
        float[] values = new float[count];
        Arrays.fill(values, 0.5f);
        return values;
    }

    private static float[] ramp(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i / (count - 1f);
        }
        return values;
    }

    @Test
    void whatDoesNotFitCannotBeLaidOver() {
        Picture below = Picture.filled(4, 3, 0);
        assertThatIllegalArgumentException().isThrownBy(() -> below.under(Picture.filled(3, 4, 0), Mask.full(4, 3)));
        assertThatIllegalArgumentException().isThrownBy(() -> below.under(Picture.filled(4, 3, 0), Mask.full(3, 4)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TestPictures.varied(4, 3, true, 1).under(Picture.filled(4, 3, 0), Mask.full(4, 3)));
    }

    /** A few opaque pixels, each of a colour of its own, on clear ground. */
    private static Picture dots(int width, int height, long seed) {
        Random random = new Random(seed);
        byte[] rgb = new byte[3 * width * height];
        byte[] alpha = new byte[width * height];
        random.nextBytes(rgb);
        for (int i = 0; i < 6; i++) {
            alpha[random.nextInt(alpha.length)] = (byte) (128 + random.nextInt(128));
        }
        return Picture.of(width, height, rgb, alpha);
    }

    /** By looking at every opaque pixel; the one that lends its colour is at most half a pixel farther than the nearest. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 8, 50})
    void coloursSpreadFromTheNearestOpaquePixel(int radius) {
        for (int seed = 0; seed < 10; seed++) {
            Picture picture = dots(17, 13, seed);
            Picture spread = picture.spread(radius);
            byte[] before = picture.alpha();
            byte[] after = spread.alpha();
            for (int i = 0; i < before.length; i++) {
                double nearest = Double.POSITIVE_INFINITY;
                for (int j = 0; j < before.length; j++) {
                    nearest = (before[j] & 255) > 127 ? Math.min(nearest, distance(i, j)) : nearest;
                }
                Set<List<Integer>> possible = new HashSet<>(); // colour and alpha
                if (nearest == 0 || nearest + 0.5 >= radius) { // opaque itself, or out of reach
                    possible.add(List.of(picture.colour(i % 17, i / 17), before[i] & 255));
                }
                for (int j = 0; j < before.length && nearest > 0; j++) {
                    double distance = distance(i, j);
                    if ((before[j] & 255) > 127 && distance <= nearest + 0.5 && distance < radius) {
                        int alpha = (int) Math.round(255 * (1 - distance / radius));
                        possible.add(List.of(picture.colour(j % 17, j / 17), alpha));
                    }
                }
                assertThat(possible).contains(List.of(spread.colour(i % 17, i / 17), after[i] & 255));
            }
        }
    }

    private static double distance(int i, int j) {
        return Math.hypot(i % 17 - j % 17, i / 17 - j / 17);
    }

    @Test
    void spreadingMakesNothingLessOpaque() {
        Picture picture = TestPictures.varied(20, 15, true, 3);
        byte[] before = picture.alpha();
        byte[] after = picture.spread(4).alpha();
        for (int i = 0; i < before.length; i++) {
            assertThat(after[i] & 255).isGreaterThanOrEqualTo(before[i] & 255);
        }
        assertThat(after).isNotEqualTo(before);
    }

    @Test
    void whatHasNoRimIsNotSpread() {
        Picture opaque = TestPictures.varied(9, 7, false, 1);
        assertThat(opaque.spread(5)).isEqualTo(opaque);
        Picture clear = Picture.of(3, 2, new byte[18], new byte[6]);
        assertThat(clear.spread(5)).isEqualTo(clear);
        Picture dots = dots(9, 7, 1);
        assertThat(dots.spread(0)).isEqualTo(dots);
        assertThat(dots.spread(1)).isEqualTo(dots);
    }

    @Test
    void aPictureCannotBeChangedFromOutside() {
        byte[] rgb = {1, 2, 3};
        byte[] alpha = {4};
        Picture picture = Picture.of(1, 1, rgb, alpha);
        rgb[0] = 9;
        alpha[0] = 9;
        picture.rgb()[1] = 9;
        picture.alpha()[0] = 9;
        assertThat(picture.colour(0, 0)).isEqualTo(0x010203);
        assertThat(picture.alpha()).containsExactly(4);
    }

    @Test
    void impossibleSizesAreErrors() {
        Picture picture = Picture.filled(4, 4, 0);
        assertThatIllegalArgumentException().isThrownBy(() -> Picture.of(2, 2, new byte[11], null));
        assertThatIllegalArgumentException().isThrownBy(() -> Picture.of(2, 2, new byte[12], new byte[3]));
        assertThatIllegalArgumentException().isThrownBy(() -> picture.resize(0, 4));
        assertThatIllegalArgumentException().isThrownBy(() -> picture.crop(new Box(2, 0, 3, 1)));
        assertThatIllegalArgumentException().isThrownBy(() -> picture.pad(0, -1, 0, 0, 0));
    }

    private static double meanBlue(Picture picture) {
        double sum = 0;
        for (int i = 0; i < picture.width() * picture.height(); i++) {
            sum += picture.colour(i % picture.width(), i / picture.width()) & 255;
        }
        return sum / (picture.width() * picture.height());
    }
}
