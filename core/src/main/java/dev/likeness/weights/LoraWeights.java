package dev.likeness.weights;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights with LoRAs beside them. The additions are computed beside each layer and not merged into it: so they fit whatever
 * way the base weights are kept in, and are not rounded to its element type. Closing frees the additions.
 */
public final class LoraWeights implements Weights, AutoCloseable {

    private final Weights base;
    private final List<Lora> loras = new ArrayList<>();
    private final List<Lora.Addition> taken = new ArrayList<>();

    /** @throws dev.likeness.error.Refusal (model) when a file holds anything that is not understood */
    public LoraWeights(Weights base, List<LoraFile> files, DType dtype, Device device) {
        this.base = base;
        try {
            files.forEach(file -> loras.add(Lora.read(file, dtype, device)));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The bytes that the additions of some files take once they are read; reads headers only. */
    public static long bytes(List<LoraFile> files, DType dtype) {
        return files.stream().mapToLong(file -> Lora.bytes(file, dtype)).sum();
    }

    /** Where in a layer's outputs an addition goes. */
    private record Part(long first, Lora.Addition addition) {}

    @Override
    public Linear linear(List<String> names, long in, long out) {
        Linear layer = base.linear(names, in, out);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            for (Lora lora : loras) {
                long first = i * out;
                lora.take(names.get(i), in, out).ifPresent(addition -> parts.add(new Part(first, addition)));
            }
        }
        parts.forEach(part -> taken.add(part.addition));
        return parts.isEmpty() ? layer : x -> {
            Tensor y = layer.forward(x);
            for (Part part : parts) {
                Tensor added = Ops.linear(Ops.linear(x, part.addition.down(), null), part.addition.up(), null);
                y.narrow(-1, part.first, out).add_(added);
            }
            return y;
        };
    }

    @Override
    public Tensor get(String name, long... shape) {
        return base.get(name, shape);
    }

    @Override
    public boolean has(String name) {
        return base.has(name);
    }

    /** Refuses additions to layers that the network does not have; call it once the network stands. */
    public void finish() {
        loras.forEach(Lora::finish);
    }

    @Override
    public void close() {
        loras.forEach(Lora::close);
        taken.forEach(Lora::release);
        taken.clear();
    }
}
