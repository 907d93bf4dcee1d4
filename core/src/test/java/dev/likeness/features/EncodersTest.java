package dev.likeness.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders from file to vector, against transformers with its own processors and tokenizer (golden/golden_encoders.py). */
class EncodersTest {

    private static final List<String> PICTURES = List.of("wide", "tall", "small");

    /** The prompts of golden_encoders.py. */
    private static final List<String> PROMPTS =
            List.of("a photo of a red cat on a beach", "", "A painting of an old robot, under a tree!", "toy ".repeat(90));

    private static ClipEncoder clip(Path folder) {
        return ClipEncoder.open(folder, DType.FLOAT32, Device.CPU);
    }

    private static DinoEncoder dino(Path folder) {
        return DinoEncoder.open(folder, DType.FLOAT32, Device.CPU);
    }

    private static Picture picture(String name) {
        return Pictures.read(Golden.path("encoders/pictures/" + name + ".png"));
    }

    private static void assertClose(String what, float[] actual, Tensor expected) {
        Golden.assertClose(what, Tensors.of(actual, actual.length), expected, Golden.NETWORK);
    }

    @Test
    void clip() {
        try (Scope scope = Scope.open(); ClipEncoder clip = clip(Golden.path("encoders/clip"))) {
            Golden golden = Golden.open("encoders.safetensors");
            for (int i = 0; i < PICTURES.size(); i++) {
                assertClose(PICTURES.get(i), clip.features(picture(PICTURES.get(i))),
                        golden.get("clip.image_features").select(0, i));
            }
            for (int i = 0; i < PROMPTS.size(); i++) {
                assertClose(PROMPTS.get(i), clip.features(PROMPTS.get(i)), golden.get("clip.text_features").select(0, i));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"dino", "dinov2"})
    void dino(String kind) {
        try (Scope scope = Scope.open(); DinoEncoder dino = dino(Golden.path("encoders/" + kind))) {
            Tensor expected = Golden.open("encoders.safetensors").get(kind + ".last_hidden_state");
            for (int i = 0; i < PICTURES.size(); i++) {
                assertClose(PICTURES.get(i), dino.features(picture(PICTURES.get(i))), expected.select(0, i).select(0, 0));
            }
        }
    }

    /** The positions of the tiny network are made for 4 x 4 patches; these pictures have 28 x 28. */
    @Test
    void dinoWithThePreprocessingOfItsScores() {
        Path folder = Golden.path("encoders/dino");
        try (DinoEncoder dino = DinoEncoder.open(folder, Preprocessing.DINO_SCORES, DType.FLOAT32, Device.CPU)) {
            assertThat(dino.features(picture("wide"))).hasSize(24).isNotEqualTo(dino.features(picture("tall")));
        }
    }

    private static void copy(String kind, Path to) throws IOException {
        try (Stream<Path> files = Files.list(Golden.path("encoders/" + kind))) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"config.json", "preprocessor_config.json", "model.safetensors", "vocab.json", "merges.txt"})
    void anIncompleteFolderIsRefused(String missing, @TempDir Path folder) throws IOException {
        copy("clip", folder);
        Files.delete(folder.resolve(missing));
        assertThatThrownBy(() -> clip(folder)).isInstanceOf(Refusal.class).hasMessageContainingAll(folder.toString(), missing);
    }

    @Test
    void picklesAreNotReadAndTheRemedyIsTold(@TempDir Path folder) throws IOException {
        copy("dino", folder);
        Files.move(folder.resolve("model.safetensors"), folder.resolve("pytorch_model.bin"));
        assertThatThrownBy(() -> dino(folder)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(folder.toString(), "pytorch_model.bin", "save_pretrained");
    }

    @Test
    void aFolderOfTheOtherKindIsRefused() {
        assertThatThrownBy(() -> clip(Golden.path("encoders/dino"))).isInstanceOf(Refusal.class)
                .hasMessageContainingAll("model_type", "vit", "clip");
        assertThatThrownBy(() -> dino(Golden.path("encoders/clip"))).isInstanceOf(Refusal.class)
                .hasMessageContainingAll("model_type", "clip", "dinov2");
    }

    /** SwiGLU, of the giant DINOv2, is another network. */
    @Test
    void aNetworkThatIsNotBuiltHereIsRefused(@TempDir Path folder) throws IOException {
        copy("dinov2", folder);
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"use_swiglu_ffn\": false", "\"use_swiglu_ffn\": true"));
        assertThatThrownBy(() -> dino(folder)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(config.toString(), "use_swiglu_ffn");
    }
}
