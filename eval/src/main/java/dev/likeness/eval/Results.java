package dev.likeness.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What was measured so far, one JSON line a picture, behind a first line with the settings that decide every digit. A
 * process that is killed leaves at most a part of a line behind, which the next one takes away and makes again. Safe for
 * several threads of one process.
 */
final class Results implements AutoCloseable {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String NONE = "(none)"; // no setting has it as its value

    record Key(String of, String method, long seed) {}

    private final Map<Key, Map<Instrument, Double>> known = new LinkedHashMap<>();
    private final FileChannel file;

    private Results(FileChannel file) {
        this.file = file;
    }

    /**
     * @param settings what the results depend on
     * @throws Refusal (input) when the file holds results of other settings, or is not a file of results, which stays as it is
     */
    static Results open(Path path, Map<String, String> settings) {
        try {
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                return open(path, file, settings);
            } catch (Throwable e) {
                file.close();
                throw e;
            }
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read or written (%s); name another --output.", path, e.getMessage(), e);
        }
    }

    private static Results open(Path path, FileChannel file, Map<String, String> settings) throws IOException {
        lock(path, file);
        // Through the channel itself: closing another one of the same file would give up the lock.
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(file.size()));
        while (buffer.hasRemaining() && file.read(buffer) >= 0) {
            continue;
        }
        byte[] bytes = buffer.array();
        int whole = bytes.length;
        while (whole > 0 && bytes[whole - 1] != '\n') {
            whole--; // a kill may have left a part of a line, which may end within a character
        }
        Results results = new Results(file);
        JsonNode head = MAPPER.valueToTree(Map.of("settings", settings));
        if (whole > 0) {
            results.read(path, new String(bytes, 0, whole, StandardCharsets.UTF_8).lines().toList(), settings);
        } else if (!Arrays.equals(bytes, Arrays.copyOf(line(head), bytes.length))) {
            throw Refusal.input("%s is no file of results; name another --output.", path);
        }
        file.truncate(whole);
        file.position(whole);
        if (whole == 0) {
            results.append(head);
        }
        return results;
    }

    private static void lock(Path path, FileChannel file) throws IOException {
        FileLock lock;
        try {
            lock = file.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null; // it is this process
        }
        if (lock == null) {
            throw Refusal.input("%s is being written by another evaluation; wait for it or name another --output.", path);
        }
    }

    private void read(Path path, List<String> lines, Map<String, String> settings) {
        try {
            JsonNode before = MAPPER.readTree(lines.get(0)).path("settings");
            Set<String> names = new TreeSet<>(settings.keySet());
            before.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                String was = before.path(name).asText(NONE);
                String is = settings.getOrDefault(name, NONE);
                if (!was.equals(is)) {
                    throw Refusal.input("%s holds results of %s %s, and this is %s; name another --output.", path, name, was,
                            is);
                }
            }
            for (String line : lines.subList(1, lines.size())) {
                JsonNode json = MAPPER.readTree(line);
                Map<Instrument, Double> values = new EnumMap<>(Instrument.class);
                json.required("values").properties()
                        .forEach(entry -> values.put(Instrument.of(entry.getKey()), entry.getValue().asDouble()));
                known.put(new Key(json.required("case").asText(), json.required("method").asText(),
                        json.required("seed").asLong()), values);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw Refusal.input("%s holds a line that is no result; name another --output.", path, e);
        }
    }

    /** @return null when it was not measured */
    synchronized Map<Instrument, Double> get(Suite.Case of, String method, long seed) {
        return known.get(new Key(of.name(), method, seed));
    }

    synchronized boolean holds(Suite.Case of, String method) {
        return of.seeds().stream().allMatch(seed -> get(of, method, seed) != null);
    }

    synchronized void add(Suite.Case of, Suite.Outcome outcome) {
        if (known.put(new Key(of.name(), outcome.method(), outcome.seed()), outcome.values()) != null) {
            return;
        }
        ObjectNode line = MAPPER.createObjectNode().put("case", of.name()).put("method", outcome.method())
                .put("seed", outcome.seed());
        ObjectNode values = line.putObject("values");
        outcome.values().forEach((instrument, value) -> values.put(instrument.id(), value));
        try {
            append(line);
        } catch (IOException e) {
            throw Refusal.resources("Results cannot be written any more (%s); check the disk and its free space.",
                    e.getMessage(), e);
        }
    }

    private void append(JsonNode line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(line(line));
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }

    private static byte[] line(JsonNode json) {
        return (json + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw Refusal.resources("Results could not be written to the end (%s); check the disk.", e.getMessage(), e);
        }
    }
}
