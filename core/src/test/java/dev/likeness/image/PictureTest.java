package dev.likeness.image;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Arrays;

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
