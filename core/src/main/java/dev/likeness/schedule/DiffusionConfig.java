package dev.likeness.schedule;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * What scheduler_config.json says of the noise that a diffusion model was trained with, whichever scheduler it names: the
 * sampler is for the caller to choose. The components are its keys.
 *
 * @param numTrainTimesteps timesteps 0 to one less than this
 * @param betaStart variance that the first step of training adds
 * @param betaEnd variance that the last one adds
 * @param betaSchedule linear, scaled_linear (linear in the root) or squaredcos_cap_v2 (both ends unused)
 * @param predictionType epsilon, v_prediction or sample: what the network tells
 * @param timestepSpacing leading, trailing or linspace: which timesteps a run of few steps takes
 * @param stepsOffset added to them, with leading
 * @param setAlphaToOne whether DDIM ends at no noise at all, or at what timestep 0 has
 * @param rescaleBetasZeroSnr whether nothing is left of the image at the last timestep
 */
public record DiffusionConfig(
        Integer numTrainTimesteps,
        Double betaStart,
        Double betaEnd,
        String betaSchedule,
        String predictionType,
        String timestepSpacing,
        Integer stepsOffset,
        Boolean setAlphaToOne,
        Boolean rescaleBetasZeroSnr) {

    /** Choices of samplers that are not ours; clip_sample is for pixels, and the public pipelines switch it off for latents. */
    private static final Set<String> UNUSED = Set.of("clip_sample", "clip_sample_range", "skip_prk_steps", "sample_max_value",
            "dynamic_thresholding_ratio", "interpolation_type", "use_karras_sigmas", "use_exponential_sigmas",
            "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas", "flow_shift", "sigma_min", "sigma_max", "timestep_type",
            "final_sigmas_type", "algorithm_type", "solver_type", "solver_order", "lower_order_final", "euler_at_final",
            "lambda_min_clipped", "predict_x0", "disable_corrector", "solver_p", "time_shift_type", "use_dynamic_shifting",
            "shift_terminal");
    private static final Map<String, String> FIXED =
            Map.of("trained_betas", "null", "thresholding", "false", "variance_type", "fixed_small");

    public DiffusionConfig {
        numTrainTimesteps = numTrainTimesteps == null ? 1000 : numTrainTimesteps;
        betaStart = betaStart == null ? 1e-4 : betaStart;
        betaEnd = betaEnd == null ? 0.02 : betaEnd;
        betaSchedule = oneOf("beta_schedule", betaSchedule, "linear", "scaled_linear", "squaredcos_cap_v2");
        predictionType = oneOf("prediction_type", predictionType, "epsilon", "v_prediction", "sample");
        timestepSpacing = oneOf("timestep_spacing", timestepSpacing, "leading", "trailing", "linspace");
        stepsOffset = stepsOffset == null ? 0 : stepsOffset;
        setAlphaToOne = setAlphaToOne == null || setAlphaToOne;
        rescaleBetasZeroSnr = rescaleBetasZeroSnr != null && rescaleBetasZeroSnr;
        if (numTrainTimesteps < 1 || !(betaStart > 0 && betaStart <= betaEnd && betaEnd < 1)
                || stepsOffset < 0 || stepsOffset >= numTrainTimesteps) {
            throw new IllegalArgumentException("num_train_timesteps must be positive, beta_start and beta_end rising between 0 "
                    + "and 1, steps_offset a timestep");
        }
        if (rescaleBetasZeroSnr && predictionType.equals("epsilon")) {
            throw new IllegalArgumentException("rescale_betas_zero_snr leaves pure noise, of which epsilon tells no image; it "
                    + "goes with v_prediction or sample");
        }
    }

    /** The first of the names where none is given. */
    private static String oneOf(String key, String given, String... names) {
        if (given != null && !Set.of(names).contains(given)) {
            throw new IllegalArgumentException(key + " must be one of " + String.join(", ", names) + ", it is " + given);
        }
        return given == null ? names[0] : given;
    }

    public static DiffusionConfig read(Path file) {
        return ConfigJson.read(file, DiffusionConfig.class, UNUSED, FIXED);
    }
}
