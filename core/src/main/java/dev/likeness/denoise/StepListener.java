package dev.likeness.denoise;

import org.bytedeco.pytorch.Tensor;

/** Follows a denoising run. */
@FunctionalInterface
public interface StepListener {

    /** Follows nothing. */
    StepListener NONE = (step, steps, sigma, latents, clean) -> true;

    /**
     * Called after each step.
     *
     * @param step number of steps done, 1 to {@code steps}
     * @param sigma noise level reached
     * @param latents tokens [1, N, C] at that noise level; valid during the call
     * @param clean tokens [1, N, C], the picture that the step was heading for; valid during the call
     * @return false to stop before the next step
     */
    boolean stepDone(int step, int steps, double sigma, Tensor latents, Tensor clean);
}
