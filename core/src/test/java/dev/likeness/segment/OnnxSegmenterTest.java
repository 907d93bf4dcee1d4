package dev.likeness.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.segment.OnnxSegmenter.Normalisation;
import dev.likeness.segment.OnnxSegmenter.Options;
import dev.likeness.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Networks in ONNX against ONNX Runtime from Python (golden/golden_onnx.py). */
class OnnxSegmenterTest {

    private static final int WIDTH = 32;
    private static final int HEIGHT = 24;
    private static final Path PROBABILITIES = Golden.path("segment-tiny.onnx");
    private static final Path LOGITS = Golden.path("segment-tiny-half.onnx");

    @TempDir
    Path folder;

    private Scope scope;
    private Golden golden;

    @BeforeEach
    void open() {
        scope = Scope.open();
        golden = Golden.open("segment.safetensors");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private Picture picture() {
        double[] values = golden.doubles("picture");
        byte[] rgb = new byte[values.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) values[i];
        }
        return Picture.of(WIDTH, HEIGHT, rgb, null);
    }

    private static void assertClose(Mask mask, double[] expected, double tolerance) {
        assertThat(mask.width()).isEqualTo(WIDTH);
        assertThat(mask.height()).isEqualTo(HEIGHT);
        float[] coverage = mask.coverage();
        double greatest = 0;
        for (int i = 0; i < coverage.length; i++) {
            greatest = Math.max(greatest, Math.abs(coverage[i] - expected[i]));
        }
        assertThat(greatest).as("greatest difference of a coverage").isLessThanOrEqualTo(tolerance);
    }

    @ParameterizedTest
    @EnumSource
    void theFirstOfEqualMapsOfProbabilities(Normalisation normalisation) {
        double[] expected = golden.doubles("probabilities." + normalisation.name().toLowerCase(Locale.ROOT));
        assertThat(Arrays.stream(expected).max().orElseThrow()).isGreaterThan(0.8);
        assertThat(Arrays.stream(expected).min().orElseThrow()).isLessThan(0.2);
        assertClose(OnnxSegmenter.segment(PROBABILITIES, picture(), new Options(null, normalisation)), expected, 1e-4);
    }

    /** A size that is open takes what is given; a square here, so the picture is made square first. */
    @Test
    void theFinestMapOfLogitsInHalfPrecision() {
        double[] logits = golden.doubles("logits");
        assertThat(Arrays.stream(logits).max().orElseThrow()).isGreaterThan(1.5);
        double[] expected = Arrays.stream(logits).map(v -> 1 / (1 + Math.exp(-v))).toArray();
        // Inside, the network sees no further than a pixel: a band of the padded picture is the picture's.
        Picture square = picture().pad(0, 0, 0, WIDTH - HEIGHT, 0);
        Mask mask = OnnxSegmenter.segment(LOGITS, square, new Options(WIDTH, Normalisation.IMAGENET));
        float[] coverage = Arrays.copyOf(mask.coverage(), WIDTH * (HEIGHT - 1));
        for (int i = 0; i < coverage.length; i++) {
            // A half-precision logit is true to 2e-3; how it is rounded depends on the last bit of a sum.
            assertThat(coverage[i]).isCloseTo((float) expected[i], within(1e-3f));
        }
    }

    @Test
    void picturesOfOtherSizesAreBroughtToTheNetworksAndMasksBack() {
        byte[] rgb = picture().rgb();
        byte[] doubled = new byte[4 * rgb.length];
        for (int i = 0; i < doubled.length; i++) {
            int pixel = i / 3;
            doubled[i] = rgb[3 * (pixel / (2 * WIDTH) / 2 * WIDTH + pixel % (2 * WIDTH) / 2) + i % 3];
        }
        Mask mask = OnnxSegmenter.segment(PROBABILITIES, Picture.of(2 * WIDTH, 2 * HEIGHT, doubled, null), Options.DEFAULT);
        assertThat(mask).isEqualTo(OnnxSegmenter.segment(PROBABILITIES, picture(), Options.DEFAULT)
                .resize(2 * WIDTH, 2 * HEIGHT));
    }

    @Test
    void transparentPicturesLieOnWhite() {
        Picture clear = Picture.of(WIDTH, HEIGHT, picture().rgb(), new byte[WIDTH * HEIGHT]);
        assertThat(OnnxSegmenter.segment(PROBABILITIES, clear, Options.DEFAULT)).isEqualTo(
                OnnxSegmenter.segment(PROBABILITIES, Picture.filled(WIDTH, HEIGHT, 0xFFFFFF), Options.DEFAULT));
    }

    @Test
    void aFileThatIsMissingOrAFolderIsRefused() {
        assertRefused(folder.resolve("absent.onnx"), Options.DEFAULT, "absent.onnx does not exist");
        assertRefused(folder, Options.DEFAULT, "is not a file that can be read");
    }

    @Test
    void aFileThatIsNoModelIsRefused() throws IOException {
        byte[] model = Files.readAllBytes(PROBABILITIES);
        assertRefused(Files.write(folder.resolve("empty.onnx"), new byte[0]), Options.DEFAULT, "empty.onnx cannot be read");
        assertRefused(Files.writeString(folder.resolve("text.onnx"), "no model\n"), Options.DEFAULT,
                "text.onnx cannot be read as an ONNX model");
        assertRefused(Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(model, model.length / 2)), Options.DEFAULT,
                "cut.onnx cannot be read as an ONNX model");
    }

    @Test
    void aNetworkOfAnotherKindIsRefused() {
        assertRefused(Golden.path("segment-classes.onnx"), Options.DEFAULT, "the output classes of shape [1, 3]",
                "a map [1, 1, H, W]");
        assertRefused(Golden.path("segment-two-inputs.onnx"), Options.DEFAULT, "2 inputs", "a picture [1, 3, H, W]");
    }

    @Test
    void aSizeThatTheNetworkDoesNotTakeIsRefused() {
        assertRefused(PROBABILITIES, new Options(64, Normalisation.NONE), "not 64", "leave the size out");
        assertRefused(LOGITS, new Options(48, Normalisation.NONE), "does not run on a picture of 48 x 48 pixels",
                "give another size");
        assertThatIllegalArgumentException().isThrownBy(() -> new Options(0, Normalisation.NONE));
    }

    private void assertRefused(Path onnx, Options options, String... says) {
        assertThatThrownBy(() -> OnnxSegmenter.segment(onnx, picture(), options))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .satisfies(e -> assertThat(e.getMessage()).hasLineCount(1).doesNotContain("onnxruntime"))
                .hasMessageContainingAll(says);
    }
}
