package dev.likeness.eval;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * A measure over many pictures. Every subject counts once: its pictures resemble each other, so the interval comes from the
 * spread between subjects.
 *
 * @param pictures number of values
 * @param subjects number of subjects
 * @param mean of the subjects' means
 * @param error standard error of the mean, from the subjects' means; NaN for fewer than two subjects
 * @param least smallest value
 * @param greatest largest value
 */
public record Summary(int pictures, int subjects, double mean, double error, double least, double greatest) {

    private static final double NORMAL_95 = 1.96;

    /** @param bySubject values of each subject, at least one of each */
    static Summary of(Map<String, List<Double>> bySubject) {
        double[] means = bySubject.values().stream().mapToDouble(Summary::mean).toArray();
        double mean = Arrays.stream(means).average().orElseThrow();
        double squares = 0;
        for (double one : means) {
            squares += (one - mean) * (one - mean);
        }
        List<Double> all = bySubject.values().stream().flatMap(List::stream).toList();
        return new Summary(all.size(), means.length, mean,
                means.length < 2 ? Double.NaN : Math.sqrt(squares / (means.length - 1) / means.length),
                all.stream().mapToDouble(v -> v).min().orElseThrow(), all.stream().mapToDouble(v -> v).max().orElseThrow());
    }

    private static double mean(Collection<Double> values) {
        return values.stream().mapToDouble(v -> v).average().orElseThrow();
    }

    /** Half the width of the 95 % interval: 1.96 standard errors, for some dozens of subjects. */
    public double margin() {
        return NORMAL_95 * error;
    }
}
