package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.schedule.Diffusion;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** From prompt and seed to picture against the public HunyuanDiTPipeline, in two steps (golden/golden_hunyuan.py). */
class HunyuanPipelineParityTest {

    @TempDir
    private static Path folder;
    private static DiffusionModel plain;
    private static DiffusionModel styled;

    private record Run(String name, String prompt, boolean styled, Diffusion.Sampler sampler, Sampling sampling) {
        static Run of(JsonNode json) {
            Sampling sampling = new Sampling(json.path("width").asInt(), json.path("height").asInt(),
                    json.path("steps").asInt(), 0, json.path("guidance_scale").asDouble(),
                    json.path("negative_prompt").asText(""), 512, json.path("seed").asLong(), 1);
            return new Run(json.path("name").asText(), json.path("prompt").asText(), json.path("styled").asBoolean(),
                    Diffusion.Sampler.valueOf(json.path("sampler").asText()), sampling);
        }

        DiffusionModel model() {
            return styled ? HunyuanPipelineParityTest.styled : plain;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Run> runs() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("hunyuan-tiny/runs.json").toFile());
        List<Run> runs = StreamSupport.stream(json.spliterator(), false).map(Run::of).toList();
        assertThat(runs).hasSize(3);
        return runs.stream();
    }

    @BeforeAll
    static void open() throws IOException {
        plain = DiffusionModel.open(TinyHunyuan.write(folder.resolve("plain"), false), Device.CPU, DType.FLOAT32);
        styled = DiffusionModel.open(TinyHunyuan.write(folder.resolve("styled"), true), Device.CPU, DType.FLOAT32);
    }

    @AfterAll
    static void close() {
        plain.close();
        styled.close();
    }

    @ParameterizedTest
    @MethodSource("runs")
    void latentsAfterEachStep(Run run) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("hunyuan.safetensors");
            DiffusionModel model = run.model();
            Tensor noise = model.noise(run.sampling().seed(), 3, run.sampling());
            List<Tensor> steps = new ArrayList<>();
            model.sampler(run.prompt(), run.sampling()).run(noise.narrow(0, 0, 1), run.sampler(),
                    model.steps(run.sampler(), run.sampling()), noise.narrow(0, 1, 2), DiffusionSampler.NO_HOOKS,
                    (step, of, sigma, latents, clean) -> steps.add(Scope.own(latents)));
            golden.assertClose(steps.get(0), run.name() + ".step1", Golden.NETWORK);
            golden.assertClose(steps.get(1), run.name() + ".step2", Golden.NETWORK);
        }
    }

    @Test
    void picture() throws IOException {
        Run run = runs().filter(each -> each.name().equals("ddim")).findFirst().orElseThrow();
        try (Scope scope = Scope.open()) {
            float[] expected = Tensors.floats(Golden.open("hunyuan.safetensors").get("ddim.image"));
            byte[] actual = Generate.run(run.model(), run.prompt(), run.sampler(), run.sampling(), TaskListener.NONE)
                    .images().get(0).picture().rgb();
            assertThat(actual).hasSameSizeAs(new byte[expected.length]);
            for (int i = 0; i < expected.length; i++) {
                assertThat((actual[i] & 255) / 255.0).isCloseTo(expected[i], within(1 / 255.0));
            }
        }
    }

    /** The network is random, so that its steps must be small for DDIM to come back. */
    @Test
    void inversionLeadsBackToThePictureTheBetterTheMoreSteps() {
        Picture picture = TinyModel.subject().flatten(0xFFFFFF);
        double few = psnr(picture, 5);
        double many = psnr(picture, 50);
        assertThat(many).isGreaterThan(few + 3);
    }

    /** How much of what the autoencoder keeps of a picture comes back. */
    private static double psnr(Picture picture, int steps) {
        Sampling sampling = new Sampling(64, 64, steps, 0, 1, "", 512, 1, 1);
        try (Scope scope = Scope.open()) {
            Picture kept = plain.decode(plain.encode(picture));
            Picture back = Invert.run(plain, picture, "a red cat", sampling, TaskListener.NONE).images().get(0).picture();
            return MaskedPsnr.of(kept, Mask.full(64, 64), back, 0, 0);
        }
    }

    @Test
    void componentsThatDoNotBelongTogetherAreRefused(@TempDir Path other) throws IOException {
        TinyHunyuan.write(other, false);
        TinyHunyuan.edit(other.resolve("transformer/config.json"), json -> json.put("cross_attention_dim", 14));
        assertThatThrownBy(() -> DiffusionModel.open(other, Device.CPU, DType.FLOAT32)).isInstanceOf(Refusal.class)
                .hasMessageContaining("cross_attention_dim 14").hasMessageContaining("hidden_size 12");
        TinyHunyuan.write(other, false);
        Files.delete(other.resolve("tokenizer_2/spiece.model"));
        try (DiffusionModel model = DiffusionModel.open(other, Device.CPU, DType.FLOAT32)) {
            assertThatThrownBy(model::load).isInstanceOf(Refusal.class).hasMessageContaining("tokenizer_2");
        }
    }
}
