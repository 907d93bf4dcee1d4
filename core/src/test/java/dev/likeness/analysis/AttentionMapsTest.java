package dev.likeness.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class AttentionMapsTest {

    private static final int TEXT = 2;

    /** A key for each of 4 x 4 places, so far apart that a query with the same vector sees no other. */
    private static Tensor places() {
        return Tensors.noise(3, 1, 2, 16, 8).mul(new Scalar(30.0));
    }

    private static Tensor none(long tokens) {
        return Tensors.zeros(DType.FLOAT32, Device.CPU, 1, 2, tokens, 8);
    }

    @Test
    void aQueryThatSeesItsOwnPlaceLightsItUp() {
        try (Scope scope = Scope.open()) {
            AttentionMaps maps = new AttentionMaps(List.of(new AttentionMaps.Query(0.3, 0.6)), 4, 4);
            Tensor places = places();
            maps.record(Ops.cat(2, none(TEXT), places), Ops.cat(2, none(TEXT), places, places), TEXT, 4, 4);
            double[] map = maps.maps()[0];
            assertThat(map[2 * 4 + 1]).as("half, the other half is its own").isCloseTo(0.5, within(1e-5));
            assertThat(Arrays.stream(map).sum()).isCloseTo(0.5, within(1e-5));
        }
    }

    @Test
    void layersOfACoarserGridSpreadOverTheTokensInTheirCell() {
        try (Scope scope = Scope.open()) {
            AttentionMaps maps = new AttentionMaps(List.of(new AttentionMaps.Query(0.3, 0.6)), 4, 4);
            Tensor coarse = places().narrow(2, 0, 4);
            maps.record(coarse, coarse, 0, 2, 2); // nothing but the reference
            double[] map = maps.maps()[0];
            for (int i = 0; i < 16; i++) {
                boolean inCell = i / 4 >= 2 && i % 4 < 2;
                assertThat(map[i]).isCloseTo(inCell ? 0.25 : 0, within(1e-5));
            }
        }
    }

    @Test
    void layersAndStepsCountAlike() {
        try (Scope scope = Scope.open()) {
            AttentionMaps maps = new AttentionMaps(List.of(new AttentionMaps.Query(0, 0), new AttentionMaps.Query(0.99, 0.99)), 4, 4);
            Tensor places = places();
            maps.record(places, places, 0, 4, 4);
            maps.record(none(16), places, 0, 4, 4);
            assertThat(maps.maps()[0][0]).isCloseTo((1 + 1 / 16.0) / 2, within(1e-5));
            assertThat(maps.maps()[1][15]).isCloseTo((1 + 1 / 16.0) / 2, within(1e-5));
            assertThat(maps.maps()[1][0]).isCloseTo(1 / 32.0, within(1e-5));
        }
    }
}
