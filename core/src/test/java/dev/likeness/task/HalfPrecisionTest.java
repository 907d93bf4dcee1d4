package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.text.HunyuanPrompts;
import dev.likeness.text.TextEncoders;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models in two bytes a number: near what they are in float32, and finite. */
class HalfPrecisionTest {

    private static final double ROUNDED = 0.05; // eight bits, over some layers
    private static final double LARGE = 100;

    @TempDir
    Path folder;

    /** To weights that float16 holds and states of about {@link #LARGE} cubed that it does not, as the real T5's are. */
    private static void enlargeFeedForward(Path t5) {
        Path file = t5.resolve("model.safetensors");
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> weights = new TreeMap<>(SafetensorsFile.open(file).readAll());
            weights.replaceAll((name, weight) -> name.contains("DenseReluDense") ? weight.mul(new Scalar(LARGE)) : weight);
            SafetensorsWriter.write(file, weights, DType.FLOAT32);
        }
    }

    private static void assertNear(Tensor half, Tensor full) {
        assertThat(DType.of(half)).isEqualTo(DType.FLOAT16);
        Golden.assertClose("tokens in float16", half, full, ROUNDED);
    }

    @Test
    void fluxTokensBeyondFloat16AreThoseOfFloat32() throws IOException {
        TinyModel.write(folder);
        enlargeFeedForward(folder.resolve("text_encoder_2"));
        ModelFiles files = ModelFiles.of(folder);
        try (Scope scope = Scope.open(); TextEncoders half = TextEncoders.open(files, DType.FLOAT16, Device.CPU);
                TextEncoders full = TextEncoders.open(files, DType.FLOAT32, Device.CPU)) {
            List<String> prompt = List.of("a fox in the snow");
            assertNear(half.encode(prompt, 8).tokens(), full.encode(prompt, 8).tokens());
        }
    }

    @Test
    void hunyuanTokensBeyondFloat16AreThoseOfFloat32() throws IOException {
        TinyHunyuan.write(folder, false);
        enlargeFeedForward(folder.resolve("text_encoder_2"));
        try (Scope scope = Scope.open(); HunyuanPrompts half = HunyuanPrompts.open(folder, DType.FLOAT16, Device.CPU);
                HunyuanPrompts full = HunyuanPrompts.open(folder, DType.FLOAT32, Device.CPU)) {
            List<String> prompt = List.of("a red cat");
            assertNear(half.encode(prompt, 6, 8).t5().tokens(), full.encode(prompt, 6, 8).t5().tokens());
        }
    }
}
