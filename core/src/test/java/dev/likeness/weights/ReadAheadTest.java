package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadAheadTest {

    @TempDir
    Path folder;

    private static List<Integer> expected(ReadAhead readAhead, int... used) {
        List<Integer> next = new ArrayList<>();
        for (int number : used) {
            next.add(readAhead.use(number));
        }
        return next;
    }

    /** Two blocks of three layers, the first of which are modulation: it is computed once, before the others. */
    @Test
    void layersAreExpectedInTheOrderInWhichTheyWereUsedTheLastTime() {
        try (ReadAhead readAhead = new ReadAhead()) {
            for (int i = 0; i < 6; i++) {
                readAhead.add(null);
            }
            readAhead.use(0);
            readAhead.use(3);
            assertThat(expected(readAhead, 1, 2, 4, 5)).startsWith(2, 4, 5); // what was used already is passed over
            assertThat(expected(readAhead, 1, 2, 4)).containsExactly(2, 4, 5);
            assertThat(readAhead.use(5)).isEqualTo(1);
        }
    }

    @Test
    void aLayerAloneIsExpectedAgain() {
        try (ReadAhead readAhead = new ReadAhead()) {
            readAhead.add(null);
            assertThat(expected(readAhead, 0, 0)).containsExactly(0, 0);
        }
    }

    private static Tensor weight(int number) {
        return Tensors.of(new float[] {number, 1, 2, number, 3, 4}, 2, 3);
    }

    /** The way of a GPU, where the CPU's single stream stands for both of its streams. */
    @Test
    void whatIsSentAheadIsTheLayersOwnInAnyOrder() {
        try (Scope scope = Scope.open(); ReadAhead readAhead = new ReadAhead()) {
            Map<String, Tensor> weights = new TreeMap<>();
            for (int i = 0; i < 4; i++) {
                weights.put("layer" + i, weight(i));
            }
            Path path = folder.resolve("layers.safetensors");
            SafetensorsWriter.write(path, weights, DType.FLOAT32);
            TensorFile file = TensorFile.open(path);
            List<StreamedLinear> layers = new ArrayList<>();
            for (String name : weights.keySet()) {
                layers.add(new StreamedLinear(StoredWeight.whole(file, name), null, DType.FLOAT32, Device.CPU, readAhead));
            }
            Tensor x = Tensors.of(new float[] {1, -1, 2}, 1, 3);
            for (int number : new int[] {0, 1, 2, 3, 0, 1, 3, 2, 2, 0, 3, 1}) {
                assertThat(Tensors.floats(layers.get(number).sent(x))).as("layer %d", number)
                        .isEqualTo(Tensors.floats(Ops.linear(x, weight(number), null)));
            }
        }
    }

    @Test
    void aWeightThatCannotBeReadIsRefusedWhereItIsUsed() {
        try (Scope scope = Scope.open(); ReadAhead readAhead = new ReadAhead()) {
            Path path = folder.resolve("numbers.safetensors");
            SafetensorsWriter.write(path, Map.of("numbers", Tensors.of(new float[] {1}, 1, 1)), DType.INT8);
            readAhead.add(StoredWeight.whole(TensorFile.open(path), "numbers"));
            assertThatThrownBy(() -> readAhead.take(0, DType.FLOAT32, Device.CPU)).isInstanceOf(Refusal.class)
                    .hasMessageContaining(path.toString());
        }
    }
}
