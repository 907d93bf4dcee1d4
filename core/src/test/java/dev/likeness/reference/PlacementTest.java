package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlacementTest {

    private static TokenMask mask(int rows, int columns, int... tokens) {
        boolean[] covered = new boolean[rows * columns];
        for (int token : tokens) {
            covered[token] = true;
        }
        return new TokenMask(rows, columns, covered);
    }

    @Test
    void withoutLayoutEveryTokenStaysWhereItIs() {
        Placement placement = Placement.of(mask(3, 4, 1, 6, 11), null);
        assertThat(placement.source()).containsExactly(1, 6, 11);
        assertThat(placement.target()).containsExactly(1, 6, 11);
        assertThat(placement.clipped()).isZero();
    }

    @Test
    void middleGoesToTheLayoutsPoint() {
        Placement placement = Placement.of(mask(4, 4, 0, 1, 4, 5), new Layout(0.75, 0.5)); // 2 x 2 in the corner
        assertThat(placement.target()).containsExactly(6, 7, 10, 11);
    }

    @Test
    void tokensBeyondTheEdgeAreClippedNotWrapped() {
        Placement placement = Placement.shifted(mask(2, 3, 1, 2, 5), 0, 1);
        assertThat(placement.source()).containsExactly(1);
        assertThat(placement.target()).containsExactly(2);
        assertThat(placement.clipped()).isEqualTo(2);
    }

    @RepeatedTest(50)
    void keptTokensMoveByOneShiftAndOthersAreCounted(RepetitionInfo repetition) {
        SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
        int rows = 1 + random.nextInt(9);
        int columns = 1 + random.nextInt(9);
        boolean[] covered = new boolean[rows * columns];
        for (int i = 0; i < covered.length; i++) {
            covered[i] = random.nextBoolean();
        }
        TokenMask mask = new TokenMask(rows, columns, covered);
        int down = random.nextInt(-rows, rows + 1);
        int right = random.nextInt(-columns, columns + 1);
        Placement placement = Placement.shifted(mask, down, right);
        assertThat(placement.source().length + placement.clipped()).isEqualTo(mask.count());
        for (int i = 0; i < placement.source().length; i++) {
            assertThat(covered[(int) placement.source()[i]]).isTrue();
            assertThat(placement.target()[i] / columns - placement.source()[i] / columns).isEqualTo(down);
            assertThat(placement.target()[i] % columns - placement.source()[i] % columns).isEqualTo(right);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0.5", "0.5,", "a,b", "0.5,0.5,0.5,0.5", "1.2,0", "0,-0.1", "NaN,0"})
    void layoutsThatAreNoPointOfTheCanvasAreRefused(String text) {
        assertThatThrownBy(() -> Layout.parse(text)).isInstanceOf(Refusal.class).hasMessageContaining("--layout");
    }
}
