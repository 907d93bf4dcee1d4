package dev.likeness.model.t5;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class T5BucketParityTest {

    /** T5Attention._relative_position_bucket for distances of -600 to 600; a border off by one is a wrong bias. */
    @Test
    void bucketsOfAllDistances() {
        try (Scope scope = Scope.open()) {
            Golden golden = Golden.open("text.safetensors");
            double[] distances = golden.doubles("t5.bucket.distance");
            double[] buckets = golden.doubles("t5.bucket.bucket");
            T5EncoderModel model = new T5EncoderModel(new T5Config(4, 4, 4, 4, 0, 1, 32, 128, 1e-6, "relu"), new Weights() {
                @Override
                public Tensor get(String name, long... shape) {
                    return Tensors.zeros(DType.FLOAT32, Device.CPU, shape);
                }

                @Override
                public boolean has(String name) {
                    return true;
                }
            });
            assertThat(distances).hasSize(1201);
            for (int i = 0; i < distances.length; i++) {
                assertThat(model.bucket((int) distances[i])).as("bucket of distance %s", distances[i])
                        .isEqualTo((int) buckets[i]);
            }
        }
    }
}
