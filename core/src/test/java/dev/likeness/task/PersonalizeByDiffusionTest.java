package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.StepListener;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.DiffusionReplacement;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.inversion.Trajectory;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.task.Injection.Mode;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PersonalizeByDiffusionTest {

    private static final int SIDE = TinyModel.SIDE;
    private static final int STEPS = 4;
    private static final String CAPTION = "a red cat";

    @TempDir
    private static Path folder;
    private static HunyuanDitModel model;

    @BeforeAll
    static void open() throws IOException {
        model = (HunyuanDitModel) DiffusionModel.open(TinyHunyuan.write(folder, false), Device.CPU, DType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Sampling sampling(double guidance, int count) {
        return new Sampling(SIDE, SIDE, STEPS, 0, guidance, "", 512, 5, count);
    }

    private static Picture picture() {
        return TinyModel.subject().flatten(0xFFFFFF);
    }

    private static Injection replace(ReplaceAt level, double tau, boolean referenceNoise) {
        return new Injection(tau, Injection.TauBasis.SIGMA, level, referenceNoise);
    }

    private static Generation run(Mask mask, Layout layout, Injection injection, Sampling sampling) {
        return PersonalizeByDiffusion.run(model, "a photo of a dog", List.of(new Subject(picture(), mask, CAPTION, layout)),
                injection, true, sampling, TaskListener.NONE);
    }

    private static byte[] pixels(Generation generation) {
        return generation.images().get(0).picture().rgb();
    }

    private static byte[] plain(Sampling sampling) {
        return pixels(Generate.run(model, "a photo of a dog", Sampler.DDIM, sampling, TaskListener.NONE));
    }

    private static Mask box() {
        return Mask.ofAlpha(TinyModel.subject(), "subject");
    }

    @ParameterizedTest
    @EnumSource(value = ReplaceAt.class, names = "HIDDEN", mode = EnumSource.Mode.EXCLUDE)
    void anEmptyMaskChangesNothing(ReplaceAt level) {
        try (Scope scope = Scope.open()) {
            Sampling sampling = sampling(3, 1);
            List<Diffusion.Step> steps = model.steps(Sampler.DDIM, sampling);
            Tensor clean = model.encode(picture());
            Trajectory trajectory = Trajectory.of(Collections.nCopies(STEPS + 1, clean));
            Placement nothing = new Placement(new long[0], new long[0], new byte[0], 0);
            DiffusionReplacement replacement = new DiffusionReplacement(List.of(new DiffusionReplacement.Reference(
                    model.unguided(CAPTION, sampling).predictor(), trajectory, nothing)), level, true, STEPS, null, steps);
            DiffusionSampler sampler = model.sampler("a photo of a dog", sampling);
            Tensor noise = model.noise(5, 1, sampling);
            float[] expected = Tensors.floats(sampler.run(noise, Sampler.DDIM, steps, null, DiffusionSampler.NO_HOOKS,
                    StepListener.NONE));
            assertThat(Tensors.floats(sampler.run(noise, Sampler.DDIM, steps, null, replacement, StepListener.NONE)))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(value = ReplaceAt.class, names = "HIDDEN", mode = EnumSource.Mode.EXCLUDE)
    void aTauOfOneChangesNothingAndALowerOneDoes(ReplaceAt level) {
        Sampling sampling = sampling(3, 1);
        assertThat(pixels(run(box(), null, replace(level, 1, true), sampling))).isEqualTo(plain(sampling));
        assertThat(pixels(run(box(), null, replace(level, 0.5, false), sampling))).isNotEqualTo(plain(sampling));
    }

    /** With the reference's noise, its caption and no guidance all tokens are replaced by themselves: DDIM's way back is left. */
    @Test
    void aWholeMaskReplacedByItselfIsTheInversionsReconstruction() {
        Generation inverted = Invert.run(model, picture(), CAPTION, sampling(1, 1), TaskListener.NONE);
        assertThat(pixels(whole(0.7, sampling(1, 1)))).isEqualTo(pixels(inverted)); // the first of timesteps 751, 501, 251, 1
    }

    private static Generation whole(double tau, Sampling sampling) {
        Subject whole = new Subject(picture(), Mask.full(SIDE, SIDE), CAPTION, null);
        return PersonalizeByDiffusion.run(model, CAPTION, List.of(whole), replace(ReplaceAt.ATTENTION, tau, true), true,
                sampling, TaskListener.NONE);
    }

    /** In the latents the trajectory itself leads, whatever prompt and guidance say, up to the last step. */
    @Test
    void aWholeMaskInTheLatentsReconstructsTheReferenceWithAnyPrompt() {
        try (Scope scope = Scope.open()) {
            Picture kept = model.decode(model.encode(picture()));
            Sampling fine = new Sampling(SIDE, SIDE, 25, 0, 3, "", 512, 5, 1);
            Generation made = run(Mask.full(SIDE, SIDE), null, replace(ReplaceAt.LATENT, 0, false), fine);
            double replaced = psnr(kept, made);
            assertThat(replaced).isGreaterThan(psnr(kept, run(box(), null, replace(ReplaceAt.LATENT, 1, false), fine)) + 6);
            assertThat(replaced).isGreaterThan(20);
        }
    }

    private static double psnr(Picture expected, Generation made) {
        return MaskedPsnr.of(expected, Mask.full(SIDE, SIDE), made.images().get(0).picture(), 0, 0);
    }

    @Test
    void passesAreCountedByWhatTheyAreFor() {
        Generation two = run(box(), new Layout(0.6, 0.6), replace(ReplaceAt.ATTENTION, 0.5, false), sampling(3, 2));
        assertThat(two.images()).hasSize(2);
        assertThat(two.evaluations().target()).isEqualTo(2 * STEPS);
        assertThat(two.evaluations().unconditional()).isEqualTo(2 * STEPS);
        assertThat(two.evaluations().reference()).isEqualTo(2 * 2); // timesteps 751 and 501 of 751, 501, 251, 1
        assertThat(two.evaluations().inversion()).isEqualTo(STEPS);
    }

    private static Injection joining(Mode mode, double tau, boolean referenceNoise, Positions positions) {
        return new Injection(mode, tau, Injection.TauBasis.SIGMA, ReplaceAt.ATTENTION, referenceNoise, positions,
                Perturbation.NONE, Inversion.EXACT, TokenMask.Rule.QUARTER);
    }

    /** Every key twice at its own place leaves the shares as they are. */
    @Test
    void theReferenceMayJoinItselfAtItsOwnPlaces() {
        try (Scope scope = Scope.open()) {
            Sampling sampling = sampling(1, 1);
            List<Diffusion.Step> steps = model.steps(Sampler.DDIM, sampling);
            Tensor latents = model.noise(5, 1, sampling);
            DiffusionSampler caption = model.unguided(CAPTION, sampling);
            long[] all = LongStream.range(0, (long) sampling.rows() * sampling.columns()).toArray();
            List<DiffusionReplacement.Reference> whole = List.of(new DiffusionReplacement.Reference(caption.predictor(),
                    Trajectory.of(Collections.nCopies(STEPS + 1, latents)), new Placement(all, all, new byte[all.length], 0)));
            float[] told = Tensors.floats(caption.predict(latents, steps.get(2).timestep(), 2, SelfAttentionHook.NONE));
            for (Positions positions : Positions.values()) {
                Tensor joined = DiffusionReplacement.rotation(whole, positions, model.transformer(), sampling.rows(),
                        sampling.columns());
                SelfAttentionHook hook = new DiffusionReplacement(whole, ReplaceAt.ATTENTION, false, 1, joined, steps).hook(2);
                float[] with = Tensors.floats(caption.predict(latents, steps.get(2).timestep(), 2, hook));
                boolean own = positions == Positions.KEEP || positions == Positions.TARGET;
                assertThat(Golden.relativeError(with, told) < Golden.NETWORK).as("%s", positions).isEqualTo(own);
            }
        }
    }

    @Test
    void tokensJoinAfterTauAtThePlacesAskedFor() {
        Sampling sampling = sampling(3, 1);
        Layout aside = new Layout(0.7, 0.6);
        byte[] replaced = pixels(run(box(), aside, replace(ReplaceAt.ATTENTION, 0.6, false), sampling));
        Set<String> pictures = new HashSet<>(Set.of(Arrays.toString(replaced)));
        for (Positions positions : Positions.values()) {
            Generation made = run(box(), aside, joining(Mode.REPLACE_MMA, 0.6, false, positions), sampling);
            assertThat(pictures.add(Arrays.toString(pixels(made)))).as("another picture with %s", positions).isTrue();
            assertThat(made.evaluations().reference()).isEqualTo(STEPS);
        }
        byte[] never = pixels(run(box(), aside, joining(Mode.REPLACE_MMA, 0, false, Positions.ZERO), sampling));
        assertThat(never).isEqualTo(pixels(run(box(), aside, replace(ReplaceAt.ATTENTION, 0, false), sampling)));
        assertThat(pixels(run(box(), aside, joining(Mode.SHARING, 0, false, Positions.ZERO), sampling)))
                .isEqualTo(pixels(run(box(), aside, joining(Mode.REPLACE_MMA, 1, false, Positions.ZERO), sampling)));
    }

    @Test
    void thePapersSettingsAreTaken() {
        assertThat(run(box(), null, Injection.PAPER, sampling(3, 1)).evaluations().reference()).isEqualTo(STEPS);
    }

    @Test
    void whatIsForFluxAloneIsRefused() {
        Injection hidden = replace(ReplaceAt.HIDDEN, 0.5, false);
        assertThatThrownBy(() -> run(box(), null, hidden, sampling(1, 1))).isInstanceOf(Refusal.class)
                .hasMessageContaining("--replace-at hidden");
        Injection concatenation = joining(Mode.REPLACE_CONCAT, 0.5, false, Positions.TARGET);
        assertThatThrownBy(() -> run(box(), null, concatenation, sampling(1, 1))).isInstanceOf(Refusal.class)
                .hasMessageContaining("--inject replace+concat");
    }
}
