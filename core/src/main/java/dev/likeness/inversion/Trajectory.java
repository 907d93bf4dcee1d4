package dev.likeness.inversion;

import dev.likeness.tensor.Scope;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** The reference's latent tokens along a schedule, from noise to the image. */
@FunctionalInterface
public interface Trajectory {

    /**
     * Tokens [1, N, C], float32, owned by the open scope or by whoever made the trajectory.
     *
     * @param step number of a noise level of the schedule; 0 is the noisiest, the last one is the image
     */
    Tensor at(int step);

    /** Tokens by noise level, the noisiest first. */
    static Trajectory of(List<Tensor> points) {
        return points::get;
    }

    /** The straight path between an image and a noise: x_sigma = x0 + sigma (start - x0). */
    static Trajectory straight(Tensor clean, Tensor start, double[] sigmas) {
        return step -> {
            try (Scope scope = Scope.open()) {
                return scope.keep(clean.lerp(start, new Scalar(sigmas[step])));
            }
        };
    }
}
