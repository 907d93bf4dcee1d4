package dev.likeness.inject;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.reference.Placement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PositionsTest {

    private static final int COLUMNS = 5;

    /** Tokens (0, 1) and (2, 4) of the reference go to (1, 0) and (3, 3). */
    private static final Placement PLACED =
            new Placement(new long[] {1, 14}, new long[] {5, 18}, new byte[] {15, 15}, 0);

    @Test
    void zeroIsWhereTextStands() {
        assertThat(Positions.ZERO.ids(PLACED, COLUMNS)).containsExactly(0, 0, 0, 0, 0, 0);
    }

    @Test
    void targetIsWhereTheTokenGoes() {
        assertThat(Positions.TARGET.ids(PLACED, COLUMNS)).containsExactly(0, 1, 0, 0, 3, 3);
    }

    @Test
    void keepIsWhereTheTokenComesFrom() {
        assertThat(Positions.KEEP.ids(PLACED, COLUMNS)).containsExactly(0, 0, 1, 0, 2, 4);
    }

    @Test
    void shiftIsBesideTheCanvas() {
        assertThat(Positions.SHIFT.ids(PLACED, COLUMNS)).containsExactly(0, 0, 6, 0, 2, 9);
    }

    @ParameterizedTest
    @EnumSource
    void nothingHasNoPositions(Positions positions) {
        assertThat(positions.ids(new Placement(new long[0], new long[0], new byte[0], 3), COLUMNS)).isEmpty();
    }
}
