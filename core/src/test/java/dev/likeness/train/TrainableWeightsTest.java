package dev.likeness.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainableWeightsTest {

    private static final double RATE = 0.01;
    private static final long ROWS = 4;
    private static final long COLUMNS = 12;

    /** A matrix that Muon updates, and a vector that AdamW updates. */
    private static TrainableWeights weights() {
        return new TrainableWeights(w -> {
            w.get("matrix.weight", ROWS, COLUMNS);
            w.get("bias", 3);
        }, (name, shape) -> Tensors.noise(name.length(), shape), name -> name.equals("matrix.weight"));
    }

    /** One update with the gradients of sum(matrix * coefficients) + scale * sum(bias). */
    private static double update(TrainableWeights weights, float scale) {
        try (Scope scope = Scope.open()) {
            Tensor coefficients = Tensors.to(Tensors.noise(99, ROWS, COLUMNS), DType.BFLOAT16);
            Tensor loss = weights.get("matrix.weight").mul(coefficients).sum()
                    .add(weights.get("bias").mul(Tensors.to(Tensors.of(new float[] {scale}, 1), DType.BFLOAT16)).sum());
            loss.backward();
        }
        return weights.update(RATE, 0, 0);
    }

    private static float[] values(TrainableWeights weights, String name) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(weights.averaged().get(name));
        }
    }

    @Test
    void aMatrixMovesAsFarInEveryDirection() {
        TrainableWeights weights = weights();
        float[] before = values(weights, "matrix.weight");
        update(weights, 1);
        float[] after = values(weights, "matrix.weight");

        double length = RATE * 0.3 * Math.sqrt(COLUMNS);
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < ROWS; j++) {
                double product = 0;
                for (int k = 0; k < COLUMNS; k++) {
                    product += (after[i * (int) COLUMNS + k] - before[i * (int) COLUMNS + k])
                            * (after[j * (int) COLUMNS + k] - before[j * (int) COLUMNS + k]) / (length * length);
                }
                // the iteration's polynomial brings singular values between about 0.7 and 1.2, not to 1
                assertThat(product).isCloseTo(i == j ? 1 : 0, within(0.5));
            }
        }
    }

    @Test
    void theFirstStepOfAdamWIsTheLearningRateAgainstTheSign() {
        TrainableWeights weights = weights();
        float[] before = values(weights, "bias");
        update(weights, -3);
        assertThat(values(weights, "bias")).containsExactly(
                new float[] {before[0] + 0.01f, before[1] + 0.01f, before[2] + 0.01f}, within(1e-5f));
    }

    @Test
    void aGradientThatIsNotFiniteChangesNothing() {
        TrainableWeights weights = weights();
        float[] before = values(weights, "bias");
        assertThat(Double.isFinite(update(weights, Float.POSITIVE_INFINITY))).isFalse();
        assertThat(values(weights, "bias")).containsExactly(before);
        assertThat(weights.updates()).isZero();
    }

    @Test
    void aRestoredRunGoesOnAsIfItHadNotStopped(@TempDir Path folder) throws IOException {
        TrainableWeights straight = weights();
        update(straight, 1);
        straight.save(folder.resolve("state.safetensors"));
        TrainableWeights resumed = weights();
        resumed.restore(folder.resolve("state.safetensors"));
        assertThat(resumed.updates()).isEqualTo(1);

        update(straight, 2);
        update(resumed, 2);
        for (String name : List.of("matrix.weight", "bias")) {
            assertThat(values(resumed, name)).containsExactly(values(straight, name));
        }
    }

    @Test
    void writtenWeightsAreTheNearestOfSoManyBits(@TempDir Path folder) throws IOException {
        TrainableWeights weights = weights();
        update(weights, 1);
        weights.write(folder.resolve("weights.safetensors"), 5);
        float[] exact = values(weights, "matrix.weight");
        float[] written;
        try (Scope scope = Scope.open()) {
            written = Tensors.floats(SafetensorsFile.open(folder.resolve("weights.safetensors")).readAll().get("matrix.weight"));
        }
        for (int i = 0; i < exact.length; i++) {
            float step = Math.ulp(exact[i]) * (1 << 24 - 5);
            assertThat((double) (written[i] / step)).as("multiples of the last bit").isEqualTo(Math.rint(written[i] / step));
            assertThat(Math.abs(written[i] - exact[i])).isLessThanOrEqualTo(step / 2);
        }
    }
}
