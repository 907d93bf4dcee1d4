package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From prompt and seed to picture against the public FluxPipeline, in two steps (golden/golden_pipeline.py). */
class PipelineParityTest {

    private static final int TEXT_LENGTH = 512;

    private static FluxModel model;

    private record Run(String name, String prompt, Sampling sampling) {
        static Run of(JsonNode json) {
            Sampling sampling = new Sampling(json.path("width").asInt(), json.path("height").asInt(),
                    json.path("steps").asInt(), json.path("guidance_scale").asDouble(), json.path("true_cfg_scale").asDouble(),
                    json.path("negative_prompt").asText(""), TEXT_LENGTH, json.path("seed").asLong(), 1);
            return new Run(json.path("name").asText(), json.path("prompt").asText(), sampling);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Run> runs() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("pipeline.json").toFile());
        List<Run> runs = StreamSupport.stream(json.spliterator(), false).map(Run::of).toList();
        assertThat(runs).hasSize(4);
        return runs.stream();
    }

    @BeforeAll
    static void open() {
        model = FluxModel.open(Golden.path("pipeline-tiny"), Device.CPU, DType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @ParameterizedTest
    @MethodSource("runs")
    void promptToConditioning(Run run) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("pipeline.safetensors");
            var text = model.text(run.prompt(), run.sampling());
            assertThat(Tensors.shape(text.tokens())).containsExactly(1, 512, 24);
            Golden.assertClose("text", text.tokens().narrow(1, 0, 24), golden.get(run.name() + ".text"), Golden.NETWORK);
            golden.assertClose(text.pooled(), run.name() + ".pooled", Golden.NETWORK);
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void seedToNoise(Run run) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("pipeline.safetensors");
            golden.assertClose(model.noise(run.sampling().seed(), run.sampling()), run.name() + ".noise", 1e-6);
        }
    }

    /** Sizes below and above 16 numbers are drawn by different code in libtorch; seeds go beyond 32 bits and below zero. */
    @ParameterizedTest
    @ValueSource(longs = {0, 42, 7, 1L << 31, (1L << 40) + 3, -1, 123})
    void noiseIsThatOfASeededGeneratorOfPyTorch(long seed) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("pipeline.safetensors");
            long[] shape = Tensors.shape(golden.get("noise." + seed));
            golden.assertClose(Tensors.noise(seed, shape), "noise." + seed, 1e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void latentsAfterEachStep(Run run) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("pipeline.safetensors");
            Sampling sampling = run.sampling();
            Denoiser denoiser = new Denoiser(model.transformer(), model.conditioning(run.prompt(), sampling), sampling.rows(),
                    sampling.columns());
            List<Tensor> steps = new ArrayList<>();
            denoiser.run(model.noise(sampling.seed(), sampling), model.sigmas(sampling), StepInjection.NONE,
                    (step, count, sigma, latents, clean) -> steps.add(Scope.own(latents)));
            assertThat(steps).hasSize(2);
            golden.assertClose(steps.get(0), run.name() + ".step1", Golden.NETWORK);
            golden.assertClose(steps.get(1), run.name() + ".step2", Golden.NETWORK);
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void publicLatentsToPicture(Run run) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("pipeline.safetensors");
            assertSamePicture(model.decode(golden.get(run.name() + ".step2"), run.sampling()), golden, run);
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void promptAndSeedToPicture(Run run) {
        try (Scope scope = Scope.open()) {
            Generation generation = Generate.run(model, run.prompt(), run.sampling(), TaskListener.NONE);
            assertThat(generation.images()).hasSize(1);
            assertSamePicture(generation.images().get(0).picture(), Golden.open("pipeline.safetensors"), run);
            assertThat(generation.evaluations().target()).isEqualTo(2);
            assertThat(generation.evaluations().unconditional()).isEqualTo(run.sampling().trueCfgScale() > 1 ? 2 : 0);
        }
    }

    /** Equal but for numbers that lie so near the middle between two of the 256 levels that rounding may go either way. */
    private static void assertSamePicture(Picture picture, Golden golden, Run run) {
        float[] expected = Tensors.floats(golden.get(run.name() + ".image")); // [1, h, w, 3] in [0, 1]
        assertThat(picture.width()).isEqualTo(run.sampling().width());
        assertThat(picture.height()).isEqualTo(run.sampling().height());
        byte[] rgb = picture.rgb();
        assertThat(rgb).hasSameSizeAs(expected);
        for (int i = 0; i < rgb.length; i++) {
            assertThat((double) Math.abs((rgb[i] & 255) - 255 * expected[i])).as("level %d", i).isLessThan(0.5 + 0.02);
        }
    }
}
