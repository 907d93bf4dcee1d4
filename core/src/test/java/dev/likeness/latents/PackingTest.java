package dev.likeness.latents;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class PackingTest {

    @Test
    void unpackUndoesPack() {
        try (Scope scope = Scope.open()) {
            Tensor latents = Tensors.noise(3, 2, 5, 6, 10);
            Tensor tokens = Packing.pack(latents);
            assertThat(Tensors.shape(tokens)).containsExactly(2, 15, 20);
            assertThat(Tensors.floats(Packing.unpack(tokens, 3, 5))).isEqualTo(Tensors.floats(latents));
        }
    }

    @Test
    void tokenHoldsItsPatchChannelByChannel() {
        try (Scope scope = Scope.open()) {
            float[] values = new float[2 * 2 * 4]; // C=2, h=2, w=4
            for (int i = 0; i < values.length; i++) {
                values[i] = i;
            }
            float[] tokens = Tensors.floats(Packing.pack(Tensors.of(values, 1, 2, 2, 4)));
            assertThat(tokens).startsWith(0, 1, 4, 5, 8, 9, 12, 13);
        }
    }
}
