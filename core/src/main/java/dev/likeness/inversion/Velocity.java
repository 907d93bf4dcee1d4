package dev.likeness.inversion;

import org.bytedeco.pytorch.Tensor;

/** The model's velocity noise - x0 of the reference's own prompt. */
@FunctionalInterface
public interface Velocity {

    /**
     * One network pass.
     *
     * @param latents tokens [1, N, C], float32
     * @param sigma noise level in [0, 1]
     * @return [1, N, C], float32, owned by the open scope
     */
    Tensor at(Tensor latents, double sigma);
}
