package dev.likeness.denoise;

import dev.likeness.model.SelfAttentionHook;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.schedule.Diffusion.Step;
import dev.likeness.schedule.Diffusion.Update;
import dev.likeness.schedule.DiffusionConfig;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Steps of denoising diffusion on latents kept in float32, from noise to image or by {@link Diffusion#inverse} the other way.
 *
 * @param predictor of one row, or of two for guidance: negative prompt, prompt
 * @param config what its predictions mean
 * @param guidance weight of classifier-free guidance: negative + guidance (prompt - negative); 1 for none, and for one row
 */
public record DiffusionSampler(NoisePredictor predictor, DiffusionConfig config, double guidance) {

    /** No hook at any step. */
    public static final IntFunction<SelfAttentionHook> NO_HOOKS = step -> SelfAttentionHook.NONE;

    /** Without guidance. */
    public static DiffusionSampler of(NoisePredictor predictor, DiffusionConfig config) {
        return new DiffusionSampler(predictor, config, 1);
    }

    /**
     * Goes through the steps.
     *
     * @param latents [1, C, h, w], float32, at the level that the first step starts from
     * @param noise [S, C, h, w], float32, a row for each step; null with DDIM, which takes none
     * @param hooks by step; asked once a step, before the network runs
     * @param listener told sqrt(1 - a_t) as the noise level, and latents in place of tokens
     * @return [1, C, h, w], float32
     * @throws Cancelled when the listener asked for it
     */
    public Tensor run(Tensor latents, Sampler sampler, List<Step> steps, Tensor noise, IntFunction<SelfAttentionHook> hooks,
            StepListener listener) {
        return run(latents, sampler, steps, noise, (DiffusionInjection) hooks::apply, listener);
    }

    /** The same with an injection that may change the latents too. */
    public Tensor run(Tensor latents, Sampler sampler, List<Step> steps, Tensor noise, DiffusionInjection injection,
            StepListener listener) {
        try (Scope whole = Scope.open()) {
            Tensor x = latents;
            for (int i = 0; i < steps.size(); i++) {
                Step step = steps.get(i);
                boolean goOn;
                try (Scope scope = Scope.open()) {
                    Tensor seen = injection.latents(i, x);
                    Tensor told = predict(seen, step.timestep(), i, injection.hook(i));
                    Tensor clean = sum(Diffusion.clean(config, step.from()), seen, told);
                    Update update = Diffusion.update(sampler, config, step);
                    Tensor next = sum(update, seen, told);
                    if (update.noise() > 0) {
                        next = next.add(noise.narrow(0, i, 1).mul(new Scalar(update.noise())));
                    }
                    x = scope.keep(next);
                    goOn = listener.stepDone(i + 1, steps.size(), Math.sqrt(1 - step.to()), x, clean);
                }
                if (!goOn && i + 1 < steps.size()) {
                    throw new Cancelled(i + 1, steps.size());
                }
            }
            return whole.keep(x);
        }
    }

    /** The guided prediction. @param latents [1, C, h, w], float32 */
    public Tensor predict(Tensor latents, int timestep, int step, SelfAttentionHook hook) {
        if (guidance == 1) {
            return predictor.predict(latents, timestep, step, hook);
        }
        try (Scope scope = Scope.open()) {
            Tensor both = predictor.predict(Ops.repeat(latents, 2, 1, 1, 1), timestep, step, hook);
            Tensor negative = both.narrow(0, 0, 1);
            return scope.keep(negative.add(both.narrow(0, 1, 1).sub(negative).mul(new Scalar(guidance))));
        }
    }

    private static Tensor sum(Update update, Tensor x, Tensor told) {
        return x.mul(new Scalar(update.sample())).add(told.mul(new Scalar(update.prediction())));
    }

    /** Passes of batch one that runs of so many steps take. */
    public Evaluations evaluations(int steps) {
        return new Evaluations(steps, guidance == 1 ? 0 : steps, 0, 0);
    }
}
