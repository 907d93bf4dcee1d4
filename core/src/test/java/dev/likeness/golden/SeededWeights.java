package dev.likeness.golden;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsWriter;
import dev.likeness.weights.Weights;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The weights that {@code golden/tiny.py} draws for a network, drawn again from the same seeds: they need not be stored. They
 * belong to the open scope.
 */
public final class SeededWeights implements Weights {

    private final String name;
    private final Map<String, Tensor> taken = new TreeMap<>();

    /** @param name what the script calls the network */
    public SeededWeights(String name) {
        this.name = name;
    }

    @Override
    public Tensor get(String key, long... shape) {
        CRC32 crc = new CRC32();
        crc.update((name + "/" + key).getBytes(StandardCharsets.UTF_8));
        Tensor noise = Tensors.noise(crc.getValue(), shape);
        long inputs = 1;
        for (int axis = 1; axis < shape.length; axis++) {
            inputs *= shape[axis];
        }
        String module = key.substring(0, key.length() - ".weight".length()).toLowerCase();
        boolean weight = key.endsWith(".weight");
        Tensor tensor;
        if (weight && shape.length == 1 && module.substring(module.lastIndexOf('.') + 1).contains("norm")) {
            tensor = noise.mul(new Scalar(0.1)).add(new Scalar(1.0));
        } else if (weight && (module.endsWith("embeddings") || module.endsWith("style_embedder") || module.endsWith("shared")
                || module.endsWith("relative_attention_bias"))) {
            tensor = noise.mul(new Scalar(0.5));
        } else if (shape.length == 1) {
            tensor = noise.mul(new Scalar(0.15));
        } else {
            tensor = noise.mul(new Scalar((key.contains(".linear.weight") ? 0.5 : 1) / Math.sqrt(inputs)));
        }
        taken.put(key, tensor);
        return tensor;
    }

    @Override
    public boolean has(String key) {
        return true;
    }

    /** Writes what was taken as a component's only file. */
    public void write(Path file) {
        SafetensorsWriter.write(file, taken, DType.FLOAT32);
    }
}
