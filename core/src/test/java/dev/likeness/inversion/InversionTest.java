package dev.likeness.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class InversionTest {

    private static final double[] SIGMAS =
            FlowMatching.sigmas(new SchedulerConfig(3.0, true, 0.5, 1.15, 256, 4096), 28, 4096);

    @Test
    void remainderIsTheOneOfThePublicImplementation() {
        assertThat(Inversion.remainder(SIGMAS)).isCloseTo(-0.0026, within(5e-5));
    }

    @Test
    void endsAtTheImageExactly() {
        try (Scope scope = Scope.open()) {
            Tensor clean = Tensors.noise(1, 1, 6, 4);
            Trajectory trajectory = Inversion.EXACT.trajectory(clean, Tensors.noise(2, 1, 6, 4), SIGMAS, null);
            assertThat(Tensors.floats(trajectory.at(SIGMAS.length - 1))).isEqualTo(Tensors.floats(clean));
        }
    }

    /** Stepping x + (x - x0) (next / sigma - 1) down the levels, as the controlled reversal does, stays on the line. */
    @Test
    void controlledReversalStaysOnTheLine() {
        try (Scope scope = Scope.open()) {
            float[] clean = Tensors.floats(Tensors.noise(1, 8));
            Trajectory trajectory =
                    Inversion.EXACT.trajectory(Tensors.of(clean, 1, 2, 4), Tensors.noise(2, 1, 2, 4), SIGMAS, null);
            float[] x = Tensors.floats(trajectory.at(0));
            for (int i = 0; i + 1 < SIGMAS.length; i++) {
                for (int j = 0; j < x.length; j++) {
                    x[j] = (float) (clean[j] + (x[j] - clean[j]) * SIGMAS[i + 1] / SIGMAS[i]);
                }
                assertThat(Tensors.floats(trajectory.at(i + 1))).containsExactly(x, within(1e-5f));
            }
        }
    }
}
