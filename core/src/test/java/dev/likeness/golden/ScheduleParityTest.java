package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Noise levels against FlowMatchEulerDiscreteScheduler as FluxPipeline calls it (golden/golden_ops.py). */
class ScheduleParityTest {

    /** Levels are at most 1, and the public scheduler keeps them in float32. */
    private static final double ROUNDING = 2e-7;

    private static final SchedulerConfig DEV = SchedulerConfig.read(Golden.path("manifests/scheduler-dev.config.json"));

    private static SchedulerConfig config(String kind) {
        return switch (kind) {
            case "static1" -> SchedulerConfig.read(Golden.path("manifests/scheduler-schnell.config.json"));
            case "static3" -> new SchedulerConfig(3.0, false, null, null, null, null);
            default -> DEV;
        };
    }

    @ParameterizedTest
    @CsvSource({"static1, 4096", "static3, 1024", "dynamic.n12, 12", "dynamic.n256, 256", "dynamic.n1024, 1024",
        "dynamic.n4096, 4096"})
    void noiseLevelsOfOneToFiftySteps(String kind, int tokens) {
        try (Scope scope = Scope.open()) {
            double[] expected = Golden.open("ops.safetensors").doubles("schedule." + kind + ".every");
            int at = 0;
            for (int steps = 1; steps <= 50; steps++) {
                for (double sigma : FlowMatching.sigmas(config(kind), steps, tokens)) {
                    assertThat(sigma).as("level %d of the schedules from 1 to 50 steps", at)
                            .isCloseTo(expected[at++], within(ROUNDING));
                }
            }
            assertThat(at).isEqualTo(expected.length);
        }
    }

    /** What the network is told is 1000 sigma. */
    @ParameterizedTest
    @CsvSource({"static1, 4096", "static3, 1024", "dynamic.n12, 12", "dynamic.n4096, 4096"})
    void timestepsAreThousandthsOfNoiseLevels(String kind, int tokens) {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("ops.safetensors");
            for (int steps : new int[] {1, 2, 4, 28, 50}) {
                double[] timesteps = golden.doubles("schedule." + kind + ".s" + steps + ".timesteps");
                double[] sigmas = FlowMatching.sigmas(config(kind), steps, tokens);
                assertThat(timesteps).hasSize(steps);
                for (int i = 0; i < steps; i++) {
                    assertThat(1000 * sigmas[i]).isCloseTo(timesteps[i], within(1000 * ROUNDING));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"12", "256", "1024", "4096"})
    void shiftGrowsWithTheNumberOfTokens(int tokens) {
        try (Scope scope = Scope.open()) {
            double mu = Golden.open("ops.safetensors").doubles("schedule.dynamic.n" + tokens + ".mu")[0];
            assertThat(FlowMatching.mu(DEV, tokens)).isCloseTo(mu, within(ROUNDING));
        }
    }

    @ParameterizedTest
    @CsvSource({"shift_terminal, 0.02", "use_karras_sigmas, true", "time_shift_type, \"linear\"", "num_train_timesteps, 500",
        "invert_sigmas, true", "stochastic_sampling, true"})
    void schedulersThatComputeOtherLevelsAreRefused(String key, String value, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("scheduler_config.json");
        String json = Files.readString(Golden.path("manifests/scheduler-dev.config.json"));
        if (key.equals("num_train_timesteps")) {
            json = json.replace("\"num_train_timesteps\": 1000,", "");
        }
        Files.writeString(file, json.replaceFirst("\\{", "{\"" + key + "\": " + value + ","));
        assertThatThrownBy(() -> SchedulerConfig.read(file)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), key);
    }
}
