package dev.likeness.weights;

import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Named tensors as a network's constructor sees them: construction is loading. A network asks for every weight once, by
 * name and shape; what stands behind may be a checkpoint on disk, fresh parameters to train, or shapes alone.
 */
public interface Weights {

    /**
     * The tensor of that name (relative to this view's prefix).
     *
     * @throws dev.likeness.error.Refusal (model) when it is missing or has another shape
     * @throws IllegalStateException when it was taken before, which is a fault of the network
     */
    Tensor get(String name, long... shape);

    /**
     * Linear layers of one input, their outputs side by side [..., n out]; each takes {@code name.weight} [out, in] and
     * {@code name.bias} [out].
     */
    default Linear linear(List<String> names, long in, long out) {
        return Linear.sideBySide(names.stream()
                .map(name -> Linear.of(get(name + ".weight", out, in), get(name + ".bias", out))).toList());
    }

    /** One of them. */
    default Linear linear(String name, long in, long out) {
        return linear(List.of(name), in, out);
    }

    /** Whether that name exists; does not count as taking it. */
    boolean has(String name);

    /**
     * Names and shapes of all that a network takes, in its order; nothing is allocated.
     *
     * @throws IllegalStateException when it takes one twice
     */
    static Map<String, long[]> shapes(Consumer<Weights> network) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        try (Scope scope = Scope.open()) {
            network.accept(new Weights() {
                @Override
                public Tensor get(String name, long... shape) {
                    if (shapes.put(name, shape) != null) {
                        throw new IllegalStateException("weight " + name + " was taken twice");
                    }
                    return Tensors.meta(shape);
                }

                @Override
                public boolean has(String name) {
                    return true;
                }
            });
        }
        return shapes;
    }

    /** A view below a dotted prefix: {@code at("transformer_blocks", 3)} sees {@code transformer_blocks.3.*}. */
    default Weights at(Object... path) {
        StringBuilder prefix = new StringBuilder();
        for (Object part : path) {
            prefix.append(part).append('.');
        }
        Weights whole = this;
        return new Weights() {
            @Override
            public Tensor get(String name, long... shape) {
                return whole.get(prefix + name, shape);
            }

            @Override
            public Linear linear(List<String> names, long in, long out) {
                return whole.linear(names.stream().map(name -> prefix + name).toList(), in, out);
            }

            @Override
            public boolean has(String name) {
                return whole.has(prefix + name);
            }
        };
    }
}
