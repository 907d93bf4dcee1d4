package dev.likeness.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * One safetensors file: an 8-byte little-endian header length, a JSON header, then the tensors' bytes. Tensors are memory
 * mapped one by one (a Java buffer holds 2 GiB at most, the largest FLUX.1 tensor 0.3 GiB), so opening a file reads its
 * header alone.
 */
public final class SafetensorsFile {

    private static final long MAX_HEADER = 100L << 20;
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Where a tensor lies: element type, shape, and its bytes from {@code begin} up to {@code end} in the file. */
    public record Entry(DType dtype, long[] shape, long begin, long end) {}

    private final Path path;
    private final Map<String, Entry> entries;
    private final Map<String, String> metadata;

    private SafetensorsFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
        this.path = path;
        this.entries = Collections.unmodifiableMap(entries);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /**
     * Headers are not trusted: every tensor must lie in the file with the bytes that its shape asks for, and the tensors
     * together must cover the data without gap or overlap, as the public reader demands.
     *
     * @throws Refusal (model) when the file is missing, cut off or not safetensors
     */
    public static SafetensorsFile open(Path path) {
        return reading(path, channel -> header(path, channel));
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
            SafetensorsFile file = header(path, channel);
            return new Content(file, file.readAll(channel));
        });
    }

    private interface Reading<T> {
        T from(FileChannel channel) throws IOException;
    }

    private static <T> T reading(Path path, Reading<T> reading) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return reading.from(channel);
        } catch (NoSuchFileException e) {
            throw Refusal.model("%s does not exist; the model folder is incomplete.", path);
        } catch (IOException e) {
            String reason = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw Refusal.model("%s is not a readable safetensors file (%s); download or copy it again.", path, reason, e);
        }
    }

    private static SafetensorsFile header(Path path, FileChannel channel) throws IOException {
        long size = channel.size();
        ByteBuffer prefix = read(channel, 0, 8);
        long headerLength = prefix.getLong(0);
        if (size < 8 || headerLength <= 1 || headerLength > Math.min(size - 8, MAX_HEADER)) {
            throw Refusal.model("%s is not a safetensors file, or is cut off; download or copy it again.", path);
        }
        byte[] header = read(channel, 8, (int) headerLength).array();
        JsonNode json = MAPPER.readTree(header);
        if (!json.isObject()) {
            throw Refusal.model("%s is not a safetensors file: its header is no JSON object; download or copy it again.", path);
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            if (field.getKey().equals("__metadata__")) {
                field.getValue().properties().forEach(e -> metadata.put(e.getKey(), e.getValue().asText()));
            } else {
                entries.put(field.getKey(), entry(path, field.getKey(), field.getValue(), 8 + headerLength, size));
            }
        }
        requireNoGap(path, entries, 8 + headerLength, size);
        return new SafetensorsFile(path, entries, metadata);
    }

    private static Entry entry(Path path, String name, JsonNode json, long dataStart, long fileSize) {
        String where = path + ": " + name;
        JsonNode dims = json.path("shape");
        JsonNode offsets = json.path("data_offsets");
        if (!json.path("dtype").isTextual() || !isCounts(dims) || !isCounts(offsets) || offsets.size() != 2) {
            throw Refusal.model("%s: its dtype, shape or data_offsets is missing or malformed; the file is damaged, download "
                    + "or copy it again.", where);
        }
        DType dtype = DType.ofSafetensors(json.path("dtype").asText(), where);
        long[] shape = new long[dims.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = dims.get(i).asLong();
        }
        long begin = offsets.get(0).asLong();
        long end = offsets.get(1).asLong();
        if (end > fileSize - dataStart || end - begin != byteCount(dtype, shape)) {
            throw Refusal.model("%s: its bytes lie outside the file or do not match its shape %s; the file is cut off or "
                    + "damaged, download or copy it again.", where, Arrays.toString(shape));
        }
        return new Entry(dtype, shape, dataStart + begin, dataStart + end);
    }

    /** Whether a node is an array of whole numbers from 0 up. */
    private static boolean isCounts(JsonNode json) {
        for (JsonNode number : json) {
            if (!number.isIntegralNumber() || !number.canConvertToLong() || number.asLong() < 0) {
                return false;
            }
        }
        return json.isArray();
    }

    /** Bytes of a tensor; more than any file has where the product leaves the range of a long. */
    private static long byteCount(DType dtype, long[] shape) {
        long bytes = dtype.bytes();
        try {
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
        return bytes;
    }

    private static void requireNoGap(Path path, Map<String, Entry> entries, long dataStart, long fileSize) {
        List<Map.Entry<String, Entry>> inOrder = entries.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end)))
                .toList();
        long at = dataStart;
        for (Map.Entry<String, Entry> entry : inOrder) {
            if (entry.getValue().begin() != at) {
                throw Refusal.model("%s: %s does not begin where the tensor before it ends; the file is damaged, download or "
                        + "copy it again.", path, entry.getKey());
            }
            at = entry.getValue().end();
        }
        if (at != fileSize) {
            throw Refusal.model("%s holds %d bytes that belong to no tensor; the file is damaged, download or copy it again.",
                    path, fileSize - at);
        }
    }

    private static ByteBuffer read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                break;
            }
        }
        return buffer;
    }

    public Path path() {
        return path;
    }

    /** Name to place, in file order. */
    public Map<String, Entry> entries() {
        return entries;
    }

    /** The free-form string map of the header. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The tensor's bytes, mapped read-only; the mapping lives as long as the buffer is reachable. */
    public ByteBuffer map(String name) {
        return reading(path, channel -> map(channel, name));
    }

    private ByteBuffer map(FileChannel channel, String name) throws IOException {
        Entry entry = entries.get(name);
        if (entry.end() - entry.begin() > Integer.MAX_VALUE) {
            throw Refusal.model("%s: %s takes more than 2 GiB, which is more than can be mapped; store it as bfloat16 or in "
                    + "parts.", path, name);
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, entry.begin(), entry.end() - entry.begin())
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Every tensor of a small file, each copied out of the mapping, in float32 where it is a floating type. */
    public Map<String, Tensor> readAll() {
        return reading(path, this::readAll);
    }

    private Map<String, Tensor> readAll(FileChannel channel) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Entry> named : entries.entrySet()) {
            Entry entry = named.getValue();
            ByteBuffer bytes = map(channel, named.getKey());
            Tensor view = Tensors.view(bytes, entry.dtype(), entry.shape());
            boolean integers = entry.dtype() == DType.INT64 || entry.dtype() == DType.INT32;
            tensors.put(named.getKey(), integers ? view.clone() : Tensors.to(view, DType.FLOAT32).clone());
            Reference.reachabilityFence(bytes); // the view does not keep the mapping
        }
        return tensors;
    }
}
