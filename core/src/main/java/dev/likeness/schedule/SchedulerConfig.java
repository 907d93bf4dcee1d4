package dev.likeness.schedule;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * scheduler_config.json of a FlowMatchEulerDiscreteScheduler; the components are its keys.
 *
 * @param shift static shift of the noise levels, used when useDynamicShifting is false
 * @param useDynamicShifting whether the shift depends on the number of image tokens (FLUX.1-dev)
 * @param baseShift exponent mu at baseImageSeqLen tokens
 * @param maxShift exponent mu at maxImageSeqLen tokens
 */
public record SchedulerConfig(
        Double shift,
        Boolean useDynamicShifting,
        Double baseShift,
        Double maxShift,
        Integer baseImageSeqLen,
        Integer maxImageSeqLen) {

    /** What FlowMatching computes with; other values of these keys mean other noise levels. */
    private static final Map<String, String> FIXED = Map.of("num_train_timesteps", "1000", "invert_sigmas", "false",
            "shift_terminal", "null", "use_karras_sigmas", "false", "use_exponential_sigmas", "false", "use_beta_sigmas",
            "false", "time_shift_type", "exponential", "stochastic_sampling", "false");

    public SchedulerConfig {
        shift = shift == null ? 1.0 : shift;
        useDynamicShifting = useDynamicShifting != null && useDynamicShifting;
        baseShift = baseShift == null ? 0.5 : baseShift;
        maxShift = maxShift == null ? 1.15 : maxShift;
        baseImageSeqLen = baseImageSeqLen == null ? 256 : baseImageSeqLen;
        maxImageSeqLen = maxImageSeqLen == null ? 4096 : maxImageSeqLen;
    }

    public static SchedulerConfig read(Path file) {
        return ConfigJson.read(file, SchedulerConfig.class, Set.of(), FIXED);
    }
}
