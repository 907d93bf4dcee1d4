package dev.likeness.analysis;

import java.util.Arrays;

/**
 * A measure over samples that are independent of each other.
 *
 * @param deviation standard deviation of the samples; NaN for one
 * @param error standard error of the mean; NaN for one
 */
public record Spread(double mean, double deviation, double error, int samples) {

    /** @param values at least one */
    public static Spread of(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum();
        double deviation = values.length < 2 ? Double.NaN : Math.sqrt(squares / (values.length - 1));
        return new Spread(mean, deviation, deviation / Math.sqrt(values.length), values.length);
    }
}
