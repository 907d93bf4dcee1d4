package dev.likeness.train;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** First values of parameters. */
final class Initial {

    private Initial() {}

    /** Normal with deviation gain / sqrt(fan in); norms one, biases zero, and zero where {@code zero} says so. */
    static TrainableWeights.Initializer scaled(double gain, java.util.function.Predicate<String> zero, long seed) {
        long[] drawn = {seed};
        return (name, shape) -> {
            if (name.endsWith("bias") || zero.test(name)) {
                return Tensors.zeros(DType.FLOAT32, Device.CPU, shape);
            }
            if (shape.length == 1) {
                return Tensors.full(1, DType.FLOAT32, Device.CPU, shape);
            }
            long fanIn = Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b);
            return Tensors.noise(drawn[0]++, shape).mul(new Scalar(gain / Math.sqrt(fanIn)));
        };
    }
}
