package dev.likeness.inversion;

import dev.likeness.tensor.Scope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The straight path between an image's latent tokens and a noise: x_sigma = x0 + sigma (start - x0).
 *
 * <p>It is what controlled inversion and controlled reversal of rectified flow reduce to at full strength
 * (arXiv 2410.10792 with gamma = eta = 1): the controller cancels the network's velocity, so no network pass is needed.
 *
 * @param clean tokens x0 [1, N, C], float32
 * @param start tokens at sigma 1, [1, N, C], float32
 */
public record Trajectory(Tensor clean, Tensor start) {

    /**
     * The exact inversion. The forward controlled ODE, stepped as the public implementation steps it, leaves the noise
     * y1 off by a small share c of the way to the image: start = y1 + c (x0 - y1).
     *
     * @param sigmas noise levels from 1 down to 0
     */
    public static Trajectory exact(Tensor clean, Tensor noise, double[] sigmas) {
        try (Scope scope = Scope.open()) {
            Tensor start = noise.add(clean.sub(noise).mul(new Scalar(remainder(sigmas))));
            return new Trajectory(clean, scope.keep(start));
        }
    }

    /**
     * c = product over the steps of 1 - dsigma_i / (1 - i / N), N the number of sigmas. The public implementation walks up
     * from the image but takes the differences in the order of the way down, largest noise level first; so does this.
     */
    static double remainder(double[] sigmas) {
        int n = sigmas.length;
        double c = 1;
        for (int i = 0; i < n - 1; i++) {
            c *= 1 - (sigmas[i] - sigmas[i + 1]) / (1 - (double) i / n);
        }
        return c;
    }

    /** Tokens [1, N, C] at a noise level in [0, 1]. */
    public Tensor at(double sigma) {
        try (Scope scope = Scope.open()) {
            return scope.keep(clean.lerp(start, new Scalar(sigma)));
        }
    }
}
