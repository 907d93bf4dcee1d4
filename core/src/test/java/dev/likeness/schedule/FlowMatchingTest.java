package dev.likeness.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlowMatchingTest {

    private static final SchedulerConfig DEV = new SchedulerConfig(3.0, true, 0.5, 1.15, 256, 4096);
    private static final SchedulerConfig SCHNELL = new SchedulerConfig(1.0, false, 0.5, 1.15, 256, 4096);

    @ParameterizedTest
    @CsvSource({"1", "2", "4", "28", "50"})
    void levelsFallFromOneToZero(int steps) {
        for (SchedulerConfig config : new SchedulerConfig[] {DEV, SCHNELL}) {
            double[] sigmas = FlowMatching.sigmas(config, steps, 1024);
            assertThat(sigmas).hasSize(steps + 1);
            assertThat(sigmas[0]).isEqualTo(1);
            assertThat(sigmas[steps]).isZero();
            for (int i = 0; i < steps; i++) {
                assertThat(sigmas[i + 1]).isLessThan(sigmas[i]);
            }
        }
    }

    @Test
    void muIsLinearInTokens() {
        assertThat(FlowMatching.mu(DEV, 256)).isEqualTo(0.5);
        assertThat(FlowMatching.mu(DEV, 4096)).isCloseTo(1.15, within(1e-12));
    }

    /** The numbers of replaced steps that the paper's public implementation has at 1024 x 1024. */
    @ParameterizedTest
    @CsvSource({"0.8,28,13", "0.8,50,23", "0.7,28,17", "0.7,50,29", "0.6,28,19", "0.6,50,34", "0.1,28,28", "0.1,50,49",
        "1.0,28,0"})
    void stepsAboveTau(double tau, int steps, int replaced) {
        assertThat(FlowMatching.stepsAbove(FlowMatching.sigmas(DEV, steps, 4096), tau)).isEqualTo(replaced);
    }
}
