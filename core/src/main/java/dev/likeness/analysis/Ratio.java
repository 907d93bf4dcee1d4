package dev.likeness.analysis;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The ratio of two measures over the same samples.
 *
 * @param ofMeans mean of the one over mean of the other
 * @param error its standard error, by bootstrap over the samples
 * @param low lower end of its 95 % interval, by bootstrap
 * @param high upper end
 * @param bySample the ratios of the single samples
 */
public record Ratio(double ofMeans, double error, double low, double high, Spread bySample) {

    private static final int RESAMPLES = 2000;
    private static final long SEED = 1;

    /**
     * Samples are drawn in pairs, so that what both measures owe to the sample is in both.
     *
     * @param numerator by sample
     * @param denominator of the same samples in the same order
     */
    public static Ratio of(double[] numerator, double[] denominator) {
        int count = numerator.length;
        double[] single = new double[count];
        Arrays.setAll(single, i -> numerator[i] / denominator[i]);
        SplittableRandom random = new SplittableRandom(SEED);
        double[] resampled = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES; i++) {
            double over = 0;
            double under = 0;
            for (int j = 0; j < count; j++) {
                int drawn = random.nextInt(count);
                over += numerator[drawn];
                under += denominator[drawn];
            }
            resampled[i] = over / under;
        }
        Arrays.sort(resampled);
        return new Ratio(Arrays.stream(numerator).sum() / Arrays.stream(denominator).sum(), Spread.of(resampled).deviation(),
                resampled[(int) (0.025 * RESAMPLES)], resampled[(int) (0.975 * RESAMPLES)], Spread.of(single));
    }
}
