package dev.likeness.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.Pillow;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against the image processors of transformers (golden/golden_encoders.py): pictures smaller and larger than the cut-out. */
class PreprocessingTest {

    private static final double ROUNDING = 1e-6; // a step of 8 bits is 2e-3 of the greatest value

    @ParameterizedTest
    @CsvSource({"clip-old, wide", "clip-old, tall", "clip-old, small", "vit-old, wide", "vit-old, tall", "vit-old, small",
        "vit-shortest, wide", "vit-shortest, tall", "vit-shortest, small", "bit, wide", "bit, tall", "bit, small"})
    void pixelsAreThePublicOnes(String processor, String picture) {
        try (Scope scope = Scope.open()) {
            Preprocessing preprocessing =
                    Preprocessing.read(Golden.path("encoders/preprocessors/" + processor + "/preprocessor_config.json"));
            Tensor pixels = preprocessing.pixels(Pictures.read(Golden.path("encoders/pictures/" + picture + ".png")));
            Golden.open("encoders.safetensors").assertClose(pixels, processor + "." + picture + ".pixel_values", ROUNDING);
        }
    }

    @ParameterizedTest
    @CsvSource({"clip", "dino", "dinov2"})
    void savedProcessorsAreRead(String folder) {
        try (Scope scope = Scope.open()) {
            Preprocessing preprocessing =
                    Preprocessing.read(Golden.path("encoders/" + folder + "/preprocessor_config.json"));
            Golden golden = Golden.open("encoders.safetensors");
            int i = 0;
            for (String picture : List.of("wide", "tall", "small")) {
                Tensor pixels = preprocessing.pixels(Pictures.read(Golden.path("encoders/pictures/" + picture + ".png")));
                Golden.assertClose(folder + " " + picture, pixels, golden.get(folder + ".pixel_values").narrow(0, i++, 1),
                        ROUNDING);
            }
        }
    }

    @Test
    void filesWithoutSettingsMeanTheirProcessorsDefaults(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("preprocessor_config.json");
        Files.writeString(file, "{\"image_processor_type\": \"CLIPImageProcessor\"}");
        Preprocessing clip = Preprocessing.read(file);
        assertThat(clip.frame()).isEqualTo(new Preprocessing.Middle(224, 224, 224));
        assertThat(clip.filter()).isEqualTo(Pillow.BICUBIC);
        Files.writeString(file,
                "{\"image_processor_type\": \"ViTImageProcessorFast\", \"do_normalize\": false, \"size\": null}");
        Preprocessing vit = Preprocessing.read(file);
        assertThat(vit.frame()).isEqualTo(new Preprocessing.Whole(224, 224));
        assertThat(vit.filter()).isEqualTo(Pillow.BILINEAR);
        try (Scope scope = Scope.open()) {
            assertThat(Tensors.floats(vit.pixels(Picture.filled(3, 5, 0x3300FF)))).hasSize(3 * 224 * 224)
                    .contains(0.2f, 0f, 1f);
        }
    }

    @Test
    void dinoScoresAreTakenFromTheMiddleOfLargerPictures() {
        assertThat(Preprocessing.DINO_SCORES.framed(Picture.filled(512, 1024, 0x123456)))
                .isEqualTo(Picture.filled(224, 224, 0x123456));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"resample | 1", "do_resize | false", "do_pad | true", "size | {\"longest_edge\":40}",
        "size | {\"shortest_edge\":30}", "size | {\"height\":40}", "size | 0", "crop_size | 49", "image_std | [0.1,0.2,0]",
        "image_mean | [0.5]", "image_processor_type | \"ConvNextImageProcessor\"", "something_new | 1"})
    void settingsThatAreNotDoneHereAreRefusedWithTheFile(String key, String value, @TempDir Path folder) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        Path from = Golden.path("encoders/preprocessors/bit/preprocessor_config.json");
        ObjectNode json = (ObjectNode) mapper.readTree(from.toFile());
        json.set(key, mapper.readTree(value));
        Path file = folder.resolve("preprocessor_config.json");
        Files.writeString(file, json.toString());
        assertThatThrownBy(() -> Preprocessing.read(file)).isInstanceOf(Refusal.class)
                .hasMessageContaining(file.toString()).hasMessageMatching("(?s).*(" + key + "|size).*");
    }

    @Test
    void aPictureLikeAThreadIsRefused() {
        Preprocessing clip = new Preprocessing(new Preprocessing.Middle(224, 224, 224), Pillow.BICUBIC, 1 / 255.0,
                List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
        assertThatThrownBy(() -> clip.framed(Picture.filled(5000, 1, 0))).isInstanceOf(Refusal.class)
                .hasMessageContaining("5000 x 1");
    }
}
