package dev.likeness.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.golden.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against Pillow's own results (golden/golden_encoders.py), which are named picture.filter.widthxheight.png. */
class PillowTest {

    static Stream<String> resampled() throws IOException {
        try (Stream<Path> files = Files.list(Golden.path("encoders/pictures"))) {
            List<String> names = files.map(file -> file.getFileName().toString()).filter(name -> name.contains("x")).sorted()
                    .toList();
            assertThat(names).hasSizeGreaterThan(8);
            return names.stream();
        }
    }

    @ParameterizedTest
    @MethodSource("resampled")
    void everyByteIsPillows(String name) {
        String[] part = name.split("[.x]");
        Picture picture = Pictures.read(Golden.path("encoders/pictures/" + part[0] + ".png"));
        Pillow filter = Pillow.valueOf(part[1].toUpperCase(Locale.ROOT));
        Picture resized = filter.resize(picture, Integer.parseInt(part[2]), Integer.parseInt(part[3]));
        assertThat(resized).isEqualTo(Pictures.read(Golden.path("encoders/pictures/" + name)));
    }

    @ParameterizedTest
    @EnumSource
    void oneColourStaysOneColour(Pillow filter) {
        for (int[] size : new int[][] {{3, 40}, {40, 3}, {17, 11}, {1, 1}}) {
            assertThat(filter.resize(Picture.filled(17, 11, 0x10FF7F), size[0], size[1]))
                    .isEqualTo(Picture.filled(size[0], size[1], 0x10FF7F));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theSameSizeIsTheSamePictureWithoutItsAlpha(Pillow filter) {
        Picture picture = Picture.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6}, new byte[] {0, 9});
        assertThat(filter.resize(picture, 2, 1)).isEqualTo(Picture.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6}, null));
    }

    @Test
    void aSizeWithoutPixelsIsRefused() {
        assertThatThrownBy(() -> Pillow.BICUBIC.resize(Picture.filled(2, 2, 0), 0, 5))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
