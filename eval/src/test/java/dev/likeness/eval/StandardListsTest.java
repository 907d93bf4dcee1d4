package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.eval.Suite.Outcome;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.Split;
import dev.likeness.train.data.Subject;
import dev.likeness.train.data.Subjects;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fixed lists, and the suites that draw them, with a model that draws noise. */
class StandardListsTest {

    private static final Path SUBJECTS = Path.of("../examples/subjects");

    @TempDir
    static Path folder;

    private static FluxModel model;
    private static Judge judge;

    @BeforeAll
    static void open() throws IOException {
        Path tiny = TinyModel.write(folder.resolve("model"));
        Path defaults = tiny.resolve("likeness.json"); // on its own canvas half a subject is less than a token
        Files.writeString(defaults, Files.readString(defaults).replace("64", "128"));
        model = FluxModel.open(tiny, Device.CPU, DType.FLOAT32);
        judge = Judge.open(Path.of("../models/judge"));
    }

    @AfterAll
    static void close() {
        model.close();
        judge.close();
    }

    @Test
    void everyHeldOutSubjectStandsInEverySceneOnBothSides() throws IOException {
        List<ToyboxBench.Entry> entries = ToyboxBench.entries();
        assertThat(entries).hasSize(240).extracting(ToyboxBench.Entry::name).doesNotHaveDuplicates();
        try (Stream<Path> files = Files.list(SUBJECTS)) {
            assertThat(ToyboxBench.subjects()).containsExactlyInAnyOrderElementsOf(
                    files.map(file -> file.getFileName().toString().replace(".png", "")).toList());
        }
        assertThat(entries.stream().map(ToyboxBench.Entry::scene).distinct()).hasSize(3).isSubsetOf(Scenes.names());
        assertThat(entries.stream().map(entry -> entry.layout().x()).distinct()).containsExactlyInAnyOrder(0.27, 0.73);
        assertThat(entries.stream().flatMap(entry -> entry.seeds().stream())).doesNotHaveDuplicates();
    }

    @Test
    void theFirstFortyShowEverySubjectOnceWithTwoSeeds() {
        List<ToyboxBench.Entry> first = ToyboxBench.entries().subList(0, 40);
        assertThat(first).extracting(ToyboxBench.Entry::subject).doesNotHaveDuplicates();
        assertThat(first).allMatch(entry -> entry.seeds().size() == 2);
        assertThat(first.stream().collect(Collectors.groupingBy(ToyboxBench.Entry::scene)).values())
                .allMatch(entries -> entries.size() >= 13);
    }

    @Test
    void fiveHundredPromptsNameTrainedSubjectsInAllScenes() {
        List<ModelBench.Entry> entries = ModelBench.entries();
        assertThat(entries.stream().flatMap(entry -> entry.prompts().stream())).hasSize(500).doesNotHaveDuplicates();
        assertThat(entries.stream().map(ModelBench.Entry::scene).distinct())
                .containsExactlyInAnyOrderElementsOf(Scenes.names());
        List<String> nouns = Subjects.of(Split.TRAIN).subList(0, 80).stream().map(Subject::noun).toList();
        assertThat(entries.stream().flatMap(entry -> entry.nouns().stream()).distinct())
                .containsExactlyInAnyOrderElementsOf(nouns);
        assertThat(entries).extracting(ModelBench.Entry::seed).doesNotHaveDuplicates();
        for (ModelBench.Entry entry : entries) {
            assertThat(entry.prompts()).hasSameSizeAs(entry.kinds())
                    .allSatisfy(prompt -> assertThat(prompt).contains(entry.nouns()));
            for (int i = 0; i < entry.kinds().size() && entry.kinds().size() == 2; i++) {
                assertThat(entry.prompts().get(i)).containsPattern("\\b" + entry.kinds().get(i) + "\\b");
            }
        }
    }

    private static ToyboxBench bench(int cases, String... methods) {
        return new ToyboxBench(model, judge, SUBJECTS, Method.named(List.of(methods), model.defaults()), name -> true,
                cases);
    }

    /** One case drawn by the first or second thread is the same to the last digit. */
    @Test
    void oneJobAndTwoJobsGiveTheSameDigits() throws IOException {
        for (int jobs : new int[] {1, 2}) {
            new Evaluation(bench(3, "attention-0.4", "sharing-keep", "attention-0.8-mma-target"),
                    folder.resolve("jobs" + jobs), Map.of()).run(jobs, (done, of) -> {});
        }
        assertThat(folder.resolve("jobs2/results.csv")).hasSameTextualContentAs(folder.resolve("jobs1/results.csv"));
        assertThat(folder.resolve("jobs2/report.html")).hasSameTextualContentAs(folder.resolve("jobs1/report.html"));
    }

    @Test
    void theControlsAreWhatTheyAreCalled() {
        Suite.Case of = bench(1, "default").cases().get(0);
        Map<String, Map<Instrument, Double>> first = new HashMap<>();
        Map<String, Map<Instrument, Double>> second = new HashMap<>();
        for (Outcome outcome : of.run(Set.of("plain", "paste", "default"))) {
            (outcome.seed() == of.seeds().get(0) ? first : second).put(outcome.method(), outcome.values());
        }
        assertThat(first.get("plain")).containsEntry(Instrument.GHOST, 0.0).doesNotContainKey(Instrument.SCENE_KEPT);
        double plain = first.get("plain").get(Instrument.IDENTITY_PSNR);
        assertThat(first.get("paste").get(Instrument.IDENTITY_PSNR)).isGreaterThan(plain + 10);
        assertThat(first.get("paste").get(Instrument.SCENE_KEPT))
                .isGreaterThan(first.get("default").get(Instrument.SCENE_KEPT));
        assertThat(first.get("paste")).doesNotContainKey(Instrument.DIVERSITY_INSIDE);
        assertThat(second.get("paste").get(Instrument.DIVERSITY_INSIDE))
                .isLessThan(second.get("plain").get(Instrument.DIVERSITY_INSIDE));
        assertThat(second.get("paste").get(Instrument.DIVERSITY_OUTSIDE)).isPositive();
    }

    @Test
    void methodsThatDoTheSameShareTheirPicture() {
        String same = model.defaults().replaceAt().name().toLowerCase() + "-" + model.defaults().tau();
        Map<String, Picture> pictures = bench(1, "default", "latent-0.5", "attention-0.5").cases().get(0)
                .run(Set.of("default", "latent-0.5", "attention-0.5")).stream().filter(outcome -> outcome.seed() < 2000)
                .collect(Collectors.toMap(Outcome::method, Outcome::picture));
        assertThat(pictures).hasSize(3).containsKey(same);
        assertThat(pictures.get("latent-0.5")).isNotEqualTo(pictures.get("attention-0.5"));
    }

    @Test
    void promptsAreJudgedByTheirSceneAndTheirNouns() {
        ModelBench.Entry two = new ModelBench.Entry(0, List.of("two"), "snow", List.of("fox", "cat"), List.of("x"), 1);
        List<String> others = List.of("a", "b", "c", "d", "e");
        assertThat(ModelBench.judged(verdict("snow", others), two)).isEqualTo(Map.of(Instrument.SCENE_TOP1, 1.0,
                Instrument.SUBJECT_TOP1, 0.0, Instrument.SUBJECT_TOP5, 0.0));
        assertThat(ModelBench.judged(verdict("beach", List.of("cat", "a", "b", "c", "fox", "d")), two)).isEqualTo(Map.of(
                Instrument.SCENE_TOP1, 0.0, Instrument.SUBJECT_TOP1, 1.0, Instrument.SUBJECT_TOP5, 1.0));
        assertThat(ModelBench.judged(verdict("snow", List.of("cat", "a", "b", "c", "d", "fox")), two))
                .containsEntry(Instrument.SUBJECT_TOP5, 0.0);
    }

    private static Judge.Verdict verdict(String scene, List<String> subjects) {
        return new Judge.Verdict(List.of(scene, "other"), subjects);
    }

    @Test
    void everyKindOfPromptIsDrawnAndMeasured() {
        List<ModelBench.Entry> entries = ModelBench.entries();
        List<Suite.Case> cases = new ModelBench(model, judge, Integer.MAX_VALUE).cases();
        for (int number : new int[] {0, 280, 320, 360, 395}) {
            Suite.Case of = cases.get(number);
            List<Outcome> outcomes = of.run(Set.copyOf(of.methods()));
            assertThat(outcomes).extracting(Outcome::method).isEqualTo(entries.get(number).kinds());
            boolean placed = number >= 320;
            assertThat(outcomes).allSatisfy(outcome -> assertThat(outcome.values().keySet().contains(Instrument.PLACEMENT))
                    .isEqualTo(placed));
        }
    }

    @Test
    void theGridShowsTheFirstPromptsUnpicked() throws IOException {
        ModelBench bench = new ModelBench(model, judge, 7);
        new Evaluation(bench, folder.resolve("grid"), Map.of()).run(1, (done, of) -> {});
        Picture grid = Pictures.read(folder.resolve("grid/grid.png"));
        assertThat(grid.width()).isEqualTo(6 * (256 + 4));
    }
}
