package dev.likeness.weights;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/** Writes a safetensors file: names sorted, so that the same tensors give the same bytes. */
public final class SafetensorsWriter {

    private SafetensorsWriter() {}

    /** Stores every tensor in one element type; written beside the target, then moved. */
    public static void write(Path path, Map<String, Tensor> tensors, DType dtype) throws IOException {
        Map<String, Tensor> sorted = new TreeMap<>(tensors);
        ObjectNode header = new ObjectMapper().createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
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
        Path part = path.resolveSibling(path.getFileName() + ".part");
        try (OutputStream out = Files.newOutputStream(part)) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).array());
            out.write(json);
            out.write(" ".repeat(padded - json.length).getBytes(StandardCharsets.UTF_8));
            for (Tensor tensor : sorted.values()) {
                out.write(Tensors.bytes(tensor, dtype));
            }
        }
        Files.move(part, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
