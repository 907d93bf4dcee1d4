package dev.likeness.task;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.Evaluations;
import dev.likeness.error.Refusal;
import dev.likeness.inject.DiffusionReplacement;
import dev.likeness.inject.DiffusionReplacement.Reference;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Trajectory;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.schedule.Diffusion.Step;
import dev.likeness.task.Injection.Mode;
import dev.likeness.tensor.Scope;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * {@link Personalize} with the paper's second transformer, HunyuanDiT: the references' trajectories come from DDIM run
 * backwards, and their tokens take the place of the target's while t > tau T; afterwards they may join its self-attention.
 */
public final class PersonalizeByDiffusion {

    private PersonalizeByDiffusion() {}

    /**
     * @param subjects of two on one place the later one stands in front
     * @param injection replacement at attention or in the latents, multi-modal attention or sharing; its inversion is not used
     * @param strict refuses what would else be clipped with a warning
     * @throws Refusal (usage) when the injection is of a kind that is for FLUX.1 alone
     * @throws dev.likeness.denoise.Cancelled when the listener asked for it
     */
    public static Generation run(HunyuanDitModel model, String prompt, List<Subject> subjects, Injection injection,
            boolean strict, Sampling sampling, TaskListener listener) {
        requireSupported(injection);
        Stopwatch stopwatch = new Stopwatch(listener);
        Arrangement arrangement = Arrangement.of(subjects, injection, strict);
        List<Step> steps = model.steps(Sampler.DDIM, sampling);
        try (Scope scope = Scope.open()) {
            stopwatch.phase("load");
            model.load();
            stopwatch.phase("text");
            DiffusionSampler denoiser = model.sampler(prompt, sampling);
            List<DiffusionSampler> captions =
                    subjects.stream().map(subject -> model.unguided(subject.caption(), sampling)).toList();
            stopwatch.phase("encode");
            List<Tensor> clean = subjects.stream().map(subject -> model.encode(subject.picture())).toList();
            stopwatch.phase("invert");
            List<Reference> references = new ArrayList<>();
            for (int i = 0; i < subjects.size(); i++) {
                references.add(new Reference(captions.get(i).predictor(), invert(captions.get(i), clean.get(i), steps),
                        arrangement.placements().get(i)));
            }
            Tensor joined = injection.mode() == Mode.REPLACE ? null : DiffusionReplacement.rotation(references,
                    injection.positions(), model.transformer(), sampling.rows(), sampling.columns());
            DiffusionReplacement replacement = new DiffusionReplacement(references, injection.replaceAt(),
                    injection.referenceNoise(), injection.replacedSteps(times(model, steps)), joined, steps);
            List<Generation.Image> images = new ArrayList<>();
            for (int i = 0; i < sampling.count(); i++) {
                int image = i;
                long seed = sampling.seed() + i;
                try (Scope each = Scope.open()) {
                    stopwatch.phase("denoise");
                    Tensor latents = denoiser.run(model.noise(seed, 1, sampling), Sampler.DDIM, steps, null, replacement,
                            (step, of, sigma, x, x0) -> listener.step(image, sampling.count(), step, of, sigma));
                    stopwatch.phase("decode");
                    images.add(new Generation.Image(model.decode(latents), seed));
                }
            }
            Evaluations evaluations = denoiser.evaluations(steps.size() * sampling.count())
                    .plus(new Evaluations(0, 0, replacement.evaluations(), steps.size() * subjects.size()));
            return new Generation(images, evaluations, stopwatch.stop(), arrangement.warnings());
        }
    }

    private static void requireSupported(Injection injection) {
        if (injection.mode() == Mode.REPLACE_CONCAT || injection.mode() == Mode.NONE) {
            throw Refusal.usage("--inject %s is for FLUX.1; HunyuanDiT takes replace, replace+mma or sharing.",
                    injection.mode().flag());
        }
        if (injection.replaceAt() == ReplaceAt.HIDDEN) {
            throw Refusal.usage("--replace-at hidden is for FLUX.1; HunyuanDiT takes attention or latent.");
        }
    }

    /** The latents before each step and after the last one, by DDIM from the picture up. */
    private static Trajectory invert(DiffusionSampler caption, Tensor clean, List<Step> down) {
        List<Tensor> points = new ArrayList<>(List.of(clean));
        try (Scope scope = Scope.open()) {
            caption.run(clean, Sampler.DDIM, Diffusion.inverse(down), null, DiffusionSampler.NO_HOOKS,
                    (step, of, sigma, latents, x0) -> points.add(scope.keep(latents.clone())));
        }
        Collections.reverse(points);
        return Trajectory.of(points);
    }

    /** Timesteps as shares of those in training, and 0 at the end: what tau is compared with. */
    private static double[] times(HunyuanDitModel model, List<Step> steps) {
        double[] times = new double[steps.size() + 1];
        for (int i = 0; i < steps.size(); i++) {
            times[i] = (double) steps.get(i).timestep() / model.diffusion().numTrainTimesteps();
        }
        return times;
    }
}
