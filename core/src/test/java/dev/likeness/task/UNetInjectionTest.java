package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.golden.Golden;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.UNetReference;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UNetInjectionTest {

    private static final int SIDE = TinyModel.SIDE;
    private static final String CAPTION = "a red cat";
    private static final String PROMPT = "the old robot";

    @TempDir
    private static Path folder;
    private static StableDiffusionModel model;

    @BeforeAll
    static void open() throws IOException {
        model = (StableDiffusionModel) DiffusionModel.open(TinyStableDiffusion.write(folder, "sd15"), Device.CPU, DType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Sampling sampling(double guidance) {
        return new Sampling(SIDE, SIDE, 3, 0, guidance, "", 77, 5, 1);
    }

    private static Picture picture() {
        return TinyModel.subject().flatten(0xFFFFFF);
    }

    private static Mask nothing() {
        return Mask.of(SIDE, SIDE, new float[SIDE * SIDE]);
    }

    private static byte[] pixels(Generation generation) {
        return generation.images().get(0).picture().rgb();
    }

    private static byte[] replaced(Mask mask) {
        return pixels(UNetInjection.replace(model, PROMPT, picture(), mask, CAPTION, sampling(3), TaskListener.NONE));
    }

    @Test
    void anEmptyMaskIsThePlainRunAndAFullOneIsNot() {
        byte[] plain = pixels(Generate.run(model, PROMPT, Sampler.DDIM, sampling(3), TaskListener.NONE));
        assertThat(replaced(nothing())).isEqualTo(plain);
        assertThat(replaced(Mask.full(SIDE, SIDE))).isNotEqualTo(plain);
    }

    /** The reference's own latents take their own tokens in place of themselves, or beside themselves: the shares stay the same. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void theReferenceItselfIsPredictedAsItIs(int step) {
        try (Scope scope = Scope.open()) {
            Sampling sampling = sampling(1);
            List<Diffusion.Step> steps = model.steps(Sampler.DDIM, sampling);
            Tensor clean = model.encode(picture());
            Tensor noise = model.noise(9, 1, sampling);
            UNetReference reference = new UNetReference(model.unguided(CAPTION, sampling), clean, noise, steps);
            double share = steps.get(step).from();
            Tensor latents = clean.mul(new Scalar(Math.sqrt(share))).add(noise.mul(new Scalar(Math.sqrt(1 - share))));
            Tensor own = told(CAPTION, latents, step, SelfAttentionHook.NONE);
            SelfAttentionHook full = reference.replacement(step, Mask.full(SIDE, SIDE));
            assertThat(Tensors.floats(told(CAPTION, latents, step, full))).isEqualTo(Tensors.floats(own));
            Golden.assertClose("shared", told(CAPTION, latents, step, reference.sharing(step)), own, Golden.NETWORK);

            Tensor other = model.noise(4, 1, sampling);
            float[] plain = Tensors.floats(told(PROMPT, other, step, SelfAttentionHook.NONE));
            assertThat(Tensors.floats(told(PROMPT, other, step, full))).isNotEqualTo(plain);
            assertThat(Tensors.floats(told(PROMPT, other, step, reference.sharing(step)))).isNotEqualTo(plain);
        }
    }

    private static Tensor told(String caption, Tensor latents, int step, SelfAttentionHook hook) {
        Sampling sampling = sampling(1);
        return model.unguided(caption, sampling)
                .predict(latents, model.steps(Sampler.DDIM, sampling).get(step).timestep(), step, hook);
    }
}
