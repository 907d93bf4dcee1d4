package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.reference.TokenMask.Rule;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TokenMaskTest {

    private static final int SIDE = TokenMask.TOKEN;
    private static final int PIXELS = SIDE * SIDE;

    /** One token of black and white pixels, by number. */
    private static Mask token(IntPredicate white) {
        float[] coverage = new float[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            coverage[i] = white.test(i) ? 1 : 0;
        }
        return Mask.of(SIDE, SIDE, coverage);
    }

    private static boolean covered(Mask mask, Rule rule) {
        return TokenMask.of(mask, rule).covered()[0];
    }

    @ParameterizedTest
    @CsvSource({"63, false", "64, true", "65, true", "256, true", "0, false"})
    void aQuarterOfTheTokenMakesItTheSubjects(int pixels, boolean covered) {
        assertThat(covered(token(i -> i < pixels), Rule.QUARTER)).isEqualTo(covered);
        assertThat(covered(token(i -> i * 37 % PIXELS < pixels), Rule.QUARTER)).isEqualTo(covered); // scattered
    }

    /** Grey counts by its coverage: as masks have it that come from files, in steps of 1 / 255. */
    @ParameterizedTest
    @CsvSource({"63, false", "64, true"})
    void aQuarterMayBeGrey(int grey, boolean covered) {
        Mask mask = Mask.ofLuminance(Picture.filled(SIDE, SIDE, 0x010101 * grey), false);
        assertThat(covered(mask, Rule.QUARTER)).isEqualTo(covered);
    }

    @ParameterizedTest
    @CsvSource({"255, true", "254, false", "0, false"})
    void aTokenIsKeptWholeOnlyWhenNoPixelOfItIsMissing(int last, boolean covered) {
        byte[] rgb = new byte[3 * PIXELS];
        Arrays.fill(rgb, (byte) 255);
        for (int i = 0; i < 3; i++) {
            rgb[3 * 100 + i] = (byte) last;
        }
        Mask mask = Mask.ofLuminance(Picture.of(SIDE, SIDE, rgb, null), false);
        assertThat(covered(mask, Rule.WHOLE)).isEqualTo(covered);
    }

    /** Of the four pixels around the middle the lower right one, as nearest-neighbour resizing takes it; only white counts. */
    @Test
    void theNearestPixelDecidesAlone() {
        int middle = SIDE / 2 * SIDE + SIDE / 2;
        assertThat(covered(token(i -> i == middle), Rule.NEAREST)).isTrue();
        assertThat(covered(token(i -> i != middle), Rule.NEAREST)).isFalse();
        float[] coverage = token(i -> true).coverage();
        coverage[middle] = 254 / 255f;
        assertThat(covered(Mask.of(SIDE, SIDE, coverage), Rule.NEAREST)).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void fullMasksCoverEveryTokenAndEmptyOnesNone(Rule rule) {
        TokenMask full = TokenMask.of(Mask.full(48, 32), rule);
        assertThat(full.rows()).isEqualTo(2);
        assertThat(full.columns()).isEqualTo(3);
        assertThat(full.count()).isEqualTo(6);
        assertThat(full.cells()).containsOnly(TokenMask.ALL_CELLS);
        TokenMask empty = TokenMask.of(Mask.full(48, 32).invert(), rule);
        assertThat(empty.isEmpty()).isTrue();
        assertThat(empty.count()).isZero();
    }

    /** Row-major on both levels: token 4 of 2 x 3 is the middle one of the lower row, bit 1 its upper right cell. */
    @ParameterizedTest
    @EnumSource
    void tokensAreNumberedRowByRow(Rule rule) {
        float[] coverage = new float[48 * 32];
        for (int y = 16; y < 32; y++) {
            for (int x = 16; x < 32; x++) {
                coverage[y * 48 + x] = 1;
            }
        }
        TokenMask mask = TokenMask.of(Mask.of(48, 32, coverage), rule);
        assertThat(mask.covered()).containsExactly(false, false, false, false, true, false);
        assertThat(mask.middle()).containsExactly(1.5, 1.5);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1", "8, 0, 2", "0, 8, 4", "8, 8, 8"})
    void eachCellHasItsBit(int x, int y, int bit) {
        Mask mask = token(i -> i % SIDE >= x && i % SIDE < x + 8 && i / SIDE >= y && i / SIDE < y + 8);
        TokenMask tokens = TokenMask.of(mask, Rule.QUARTER);
        assertThat(tokens.covered()).containsExactly(true);
        assertThat(tokens.cells()).containsExactly(bit);
        assertThat(TokenMask.of(mask.invert(), Rule.QUARTER).cells()).containsExactly(15 - bit);
    }

    /** The upper left cell of 8 x 8 with so many of its pixels, the lower right one full. */
    @ParameterizedTest
    @CsvSource({"31, 8", "32, 9", "33, 9"})
    void aCellBelongsToTheSubjectFromItsHalfOn(int pixels, int cells) {
        Mask mask = token(i -> {
            int x = i % SIDE;
            int y = i / SIDE;
            return x >= 8 && y >= 8 || x < 8 && y < 8 && 8 * y + x < pixels;
        });
        assertThat(TokenMask.of(mask, Rule.QUARTER).cells()).containsExactly(cells);
    }

    /** A pole of 6 pixels fills no cell by half, and is put in all the same: by the cells that hold it. */
    @Test
    void thinPartsAreNotLost() {
        float[] coverage = new float[16 * 16];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = i % 16 >= 9 && i % 16 < 15 ? 0.6f : 0;
        }
        TokenMask thin = TokenMask.of(Mask.of(16, 16, coverage), Rule.QUARTER);
        assertThat(thin.covered()).isEqualTo(new boolean[] {false});
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = i % 16 >= 5 && i % 16 < 11 ? 1 : 0; // three columns of each cell
        }
        TokenMask pole = TokenMask.of(Mask.of(16, 16, coverage), Rule.QUARTER);
        assertThat(pole.covered()).isEqualTo(new boolean[] {true});
        assertThat(pole.cells()).containsExactly(TokenMask.ALL_CELLS);
    }

    /** What is kept whole, and what the public implementation replaces, has no cells of its own. */
    @Test
    void theOtherRulesTakeTokensWithAllTheirCells() {
        Mask lower = token(i -> i >= PIXELS / 2); // the pixel nearest to the middle is in it
        assertThat(TokenMask.of(lower, Rule.NEAREST).cells()).containsExactly(TokenMask.ALL_CELLS);
        assertThat(TokenMask.of(lower, Rule.WHOLE).cells()).containsExactly(TokenMask.ALL_CELLS);
        assertThat(TokenMask.of(lower, Rule.QUARTER).cells()).containsExactly(12);
        assertThat(new TokenMask(1, 2, new boolean[] {true, false}).cells()).containsOnly(TokenMask.ALL_CELLS);
    }
}
