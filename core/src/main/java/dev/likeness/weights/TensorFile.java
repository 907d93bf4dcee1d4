package dev.likeness.weights;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;

/**
 * A file of named tensors, of which the header alone has been read. Tensors are memory mapped one by one (a Java buffer
 * holds 2 GiB at most, the largest FLUX.1 tensor 0.3 GiB), so that the file may have any size.
 */
public abstract sealed class TensorFile permits SafetensorsFile, GgufFile {

    /** More than any model's header: what a header claims is read in bounded time and memory. */
    static final int MAX_HEADER = 16 << 20;

    private static final int SHOWN = 200; // characters of a name in a sentence

    /**
     * Where a tensor lies: its encoding, its shape (last axis contiguous), and its bytes from {@code begin} up to {@code
     * end} in the file.
     */
    public record Entry(Encoding encoding, long[] shape, long begin, long end) {

        long elements() {
            return (end - begin) / encoding.blockBytes() * encoding.blockElements();
        }
    }

    private final Path path;
    private final Map<String, Entry> entries;
    private final Map<String, String> metadata;

    TensorFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
        this.path = path;
        this.entries = Collections.unmodifiableMap(entries);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /**
     * A safetensors or GGUF file, told by its first bytes.
     *
     * @throws Refusal (model) when the file is missing, cut off, damaged or of another kind
     */
    public static TensorFile open(Path path) {
        return reading(path, channel -> {
            ByteBuffer head = head(channel);
            long size = channel.size();
            if (GgufFile.isGguf(head)) {
                return GgufFile.parse(path, head, size);
            }
            // "PK": a zip archive, which PyTorch pickles into; 0x80: a bare pickle. Either may run any code when it is read.
            if (head.limit() > 2 && (head.get(0) == 'P' && head.get(1) == 'K' || (head.get(0) & 0xFF) == 0x80
                    && head.get(1) < 6 && (size < Long.BYTES || head.getLong(0) > size))) {
                throw Refusal.model("%s is a pickled PyTorch file, and only safetensors and GGUF files are read; convert "
                        + "it with safetensors.torch.save_file.", path);
            }
            return SafetensorsFile.parse(path, head, size);
        });
    }

    interface Reading<T> {
        T from(FileChannel channel) throws IOException;
    }

    static <T> T reading(Path path, Reading<T> reading) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return reading.from(channel);
        } catch (NoSuchFileException e) {
            throw Refusal.model("%s does not exist; the model folder is incomplete.", path);
        } catch (IOException e) {
            throw Refusal.model("%s is not readable (%s); download or copy it again.", path, e.getMessage(), e);
        }
    }

    /** The file's first bytes, mapped: all that a header may take. */
    static ByteBuffer head(FileChannel channel) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), MAX_HEADER + 8L))
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A name as sentences show it: names come from a file that anyone may have written. */
    public static String shown(String name) {
        String plain = name.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > SHOWN ? plain.substring(0, SHOWN) + "..." : plain;
    }

    public Path path() {
        return path;
    }

    /** Name to place, in file order. */
    public Map<String, Entry> entries() {
        return entries;
    }

    /** The header's free texts. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The tensor's bytes, mapped read-only; the mapping lives as long as the buffer is reachable. */
    public ByteBuffer map(String name) {
        Entry entry = entries.get(name);
        return reading(path, channel -> map(channel, name, entry.begin(), entry.end()));
    }

    /** Bytes {@code begin} up to {@code end} of the file, which are some of that tensor's. */
    ByteBuffer map(String name, long begin, long end) {
        return reading(path, channel -> map(channel, name, begin, end));
    }

    ByteBuffer map(FileChannel channel, String name, long begin, long end) throws IOException {
        if (end - begin > Integer.MAX_VALUE) {
            throw Refusal.model("%s: %s takes more than 2 GiB, which is more than can be mapped; store it as bfloat16 or in "
                    + "parts.", path, shown(name));
        }
        if (end > channel.size()) {
            throw Refusal.model("%s: %s lies beyond the file's end, which was longer when it was opened; copy it again.",
                    path,
                    shown(name));
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, begin, end - begin).order(ByteOrder.LITTLE_ENDIAN);
    }
}
