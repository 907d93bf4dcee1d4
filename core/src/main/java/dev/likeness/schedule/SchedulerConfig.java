package dev.likeness.schedule;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
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

    private static final Set<String> UNUSED = Set.of("num_train_timesteps", "invert_sigmas", "shift_terminal",
            "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "time_shift_type", "stochastic_sampling");

    public SchedulerConfig {
        shift = shift == null ? 1.0 : shift;
        useDynamicShifting = useDynamicShifting != null && useDynamicShifting;
        baseShift = baseShift == null ? 0.5 : baseShift;
        maxShift = maxShift == null ? 1.15 : maxShift;
        baseImageSeqLen = baseImageSeqLen == null ? 256 : baseImageSeqLen;
        maxImageSeqLen = maxImageSeqLen == null ? 4096 : maxImageSeqLen;
    }

    public static SchedulerConfig read(Path file) {
        return ConfigJson.read(file, SchedulerConfig.class, UNUSED);
    }
}
