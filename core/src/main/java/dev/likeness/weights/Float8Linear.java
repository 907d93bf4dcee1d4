package dev.likeness.weights;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A linear layer whose weights are kept in eight bits (e4m3), each row of them scaled by a power of two to the range of these:
 * a relative error of at most 1/16 a number. Each use widens them to the type of the input.
 */
final class Float8Linear implements Linear, AutoCloseable {

    private static final double LARGEST = 448; // of e4m3

    private final Tensor stored; // [out, in], float8
    private final Tensor scale; // [out], float32
    private final Tensor bias; // [out]

    /** @param bias owned by others, and null for none */
    Float8Linear(Tensor weight, Tensor bias) {
        this.bias = bias;
        try (Scope scope = Scope.open()) {
            Tensor wide = Tensors.to(weight, DType.FLOAT32);
            Tensor largest = Ops.clamp(wide.abs().amax(new long[] {-1}, false), 1e-30, 1e30);
            // A power of two: multiplying with it rounds nothing.
            scale = Scope.own(largest.div(new Scalar(LARGEST)).log2().ceil().exp2());
            stored = Scope.own(Tensors.to(wide.div(scale.unsqueeze(1)), DType.FLOAT8_E4M3));
        }
    }

    @Override
    public Tensor forward(Tensor x) {
        try (Scope scope = Scope.open()) {
            Tensor y = Ops.linear(x, Tensors.to(stored, DType.of(x)), null).mul_(Tensors.like(scale, x));
            return scope.keep(bias == null ? y : y.add_(bias));
        }
    }

    @Override
    public void close() {
        Scope.release(stored);
        Scope.release(scale);
    }
}
