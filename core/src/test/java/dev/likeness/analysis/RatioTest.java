package dev.likeness.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RatioTest {

    @Test
    void samplesThatAllHaveOneRatioLeaveNoDoubt() {
        Ratio ratio = Ratio.of(new double[] {2, 4, 6}, new double[] {1, 2, 3}, List.of("a", "b", "c"));
        assertThat(ratio.ofMeans()).isEqualTo(2);
        assertThat(ratio.error()).isCloseTo(0, within(1e-12));
        assertThat(ratio.bySample().mean()).isEqualTo(2);
        assertThat(ratio.bySample().deviation()).isZero();
    }

    /** For a denominator that hardly varies the ratio's error is that of the numerator's mean. */
    @Test
    void theBootstrapAgreesWithTheStandardErrorWhereThatIsKnown() {
        SplittableRandom random = new SplittableRandom(5);
        double[] numerator = random.doubles(400, 3, 5).toArray();
        double[] ones = random.doubles(400, 1, 1 + 1e-9).toArray();
        Ratio ratio = Ratio.of(numerator, ones, alone(400));
        assertThat(ratio.error()).isCloseTo(Spread.of(numerator).error(), within(0.1 * Spread.of(numerator).error()));
        assertThat(ratio.high() - ratio.low()).isCloseTo(2 * 1.96 * ratio.error(), within(0.4 * ratio.error()));
        assertThat(ratio.low()).isLessThan(ratio.ofMeans());
        assertThat(ratio.high()).isGreaterThan(ratio.ofMeans());
    }

    private static List<String> alone(int samples) {
        return IntStream.range(0, samples).mapToObj(String::valueOf).toList();
    }

    @Test
    void oneSubjectTellsNothingOfTheError() {
        Ratio ofTwo = Ratio.of(new double[] {4, 6}, new double[] {2, 2}, List.of("a", "a"));
        assertThat(ofTwo.ofMeans()).isEqualTo(2.5);
        assertThat(new double[] {ofTwo.error(), ofTwo.low(), ofTwo.high()}).containsOnly(Double.NaN);
        assertThat(Ratio.of(new double[] {4}, new double[] {2}, List.of("a")).error()).isNaN();
    }

    /** A subject's second sample that says the same as its first tells nothing new. */
    @Test
    void samplesOfOneSubjectCountTogether() {
        double[] once = new SplittableRandom(5).doubles(40, 3, 5).toArray();
        double[] twice = IntStream.range(0, 80).mapToDouble(i -> once[i % 40]).toArray();
        double[] ones = new SplittableRandom(6).doubles(80, 1, 1 + 1e-9).toArray();
        List<String> subjects = IntStream.range(0, 80).mapToObj(i -> "subject " + i % 40).toList();
        double error = Ratio.of(once, ones, subjects).error();
        assertThat(Ratio.of(twice, ones, subjects).error()).isCloseTo(error, within(1e-6));
        assertThat(Ratio.of(twice, ones, alone(80)).error()).isLessThan(0.8 * error);
    }

    @Test
    void aSpreadOfOneSampleHasNoDeviation() {
        Spread spread = Spread.of(new double[] {3});
        assertThat(spread.mean()).isEqualTo(3);
        assertThat(spread.deviation()).isNaN();
        assertThat(Spread.of(new double[] {1, 3}).error()).isCloseTo(1, within(1e-12));
    }
}
