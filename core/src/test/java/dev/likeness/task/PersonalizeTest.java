package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.denoise.Cancelled;
import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.Evaluations;
import dev.likeness.denoise.StepInjection;
import dev.likeness.denoise.StepListener;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.Placed;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceBranch;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inject.TokenReplacement;
import dev.likeness.inversion.Inversion;
import dev.likeness.inversion.Trajectory;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class PersonalizeTest {

    private static final String PROMPT = "a fox in the snow";

    @TempDir
    static Path folder;

    private static FluxModel model;

    @BeforeAll
    static void open() throws IOException {
        model = FluxModel.open(TinyModel.write(folder), Device.CPU, DType.FLOAT32);
    }

    @BeforeEach
    void forget() {
        model.use(ReferenceCache.inMemory(ReferenceCache.MEMORY_BYTES));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Sampling sampling(long seed, int count) {
        return sampling(seed, count, 2);
    }

    private static Sampling sampling(long seed, int count, double trueCfgScale) {
        return new Sampling(TinyModel.SIDE, TinyModel.SIDE, TinyModel.STEPS, 0, trueCfgScale, "", 8, seed, count);
    }

    private static Subject subject(Layout layout) {
        Picture picture = TinyModel.subject();
        return ReferenceFit.fit(picture, Mask.ofAlpha(picture, "subject"), TinyModel.SIDE, TinyModel.SIDE, "", layout);
    }

    private static Generation personalize(Injection injection, Sampling sampling) {
        return Personalize.run(model, PROMPT, List.of(subject(new Layout(0.75, 0.5))), injection, false, sampling,
                TaskListener.NONE);
    }

    private static Generation generate(Sampling sampling) {
        return Generate.run(model, PROMPT, sampling, TaskListener.NONE);
    }

    private static List<Picture> pictures(Generation generation) {
        return generation.images().stream().map(Generation.Image::picture).toList();
    }

    static Stream<Arguments> everyWayToReplace() {
        return Stream.of(ReplaceAt.values())
                .flatMap(level -> Stream.of(Arguments.of(level, true), Arguments.of(level, false)));
    }

    @ParameterizedTest
    @MethodSource("everyWayToReplace")
    void tauOneIsPlainGeneration(ReplaceAt level, boolean referenceNoise) {
        Picture plain = pictures(generate(sampling(7, 1))).get(0);
        for (TauBasis basis : TauBasis.values()) {
            Generation made = personalize(new Injection(1, basis, level, referenceNoise), sampling(7, 1));
            assertThat(pictures(made)).containsExactly(plain);
            assertThat(made.evaluations()).isEqualTo(new Evaluations(TinyModel.STEPS, TinyModel.STEPS, 0, 0));
        }
    }

    @ParameterizedTest
    @MethodSource("everyWayToReplace")
    void belowTauOneTheSubjectChangesThePicture(ReplaceAt level, boolean referenceNoise) {
        Picture plain = pictures(generate(sampling(7, 1))).get(0);
        Generation made = personalize(new Injection(0.5, TauBasis.SIGMA, level, referenceNoise), sampling(7, 1));
        assertThat(pictures(made)).doesNotContain(plain);
    }

    @ParameterizedTest
    @MethodSource("everyWayToReplace")
    void anEmptyReplacementChangesNothing(ReplaceAt level, boolean referenceNoise) {
        Sampling sampling = sampling(7, 1);
        Placement nothing = new Placement(new long[0], new long[0], new byte[0], 0);
        double[] sigmas = model.sigmas(sampling);
        try (Scope scope = Scope.open()) {
            Denoiser denoiser = new Denoiser(model.transformer(), model.conditioning(PROMPT, sampling), 4, 4);
            Tensor noise = model.noise(7, sampling);
            List<Placed> references = List.of(new Placed(referenceBranch(sampling), nothing));
            StepInjection replacement = Personalize.injection(model, references, List.of(),
                    new Injection(0, TauBasis.SIGMA, level, referenceNoise), sampling, sigmas);
            Tensor plain = denoiser.run(noise, sigmas, StepInjection.NONE, StepListener.NONE);
            Tensor replaced = denoiser.run(noise, sigmas, replacement, StepListener.NONE);
            assertThat(Tensors.floats(replaced)).isEqualTo(Tensors.floats(plain));
        }
    }

    private static ReferenceBranch referenceBranch(Sampling sampling) {
        Conditioning source = Conditioning.of(model.text("", sampling), null);
        Tensor clean = model.encode(subject(null).picture());
        Trajectory trajectory =
                Inversion.EXACT.trajectory(clean, model.noise(1, sampling), model.sigmas(sampling), null);
        return new ReferenceBranch(new Denoiser(model.transformer(), source, 4, 4), trajectory, model.cache(), "test");
    }

    @Test
    void theSameSeedGivesTheSamePictureAndAnotherSeedAnother() {
        Injection injection = new Injection(0.5, TauBasis.SIGMA, ReplaceAt.ATTENTION, true);
        List<Picture> first = pictures(personalize(injection, sampling(7, 1)));
        assertThat(pictures(personalize(injection, sampling(7, 1)))).isEqualTo(first);
        assertThat(pictures(personalize(injection, sampling(8, 1)))).isNotEqualTo(first);
        assertThat(pictures(generate(sampling(7, 1)))).isEqualTo(pictures(generate(sampling(7, 1))))
                .isNotEqualTo(pictures(generate(sampling(8, 1))));
    }

    @ParameterizedTest
    @MethodSource("everyWayToReplace")
    void picturesMadeTogetherAreThoseMadeAlone(ReplaceAt level, boolean referenceNoise) {
        Injection injection = new Injection(0.5, TauBasis.SIGMA, level, referenceNoise);
        Generation together = personalize(injection, sampling(7, 2));
        assertThat(together.images()).extracting(Generation.Image::seed).containsExactly(7L, 8L);
        assertThat(pictures(together)).containsExactly(
                pictures(personalize(injection, sampling(7, 1))).get(0),
                pictures(personalize(injection, sampling(8, 1))).get(0));
    }

    @Test
    void plainPicturesMadeTogetherAreThoseMadeAlone() {
        assertThat(pictures(generate(sampling(7, 2)))).containsExactly(
                pictures(generate(sampling(7, 1))).get(0), pictures(generate(sampling(8, 1))).get(0));
    }

    /** Tau by steps, so that the count does not hang on the schedule: of 4 steps, t is 1, 0.75, 0.5 and 0.25. */
    @ParameterizedTest
    @CsvSource({"ATTENTION, 0.6, 2", "ATTENTION, 0, 4", "ATTENTION, 0.5, 2", "HIDDEN, 0.1, 4", "LATENT, 0, 0"})
    void theReferenceIsEvaluatedOnceAtEachReplacedStep(ReplaceAt level, double tau, int reference) {
        Injection injection = new Injection(tau, TauBasis.STEPS, level, true);
        assertThat(personalize(injection, sampling(7, 1)).evaluations())
                .isEqualTo(new Evaluations(TinyModel.STEPS, TinyModel.STEPS, reference, 0));
        forget();
        assertThat(personalize(injection, sampling(7, 1, 1)).evaluations())
                .isEqualTo(new Evaluations(TinyModel.STEPS, 0, reference, 0));
        forget();
        assertThat(personalize(injection, sampling(7, 3)).evaluations())
                .isEqualTo(new Evaluations(3 * TinyModel.STEPS, 3 * TinyModel.STEPS, reference, 0));
    }

    /** Not for another prompt, layout, seed or guidance; but for another caption, whose tokens differ. */
    @Test
    void aSecondPictureOfTheSameReferenceAddsNoEvaluationOfIt() {
        Injection injection = new Injection(0.6, TauBasis.STEPS, ReplaceAt.ATTENTION, true);
        personalize(injection, sampling(7, 1));
        assertThat(Personalize.run(model, "a house", List.of(subject(new Layout(0.25, 0.25))), injection, false,
                sampling(8, 1, 3), TaskListener.NONE).evaluations().reference()).isZero();
        Subject captioned = new Subject(subject(null).picture(), subject(null).mask(), "a fox", null);
        assertThat(Personalize.run(model, "a house", List.of(captioned), injection, false, sampling(8, 1),
                TaskListener.NONE).evaluations().reference()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Injection.Mode.class)
    void aPictureFromCachedTokensIsTheOneFromFreshOnes(Injection.Mode mode, @TempDir Path cache) throws IOException {
        for (Inversion.Method method : List.of(Inversion.Method.EXACT, Inversion.Method.FIREFLOW)) {
            Injection injection = injection(mode, method);
            List<Picture> fresh = pictures(personalize(injection, sampling(7, 2)));
            assertThat(pictures(personalize(injection, sampling(7, 2)))).isEqualTo(fresh);
            model.use(ReferenceCache.inFolder(cache, 0, 1 << 26));
            assertThat(pictures(personalize(injection, sampling(7, 2)))).isEqualTo(fresh);
            model.use(ReferenceCache.inFolder(cache, 1 << 26, 1 << 26));
            Generation again = personalize(injection, sampling(7, 2));
            assertThat(pictures(again)).isEqualTo(fresh);
            assertThat(again.evaluations().inversion()).isZero();
            assertThat(again.evaluations().reference())
                    .isEqualTo(mode == Injection.Mode.REPLACE_CONCAT ? 2 * TinyModel.STEPS : 0);
        }
    }

    private static Injection injection(Injection.Mode mode, Inversion.Method method) {
        return new Injection(mode, 0.6, TauBasis.STEPS, ReplaceAt.ATTENTION, false, Positions.TARGET,
                new Perturbation(2, 5, 3), new Inversion(method, 1, 1), TokenMask.Rule.QUARTER);
    }

    /** Of 4 steps two replace: multi-modal attention takes a pass in the others, sharing in all, nothing in none. */
    @ParameterizedTest
    @CsvSource({"REPLACE, 2", "REPLACE_MMA, 4", "REPLACE_CONCAT, 4", "SHARING, 4", "NONE, 0"})
    void theReferenceIsEvaluatedOnlyAtStepsThatUseIt(Injection.Mode mode, int reference) {
        assertThat(personalize(injection(mode, Inversion.Method.EXACT), sampling(7, 1)).evaluations())
                .isEqualTo(new Evaluations(TinyModel.STEPS, TinyModel.STEPS, reference, 0));
    }

    @ParameterizedTest
    @CsvSource({"FLOW, 4", "RF_INVERSION, 0", "RF_SOLVER, 8", "FIREFLOW, 5"})
    void inversionsTakeTheirEvaluations(Inversion.Method method, int passes) {
        assertThat(personalize(injection(Injection.Mode.REPLACE, method), sampling(7, 1)).evaluations().inversion())
                .isEqualTo(passes);
    }

    @Test
    void everyModeMakesAPictureOfItsOwnAndNoneThePlainOne() {
        List<Picture> made = new ArrayList<>();
        for (Injection.Mode mode : Injection.Mode.values()) {
            made.addAll(pictures(personalize(injection(mode, Inversion.Method.EXACT), sampling(7, 1))));
        }
        assertThat(made).doesNotHaveDuplicates().endsWith(pictures(generate(sampling(7, 1))).get(0));
    }

    @Test
    void theTwoOfAPairStandWhereTheyBelongAndTheLaterInFront() {
        Injection latent = new Injection(0, TauBasis.SIGMA, ReplaceAt.LATENT, false);
        Subject left = subject(new Layout(0.25, 0.5));
        Subject right = subject(new Layout(0.75, 0.5));
        Arrangement apart = Arrangement.of(List.of(left, right), latent, true);
        assertThat(apart.warnings()).isEmpty();
        assertThat(apart.placements().get(0).target()).containsExactly(4, 5, 8, 9);
        assertThat(apart.placements().get(1).target()).containsExactly(6, 7, 10, 11);

        List<Subject> overlapping = List.of(left, subject(new Layout(0.5, 0.5)));
        Arrangement covered = Arrangement.of(overlapping, latent, false);
        assertThat(covered.placements().get(0).target()).containsExactly(4, 8);
        assertThat(covered.warnings()).singleElement().asString().contains("2 of 4 tokens of subject 1");
        assertThatThrownBy(() -> Arrangement.of(overlapping, latent, true)).hasMessageContaining("--strict");
        assertThatThrownBy(() -> Arrangement.of(List.of(left, left), latent, false)).hasMessageContaining("subject 1");

        Subject scene = new Subject(left.picture(), Mask.full(TinyModel.SIDE, TinyModel.SIDE), "", null, true);
        Arrangement inScene = Arrangement.of(List.of(right, scene), latent, true); // a scene is behind, wherever it is named
        assertThat(inScene.placements().get(1).target()).hasSize(12).doesNotContain(6, 7, 10, 11);
    }

    @Test
    void tauIsComparedWithTheShiftedSigma() {
        Sampling sampling = sampling(7, 1);
        double tau = 0.5;
        long above = Arrays.stream(model.sigmas(sampling)).filter(sigma -> sigma > tau).count();
        assertThat(personalize(new Injection(tau, TauBasis.SIGMA, ReplaceAt.ATTENTION, false), sampling).evaluations()
                .reference()).isEqualTo((int) above);
    }

    @ParameterizedTest
    @CsvSource({"0.75, 0.5, 0, 1", "0.25, 0.75, 1, -1", "0.5, 0.5, 0, 0"})
    void layoutMovesTheSubjectByWholeTokens(double x, double y, int down, int right) {
        Sampling sampling = sampling(7, 1);
        Subject subject = subject(new Layout(x, y));
        Placement placement = Placement.of(TokenMask.of(subject.mask(), TokenMask.Rule.QUARTER), subject.layout());
        int step = 1;
        try (Scope scope = Scope.open()) {
            ReferenceBranch reference = referenceBranch(sampling);
            Tensor noise = model.noise(7, sampling);
            StepInjection replacement =
                    new TokenReplacement(List.of(new Placed(reference, placement)), ReplaceAt.LATENT, step + 1);
            float[] moved = Tensors.floats(replacement.latents(step, 0.7, noise));
            float[] trajectory = Tensors.floats(reference.trajectory().at(step));
            float[] untouched = Tensors.floats(noise);
            int width = moved.length / 16;
            for (int token = 0; token < 16; token++) {
                int from = token - 4 * down - right;
                boolean replaced = from == 5 || from == 6 || from == 9 || from == 10; // the subject's 2 x 2 tokens
                for (int i = 0; i < width; i++) {
                    float expected = replaced ? trajectory[from * width + i] : untouched[token * width + i];
                    assertThat(moved[token * width + i]).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void whatIsClippedIsTold() {
        Injection injection = new Injection(0.5, TauBasis.SIGMA, ReplaceAt.LATENT, false);
        Generation made = Personalize.run(model, PROMPT, List.of(subject(new Layout(1, 0.5))), injection, false, sampling(7, 1),
                TaskListener.NONE);
        assertThat(made.warnings()).singleElement().asString().contains("2 of 4 tokens");
        assertThat(personalize(injection, sampling(7, 1)).warnings()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(ReplaceAt.class)
    void aListenerStopsTheTaskBetweenTwoSteps(ReplaceAt level) {
        List<Integer> steps = new ArrayList<>();
        TaskListener stopAtTwo = new TaskListener() {
            @Override
            public boolean step(int image, int images, int step, int count, double sigma) {
                steps.add(step);
                return step < 2;
            }
        };
        Injection injection = new Injection(0, TauBasis.SIGMA, level, true);
        assertThatThrownBy(() -> Personalize.run(model, PROMPT, List.of(subject(null)), injection, false, sampling(7, 2),
                stopAtTwo))
                .isInstanceOf(Cancelled.class).hasMessage("cancelled after step 2 of 4");
        assertThatThrownBy(() -> Generate.run(model, PROMPT, sampling(7, 1), stopAtTwo)).isInstanceOf(Cancelled.class);
        assertThat(steps).containsExactly(1, 2, 1, 2);
    }

    @Test
    void theTimeOfEveryPhaseIsTold() {
        assertThat(personalize(new Injection(0.5, TauBasis.SIGMA, ReplaceAt.ATTENTION, true), sampling(7, 1))
                .milliseconds().keySet()).containsExactly("load", "text", "encode", "denoise", "decode", "total");
    }

    @ParameterizedTest
    @CsvSource({"-0.1", "1.1", "NaN"})
    void tausOutsideZeroToOneAreRefused(double tau) {
        assertThatThrownBy(() -> new Injection(tau, TauBasis.SIGMA, ReplaceAt.ATTENTION, true))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining("--tau");
    }

    /** One model, one reference, a cache too small for it, so that the threads put each other's tokens out. */
    @ParameterizedTest
    @EnumSource(names = {"ATTENTION", "HIDDEN"})
    void severalThreadsMakeThePicturesThatOneMakes(ReplaceAt level) throws Exception {
        Injection injection = new Injection(0.5, TauBasis.SIGMA, level, true);
        List<Picture> alone = new ArrayList<>();
        for (int seed = 0; seed < 6; seed++) {
            alone.add(personalize(injection, sampling(seed, 1)).images().get(0).picture());
        }
        model.use(ReferenceCache.inMemory(4096));
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Callable<Picture>> tasks = new ArrayList<>();
            for (int seed = 0; seed < 6; seed++) {
                Sampling sampling = sampling(seed, 1);
                tasks.add(() -> personalize(injection, sampling).images().get(0).picture());
            }
            List<Picture> together = new ArrayList<>();
            for (Future<Picture> picture : threads.invokeAll(tasks)) {
                together.add(picture.get());
            }
            assertThat(together).isEqualTo(alone);
        } finally {
            threads.shutdownNow();
        }
    }
}
