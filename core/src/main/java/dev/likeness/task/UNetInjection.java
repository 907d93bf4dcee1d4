package dev.likeness.task;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.Evaluations;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.UNetReference;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.schedule.Diffusion;
import dev.likeness.tensor.Scope;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * What the paper does to U-Nets to compare them (section 3.1 and supplement, section 6): attention sharing with a reference, and
 * token replacement in its self-attention layers, at every step of DDIM.
 */
public final class UNetInjection {

    private UNetInjection() {}

    /**
     * Attention sharing: the picture's tokens attend to all tokens of the reference as well.
     *
     * @param reference of the canvas's size
     * @param caption what it shows
     * @param watch sees queries and keys of every layer and step, the reference's keys last, row by row
     */
    public static Generation share(StableDiffusionModel model, String prompt, Picture reference, String caption,
            Sampling sampling, SelfAttentionHook watch, TaskListener listener) {
        return run(model, prompt, reference, caption, sampling, (of, step) -> of.sharing(step).then(watch), listener);
    }

    /**
     * Token replacement: the subject's tokens take the place of the picture's own where they are.
     *
     * @param reference of the canvas's size
     * @param mask white where the subject is
     * @param caption what the reference shows
     */
    public static Generation replace(StableDiffusionModel model, String prompt, Picture reference, Mask mask, String caption,
            Sampling sampling, TaskListener listener) {
        return run(model, prompt, reference, caption, sampling, (of, step) -> of.replacement(step, mask), listener);
    }

    private static Generation run(StableDiffusionModel model, String prompt, Picture picture, String caption, Sampling sampling,
            BiFunction<UNetReference, Integer, SelfAttentionHook> hook, TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        try (Scope scope = Scope.open()) {
            List<Diffusion.Step> steps = model.steps(Diffusion.Sampler.DDIM, sampling);
            stopwatch.phase("load");
            model.load();
            stopwatch.phase("text");
            DiffusionSampler denoiser = model.sampler(prompt, sampling);
            DiffusionSampler unguided = model.unguided(caption, sampling);
            stopwatch.phase("encode");
            UNetReference reference = new UNetReference(unguided, model.encode(picture),
                    model.noise(Personalize.REFERENCE_SEED, 1, sampling), steps);
            IntFunction<SelfAttentionHook> hooks = step -> hook.apply(reference, step);
            stopwatch.phase("denoise");
            Tensor latents = denoiser.run(model.noise(sampling.seed(), 1, sampling), Diffusion.Sampler.DDIM, steps, null, hooks,
                    (step, of, sigma, x, clean) -> listener.step(0, 1, step, of, sigma));
            stopwatch.phase("decode");
            Generation.Image image = new Generation.Image(model.decode(latents), sampling.seed());
            Evaluations evaluations = denoiser.evaluations(steps.size()).plus(new Evaluations(0, 0, steps.size(), 0));
            return new Generation(List.of(image), evaluations, stopwatch.stop(), List.of());
        }
    }
}
