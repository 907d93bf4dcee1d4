package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.eval.Suite.Outcome;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The protocol of DreamBench with tiny random networks. */
class DreamSuiteTest {

    @TempDir
    static Path folder;

    private static FluxModel model;
    private static ImageText scores;
    private static Path one;
    private static Path other;

    @BeforeAll
    static void open() throws IOException {
        model = FluxModel.open(TinyModel.write(folder.resolve("model")), Device.CPU, DType.FLOAT32);
        scores = ImageText.open(Golden.path("encoders/clip"), Golden.path("encoders/dino"), Device.CPU);
        one = folder.resolve("one.png");
        other = folder.resolve("other.png");
        PngWriter.write(one, TinyModel.subject().flatten(0xFFFFFF), Map.of());
        PngWriter.write(other, TinyModel.subject().flatten(0x2040FF).resize(96, 80), Map.of());
    }

    @AfterAll
    static void close() {
        model.close();
        scores.close();
    }

    private static Map<String, Map<Instrument, Double>> run(List<Path> references) {
        PromptCase prompt = new PromptCase("dog/2", "fox", 3, "a fox in the snow", references);
        DreamSuite suite = new DreamSuite("dreambench", model, scores, List.of(prompt),
                Method.named(List.of("latent-0"), model.defaults()), 5);
        Suite.Case of = suite.cases().get(0);
        assertThat(of.name()).isEqualTo("dog-2-3");
        return of.run(Set.copyOf(of.methods())).stream().collect(Collectors.toMap(Outcome::method, Outcome::values));
    }

    @Test
    void everyMethodHasEveryScore() {
        assertThat(run(List.of(one))).containsOnlyKeys("plain", "paste", "latent-0").allSatisfy((method, values) ->
                assertThat(values).containsOnlyKeys(Instrument.CLIP_T, Instrument.CLIP_I, Instrument.DINO,
                        Instrument.SEG_CLIP_I));
    }

    @Test
    void thePastedReferencesCutOutIsTheReferences() {
        Map<String, Map<Instrument, Double>> values = run(List.of(one));
        assertThat(values.get("paste").get(Instrument.SEG_CLIP_I)).isGreaterThan(0.99)
                .isGreaterThan(values.get("plain").get(Instrument.SEG_CLIP_I));
    }

    @Test
    void theMethodIsGivenTheFirstReferenceAndAllCount() {
        Map<String, Map<Instrument, Double>> first = run(List.of(one));
        Map<String, Map<Instrument, Double>> both = run(List.of(one, other));
        assertThat(both.get("latent-0").get(Instrument.CLIP_T)).isEqualTo(first.get("latent-0").get(Instrument.CLIP_T));
        assertThat(both.get("latent-0").get(Instrument.CLIP_I)).isNotEqualTo(first.get("latent-0").get(Instrument.CLIP_I));
    }
}
