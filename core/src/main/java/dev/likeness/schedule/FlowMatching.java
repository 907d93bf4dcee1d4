package dev.likeness.schedule;

/**
 * Flow matching with straight paths: x_sigma = (1 - sigma) x0 + sigma noise; the network predicts noise - x0. Noise levels
 * as in diffusers' FluxPipeline and FlowMatchEulerDiscreteScheduler.
 */
public final class FlowMatching {

    private FlowMatching() {}

    /**
     * Noise levels from 1 down to 0: {@code steps + 1} numbers, the last one 0.
     *
     * @param imageTokens number N of image tokens; matters with dynamic shifting only
     */
    public static double[] sigmas(SchedulerConfig config, int steps, int imageTokens) {
        double[] sigmas = new double[steps + 1];
        double factor = config.useDynamicShifting() ? Math.exp(mu(config, imageTokens)) : config.shift();
        for (int i = 0; i < steps; i++) {
            double linear = steps == 1 ? 1 : 1 + (1.0 / steps - 1) * i / (steps - 1);
            sigmas[i] = shifted(linear, factor);
        }
        return sigmas;
    }

    /** The exponent of dynamic shifting, linear in the number of image tokens. */
    public static double mu(SchedulerConfig config, int imageTokens) {
        double slope = (config.maxShift() - config.baseShift()) / (config.maxImageSeqLen() - config.baseImageSeqLen());
        return config.baseShift() + slope * (imageTokens - config.baseImageSeqLen());
    }

    /** Moves noise levels up for factor > 1: f s / (1 + (f - 1) s); keeps 0 and 1. */
    public static double shifted(double sigma, double factor) {
        return factor * sigma / (1 + (factor - 1) * sigma);
    }

    /** Number of leading steps whose noise level lies above tau. */
    public static int stepsAbove(double[] sigmas, double tau) {
        int count = 0;
        while (count < sigmas.length - 1 && sigmas[count] > tau) {
            count++;
        }
        return count;
    }
}
