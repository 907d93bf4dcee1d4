package dev.likeness.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RatioTest {

    @Test
    void samplesThatAllHaveOneRatioLeaveNoDoubt() {
        Ratio ratio = Ratio.of(new double[] {2, 4, 6}, new double[] {1, 2, 3});
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
        Ratio ratio = Ratio.of(numerator, ones);
        assertThat(ratio.error()).isCloseTo(Spread.of(numerator).error(), within(0.1 * Spread.of(numerator).error()));
        assertThat(ratio.high() - ratio.low()).isCloseTo(2 * 1.96 * ratio.error(), within(0.4 * ratio.error()));
        assertThat(ratio.low()).isLessThan(ratio.ofMeans());
        assertThat(ratio.high()).isGreaterThan(ratio.ofMeans());
    }

    @Test
    void aSpreadOfOneSampleHasNoDeviation() {
        Spread spread = Spread.of(new double[] {3});
        assertThat(spread.mean()).isEqualTo(3);
        assertThat(spread.deviation()).isNaN();
        assertThat(Spread.of(new double[] {1, 3}).error()).isCloseTo(1, within(1e-12));
    }
}
