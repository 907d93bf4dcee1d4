package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.junit.jupiter.api.Test;

/** The measure itself: a comparison that cannot fail would make every other test of this package worthless. */
class GoldenTest {

    @Test
    void errorIsRelativeToTheGreatestExpectedNumber() {
        assertThat(Golden.relativeError(new float[] {1, -4.5f}, new float[] {1, -4})).isEqualTo(0.125);
        assertThat(Golden.relativeError(new float[] {0, 0}, new float[] {0, 0})).isZero();
        assertThat(Golden.relativeError(new float[] {1, 0}, new float[] {0, 0})).isInfinite();
    }

    @Test
    void numbersThatAreNotFiniteNeverAgree() {
        try (Scope scope = Scope.open()) {
            for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                assertThatThrownBy(() -> Golden.assertClose("odd", Tensors.of(new float[] {odd, 1}, 2),
                        Tensors.of(new float[] {odd, 1}, 2), 1)).isInstanceOf(AssertionError.class);
            }
        }
    }

    @Test
    void shapesMustAgree() {
        try (Scope scope = Scope.open()) {
            assertThatThrownBy(() -> Golden.assertClose("shape", Tensors.of(new float[2], 2),
                    Tensors.of(new float[2], 1, 2), 1)).isInstanceOf(AssertionError.class).hasMessageContaining("shape of shape");
        }
    }

    @Test
    void missingFilesAndTensorsFail() {
        assertThatThrownBy(() -> Golden.open("nothing.safetensors")).isInstanceOf(AssertionError.class)
                .hasMessageContaining("golden/nothing.safetensors is missing");
        try (Scope scope = Scope.open()) {
            Golden ops = Golden.open("ops.safetensors");
            assertThatThrownBy(() -> ops.get("nothing")).isInstanceOf(AssertionError.class).hasMessageContaining("nothing");
        }
    }
}
