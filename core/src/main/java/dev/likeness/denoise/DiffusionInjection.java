package dev.likeness.denoise;

import dev.likeness.model.SelfAttentionHook;
import org.bytedeco.pytorch.Tensor;

/** What is put into a run of denoising diffusion from outside, step by step. */
@FunctionalInterface
public interface DiffusionInjection {

    /** The hook inside the network at that step; called once a step, before the network runs. */
    SelfAttentionHook hook(int step);

    /** Latents [1, C, h, w] as the step shall see them. */
    default Tensor latents(int step, Tensor latents) {
        return latents;
    }
}
