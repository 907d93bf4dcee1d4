package dev.likeness.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
     * @throws Refusal (input) when the file holds results of other settings, or is not a file of results
     */
    static Results open(Path path, Map<String, String> settings) {
        try {
            Results results = new Results(FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE));
            if (results.file.tryLock() == null) {
                throw Refusal.input("%s is being written by another process; wait for it or name another --output.", path);
            }
            String text = Files.readString(path);
            String whole = text.substring(0, text.lastIndexOf('\n') + 1);
            results.file.truncate(whole.getBytes(StandardCharsets.UTF_8).length);
            results.file.position(results.file.size());
            if (whole.isEmpty()) {
                results.append(MAPPER.valueToTree(Map.of("settings", settings)));
            } else {
                results.read(path, whole.lines().toList(), settings);
            }
            return results;
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read or written (%s); name another --output.", path, e.getMessage(), e);
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
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
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
