package dev.likeness.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.analysis.PositionSensitivity.Measure;
import dev.likeness.analysis.PositionSensitivity.Scores;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class PositionSensitivityTest {

    private static final int HEADS = 2;
    private static final int TEXT = 3;
    private static final int TOKENS = 5;
    private static final int WIDTH = 8;

    /** Queries and keys of text and picture, then keys of the reference. */
    private static Tensor queries(long seed) {
        return Tensors.noise(seed, 2, HEADS, TEXT + TOKENS, WIDTH);
    }

    private static Tensor keys(long seed) {
        return Tensors.noise(seed, 2, HEADS, TEXT + 2 * TOKENS, WIDTH);
    }

    @Test
    void scoresAreThoseOfTheWholeMapOfTheLastRow() {
        try (Scope scope = Scope.open()) {
            Tensor q = queries(1);
            Tensor k = keys(2);
            Scores scores = PositionSensitivity.scores(q, k, TEXT, TOKENS);

            float[] map = Tensors.floats(Ops.softmax(q.matmul(k.transpose(-2, -1)).mul(new Scalar(1 / Math.sqrt(WIDTH)))));
            int all = TEXT + 2 * TOKENS;
            double same = 0;
            double among = 0;
            double share = 0;
            double own = 0;
            for (int head = 0; head < HEADS; head++) {
                for (int token = 0; token < TOKENS; token++) {
                    int row = ((HEADS + head) * (TEXT + TOKENS) + TEXT + token) * all; // the second picture of the batch
                    double reference = 0;
                    for (int i = 0; i < TOKENS; i++) {
                        reference += map[row + TEXT + TOKENS + i];
                    }
                    same += map[row + TEXT + TOKENS + token];
                    among += map[row + TEXT + TOKENS + token] / reference;
                    share += reference;
                    own += map[row + TEXT + token];
                }
            }
            int count = HEADS * TOKENS;
            assertThat(scores.samePosition()).isCloseTo(same / count, within(1e-6));
            assertThat(scores.amongReference()).isCloseTo(among / count, within(1e-6));
            assertThat(scores.reference()).isCloseTo(share / count, within(1e-6));
            assertThat(scores.own()).isCloseTo(own / count, within(1e-6));
        }
    }

    @Test
    void whoAttendsToAllAlikeScoresTheUniformShare() {
        try (Scope scope = Scope.open()) {
            Scores scores = PositionSensitivity.scores(queries(1).mul(new Scalar(0.0)), keys(2), TEXT, TOKENS);
            assertThat(Measure.RELATIVE.of(scores)).isCloseTo(1, within(1e-5));
            assertThat(Measure.AMONG_REFERENCE_RELATIVE.of(scores)).isCloseTo(1, within(1e-5));
            assertThat(scores.reference()).isCloseTo((double) TOKENS / (TEXT + 2 * TOKENS), within(1e-6));
        }
    }

    @Test
    void whoLooksAtItsOwnPlaceAloneScoresOneAmongTheReference() {
        try (Scope scope = Scope.open()) {
            Tensor places = Tensors.noise(3, 1, 1, TOKENS, WIDTH).mul(new Scalar(30.0));
            Tensor none = Tensors.noise(4, 1, 1, TEXT, WIDTH).mul(new Scalar(0.0));
            Scores scores = PositionSensitivity.scores(Ops.cat(2, none, places), Ops.cat(2, none, places, places), TEXT, TOKENS);
            assertThat(scores.amongReference()).isCloseTo(1, within(1e-5));
            assertThat(scores.samePosition()).as("shared with the picture's own token").isCloseTo(0.5, within(1e-5));
            assertThat(scores.own()).isCloseTo(0.5, within(1e-5));
        }
    }

    @Test
    void chunksChangeNothing() {
        try (Scope scope = Scope.open()) {
            int tokens = 1500; // 2 x 1500 x 3000 weights do not fit one chunk
            Tensor q = Tensors.noise(1, 1, HEADS, tokens, WIDTH);
            Tensor k = Tensors.noise(2, 1, HEADS, 2 * tokens, WIDTH);
            Scores scores = PositionSensitivity.scores(q, k, 0, tokens);
            Tensor map = Ops.softmax(q.matmul(k.transpose(-2, -1)).mul(new Scalar(1 / Math.sqrt(WIDTH))));
            double whole = Tensors.item(map.narrow(3, tokens, tokens).diagonal(0, -2, -1).mean());
            assertThat(scores.samePosition()).isCloseTo(whole, within(1e-7));
        }
    }

    @Test
    void tablesAreMeansOverPicturesAndMeansCountEachLayerOnce() {
        Scores low = new Scores(0.25, 0, 0, 0, 10, 5);
        Scores high = new Scores(0.75, 0, 0, 0, 20, 5);
        List<List<Scores>> one = List.of(List.of(low, high), List.of(low, low));
        List<List<Scores>> other = List.of(List.of(high, high), List.of(low, low));
        assertThat(PositionSensitivity.table(List.of(one, other), Measure.SAME_POSITION))
                .isDeepEqualTo(new double[][] {{0.5, 0.75}, {0.25, 0.25}});
        assertThat(PositionSensitivity.mean(one, Measure.SAME_POSITION)).isCloseTo(0.375, within(1e-12));
        assertThat(PositionSensitivity.mean(one, Measure.RELATIVE)).isCloseTo((2.5 + 15 + 2.5 + 2.5) / 4.0, within(1e-12));
    }
}
