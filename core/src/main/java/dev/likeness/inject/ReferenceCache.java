package dev.likeness.inject;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import dev.likeness.weights.TensorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Tokens of references that were computed before, in main memory and, where it has a folder, on disk. Where memory is full,
 * other references go first, the least recently used of them; a reference that does not fit as a whole stays in part, since
 * its tokens are asked for in a circle. Tokens come back bit for bit. Several processes may share a folder, several
 * threads a cache; what two of them miss at once is computed twice.
 */
public final class ReferenceCache implements AutoCloseable {

    /** Default limits. */
    public static final long MEMORY_BYTES = 4L << 30;
    public static final long DISK_BYTES = 8L << 30;

    private static final String SUFFIX = ".tokens";
    private static final Pattern OWN = Pattern.compile("[0-9a-f]{64}-[0-9A-Za-z-]+\\.tokens");
    private static final String ROWS = "rows";
    private static final Duration ABANDONED = Duration.ofHours(1); // what a killed process left half written

    /** @param rows rising numbers of the tokens; each tensor [1, rows, d] holds them in that order */
    private record Stored(long[] rows, Map<Integer, Tensor> tensors) {
        long bytes() {
            return tensors.values().stream().mapToLong(tensor -> tensor.numel() * DType.of(tensor).bytes()).sum();
        }

        boolean holds(long[] wanted) {
            return Arrays.stream(wanted).allMatch(row -> Arrays.binarySearch(rows, row) >= 0);
        }
    }

    private final Map<String, Stored> memory = new LinkedHashMap<>(16, 0.75f, true);
    private final Path folder;
    private final long memoryLimit;
    private final long diskLimit;
    private long memoryBytes;
    private volatile String trouble;

    private ReferenceCache(Path folder, long memoryLimit, long diskLimit) {
        this.folder = folder;
        this.memoryLimit = memoryLimit;
        this.diskLimit = diskLimit;
    }

    public static ReferenceCache inMemory(long limit) {
        return new ReferenceCache(null, limit, 0);
    }

    /**
     * @param folder made when it is not there
     * @throws Refusal (input) when it cannot be made or written to
     */
    public static ReferenceCache inFolder(Path folder, long memoryLimit, long diskLimit) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw Refusal.input("--cache %s is a file; name a folder that can be written to.", folder);
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Refusal.input("--cache %s cannot be made (%s); name a folder that can be written to.", folder, e.getMessage(),
                    e);
        }
        if (!Files.isWritable(folder)) {
            throw Refusal.input("--cache %s is not writable; name a folder that can be written to.", folder);
        }
        return new ReferenceCache(folder, memoryLimit, diskLimit);
    }

    /**
     * The wanted rows of numbered tensors, each [1, n, d], on the CPU, owned by the open scope.
     *
     * @param key the SHA-256, in hexadecimal, of everything that the tokens depend on
     * @param part which of the key's tokens, in letters, digits and hyphens
     * @param wanted numbers of the tokens, in any order
     * @param compute makes tensors of the rows that it is given, when they are not here
     */
    public Map<Integer, Tensor> get(String key, String part, long[] wanted, Function<long[], Map<Integer, Tensor>> compute) {
        String name = key + "-" + part;
        long[] kept;
        synchronized (memory) {
            Stored inMemory = memory.get(name);
            if (inMemory != null && inMemory.holds(wanted)) {
                return gather(inMemory, wanted);
            }
            kept = inMemory == null ? null : inMemory.rows;
        }
        Stored stored = read(name);
        if (stored == null || !stored.holds(wanted)) {
            long[] rows = Stream.of(kept, stored == null ? null : stored.rows).filter(Objects::nonNull)
                    .reduce(wanted, (a, b) -> LongStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray());
            rows = Arrays.stream(rows).sorted().distinct().toArray();
            Map<Integer, Tensor> computed = new HashMap<>(compute.apply(rows));
            computed.replaceAll((number, tensor) ->
                    tensor.is_cuda() ? Tensors.to(tensor, Device.CPU, DType.of(tensor)) : tensor);
            stored = new Stored(rows, computed);
            write(name, stored);
        }
        synchronized (memory) {
            remember(name, stored);
            return gather(stored, wanted);
        }
    }

    /** What went wrong with the folder, as a sentence; empty when nothing did. The run goes on without it. */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private static Map<Integer, Tensor> gather(Stored stored, long[] wanted) {
        long[] places = Arrays.stream(wanted).map(row -> Arrays.binarySearch(stored.rows, row)).toArray();
        Map<Integer, Tensor> gathered = new HashMap<>();
        try (Scope scope = Scope.open()) {
            Tensor index = Tensors.of(places, places.length);
            stored.tensors.forEach((number, tensor) -> gathered.put(number,
                    scope.keep(Ops.selectRows(tensor, Tensors.onDeviceOf(index, tensor)))));
        }
        return gathered;
    }

    private void remember(String name, Stored stored) {
        forget(memory.remove(name));
        long bytes = stored.bytes();
        if (bytes > memoryLimit) {
            return;
        }
        String key = name.substring(0, name.indexOf('-') + 1);
        Iterator<Map.Entry<String, Stored>> oldest = memory.entrySet().iterator();
        while (memoryBytes + bytes > memoryLimit && oldest.hasNext()) {
            Map.Entry<String, Stored> entry = oldest.next();
            if (!entry.getKey().startsWith(key)) {
                oldest.remove();
                forget(entry.getValue());
            }
        }
        if (memoryBytes + bytes > memoryLimit) {
            return;
        }
        stored.tensors.values().forEach(Scope::own);
        memory.put(name, stored);
        memoryBytes += bytes;
    }

    private void forget(Stored stored) {
        if (stored != null) {
            memoryBytes -= stored.bytes();
            stored.tensors.values().forEach(Scope::release);
        }
    }

    private Stored read(String name) {
        Path file = folder == null ? null : folder.resolve(name + SUFFIX);
        if (file == null || !Files.exists(file)) {
            return null;
        }
        try {
            SafetensorsFile.Content content = SafetensorsFile.read(file);
            Map<String, TensorFile.Entry> entries = content.header().entries();
            String listed = content.header().metadata().getOrDefault(ROWS, "");
            long[] rows = Arrays.stream(listed.split(",")).mapToLong(Long::parseLong).toArray();
            if (!fits(rows, entries)) {
                return null;
            }
            Map<Integer, Tensor> tensors = new HashMap<>();
            content.tensors().forEach((number, tensor) ->
                    tensors.put(Integer.valueOf(number), Tensors.to(tensor, entries.get(number).encoding().dtype())));
            touch(file);
            return new Stored(rows, tensors);
        } catch (Refusal | NumberFormatException e) {
            return null; // another process has just removed it, or it is broken: it is computed and written anew
        }
    }

    /** Last use, for the limit. */
    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        } catch (IOException e) {
            // Another user's file in a shared folder: it serves, and its owner's use counts.
        }
    }

    /** Whether the rows rise and each tensor is [1, rows, d]. */
    private static boolean fits(long[] rows, Map<String, TensorFile.Entry> entries) {
        boolean rising = Arrays.equals(rows, Arrays.stream(rows).sorted().distinct().toArray());
        return rising && !entries.isEmpty() && entries.values().stream().map(TensorFile.Entry::shape)
                .allMatch(shape -> shape.length == 3 && shape[0] == 1 && shape[1] == rows.length);
    }

    private void write(String name, Stored stored) {
        if (folder == null || trouble != null || stored.bytes() > diskLimit || stored.rows.length == 0) {
            return;
        }
        Map<String, Tensor> named = stored.tensors.entrySet().stream()
                .collect(Collectors.toMap(entry -> entry.getKey().toString(), Map.Entry::getValue));
        DType dtype = DType.of(named.values().iterator().next());
        String rows = Arrays.stream(stored.rows).mapToObj(Long::toString).collect(Collectors.joining(","));
        try {
            SafetensorsWriter.write(folder.resolve(name + SUFFIX), named, dtype, Map.of(ROWS, rows));
            tidy();
        } catch (Refusal | IOException | UncheckedIOException e) {
            trouble = "--cache %s cannot be written to any more (%s), and nothing further is kept there."
                    .formatted(folder, e.getMessage());
        }
    }

    /** Removes what was used longest ago until the rest fits; only files of its own. */
    private void tidy() throws IOException {
        record Used(Path file, Instant at, long bytes) {}
        List<Used> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                try {
                    Used used = new Used(file, Files.getLastModifiedTime(file).toInstant(), Files.size(file));
                    String name = file.getFileName().toString();
                    if (OWN.matcher(name).matches()) {
                        files.add(used);
                    } else if (name.matches("\\.likeness-.*\\.tmp") && used.at.isBefore(Instant.now().minus(ABANDONED))) {
                        Files.deleteIfExists(file);
                    }
                } catch (IOException e) {
                    continue; // another process removed it meanwhile
                }
            }
            long bytes = files.stream().mapToLong(Used::bytes).sum();
            files.sort(Comparator.comparing(Used::at));
            for (Iterator<Used> oldest = files.iterator(); bytes > diskLimit && oldest.hasNext();) {
                Used used = oldest.next();
                Files.deleteIfExists(used.file);
                bytes -= used.bytes;
            }
        }
    }

    @Override
    public void close() {
        memory.values().forEach(stored -> stored.tensors.values().forEach(Scope::release));
        memory.clear();
        memoryBytes = 0;
    }
}
