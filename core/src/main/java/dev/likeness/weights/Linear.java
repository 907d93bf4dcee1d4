package dev.likeness.weights;

import dev.likeness.tensor.Ops;
import org.bytedeco.pytorch.Tensor;

/** A linear layer as networks call it, however its weights are kept. */
@FunctionalInterface
public interface Linear {

    /** x [..., in] to [..., out]. */
    Tensor forward(Tensor x);

    /** The layer, then GELU by its tanh approximation. */
    default Tensor forwardGelu(Tensor x) {
        return Ops.geluTanh(forward(x));
    }

    /** With the weights as they are. */
    static Linear of(Tensor weight, Tensor bias) {
        return x -> Ops.linear(x, weight, bias);
    }
}
