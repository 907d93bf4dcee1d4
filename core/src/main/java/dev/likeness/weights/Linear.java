package dev.likeness.weights;

import dev.likeness.tensor.Ops;
import java.util.List;
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

    /** Layers of one input, their outputs side by side. */
    static Linear sideBySide(List<? extends Linear> layers) {
        return layers.size() == 1 ? layers.get(0)
                : x -> Ops.cat(-1, layers.stream().map(layer -> layer.forward(x)).toArray(Tensor[]::new));
    }
}
