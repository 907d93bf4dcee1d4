package dev.likeness.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.inversion.Inversion.Method;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class InversionTest {

    private static final double[] SIGMAS =
            FlowMatching.sigmas(new SchedulerConfig(3.0, true, 0.5, 1.15, 256, 4096), 28, 4096);

    /** Of the velocity a x + b sigma, whose paths are known. */
    private static final double A = 0.8;
    private static final double B = 1.5;

    private Scope scope;
    private Tensor clean;
    private Tensor noise;

    @BeforeEach
    void draw() {
        scope = Scope.open();
        clean = Tensors.noise(1, 1, 6, 4);
        noise = Tensors.noise(2, 1, 6, 4);
    }

    @AfterEach
    void free() {
        scope.close();
    }

    private static Inversion by(Method method) {
        return new Inversion(method, 1, 1);
    }

    private static Tensor linear(Tensor x, double sigma) {
        return x.mul(new Scalar(A)).add(new Scalar(B * sigma));
    }

    /** Where the path of {@link #linear} from x at noise level 0 is at sigma. */
    private static double exact(double x, double sigma) {
        double c = B / (A * A);
        return (x + c) * Math.exp(A * sigma) - B * sigma / A - c;
    }

    private static double[] even(int steps) {
        double[] sigmas = new double[steps + 1];
        for (int i = 0; i <= steps; i++) {
            sigmas[i] = 1 - (double) i / steps;
        }
        return sigmas;
    }

    /** Counts calls and remembers the noise levels. */
    private static final class Counted implements Velocity {
        private final Velocity velocity;
        private final List<Double> levels = new ArrayList<>();

        Counted(Velocity velocity) {
            this.velocity = velocity;
        }

        @Override
        public Tensor at(Tensor latents, double sigma) {
            levels.add(sigma);
            return velocity.at(latents, sigma);
        }
    }

    private static float[] end(Trajectory trajectory, double[] sigmas) {
        return Tensors.floats(trajectory.at(sigmas.length - 1));
    }

    @Test
    void remainderIsTheOneOfThePublicImplementation() {
        assertThat(Inversion.remainder(SIGMAS)).isCloseTo(-0.0026, within(5e-5));
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void everyTrajectoryEndsAtTheImageExactly(Method method) {
        Trajectory trajectory = by(method).trajectory(clean, noise, SIGMAS, InversionTest::linear);
        assertThat(end(trajectory, SIGMAS)).isEqualTo(Tensors.floats(clean));
    }

    /** Stepping x + (x - x0) (next / sigma - 1) down the levels, as the controlled reversal does, stays on the line. */
    @Test
    void controlledReversalStaysOnTheLine() {
        float[] x0 = Tensors.floats(clean);
        Trajectory trajectory = Inversion.EXACT.trajectory(clean, noise, SIGMAS, null);
        float[] x = Tensors.floats(trajectory.at(0));
        for (int i = 0; i + 1 < SIGMAS.length; i++) {
            for (int j = 0; j < x.length; j++) {
                x[j] = (float) (x0[j] + (x[j] - x0[j]) * SIGMAS[i + 1] / SIGMAS[i]);
            }
            assertThat(Tensors.floats(trajectory.at(i + 1))).containsExactly(x, within(1e-5f));
        }
    }

    /** y1 + c (x0 - y1), a small share short of the noise. */
    @Test
    void theExactTrajectoryStartsNearTheNoise() {
        float[] x0 = Tensors.floats(clean);
        float[] start = Tensors.floats(noise);
        double c = Inversion.remainder(SIGMAS);
        for (int i = 0; i < start.length; i++) {
            start[i] += (float) (c * (x0[i] - start[i]));
        }
        Trajectory trajectory = Inversion.EXACT.trajectory(clean, noise, SIGMAS, null);
        assertThat(Tensors.floats(trajectory.at(0))).containsExactly(start, within(1e-6f)).isNotEqualTo(Tensors.floats(noise));
    }

    /** Largest distance from the known path, over the levels. */
    private double error(Method method, int steps) {
        double[] sigmas = even(steps);
        float[] x0 = Tensors.floats(clean);
        Tensor precise = Tensors.of(doubles(x0), 1, 6, 4);
        Trajectory trajectory = by(method).trajectory(precise, noise, sigmas, InversionTest::linear);
        double error = 0;
        for (int i = 0; i <= steps; i++) {
            float[] x = Tensors.floats(trajectory.at(i));
            for (int j = 0; j < x.length; j++) {
                error = Math.max(error, Math.abs(x[j] - exact(x0[j], sigmas[i])));
            }
        }
        return error;
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    /** A method of order p has an error that falls by 2^p as the steps double. */
    @ParameterizedTest
    @CsvSource({"FLOW, 2", "RF_SOLVER, 4", "FIREFLOW, 4"})
    void theErrorFallsByTheOrderOfTheMethod(Method method, double factor) {
        for (int steps : new int[] {8, 16}) {
            assertThat(error(method, steps) / error(method, 2 * steps)).isCloseTo(factor, within(0.15 * factor));
        }
    }

    @Test
    void fireflowLiesBetweenEulerAndTaylorSteps() {
        for (int steps : new int[] {8, 16, 32}) {
            assertThat(error(Method.FIREFLOW, steps)).isLessThan(error(Method.FLOW, steps) / 4)
                    .isGreaterThan(error(Method.RF_SOLVER, steps));
        }
    }

    /** Downwards as well: a path that was walked up comes back the better the higher the order. */
    @Test
    void theWayBackEndsNearTheImageByTheOrderOfTheMethod() {
        double[] errors = new double[3];
        Method[] methods = {Method.RF_SOLVER, Method.FIREFLOW, Method.FLOW};
        double[] sigmas = even(16);
        for (int i = 0; i < methods.length; i++) {
            Inversion inversion = by(methods[i]);
            Trajectory trajectory = inversion.trajectory(clean, noise, sigmas, InversionTest::linear);
            float[] back = Tensors.floats(inversion.reconstruct(trajectory, clean, sigmas, InversionTest::linear));
            errors[i] = largestDifference(back, Tensors.floats(clean));
        }
        assertThat(errors[0]).isLessThan(errors[1]);
        assertThat(errors[1]).isLessThan(errors[2] / 4);
        assertThat(errors[2]).isBetween(0.01, 0.5);
    }

    private static double largestDifference(float[] a, float[] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void aStraightPathIsWalkedWithoutError(Method method) {
        Velocity straight = (x, sigma) -> noise.sub(clean);
        for (double share : new double[] {0, 0.3, 1}) {
            Inversion inversion = new Inversion(method, share, share);
            Trajectory trajectory = inversion.trajectory(clean, noise, SIGMAS, straight);
            for (int i = 0; i < SIGMAS.length && method != Method.EXACT; i++) {
                assertThat(Tensors.floats(trajectory.at(i)))
                        .containsExactly(Tensors.floats(clean.lerp(noise, new Scalar(SIGMAS[i]))), within(1e-5f));
            }
            assertThat(Tensors.floats(inversion.reconstruct(trajectory, clean, SIGMAS, straight)))
                    .containsExactly(Tensors.floats(clean), within(1e-5f));
        }
    }

    @ParameterizedTest
    @CsvSource({"EXACT, 1, 0", "EXACT, 0.5, 0", "FLOW, 1, 5", "FLOW, 0, 5", "RF_INVERSION, 1, 0", "RF_INVERSION, 0.5, 5",
        "RF_INVERSION, 0, 5", "RF_SOLVER, 1, 10", "FIREFLOW, 1, 6"})
    void everyWayTakesItsEvaluations(Method method, double share, int calls) {
        double[] sigmas = even(5);
        Counted up = new Counted(InversionTest::linear);
        Trajectory trajectory = new Inversion(method, share, 1).trajectory(clean, noise, sigmas, up);
        assertThat(up.levels).hasSize(calls);
        Counted down = new Counted(InversionTest::linear);
        new Inversion(method, 1, share).reconstruct(trajectory, clean, sigmas, down);
        assertThat(down.levels).hasSize(calls);
    }

    /** Euler steps ask where they start, midpoint steps in the middle as well; Fireflow asks at a start only once. */
    @Test
    void theVelocityIsAskedForAtTheLevelsOfTheMethod() {
        double[] sigmas = {1, 0.5, 0};
        Counted euler = new Counted(InversionTest::linear);
        by(Method.FLOW).trajectory(clean, noise, sigmas, euler);
        assertThat(euler.levels).containsExactly(0.0, 0.5);
        Counted taylor = new Counted(InversionTest::linear);
        by(Method.RF_SOLVER).trajectory(clean, noise, sigmas, taylor);
        assertThat(taylor.levels).containsExactly(0.0, 0.25, 0.5, 0.75);
        Counted fireflow = new Counted(InversionTest::linear);
        by(Method.FIREFLOW).trajectory(clean, noise, sigmas, fireflow);
        assertThat(fireflow.levels).containsExactly(0.0, 0.25, 0.75);
    }

    @Test
    void atFullGammaTheControlledWayEndsAtTheNoise() {
        Trajectory trajectory = by(Method.RF_INVERSION).trajectory(clean, noise, SIGMAS, null);
        assertThat(Tensors.floats(trajectory.at(0))).containsExactly(Tensors.floats(noise), within(1e-5f));
    }

    /** Whatever was done on the way up, and without the network. */
    @Test
    void atFullEtaTheControlledWayComesBackToTheImage() {
        Trajectory trajectory =
                new Inversion(Method.RF_INVERSION, 0.3, 1).trajectory(clean, noise, SIGMAS, InversionTest::linear);
        assertThat(Tensors.floats(by(Method.RF_INVERSION).reconstruct(trajectory, clean, SIGMAS, null)))
                .containsExactly(Tensors.floats(clean), within(1e-6f));
    }

    @Test
    void withoutControlTheControlledWayIsThePlainOne() {
        Inversion uncontrolled = new Inversion(Method.RF_INVERSION, 0, 0);
        Trajectory trajectory = uncontrolled.trajectory(clean, noise, SIGMAS, InversionTest::linear);
        Trajectory plain = by(Method.FLOW).trajectory(clean, noise, SIGMAS, InversionTest::linear);
        for (int i = 0; i < SIGMAS.length; i++) {
            assertThat(Tensors.floats(trajectory.at(i))).isEqualTo(Tensors.floats(plain.at(i)));
        }
        assertThat(Tensors.floats(uncontrolled.reconstruct(trajectory, clean, SIGMAS, InversionTest::linear)))
                .isEqualTo(Tensors.floats(by(Method.FLOW).reconstruct(plain, clean, SIGMAS, InversionTest::linear)));
    }

    /** Algorithms 1 and 2 of arXiv 2410.10792, by hand: v + gamma (u - v), u the straight way to the noise or image. */
    @Test
    void betweenThemTheControlPullsByItsShare() {
        double gamma = 0.4;
        double eta = 0.7;
        double[] sigmas = {1, 0.7, 0.2, 0};
        Inversion inversion = new Inversion(Method.RF_INVERSION, gamma, eta);
        Trajectory trajectory = inversion.trajectory(clean, noise, sigmas, InversionTest::linear);
        float[] start = Tensors.floats(trajectory.at(0));
        float[] back = Tensors.floats(inversion.reconstruct(trajectory, clean, sigmas, InversionTest::linear));
        float[] x0 = Tensors.floats(clean);
        float[] y1 = Tensors.floats(noise);
        for (int j = 0; j < x0.length; j++) {
            double x = x0[j];
            for (int i = sigmas.length - 1; i > 0; i--) {
                double v = A * x + B * sigmas[i];
                x += (sigmas[i - 1] - sigmas[i]) * (v + gamma * ((y1[j] - x) / (1 - sigmas[i]) - v));
            }
            assertThat((double) start[j]).isCloseTo(x, within(1e-5));
            for (int i = 0; i + 1 < sigmas.length; i++) {
                double v = A * x + B * sigmas[i];
                x += (sigmas[i + 1] - sigmas[i]) * (v + eta * ((x - x0[j]) / sigmas[i] - v));
            }
            assertThat((double) back[j]).isCloseTo(x, within(1e-5));
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.01, 1.01, Double.NaN, Double.POSITIVE_INFINITY})
    void sharesOutsideZeroToOneAreRefused(double share) {
        assertThatThrownBy(() -> new Inversion(Method.RF_INVERSION, share, 1))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining("--gamma");
        assertThatThrownBy(() -> new Inversion(Method.RF_INVERSION, 1, share))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining("--eta");
    }
}
