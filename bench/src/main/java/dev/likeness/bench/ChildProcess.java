package dev.likeness.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** Runs a command that prints JSON, and keeps what it told on standard error and when. */
final class ChildProcess {

    /**
     * @param json what it printed
     * @param told nanoseconds since the start to what stood on standard error by then
     */
    record Result(JsonNode json, double wallMilliseconds, NavigableMap<Long, String> told, ProcessMemory memory) {

        /** When a text first stood on standard error; NaN when it never did. */
        double millisecondsTo(String text) {
            return told.entrySet().stream().filter(entry -> entry.getValue().contains(text)).findFirst()
                    .map(entry -> entry.getKey() / 1e6).orElse(Double.NaN);
        }
    }

    private ChildProcess() {}

    /** @throws IOException when the command fails, with what it told */
    static Result run(List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        long started = System.nanoTime();
        Process process = builder.start();
        NavigableMap<Long, String> told = new TreeMap<>();
        Thread listener = new Thread(() -> listen(process.getErrorStream(), started, told));
        listener.start();
        CompletableFuture<String> printed = CompletableFuture.supplyAsync(() -> text(process.getInputStream()));
        ProcessMemory memory = ProcessMemory.follow(process);
        int code = process.waitFor();
        double wall = (System.nanoTime() - started) / 1e6;
        listener.join();
        if (code != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + code + ": "
                    + (told.isEmpty() ? "" : told.lastEntry().getValue()));
        }
        return new Result(new ObjectMapper().readTree(printed.join()), wall, told, memory);
    }

    private static String text(InputStream stream) {
        try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void listen(InputStream stream, long started, Map<Long, String> told) {
        StringBuilder all = new StringBuilder();
        char[] buffer = new char[4096];
        try (Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
            for (int count = reader.read(buffer); count >= 0; count = reader.read(buffer)) {
                all.append(buffer, 0, count);
                told.put(System.nanoTime() - started, all.toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
