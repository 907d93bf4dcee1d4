package dev.likeness.weights;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.TensorFile.Entry;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A weight in a file, and how it is read from there.
 *
 * @param scale key of the number that the stored ones are multiplied with, or null
 */
record StoredWeight(TensorFile file, Piece piece, String scale) {

    /** Numbers decoded at a time: small enough for the processor's cache, enough for all its cores. */
    private static final long CHUNK = 1 << 20;

    static StoredWeight whole(TensorFile file, String key) {
        return new StoredWeight(file, Piece.whole(key, file.entries().get(key).shape()), null);
    }

    /**
     * A weight that was read, owned by the open scope.
     *
     * @param mapped the bytes that the tensor still reads, which must outlive it; null where they were copied
     */
    record Read(Tensor tensor, ByteBuffer mapped) {
        /** Ends the mapping, if there is one; the tensor must not be used any more. */
        void end() {
            if (mapped != null) {
                Mapping.end(mapped);
            }
        }
    }

    /**
     * The weight in an element type and on a device, the stored numbers exact in float32 before they are rounded to it. What
     * is on the CPU in that type already is mapped and not copied.
     *
     * @throws Refusal (model) where what is stored cannot be read as weights
     */
    Read read(DType dtype, Device device) {
        Entry entry = entry();
        Encoding encoding = entry.encoding();
        if (!encoding.isFloatingPoint()) {
            throw Refusal.model("%s: %s is stored as whole numbers (%s), which are not read as weights; take a file with "
                    + "float8 or larger numbers, or a GGUF file.", file.path(), TensorFile.shown(piece.key()), encoding);
        }
        if (encoding.dtype() == dtype && device.isCpu() && scale == null && piece.rows().size() == 1) {
            ByteBuffer bytes = map(piece.rows().get(0));
            return new Read(Tensors.view(bytes, dtype, piece.shape()), bytes);
        }
        Tensor weight = Tensors.empty(dtype, device, piece.shape());
        try (Scope scope = Scope.open()) {
            Scalar factor = scale == null ? null : new Scalar(factor());
            Tensor flat = weight.view(-1);
            long at = 0;
            for (Piece.Rows rows : piece.rows()) {
                ByteBuffer bytes = map(rows);
                at = fill(flat, at, bytes, factor, dtype, device);
                Mapping.end(bytes);
            }
        }
        return new Read(weight, null);
    }

    /** Writes the numbers of a mapping to {@code flat} from {@code at} on. @return where they end */
    private long fill(Tensor flat, long at, ByteBuffer bytes, Scalar factor, DType dtype, Device device) {
        Encoding encoding = entry().encoding();
        long elements = (long) bytes.limit() / encoding.blockBytes() * encoding.blockElements();
        boolean float8 = encoding == Encoding.F8_E4M3 || encoding == Encoding.F8_E5M2;
        boolean plain = !encoding.isBlocks() && !float8 && factor == null;
        long step = plain ? Math.max(1, elements) : CHUNK;
        for (long done = 0; done < elements; done += step) {
            long count = Math.min(step, elements - done);
            try (Scope scope = Scope.open()) {
                Tensor numbers = numbers(bytes, done, count, device, dtype);
                if (factor != null) {
                    numbers = Tensors.to(numbers, DType.FLOAT32).mul(factor); // not in place: they may be the file's
                } else if (float8) {
                    numbers = Tensors.to(numbers, dtype);
                }
                flat.narrow(0, at + done, count).copy_(numbers);
            }
        }
        return at + elements;
    }

    /** Some of a mapping's numbers, as they are stored or, from blocks, in float32. */
    private Tensor numbers(ByteBuffer bytes, long first, long count, Device device, DType dtype) {
        Encoding encoding = entry().encoding();
        int begin = (int) (first / encoding.blockElements() * encoding.blockBytes());
        long blocks = count / encoding.blockElements();
        ByteBuffer part = bytes.slice(begin, (int) (blocks * encoding.blockBytes()));
        if (encoding.isBlocks()) {
            Tensor stored = Tensors.view(part, DType.UINT8, blocks, encoding.blockBytes());
            return Blocks.decode(encoding, device.isCpu() ? stored : Tensors.send(stored, device)).view(-1);
        }
        Tensor stored = Tensors.view(part, encoding.dtype(), count);
        if (device.isCpu()) {
            return stored;
        }
        // What is smaller than the numbers to come, or as large, travels to the device as it is.
        return Tensors.send(encoding.dtype().bytes() <= dtype.bytes() ? stored : Tensors.to(stored, dtype), device);
    }

    /** Brings the stored bytes into the system's memory, where they are not there already. */
    void touch() {
        for (Piece.Rows rows : piece.rows()) {
            ByteBuffer bytes = map(rows);
            if (bytes instanceof MappedByteBuffer mapped && !mapped.isLoaded()) {
                mapped.load();
            }
            Mapping.end(bytes);
        }
    }

    private Entry entry() {
        return file.entries().get(piece.key());
    }

    private ByteBuffer map(Piece.Rows rows) {
        Entry entry = entry();
        Encoding encoding = entry.encoding();
        long elements = 1;
        for (int axis = 1; axis < entry.shape().length; axis++) {
            elements *= entry.shape()[axis];
        }
        if (rows.first() * elements % encoding.blockElements() != 0
                || rows.count() * elements % encoding.blockElements() != 0) {
            throw Refusal.model("%s: %s is stored as %s, in blocks of %d, and cannot be cut into the weights that it "
                    + "stands for; convert it anew.", file.path(), TensorFile.shown(piece.key()), encoding,
                    encoding.blockElements());
        }
        long begin = rows.first() * elements / encoding.blockElements() * encoding.blockBytes();
        long length = rows.count() * elements / encoding.blockElements() * encoding.blockBytes();
        return file.map(piece.key(), entry.begin() + begin, entry.begin() + begin + length);
    }

    private double factor() {
        Entry entry = file.entries().get(scale);
        ByteBuffer bytes = file.map(scale);
        Tensor number = Tensors.view(bytes, entry.encoding().dtype(), 1);
        double factor = Tensors.item(Tensors.to(number, DType.FLOAT32));
        Reference.reachabilityFence(bytes);
        return factor;
    }
}
