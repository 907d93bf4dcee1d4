package dev.likeness.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.schedule.Diffusion.Step;
import dev.likeness.schedule.Diffusion.Update;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiffusionTest {

    private static DiffusionConfig config(String prediction) {
        return new DiffusionConfig(1000, 0.00085, 0.012, "scaled_linear", prediction, null, 1, false, null);
    }

    /** What a network would tell that knows image and noise. */
    private static double told(String prediction, double alpha, double image, double noise) {
        return switch (prediction) {
            case "epsilon" -> noise;
            case "v_prediction" -> Math.sqrt(alpha) * noise - Math.sqrt(1 - alpha) * image;
            default -> image;
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"epsilon", "v_prediction", "sample"})
    void withATrueNetworkDdimStaysOnTheLineBetweenImageAndNoise(String prediction) {
        DiffusionConfig config = config(prediction);
        double image = 0.7;
        double noise = -1.3;
        List<Step> down = Diffusion.steps(config, Sampler.DDIM, 7);
        for (List<Step> run : List.of(down, Diffusion.inverse(down))) {
            for (Step step : run) {
                double x = Math.sqrt(step.from()) * image + Math.sqrt(1 - step.from()) * noise;
                double said = told(prediction, step.from(), image, noise);
                Update update = Diffusion.update(Sampler.DDIM, config, step);
                assertThat(update.sample() * x + update.prediction() * said)
                        .isCloseTo(Math.sqrt(step.to()) * image + Math.sqrt(1 - step.to()) * noise, within(1e-12));
                Update clean = Diffusion.clean(config, step.from());
                assertThat(clean.sample() * x + clean.prediction() * said).isCloseTo(image, within(1e-12));
            }
        }
    }

    /** Mean and variance of what DDPM leads to are those of its level, whatever the network tells of an image of variance one. */
    @Test
    void ddpmKeepsMeanAndVariance() {
        DiffusionConfig config = config("epsilon");
        for (Step step : Diffusion.steps(config, Sampler.DDPM, 10)) {
            Update update = Diffusion.update(Sampler.DDPM, config, step);
            double ofImage = update.sample() * Math.sqrt(step.from());
            double ofNoise = update.sample() * Math.sqrt(1 - step.from()) + update.prediction();
            assertThat(ofImage).isCloseTo(Math.sqrt(step.to()), within(1e-12));
            assertThat(ofNoise * ofNoise + update.noise() * update.noise()).isCloseTo(1 - step.to(), within(1e-12));
        }
    }

    @Test
    void inverseStepsBackOverTheSameLevels() {
        List<Step> down = Diffusion.steps(config("epsilon"), Sampler.DDIM, 5);
        List<Step> up = Diffusion.inverse(down);
        for (int i = 0; i < 5; i++) {
            assertThat(up.get(i)).isEqualTo(new Step(down.get(4 - i).timestep(), down.get(4 - i).to(), down.get(4 - i).from()));
        }
        assertThat(down.get(4).to()).isEqualTo(Diffusion.alphas(config("epsilon"))[0]);
        assertThat(Diffusion.steps(config("epsilon"), Sampler.DDPM, 5).get(4).to()).isEqualTo(1);
    }

    @Test
    void noTimestepLiesBeyondTraining() {
        assertThat(Diffusion.timesteps(config("epsilon"), 1000)).startsWith(999).endsWith(1);
    }

    /** The texts that diffusers 0.42 writes for schedulers with settings that are theirs alone. */
    @ParameterizedTest
    @ValueSource(strings = {"""
            {
              "_class_name": "DPMSolverMultistepScheduler",
              "_diffusers_version": "0.42.1",
              "algorithm_type": "dpmsolver++",
              "beta_end": 0.012,
              "beta_schedule": "scaled_linear",
              "beta_start": 0.00085,
              "dynamic_thresholding_ratio": 0.995,
              "euler_at_final": false,
              "final_sigmas_type": "zero",
              "flow_shift": 1.0,
              "lambda_min_clipped": -Infinity,
              "lower_order_final": true,
              "num_train_timesteps": 1000,
              "prediction_type": "epsilon",
              "rescale_betas_zero_snr": false,
              "sample_max_value": 1.0,
              "solver_order": 2,
              "solver_type": "midpoint",
              "steps_offset": 1,
              "thresholding": false,
              "time_shift_type": "exponential",
              "timestep_spacing": "leading",
              "trained_betas": null,
              "use_beta_sigmas": false,
              "use_dynamic_shifting": false,
              "use_exponential_sigmas": false,
              "use_flow_sigmas": false,
              "use_karras_sigmas": false,
              "use_lu_lambdas": false,
              "variance_type": null
            }
            """, """
            {
              "_class_name": "UniPCMultistepScheduler",
              "_diffusers_version": "0.42.1",
              "beta_end": 0.012,
              "beta_schedule": "scaled_linear",
              "beta_start": 0.00085,
              "disable_corrector": [],
              "dynamic_thresholding_ratio": 0.995,
              "final_sigmas_type": "zero",
              "flow_shift": 1.0,
              "lower_order_final": true,
              "num_train_timesteps": 1000,
              "predict_x0": true,
              "prediction_type": "epsilon",
              "rescale_betas_zero_snr": false,
              "sample_max_value": 1.0,
              "shift_terminal": null,
              "sigma_max": null,
              "sigma_min": null,
              "solver_order": 2,
              "solver_p": null,
              "solver_type": "bh2",
              "steps_offset": 1,
              "thresholding": false,
              "time_shift_type": "exponential",
              "timestep_spacing": "leading",
              "trained_betas": null,
              "use_beta_sigmas": false,
              "use_dynamic_shifting": false,
              "use_exponential_sigmas": false,
              "use_flow_sigmas": false,
              "use_karras_sigmas": false
            }
            """})
    void otherSchedulersFilesTellTheSameNoise(String text, @TempDir Path folder) throws IOException {
        DiffusionConfig read = DiffusionConfig.read(Files.writeString(folder.resolve("scheduler_config.json"), text));
        assertThat(Diffusion.alphas(read)).isEqualTo(Diffusion.alphas(config("epsilon")));
        assertThat(Diffusion.timesteps(read, 50)).isEqualTo(Diffusion.timesteps(config("epsilon"), 50));
    }

    @ParameterizedTest
    @CsvSource({"prediction_type, \"flow\"", "beta_schedule, \"sigmoid\"", "timestep_spacing, \"random\"", "trained_betas, [0.1]",
        "thresholding, true", "variance_type, \"learned_range\"", "rescale_betas_zero_snr, true", "beta_end, 1.5",
        "steps_offset, 1000", "invert_sigmas, true"})
    void schedulersThatComputeOtherwiseAreRefused(String key, String value, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("scheduler_config.json"), "{\"" + key + "\": " + value + "}");
        assertThatThrownBy(() -> DiffusionConfig.read(file)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), key);
    }
}
