package dev.likeness.inversion;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.Scope;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * From an image to the latents that lead to it, and back.
 *
 * @param method how
 * @param gamma strength of the pull to the noise on the way up, in [0, 1]; {@link Method#RF_INVERSION} only
 * @param eta strength of the pull to the image on the way down, in [0, 1]; {@link Method#RF_INVERSION} only
 */
public record Inversion(Method method, double gamma, double eta) {

    /** The ways to invert; S is the number of steps, evaluations are those of one way. */
    public enum Method {
        /** The closed form of controlled inversion at full strength; no evaluation. */
        EXACT,
        /** Euler steps along the velocity; S evaluations. */
        FLOW,
        /** Controlled ODEs (arXiv 2410.10792, algorithms 1 and 2); S evaluations, none at full strength. */
        RF_INVERSION,
        /** Second-order Taylor steps (arXiv 2411.04746), which are midpoint steps; 2 S evaluations. */
        RF_SOLVER,
        /** Midpoint steps that take the last midpoint's velocity for the start's (arXiv 2412.07517); S + 1 evaluations. */
        FIREFLOW
    }

    public static final Inversion EXACT = new Inversion(Method.EXACT, 1, 1);

    public Inversion {
        requireShare("--gamma", gamma);
        requireShare("--eta", eta);
    }

    private static void requireShare(String flag, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw Refusal.usage("%s %s is out of range; use a number from 0 (the model's own velocity) to 1 (none of it).",
                    flag, value);
        }
    }

    /** A step of an ordinary differential equation from one noise level to another. */
    private interface Step {
        Tensor apply(Tensor x, double from, double to);
    }

    /**
     * Up from the image: what the reference's tokens are at each noise level.
     *
     * @param clean the image's tokens x0 [1, N, C], float32
     * @param noise tokens [1, N, C], float32; {@link Method#EXACT} and {@link Method#RF_INVERSION} lead to it
     * @param sigmas noise levels from 1 down to 0
     */
    public Trajectory trajectory(Tensor clean, Tensor noise, double[] sigmas, Velocity velocity) {
        if (method == Method.EXACT) {
            // Stepped as the public implementation steps it, the controlled ODE stops a small share short of the noise.
            return Trajectory.straight(clean, towards(noise, clean, remainder(sigmas)), sigmas);
        }
        double[] rising = new double[sigmas.length];
        for (int i = 0; i < sigmas.length; i++) {
            rising[i] = sigmas[sigmas.length - 1 - i];
        }
        Step pulled = (x, from, to) -> {
            Tensor control = noise.sub(x).div(new Scalar(1 - from));
            return along(x, gamma == 1 ? control : towards(velocity.at(x, from), control, gamma), to - from);
        };
        List<Tensor> points = walk(clean, rising, method == Method.RF_INVERSION ? pulled : solver(velocity));
        Collections.reverse(points);
        return Trajectory.of(points);
    }

    /**
     * Down again from the trajectory's start, by the same method: how much of the image comes back.
     *
     * @return tokens [1, N, C] at the last noise level
     */
    public Tensor reconstruct(Trajectory trajectory, Tensor clean, double[] sigmas, Velocity velocity) {
        boolean full = method == Method.EXACT || eta == 1;
        Step pulled = (x, from, to) -> {
            Tensor control = x.sub(clean).div(new Scalar(from));
            return along(x, full ? control : towards(velocity.at(x, from), control, eta), to - from);
        };
        boolean controlled = method == Method.EXACT || method == Method.RF_INVERSION;
        List<Tensor> points = walk(trajectory.at(0), sigmas, controlled ? pulled : solver(velocity));
        return points.get(points.size() - 1);
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

    private Step solver(Velocity velocity) {
        Tensor[] last = new Tensor[1]; // the velocity of the last midpoint
        return (x, from, to) -> {
            if (method == Method.FLOW) {
                return along(x, velocity.at(x, from), to - from);
            }
            Tensor start = last[0] == null ? velocity.at(x, from) : last[0];
            Tensor middle = velocity.at(along(x, start, (to - from) / 2), (from + to) / 2);
            if (method == Method.FIREFLOW) {
                last[0] = middle;
            }
            return along(x, middle, to - from);
        };
    }

    /** The points at every level, the first one included. */
    private static List<Tensor> walk(Tensor x, double[] levels, Step step) {
        List<Tensor> points = new ArrayList<>(List.of(x));
        for (int i = 0; i + 1 < levels.length; i++) {
            x = step.apply(x, levels[i], levels[i + 1]);
            points.add(x);
        }
        return points;
    }

    private static Tensor along(Tensor x, Tensor velocity, double distance) {
        return x.add(velocity.mul(new Scalar(distance)));
    }

    /** from + share (to - from). */
    private static Tensor towards(Tensor from, Tensor to, double share) {
        return from.lerp(to, new Scalar(share));
    }
}
