package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/check --server-load}: clients at once, on one machine with the model; it stops by itself. */
class ServerLoadCheck {

    private static final int CLIENTS = 100;
    private static final Duration TIME = Duration.ofSeconds(60);

    @TempDir
    static Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private final Map<Integer, AtomicInteger> statuses = new ConcurrentHashMap<>();
    private final Queue<Double> milliseconds = new ConcurrentLinkedQueue<>();
    private final AtomicInteger events = new AtomicInteger();
    private final Queue<String> errors = new ConcurrentLinkedQueue<>();

    @Test
    void clientsThatSubmitAndWatchAreAnsweredSoonWhileAJobComputes() throws Exception {
        try (Served served = Served.start(folder.resolve("data"), Path.of("../models/toybox").toAbsolutePath(), 0)) {
            assertThat(served.awaitPort()).isTrue();
            long until = System.nanoTime() + TIME.toNanos();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int number = i;
                threads.add(new Thread(() -> client(served, number, until)));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        List<Double> sorted = new ArrayList<>(milliseconds);
        Collections.sort(sorted);
        double p99 = sorted.get((int) (0.99 * sorted.size()));
        System.out.printf("%d clients: answers %s, %d events, %d status requests: median %.0f ms, p99 %.0f ms, max %.0f "
                + "ms%n", CLIENTS,
                statuses, events.get(), sorted.size(), sorted.get(sorted.size() / 2), p99, sorted.get(sorted.size() - 1));
        assertThat(errors).isEmpty();
        assertThat(statuses.keySet()).isSubsetOf(200, 202, 429);
        assertThat(p99).isLessThanOrEqualTo(200);
    }

    private void client(Served served, int number, long until) {
        try {
            String job = null;
            while (job == null && System.nanoTime() < until) {
                HttpResponse<byte[]> response = served.submit(Running.generate().put("steps", 8).put("seed", number), null);
                count(response.statusCode());
                if (response.statusCode() == 202) {
                    job = Running.tree(response).path("id").asText();
                } else {
                    Thread.sleep(2000);
                }
            }
            if (job == null) {
                return;
            }
            String path = "/api/v1/jobs/" + job;
            Thread watcher = new Thread(() -> watch(served, path + "/events"));
            watcher.setDaemon(true);
            watcher.start();
            while (System.nanoTime() < until) {
                long began = System.nanoTime();
                HttpResponse<byte[]> response = served.send(served.request(path));
                milliseconds.add((System.nanoTime() - began) / 1e6);
                count(response.statusCode());
                Thread.sleep(1000);
            }
        } catch (IOException | InterruptedException e) {
            errors.add(String.valueOf(e));
        }
    }

    private void watch(Served served, String path) {
        try {
            HttpResponse<Stream<String>> response =
                    client.send(served.request(path).build(), HttpResponse.BodyHandlers.ofLines());
            count(response.statusCode());
            response.body().filter(line -> line.startsWith("event:")).forEach(line -> events.incrementAndGet());
        } catch (IOException | InterruptedException | UncheckedIOException e) {
            // the check ended and took the server along
        }
    }

    private void count(int status) {
        statuses.computeIfAbsent(status, one -> new AtomicInteger()).incrementAndGet();
    }
}
