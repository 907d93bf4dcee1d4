package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.StepListener;
import dev.likeness.golden.Golden;
import dev.likeness.golden.SeededWeights;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.schedule.Diffusion.Sampler;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models in two bytes a number: near what they are in float32, and finite. */
class HalfPrecisionTest {

    private static final double ROUNDED = 0.05; // eight bits, over some layers
    private static final double LARGE = 100;

    @TempDir
    Path folder;

    /** Weights that float16 holds, and states of about {@link #LARGE} cubed that it does not, as the real T5's are. */
    private static void writeLarge(Path t5) {
        Path file = t5.resolve("model.safetensors");
        try (Scope scope = Scope.open()) {
            SeededWeights drawn = new SeededWeights("large-t5");
            new T5EncoderModel(T5Config.read(t5.resolve("config.json")), drawn);
            drawn.write(file);
            Map<String, Tensor> weights = new TreeMap<>(SafetensorsFile.open(file).readAll());
            weights.replaceAll((name, weight) -> name.contains("DenseReluDense") ? weight.mul(new Scalar(LARGE)) : weight);
            SafetensorsWriter.write(file, weights, DType.FLOAT32);
        }
    }

    private static void assertNear(Tensor half, Tensor full) {
        assertThat(DType.of(half)).isEqualTo(DType.FLOAT16);
        Golden.assertClose("tokens in float16", half, full, ROUNDED);
    }

    /** Latents of two steps with guidance, which enlarges what is rounded. */
    @ParameterizedTest
    @CsvSource({"hunyuan, BFLOAT16", "sd21, BFLOAT16", "sdxl, BFLOAT16", "hunyuan, FLOAT16", "sd21, FLOAT16", "sdxl, FLOAT16"})
    void latentsAreNearThoseOfFloat32(String family, DType dtype) throws IOException {
        if (family.equals("hunyuan")) {
            TinyHunyuan.write(folder, true);
        } else {
            TinyStableDiffusion.write(folder, family);
        }
        try (Scope scope = Scope.open(); DiffusionModel half = DiffusionModel.open(folder, Device.CPU, dtype);
                DiffusionModel full = DiffusionModel.open(folder, Device.CPU, DType.FLOAT32)) {
            Golden.assertClose(family + " in " + dtype, latents(half), latents(full), ROUNDED);
        }
    }

    private static Tensor latents(DiffusionModel model) {
        Sampling sampling = new Sampling(64, 64, 2, 0, 2, "", 77, 1, 1);
        return model.sampler("a red cat", sampling).run(model.noise(1, 1, sampling), Sampler.DDIM,
                model.steps(Sampler.DDIM, sampling), null, DiffusionSampler.NO_HOOKS, StepListener.NONE);
    }

    @Test
    void fluxTokensBeyondFloat16AreThoseOfFloat32() throws IOException {
        TinyModel.write(folder);
        writeLarge(folder.resolve("text_encoder_2"));
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
        writeLarge(folder.resolve("text_encoder_2"));
        try (Scope scope = Scope.open(); HunyuanPrompts half = HunyuanPrompts.open(folder, DType.FLOAT16, Device.CPU);
                HunyuanPrompts full = HunyuanPrompts.open(folder, DType.FLOAT32, Device.CPU)) {
            List<String> prompt = List.of("a red cat");
            assertNear(half.encode(prompt, 6, 8).t5().tokens(), full.encode(prompt, 6, 8).t5().tokens());
        }
    }
}
