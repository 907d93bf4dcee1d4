package dev.likeness.weights;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Puts GGUF files together piece by piece, sound ones and others. */
final class GgufBytes {

    static final int UINT32 = 4;
    static final int STRING = 8;
    static final int ARRAY = 9;

    private static final int ALIGNMENT = 32;

    private final ByteArrayOutputStream texts = new ByteArrayOutputStream();
    private final ByteArrayOutputStream entries = new ByteArrayOutputStream();
    private int textCount;
    private int entryCount;

    static byte[] int32(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    static byte[] int64(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    static byte[] text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return join(int64(bytes.length), bytes);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** @param value its type's number and what follows it */
    GgufBytes metadata(String key, byte[]... value) {
        texts.writeBytes(join(text(key), join(value)));
        textCount++;
        return this;
    }

    /** @param shape last axis contiguous */
    GgufBytes tensor(String name, Encoding encoding, long offset, long bytes, long... shape) {
        int[] numbers = {0, 1, 30, 28, -1, -1, 27, 26, 24, -1, 2, 3, 6, 7, 8, 12, 13, 14}; // ggml's, by Encoding's order
        if (bytes != encoding.bytes(shape)) {
            throw new IllegalArgumentException(name + " takes " + encoding.bytes(shape) + " bytes");
        }
        return tensor(text(name), shape, numbers[encoding.ordinal()], offset);
    }

    GgufBytes tensor(byte[] name, long[] shape, int type, long offset) {
        byte[][] axes = new byte[shape.length][];
        for (int i = 0; i < shape.length; i++) {
            axes[i] = int64(shape[shape.length - 1 - i]);
        }
        entries.writeBytes(join(name, int32(shape.length), join(axes), int32(type), int64(offset)));
        entryCount++;
        return this;
    }

    /** The header with counts that are true. */
    byte[] header() {
        return header(entryCount, textCount);
    }

    byte[] header(long tensors, long metadata) {
        return join("GGUF".getBytes(StandardCharsets.US_ASCII), int32(3), int64(tensors), int64(metadata),
                texts.toByteArray(),
                entries.toByteArray());
    }

    /** The whole file: the header, padding, data. */
    byte[] bytes(byte[] data) {
        byte[] header = header();
        int padding = (ALIGNMENT - header.length % ALIGNMENT) % ALIGNMENT;
        return join(header, new byte[padding], data, new byte[(ALIGNMENT - data.length % ALIGNMENT) % ALIGNMENT]);
    }

    Path write(Path path, byte[] data) {
        return write(path, bytes(data), 0);
    }

    /** @param cut bytes that are left out at the end */
    static Path write(Path path, byte[] whole, int cut) {
        try {
            return Files.write(path, java.util.Arrays.copyOf(whole, whole.length - cut));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
