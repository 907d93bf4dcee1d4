package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.golden.Golden;
import dev.likeness.image.Mask;
import dev.likeness.inject.Placed;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceBranch;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inversion.Inversion;
import dev.likeness.inversion.Trajectory;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@link Injection#PUBLIC} against the behaviour of the paper's public implementation, written independently in Python with
 * every network pass made (golden/golden_public.py): inversion, masks, shift, replacement, concatenation, several subjects.
 */
class PublicParityTest {

    /** The text dilutes what concatenation does: appending to the picture alone, not to the references, is 2.6e-4 off. */
    private static final double TOLERANCE = 2e-5;

    private static FluxModel model;
    private static JsonNode setup;
    private static Sampling sampling;

    @BeforeAll
    static void open() throws IOException {
        model = FluxModel.open(Golden.path("pipeline-tiny"), Device.CPU, DType.FLOAT32);
        setup = new ObjectMapper().readTree(Golden.path("public.json").toFile());
        sampling = new Sampling(setup.path("width").asInt(), setup.path("height").asInt(), setup.path("steps").asInt(),
                setup.path("guidance_scale").asDouble(), 1, "", 512, setup.path("target").path("seed").asLong(), 1);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Placement placement(Golden golden, JsonNode reference) {
        float[] pixels = Tensors.floats(golden.get(reference.path("name").asText() + ".mask"));
        TokenMask mask = TokenMask.of(Mask.of(sampling.width(), sampling.height(), pixels), Injection.PUBLIC.tokenRule());
        return Placement.shifted(mask, 0, reference.path("shift").asInt());
    }

    private static Trajectory trajectory(Golden golden, JsonNode reference) {
        String name = reference.path("name").asText();
        Tensor noise = model.noise(reference.path("seed").asLong(), sampling);
        golden.assertClose(noise, name + ".noise", 1e-6);
        return Injection.PUBLIC.inversion().trajectory(golden.get(name + ".x0"), noise, model.sigmas(sampling), null);
    }

    @Test
    void masksAndTheirShift() {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("public.safetensors");
            for (JsonNode reference : setup.path("references")) {
                Placement placement = placement(golden, reference);
                String name = reference.path("name").asText();
                assertThat(placement.source()).containsExactly(covered(golden, name + ".tokens"));
                assertThat(placement.target()).containsExactly(covered(golden, name + ".target_tokens"));
            }
        }
    }

    private static long[] covered(Golden golden, String name) {
        float[] values = Tensors.floats(golden.get(name));
        return LongStream.range(0, values.length).filter(i -> values[(int) i] == 1).toArray();
    }

    @Test
    void theClosedFormIsTheInversionWithAllItsPasses() {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("public.safetensors");
            for (JsonNode reference : setup.path("references")) {
                golden.assertClose(trajectory(golden, reference).at(0), reference.path("name").asText() + ".start", 1e-6);
            }
        }
    }

    static Stream<String> cases() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("public.json").toFile());
        assertThat(json.path("cases")).hasSize(4);
        return StreamSupport.stream(json.path("cases").spliterator(), false).map(c -> c.path("name").asText());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void latentsAfterEveryStep(String name) {
        JsonNode wanted = StreamSupport.stream(setup.path("cases").spliterator(), false)
                .filter(c -> c.path("name").asText().equals(name)).findFirst().orElseThrow();
        Injection published = Injection.PUBLIC;
        Injection injection = new Injection(
                wanted.path("concatenation").asBoolean() ? Injection.Mode.REPLACE_CONCAT : published.mode(),
                setup.path("tau").asDouble(), published.tauBasis(), published.replaceAt(), published.referenceNoise(),
                published.positions(), published.perturbation(), published.inversion(), published.tokenRule());
        double[] sigmas = model.sigmas(sampling);
        assertThat(injection.replacedSteps(sigmas)).isEqualTo(setup.path("replaced_steps").asInt());
        try (Scope scope = Scope.open(); ReferenceCache cache = ReferenceCache.inMemory(1 << 20)) {
            Golden golden = Golden.open("public.safetensors");
            List<Placed> references = new ArrayList<>();
            List<Conditioning.Text> captions = new ArrayList<>();
            for (int i = 0; i < wanted.path("references").asInt(); i++) {
                JsonNode reference = setup.path("references").path(i);
                Conditioning.Text caption = model.text(reference.path("prompt").asText(), sampling);
                captions.add(caption);
                Denoiser denoiser = new Denoiser(model.transformer(), Conditioning.of(caption, model.guidance(sampling)),
                        sampling.rows(), sampling.columns());
                references.add(new Placed(new ReferenceBranch(denoiser, trajectory(golden, reference), cache, "r" + i),
                        placement(golden, reference)));
            }
            StepInjection steps = Personalize.injection(model, references, captions, injection, sampling, sigmas);
            Denoiser target = new Denoiser(model.transformer(),
                    model.conditioning(setup.path("target").path("prompt").asText(), sampling), sampling.rows(),
                    sampling.columns());
            target.run(model.noise(sampling.seed(), sampling), sigmas, steps, (step, all, sigma, latents, clean) -> {
                golden.assertClose(latents, name + ".step" + step, TOLERANCE);
                return true;
            });
            int passes = references.stream().mapToInt(placed -> placed.reference().evaluations()).sum();
            boolean everyStep = wanted.path("concatenation").asBoolean();
            assertThat(passes).isEqualTo(
                    references.size() * (everyStep ? sampling.steps() : setup.path("replaced_steps").asInt()));
        }
    }

    @Test
    void thePresetIsWhatIsDescribed() {
        assertThat(Injection.PUBLIC.positions()).isEqualTo(Positions.TARGET);
        assertThat(Injection.PUBLIC.inversion()).isEqualTo(Inversion.EXACT);
    }
}
