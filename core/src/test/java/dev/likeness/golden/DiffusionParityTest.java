package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.NoisePredictor;
import dev.likeness.denoise.StepListener;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.schedule.Diffusion.Step;
import dev.likeness.schedule.DiffusionConfig;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules and steps against diffusers' DDIMScheduler, DDPMScheduler and DDIMInverseScheduler (golden/golden_diffusion.py). */
class DiffusionParityTest {

    private static final int EVERY = 9;
    private static final int CHAIN = 3;
    private static final long SEED = 11;
    /** The public schedulers multiply up to a thousand numbers in float32, and divide by what is left. */
    private static final double PRODUCT = 2e-5;

    @TempDir
    Path folder;

    private DiffusionConfig config(String schedule) throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("diffusion.json").toFile()).path("schedules").path(schedule);
        return DiffusionConfig.read(Files.writeString(folder.resolve("scheduler_config.json"), json.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"stable_diffusion", "linear", "cosine", "zero_snr"})
    void whatIsLeftOfTheImage(String schedule) throws IOException {
        try (Scope scope = Scope.open()) {
            double[] expected = Golden.open("diffusion.safetensors").doubles(schedule + ".alphas");
            double[] alphas = Diffusion.alphas(config(schedule));
            assertThat(expected).hasSize((alphas.length + EVERY - 1) / EVERY);
            for (int i = 0; i < expected.length; i++) {
                assertThat(alphas[i * EVERY]).as("timestep %d", i * EVERY).isCloseTo(expected[i],
                        within(PRODUCT * expected[i] + 1e-9));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"stable_diffusion, 1", "stable_diffusion, 7", "stable_diffusion, 50", "linear, 1", "linear, 2", "linear, 7",
        "linear, 50", "cosine, 3", "cosine, 7", "cosine, 50", "zero_snr, 1", "zero_snr, 7"})
    void timestepsOfARun(String schedule, int steps) throws IOException {
        try (Scope scope = Scope.open()) {
            double[] expected = Golden.open("diffusion.safetensors").doubles(schedule + ".timesteps." + steps);
            int[] timesteps = Diffusion.timesteps(config(schedule), steps);
            assertThat(timesteps).hasSize(steps);
            for (int i = 0; i < steps; i++) {
                assertThat(timesteps[i]).as("step %d", i).isEqualTo((int) expected[i]);
            }
        }
    }

    /** Three steps with given predictions; noise is drawn in one go where the public code draws it step by step. */
    @ParameterizedTest
    @CsvSource({"stable_diffusion, ddim", "stable_diffusion, ddpm", "stable_diffusion, up", "linear, ddim", "linear, ddpm",
        "cosine, ddim", "cosine, ddpm", "cosine, up", "zero_snr, ddim", "zero_snr, ddpm", "zero_snr, up"})
    void stepsOfSamplers(String schedule, String kind) throws IOException {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("diffusion.safetensors");
            DiffusionConfig config = config(schedule);
            Sampler sampler = kind.equals("ddpm") ? Sampler.DDPM : Sampler.DDIM;
            List<Step> down = Diffusion.steps(config, sampler, CHAIN);
            Tensor told = golden.get("chain.told");
            NoisePredictor given = (latents, timestep, step, hook) -> told.narrow(0, step, 1);
            Tensor noise = Tensors.noise(SEED, 1 + CHAIN, 4, 2, 2);
            Tensor end = DiffusionSampler.of(given, config).run(noise.narrow(0, 0, 1), sampler,
                    kind.equals("up") ? Diffusion.inverse(down) : down, noise.narrow(0, 1, CHAIN), DiffusionSampler.NO_HOOKS,
                    StepListener.NONE);
            golden.assertClose(end, schedule + "." + kind, 5 * Golden.OP);
        }
    }
}
