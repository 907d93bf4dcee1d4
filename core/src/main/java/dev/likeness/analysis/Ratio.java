package dev.likeness.analysis;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The ratio of two measures over the same samples.
 *
 * @param ofMeans mean of the one over mean of the other
 * @param error its standard error, by bootstrap over subjects; NaN for fewer than two, as are the two that follow
 * @param low lower end of its 95 % interval, by bootstrap
 * @param high upper end
 * @param bySample the ratios of the single samples
 */
public record Ratio(double ofMeans, double error, double low, double high, Spread bySample) {

    private static final int RESAMPLES = 2000;
    private static final long SEED = 1;

    /**
     * Subjects are drawn with all of their samples, which resemble each other, and with both measures, so that what these owe to
     * the sample is in both.
     *
     * @param numerator by sample
     * @param denominator of the same samples in the same order
     * @param subjects of the samples
     */
    public static Ratio of(double[] numerator, double[] denominator, List<String> subjects) {
        double[] single = new double[numerator.length];
        Arrays.setAll(single, i -> numerator[i] / denominator[i]);
        Map<String, double[]> bySubject = new LinkedHashMap<>(); // sums of the one and of the other
        for (int i = 0; i < single.length; i++) {
            double[] sums = bySubject.computeIfAbsent(subjects.get(i), subject -> new double[2]);
            sums[0] += numerator[i];
            sums[1] += denominator[i];
        }
        double ofMeans = Arrays.stream(numerator).sum() / Arrays.stream(denominator).sum();
        if (bySubject.size() < 2) {
            return new Ratio(ofMeans, Double.NaN, Double.NaN, Double.NaN, Spread.of(single));
        }
        List<double[]> sums = List.copyOf(bySubject.values());
        SplittableRandom random = new SplittableRandom(SEED);
        double[] resampled = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES; i++) {
            double over = 0;
            double under = 0;
            for (int j = 0; j < sums.size(); j++) {
                double[] drawn = sums.get(random.nextInt(sums.size()));
                over += drawn[0];
                under += drawn[1];
            }
            resampled[i] = over / under;
        }
        Arrays.sort(resampled);
        return new Ratio(ofMeans, Spread.of(resampled).deviation(), resampled[(int) (0.025 * RESAMPLES)],
                resampled[(int) (0.975 * RESAMPLES)], Spread.of(single));
    }
}
