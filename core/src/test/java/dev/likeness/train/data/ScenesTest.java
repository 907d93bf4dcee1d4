package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ScenesTest {

    private static final int SIZE = 64;

    static List<String> names() {
        return Scenes.names();
    }

    @Test
    void thereAreAtLeastSixteen() {
        assertThat(Scenes.names()).hasSizeGreaterThanOrEqualTo(16).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("names")
    void theSameSeedGivesTheSamePixels(String name) {
        assertThat(pixels(name, 7, SIZE)).isEqualTo(pixels(name, 7, SIZE));
    }

    @ParameterizedTest
    @MethodSource("names")
    void otherSeedsGiveOtherPixels(String name) {
        assertThat(pixels(name, 7, SIZE)).isNotEqualTo(pixels(name, 8, SIZE));
    }

    @ParameterizedTest
    @MethodSource("names")
    void everyPixelIsPainted(String name) {
        for (int seed = 0; seed < 12; seed++) {
            assertThat(pixels(name, seed, SIZE)).doesNotContain(0);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void sizesShowTheSamePicture(String name) {
        float[] small = thumbnail(pixels(name, 3, 64), 64);
        float[] large = thumbnail(pixels(name, 3, 256), 256);

        assertThat(distance(small, large)).isLessThan(3);
    }

    @ParameterizedTest
    @MethodSource("names")
    void theGroundLeavesRoomToStand(String name) {
        for (int seed = 0; seed < 20; seed++) {
            assertThat(Scenes.backdrop(name, seed, 16).groundTop()).isBetween(0.0, 0.8);
        }
    }

    @Test
    void scenesLookDifferentFromEachOther() {
        List<float[]> typical = new ArrayList<>();
        for (String name : Scenes.names()) {
            float[] mean = new float[8 * 8 * 3];
            for (int seed = 0; seed < 8; seed++) {
                float[] one = thumbnail(pixels(name, seed, SIZE), SIZE);
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += one[i] / 8;
                }
            }
            typical.add(mean);
        }
        for (int i = 0; i < typical.size(); i++) {
            for (int j = 0; j < i; j++) {
                assertThat(distance(typical.get(i), typical.get(j)))
                        .as("%s and %s", Scenes.names().get(i), Scenes.names().get(j)).isGreaterThan(12);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void everySceneHasACaption(String name) {
        ToyPicture picture = ToyboxData.drawScene(1, SIZE, name);

        assertThat(picture.caption()).matches("[a-z]+( [a-z]+)*");
        assertThat(picture.scene()).isEqualTo(name);
        assertThat(picture.subjects()).isEmpty();
        assertThat(picture.box()).isNull();
        assertThat(picture.mask()).containsOnly(0f);
    }

    @Test
    void anUnknownNameIsRefused() {
        assertThatThrownBy(() -> Scenes.draw("nowhere", 0, SIZE)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nowhere");
    }

    private static int[] pixels(String name, long seed, int size) {
        return ToyboxData.drawScene(seed, size, name).rgb();
    }

    /** Mean red, green and blue of 8 x 8 squares. */
    private static float[] thumbnail(int[] pixels, int size) {
        int block = size / 8;
        float[] result = new float[8 * 8 * 3];
        for (int i = 0; i < pixels.length; i++) {
            int cell = i / size / block * 8 + i % size / block;
            for (int channel = 0; channel < 3; channel++) {
                result[3 * cell + channel] += (float) (pixels[i] >> 16 - 8 * channel & 255) / (block * block);
            }
        }
        return result;
    }

    private static double distance(float[] first, float[] second) {
        double sum = 0;
        for (int i = 0; i < first.length; i++) {
            sum += Math.abs(first[i] - second[i]);
        }
        return sum / first.length;
    }
}
