package dev.likeness.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** One safetensors file: an 8-byte little-endian header length, a JSON header, then the tensors' bytes. */
public final class SafetensorsFile extends TensorFile {

    private static final int MAX_AXES = 16;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.CHARSET_DETECTION) // the header is UTF-8
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
            .build();

    private SafetensorsFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
        super(path, entries, metadata);
    }

    /**
     * Headers are not trusted: every tensor must lie in the file with the bytes that its shape asks for, and the tensors
     * together must cover the data without gap or overlap, as the public reader demands.
     *
     * @throws Refusal (model) when the file is missing, cut off or not safetensors
     */
    public static SafetensorsFile open(Path path) {
        return reading(path, channel -> parse(path, head(channel), channel.size()));
    }

    /** A file's header and every tensor of it, as {@link #readAll} gives them. */
    public record Content(SafetensorsFile header, Map<String, Tensor> tensors) {}

    /**
     * A small file as a whole, from one opening of it: whatever replaces it meanwhile, header and tensors belong together.
     *
     * @throws Refusal (model) as {@link #open}
     */
    public static Content read(Path path) {
        return reading(path, channel -> {
            SafetensorsFile file = parse(path, head(channel), channel.size());
            return new Content(file, file.readAll(channel));
        });
    }

    /**
     * @param head the file's first bytes, little-endian: all of them, or as many as a header may take
     * @param size of the file in bytes
     */
    static SafetensorsFile parse(Path path, ByteBuffer head, long size) {
        long length = size < 8 ? 0 : head.getLong(0);
        if (length <= 1 || length > size - 8) {
            throw Refusal.model("%s is not a safetensors file, or is cut off: the header's length at byte 0 is %s in a "
                    + "file of %d bytes; download or copy it again.", path, Long.toUnsignedString(length), size);
        }
        if (length > MAX_HEADER) {
            throw Refusal.model("%s is not a safetensors file that is read: its header of %d bytes at byte 8 is longer "
                    + "than the %d of any model; download or copy it again.", path, length, MAX_HEADER);
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(new ByteBufferBackedInputStream(head.slice(8, (int) length)))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw Refusal.model("%s is not a safetensors file: its header at byte 8 is no JSON object; download or "
                        + "copy it again.", path);
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                json.nextToken();
                if (name.equals("__metadata__")) {
                    readMetadata(path, json, metadata);
                } else {
                    entries.put(name, entry(path, name, json, 8 + length, size));
                }
            }
            if (json.nextToken() != null) {
                throw Refusal.model("%s is not a safetensors file: its header goes on after the JSON object, at byte %d; "
                        + "download or copy it again.", path, at(json));
            }
        } catch (JsonProcessingException e) {
            throw Refusal.model("%s is not a readable safetensors file (%s, at byte %d); download or copy it again.", path,
                    shown(e.getOriginalMessage()), 8 + Math.max(0, e.getLocation() == null ? 0 : e.getLocation()
                    .getByteOffset()),
                    e);
        } catch (IOException e) {
            throw Refusal.model("%s is not a readable safetensors file (%s); download or copy it again.", path,
                    e.getMessage(), e);
        }
        requireNoGap(path, entries, 8 + length, size);
        return new SafetensorsFile(path, entries, metadata);
    }

    /** The file's byte at which the parser stands. */
    private static long at(JsonParser json) {
        return 8 + json.currentTokenLocation().getByteOffset();
    }

    private static void readMetadata(Path path, JsonParser json, Map<String, String> metadata) throws IOException {
        boolean texts = json.currentToken() == JsonToken.START_OBJECT;
        while (texts && json.nextToken() != JsonToken.END_OBJECT) {
            String key = json.currentName();
            texts = json.nextToken() == JsonToken.VALUE_STRING;
            if (texts) {
                metadata.put(key, json.getText());
            }
        }
        if (!texts) {
            throw Refusal.model("%s: its __metadata__ is no map of texts, at byte %d; the file is damaged, download or "
                    + "copy it again.", path, at(json));
        }
    }

    private static Entry entry(Path path, String name, JsonParser json, long dataStart, long fileSize) throws IOException {
        String where = path + ": " + shown(name);
        long place = at(json);
        String type = null;
        long[] shape = null;
        long[] offsets = null;
        boolean sound = json.currentToken() == JsonToken.START_OBJECT;
        while (sound && json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            switch (field) {
                case "dtype" -> {
                    sound = value == JsonToken.VALUE_STRING;
                    type = json.getText();
                }
                case "shape" -> sound = (shape = counts(json)) != null;
                case "data_offsets" -> sound = (offsets = counts(json)) != null;
                default -> json.skipChildren();
            }
        }
        if (!sound || type == null || shape == null || offsets == null || offsets.length != 2) {
            throw Refusal.model("%s: its dtype, shape or data_offsets is missing or malformed, in the header at byte %d; "
                    + "the file is damaged, download or copy it again.", where, place);
        }
        Encoding encoding = Encoding.of(DType.ofSafetensors(shown(type), where + ", at byte " + place + ","));
        long bytes = encoding.bytes(shape);
        if (bytes < 0 || offsets[1] > fileSize - dataStart || offsets[1] - offsets[0] != bytes) {
            throw Refusal.model("%s: its bytes %d to %d of the data, which the header names at byte %d, lie outside the "
                    + "file or do not match its shape %s; the file is cut off or damaged, download or copy it again.", where,
                    offsets[0], offsets[1],
                    place, Arrays.toString(shape));
        }
        return new Entry(encoding, shape, dataStart + offsets[0], dataStart + offsets[1]);
    }

    /** An array of whole numbers from 0 up, or null when there is something else. */
    private static long[] counts(JsonParser json) throws IOException {
        long[] counts = new long[MAX_AXES];
        int length = 0;
        if (json.currentToken() != JsonToken.START_ARRAY) {
            return null;
        }
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || json.getLongValue() < 0 || length == MAX_AXES) {
                return null;
            }
            counts[length++] = json.getLongValue();
        }
        return Arrays.copyOf(counts, length);
    }

    private static void requireNoGap(Path path, Map<String, Entry> entries, long dataStart, long fileSize) {
        List<Map.Entry<String, Entry>> inOrder = entries.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end)))
                .toList();
        long at = dataStart;
        for (Map.Entry<String, Entry> entry : inOrder) {
            if (entry.getValue().begin() != at) {
                throw Refusal.model("%s: %s begins at byte %d and not where the tensor before it ends, at %d; the file is "
                        + "damaged, download or copy it again.", path, shown(entry.getKey()), entry.getValue().begin(), at);
            }
            at = entry.getValue().end();
        }
        if (at != fileSize) {
            throw Refusal.model("%s holds %d bytes from byte %d on that belong to no tensor; the file is damaged, download "
                    + "or copy it again.", path, fileSize - at, at);
        }
    }

    /** Every tensor of a small file, each copied out of the mapping, in float32 where it is a floating type. */
    public Map<String, Tensor> readAll() {
        return reading(path(), this::readAll);
    }

    private Map<String, Tensor> readAll(FileChannel channel) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Entry> named : entries().entrySet()) {
            Entry entry = named.getValue();
            ByteBuffer bytes = map(channel, named.getKey(), entry.begin(), entry.end());
            Tensor view = Tensors.view(bytes, entry.encoding().dtype(), entry.shape());
            boolean floating = entry.encoding().isFloatingPoint();
            tensors.put(named.getKey(), floating ? Tensors.to(view, DType.FLOAT32).clone() : view.clone());
            Reference.reachabilityFence(bytes); // the view does not keep the mapping
        }
        return tensors;
    }
}
