package dev.likeness.denoise;

import dev.likeness.model.flux.AttentionHook;
import org.bytedeco.pytorch.Tensor;

/** What is put into a denoising run from outside, step by step. */
public interface StepInjection {

    /** Plain generation. */
    StepInjection NONE = new StepInjection() {};

    /** One hook at every step. */
    static StepInjection always(AttentionHook hook) {
        return new StepInjection() {
            @Override
            public AttentionHook hook(int step, double sigma) {
                return hook;
            }
        };
    }

    /** Latent tokens [1, N, C] as the step shall see them. */
    default Tensor latents(int step, double sigma, Tensor latents) {
        return latents;
    }

    /** The hook inside the network at that step; called once a step, before the network runs. */
    default AttentionHook hook(int step, double sigma) {
        return AttentionHook.NONE;
    }

    /** This injection first, then the other one on its result. */
    default StepInjection then(StepInjection next) {
        StepInjection first = this;
        return new StepInjection() {
            @Override
            public Tensor latents(int step, double sigma, Tensor latents) {
                return next.latents(step, sigma, first.latents(step, sigma, latents));
            }

            @Override
            public AttentionHook hook(int step, double sigma) {
                return first.hook(step, sigma).then(next.hook(step, sigma));
            }
        };
    }
}
