package dev.likeness.weights;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.OutputFile;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/** Writes a safetensors file: names sorted, so that the same tensors give the same bytes. */
public final class SafetensorsWriter {

    private SafetensorsWriter() {}

    /** Stores every tensor in one element type; the file appears whole or not at all. */
    public static void write(Path path, Map<String, Tensor> tensors, DType dtype) {
        write(path, tensors, dtype, Map.of());
    }

    /** @param metadata further entries of the header's free-form map */
    public static void write(Path path, Map<String, Tensor> tensors, DType dtype, Map<String, String> metadata) {
        Map<String, Tensor> sorted = new TreeMap<>(tensors);
        ObjectNode header = new ObjectMapper().createObjectNode();
        ObjectNode free = header.putObject("__metadata__").put("format", "pt");
        new TreeMap<>(metadata).forEach(free::put);
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : sorted.entrySet()) {
            Tensor tensor = entry.getValue();
            ObjectNode place = header.putObject(entry.getKey()).put("dtype", dtype.safetensorsName());
            for (long size : Tensors.shape(tensor)) {
                place.withArray("shape").add(size);
            }
            if (tensor.dim() == 0) {
                place.putArray("shape");
            }
            long end = offset + tensor.numel() * dtype.bytes();
            place.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (json.length + 7) / 8 * 8; // readers want the data 8-byte aligned
        OutputFile.write(path, out -> {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).array());
            out.write(json);
            out.write(" ".repeat(padded - json.length).getBytes(StandardCharsets.UTF_8));
            for (Tensor tensor : sorted.values()) {
                out.write(Tensors.bytes(tensor, dtype));
            }
        });
    }
}
