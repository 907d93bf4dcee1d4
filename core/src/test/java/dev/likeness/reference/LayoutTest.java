package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayoutTest {

    @Test
    void withoutAScaleTheSubjectKeepsItsSize() {
        assertThat(Layout.parse(" 0.25, 1 ")).isEqualTo(new Layout(0.25, 1)).isEqualTo(new Layout(0.25, 1, 1));
        assertThat(Layout.parse("0,0.5,0.05")).isEqualTo(new Layout(0, 0.5, Layout.MIN_SCALE));
        assertThat(Layout.parse("1,0,8")).isEqualTo(new Layout(1, 0, Layout.MAX_SCALE));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0.5,0.6 | 0.5,0.6", "0.50, 1.0, 1.0 | 0.5,1", "1,0,0.05 | 1,0,0.05", "-0,0,8 | 0,0,8"})
    void theFlagIsTheShortestText(String text, String flag) {
        assertThat(Layout.parse(text).flag()).isEqualTo(flag);
    }

    @Test
    void theFlagParsesBack() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 200; i++) {
            Layout layout = new Layout(random.nextDouble(), random.nextDouble() * 1e-4,
                    random.nextDouble(Layout.MIN_SCALE, Layout.MAX_SCALE));
            assertThat(Layout.parse(layout.flag())).isEqualTo(layout);
        }
        assertThat(Layout.parse(new Layout(-0.0, -0.0).flag())).isEqualTo(new Layout(-0.0, -0.0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.5,0.5,", "0.5,0.5,big", "0.5,0.5,0.04", "0.5,0.5,8.1", "0.5,0.5,-1", "0.5,0.5,NaN", "0.5,0.5,1,1",
        "1.1,0.5,1"})
    void whatIsNoLayoutIsRefusedWithFlagAndValue(String text) {
        assertThatThrownBy(() -> Layout.parse(text))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContainingAll("--layout", text.endsWith(",1") ? "1" : text, "give the");
    }
}
