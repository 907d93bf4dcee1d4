package dev.likeness.weights;

import dev.likeness.error.Refusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One GGUF file, version 2 or 3, little-endian (ggml's {@code docs/gguf.md}): counts, typed metadata, a table of tensors,
 * then the tensors' bytes, each padded to the alignment. Shapes are given here as everywhere else in the project, the last
 * axis contiguous, which is the reverse of their order in the file.
 */
public final class GgufFile extends TensorFile {

    private static final int MAX_AXES = 4; // ggml's
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final String ALIGNMENT = "general.alignment";

    private GgufFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
        super(path, entries, metadata);
    }

    /**
     * Reads the header. It is not trusted: every count, length and place is checked against the file before it is used, and
     * the tensors must follow each other without gap or overlap, as ggml's own reader demands.
     *
     * @throws Refusal (model) when the file is missing, cut off, damaged or stored in a type that is not supported
     */
    public static GgufFile open(Path path) {
        return reading(path, channel -> parse(path, head(channel), channel.size()));
    }

    static boolean isGguf(ByteBuffer head) {
        return head.limit() >= 4 && head.get(0) == 'G' && head.get(1) == 'G' && head.get(2) == 'U' && head.get(3) == 'F';
    }

    /**
     * @param head the file's first bytes, little-endian: all of them, or as many as a header may take
     * @param size of the file in bytes
     */
    static GgufFile parse(Path path, ByteBuffer head, long size) {
        return new Header(path, head.duplicate().order(ByteOrder.LITTLE_ENDIAN), size).read();
    }

    /** Reads on from byte to byte. */
    private static final class Header {
        private final Path path;
        private final ByteBuffer bytes;
        private final long size;
        private final Map<String, Entry> entries = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private long alignment = DEFAULT_ALIGNMENT;

        Header(Path path, ByteBuffer bytes, long size) {
            this.path = path;
            this.bytes = bytes.position(0);
            this.size = size;
        }

        GgufFile read() {
            if (!isGguf(bytes)) {
                throw damaged("the file does not begin with GGUF", 0);
            }
            bytes.position(4);
            need(20, "the header");
            int version = bytes.getInt();
            if ((version & 0xFFFF) == 0) {
                throw Refusal.model("%s is a big-endian GGUF file by its version at byte 4, and only little-endian ones "
                        + "are read; take the other.", path);
            }
            if (version != 2 && version != 3) {
                throw Refusal.model("%s is a GGUF file of version %s at byte 4, and only versions 2 and 3 are read; convert "
                        + "it anew.", path, Integer.toUnsignedString(version));
            }
            long tensors = count("the count of tensors", 25); // bytes that the shortest of them takes in the header
            long texts = count("the count of metadata", 13);
            for (long i = 0; i < texts; i++) {
                readMetadata();
            }
            for (long i = 0; i < tensors; i++) {
                readEntry();
            }
            place();
            return new GgufFile(path, entries, metadata);
        }

        /** A count of things, refused where the bytes that are left cannot hold so many. */
        private long count(String what, long bytesOfEach) {
            long at = bytes.position();
            need(8, what);
            long count = bytes.getLong();
            if (count < 0 || count > bytes.remaining() / bytesOfEach) {
                throw tooMuch(what + " is " + Long.toUnsignedString(count), at);
            }
            return count;
        }

        private String text(String what) {
            int length = (int) count("the length of " + what, 1);
            int at = bytes.position();
            ByteBuffer slice = bytes.slice(at, length);
            bytes.position(at + length);
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(slice).toString();
            } catch (CharacterCodingException e) {
                throw damaged(what + " is no UTF-8", at);
            }
        }

        private void readMetadata() {
            int at = bytes.position();
            String key = text("a key");
            String what = "the value of " + shown(key);
            need(4, what);
            int type = bytes.getInt();
            String value = type == ARRAY ? skipArray(what) : scalar(type, what);
            if (metadata.put(key, value) != null) {
                throw damaged(shown(key) + " stands in it twice", at);
            }
            if (key.equals(ALIGNMENT)) {
                alignment = type == UINT32 ? Long.parseLong(value) : 0;
                if (Long.bitCount(alignment) != 1) {
                    throw damaged(ALIGNMENT + " is " + value + ", which is no power of two", at);
                }
            }
        }

        private static final int UINT32 = 4;
        private static final int STRING = 8;
        private static final int ARRAY = 9;
        /** Bytes of metadata's types, by their number; 0 for texts and arrays. */
        private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

        private String scalar(int type, String what) {
            if (type == STRING) {
                return text(what);
            }
            int at = bytes.position();
            if (type < 0 || type >= SIZES.length) {
                throw damaged(what + " has the unknown type " + Integer.toUnsignedString(type), at);
            }
            need(SIZES[type], what);
            return switch (type) {
                case 0 -> String.valueOf(bytes.get() & 0xFF);
                case 1 -> String.valueOf(bytes.get());
                case 2 -> String.valueOf(bytes.getShort() & 0xFFFF);
                case 3 -> String.valueOf(bytes.getShort());
                case UINT32 -> Integer.toUnsignedString(bytes.getInt());
                case 5 -> String.valueOf(bytes.getInt());
                case 6 -> String.valueOf(bytes.getFloat());
                case 7 -> String.valueOf(bytes.get() != 0);
                case 10 -> Long.toUnsignedString(bytes.getLong());
                case 11 -> String.valueOf(bytes.getLong());
                default -> String.valueOf(bytes.getDouble());
            };
        }

        /** Passes over an array, which only tokenizers have; what is told of it is its length. */
        private String skipArray(String what) {
            int at = bytes.position();
            need(4, what);
            int type = bytes.getInt();
            if (type < 0 || type >= SIZES.length || type == ARRAY) { // ggml reads no arrays of arrays either
                throw damaged(what + " is an array of the type " + Integer.toUnsignedString(type), at);
            }
            long length = count(what, type == STRING ? 8 : SIZES[type]);
            if (type != STRING) {
                bytes.position(bytes.position() + (int) (length * SIZES[type]));
            }
            for (long i = 0; type == STRING && i < length; i++) {
                long skipped = count(what, 1);
                bytes.position(bytes.position() + (int) skipped);
            }
            return "[" + length + "]";
        }

        /** Entries bear their offset in the data until {@link #place} knows where that begins. */
        private void readEntry() {
            int at = bytes.position();
            String name = text("a tensor's name");
            String what = shown(name);
            need(4, what);
            int axes = bytes.getInt();
            if (axes < 0 || axes > MAX_AXES) {
                throw damaged(what + " has " + Integer.toUnsignedString(axes) + " axes", at);
            }
            need(8 * axes + 12, what);
            long[] shape = new long[axes];
            for (int i = axes - 1; i >= 0; i--) {
                shape[i] = bytes.getLong();
            }
            Encoding encoding = Encoding.ofGguf(bytes.getInt(), path + ": " + what + ", at byte " + at + " of the header,");
            long offset = bytes.getLong();
            long length = Arrays.stream(shape).anyMatch(axis -> axis < 1) ? -1 : encoding.bytes(shape);
            if (length < 0 || length > size) {
                throw damaged(what + " has the shape " + Arrays.toString(shape) + " in " + encoding
                        + ", which the file cannot hold", at);
            }
            if (offset < 0 || offset > size - length) {
                throw damaged(what + " lies at " + Long.toUnsignedString(offset) + " with " + length
                        + " bytes, outside the file", at);
            }
            if (entries.put(name, new Entry(encoding, shape, offset, offset + length)) != null) {
                throw damaged(what + " stands in it twice", at);
            }
        }

        /** Moves the entries to where they lie in the file. */
        private void place() {
            long dataStart = padded(bytes.position());
            long expected = 0;
            for (Map.Entry<String, Entry> named : entries.entrySet()) {
                Entry entry = named.getValue();
                if (entry.begin() != expected) {
                    throw damaged(shown(named.getKey()) + " does not begin where the tensor before it ends, at "
                            + (dataStart + expected), dataStart + entry.begin());
                }
                expected = padded(entry.end());
                if (dataStart + entry.end() > size) {
                    throw damaged(shown(named.getKey()) + " ends at " + (dataStart + entry.end()) + " in a file of " + size
                            + " bytes", dataStart + entry.begin());
                }
                named.setValue(new Entry(entry.encoding(), entry.shape(), dataStart + entry.begin(),
                        dataStart + entry.end()));
            }
            if (size > dataStart + expected) {
                throw damaged((size - dataStart - expected) + " bytes belong to no tensor", dataStart + expected);
            }
        }

        private long padded(long at) {
            return (at + alignment - 1) / alignment * alignment;
        }

        private void need(int count, String what) {
            if (bytes.remaining() < count) {
                throw tooMuch(what + " takes " + count + " bytes", bytes.position());
            }
        }

        /** More than is left of the file, or of what a header may take. */
        private Refusal tooMuch(String claim, long at) {
            return damaged(claim + (size > bytes.limit() ? ", more than a header of " + bytes.limit() + " bytes can hold"
                    : ", more than is left of the file's " + size + " bytes"), at);
        }

        private Refusal damaged(String what, long at) {
            return Refusal.model("%s is no sound GGUF file: %s, at byte %d; download or copy it again.", path, what, at);
        }
    }
}
