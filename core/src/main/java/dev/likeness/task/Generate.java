package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.StepInjection;
import dev.likeness.schedule.Diffusion;
import dev.likeness.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Text to image. */
public final class Generate {

    private Generate() {}

    /** @throws dev.likeness.denoise.Cancelled when the listener asked for it */
    public static Generation run(FluxModel model, String prompt, Sampling sampling, TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        try (Scope scope = Scope.open()) {
            stopwatch.phase("load");
            model.load();
            stopwatch.phase("text");
            double[] sigmas = model.sigmas(sampling);
            Conditioning conditioning = model.conditioning(prompt, sampling);
            Denoiser denoiser =
                    new Denoiser(model.transformer(), conditioning, sampling.rows(), sampling.columns()).prepare(sigmas);
            List<Generation.Image> images =
                    images(model, denoiser, sigmas, StepInjection.NONE, sampling, listener, stopwatch);
            return new Generation(images, denoiser.evaluations(sampling.steps() * sampling.count()), stopwatch.stop(),
                    List.of());
        }
    }

    /**
     * The same by diffusion.
     *
     * @throws dev.likeness.denoise.Cancelled when the listener asked for it
     */
    public static Generation run(DiffusionModel model, String prompt, Diffusion.Sampler sampler, Sampling sampling,
            TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        try (Scope scope = Scope.open()) {
            List<Diffusion.Step> steps = model.steps(sampler, sampling);
            stopwatch.phase("load");
            model.load();
            stopwatch.phase("text");
            DiffusionSampler denoiser = model.sampler(prompt, sampling);
            List<Generation.Image> images = new ArrayList<>();
            for (int i = 0; i < sampling.count(); i++) {
                int image = i;
                long seed = sampling.seed() + i;
                try (Scope each = Scope.open()) {
                    stopwatch.phase("denoise");
                    int fresh = sampler == Diffusion.Sampler.DDPM ? steps.size() : 0;
                    Tensor noise = model.noise(seed, 1 + fresh, sampling);
                    Tensor latents = denoiser.run(noise.narrow(0, 0, 1), sampler, steps, noise.narrow(0, 1, fresh),
                            DiffusionSampler.NO_HOOKS, (step, of, sigma, x, clean) ->
                                    listener.step(image, sampling.count(), step, of, sigma));
                    stopwatch.phase("decode");
                    images.add(new Generation.Image(model.decode(latents), seed));
                }
            }
            return new Generation(images, denoiser.evaluations(sampling.steps() * sampling.count()), stopwatch.stop(),
                    List.of());
        }
    }

    /** The pictures of a run, one after the other: noise, denoise with the injection, decode. */
    static List<Generation.Image> images(FluxModel model, Denoiser denoiser, double[] sigmas, StepInjection injection,
            Sampling sampling, TaskListener listener, Stopwatch stopwatch) {
        List<Generation.Image> images = new ArrayList<>();
        for (int i = 0; i < sampling.count(); i++) {
            int image = i;
            long seed = sampling.seed() + i;
            try (Scope each = Scope.open()) {
                stopwatch.phase("denoise");
                Tensor latents = denoiser.run(model.noise(seed, sampling), sigmas, injection,
                        (step, steps, sigma, x, clean) -> {
                            listener.preview(() -> model.preview(clean, sampling));
                            return listener.step(image, sampling.count(), step, steps, sigma);
                        });
                stopwatch.phase("decode");
                images.add(new Generation.Image(model.decode(latents, sampling), seed));
            }
        }
        return images;
    }
}
