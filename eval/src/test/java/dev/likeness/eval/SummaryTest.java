package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SummaryTest {

    @Test
    void everySubjectCountsOnceHoweverManyPicturesItHas() {
        Summary summary = Summary.of(Map.of("a", List.of(1.0, 1.0, 1.0, 5.0), "b", List.of(4.0)));
        assertThat(summary.mean()).isEqualTo(3);
        assertThat(summary.pictures()).isEqualTo(5);
        assertThat(summary.subjects()).isEqualTo(2);
        assertThat(summary.least()).isEqualTo(1);
        assertThat(summary.greatest()).isEqualTo(5);
    }

    /** Subjects' means 1, 2, 3, 6: variance 14 / 3, over four subjects. */
    @Test
    void theErrorComesFromTheSpreadOfSubjects() {
        Summary summary = Summary.of(Map.of("a", List.of(1.0), "b", List.of(0.0, 4.0), "c", List.of(3.0), "d",
                List.of(6.0)));
        assertThat(summary.error()).isCloseTo(Math.sqrt(14.0 / 3 / 4), within(1e-12));
        assertThat(summary.margin()).isCloseTo(1.96 * summary.error(), within(1e-12));
    }

    @Test
    void oneSubjectTellsNothingOfTheSpread() {
        assertThat(Summary.of(Map.of("a", List.of(1.0, 2.0))).error()).isNaN();
    }

    /** Where every picture has the right scene, the mean says so, and not a digit behind it. */
    @Test
    void theMeanOfOnesIsOne() {
        Map<String, List<Double>> ones = IntStream.range(0, 49).boxed().collect(Collectors.toMap(i -> "s" + i, i -> List.of(1.0)));
        assertThat(Summary.of(ones).mean()).isEqualTo(1);
        assertThat(Summary.of(ones).error()).isEqualTo(0);
    }
}
