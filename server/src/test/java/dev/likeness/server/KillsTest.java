package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/check --kills N} sets how often. */
class KillsTest {

    private static final int KILLS = Integer.getInteger("likeness.kills", 20);

    @TempDir
    static Path folder;

    private final Path data = folder.resolve("data");
    private final Map<String, String> accepted = new ConcurrentHashMap<>(); // key of a job to its id
    private final Set<String> broken = ConcurrentHashMap.newKeySet();
    private final AtomicInteger seen = new AtomicInteger();
    private final AtomicInteger rounds = new AtomicInteger();
    private volatile int next;

    @Test
    void whateverTheMomentOfAKillNoJobIsLostNoneIsDoneTwiceAndNoPictureIsHalfWritten() throws Exception {
        Path model = Served.tinyModel(folder);
        Random random = new Random(1);
        int early = 0;
        long startTime = 1000; // milliseconds, measured below
        for (int i = 0; i < KILLS; i++) {
            long began = System.nanoTime();
            Served served = Served.start(data, model, 1);
            if (i % 5 == 4) { // while it starts, and perhaps puts right what the last kill left
                Thread.sleep(random.nextInt((int) startTime));
                early++;
            } else if (served.awaitPort()) {
                startTime = (System.nanoTime() - began) / 1_000_000 + 1;
                rounds.set(0);
                Thread client = new Thread(() -> submitAndLook(served));
                client.start();
                int enough = random.nextInt(12);
                while (rounds.get() < enough && client.isAlive()) { // on a busy machine a stretch of time could hold no work
                    Thread.sleep(1);
                }
                Thread.sleep(random.nextInt(100));
                served.kill();
                client.join();
            }
            served.kill();
        }
        int jobs = 0;
        int pictures = 0;
        try (Served served = Served.start(data, model, 1)) {
            assertThat(served.awaitPort()).isTrue();
            served.drain();
            Set<String> files = new HashSet<>();
            for (String before = ""; before != null; ) {
                ObjectNode page = served.get("/api/v1/jobs?limit=200" + before);
                for (JsonNode job : page.path("jobs")) {
                    jobs++;
                    assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("done");
                    assertThat(job.path("images")).as(job.toString()).hasSize(job.at("/request/num_images").asInt());
                    for (JsonNode image : job.path("images")) {
                        pictures++;
                        files.add(image.path("id").asText() + ".png");
                        Pictures.read(data.resolve("images").resolve(image.path("id").asText() + ".png"));
                    }
                    accepted.values().remove(job.path("id").asText());
                }
                before = page.has("next") ? "&before=" + page.path("next").asText() : null;
            }
            assertThat(Disk.list(data.resolve("images"))).extracting(file -> file.getFileName().toString())
                    .containsExactlyInAnyOrderElementsOf(files);
        }
        System.out.printf("%d kills (%d while starting): %d jobs, %d pictures; lost %d, half-written %d; %d pictures "
                + "looked at between the kills%n", KILLS, early, jobs, pictures, accepted.size(), broken.size(), seen.get());
        assertThat(accepted).as("lost jobs").isEmpty();
        assertThat(broken).as("half-written pictures").isEmpty();
        // Each key was sent until it was accepted, the last perhaps not: one job a key, whatever happened in between.
        assertThat(jobs).isBetween(next, next + 1).isGreaterThan(0);
    }

    /** Submits jobs one by one and looks at all new pictures, until the server is gone. */
    private void submitAndLook(Served served) {
        try {
            Set<String> looked = new HashSet<>();
            while (true) {
                String key = "job-" + next;
                var response = served.submit(Running.generate().put("num_images", 1 + next % 2), key);
                if (response.statusCode() == 202) {
                    accepted.put(key, Running.tree(response).path("id").asText());
                    next++;
                } else if (response.statusCode() != 429) {
                    broken.add(key + " got " + response.statusCode());
                }
                for (JsonNode image : served.get("/api/v1/images?limit=5").path("images")) {
                    if (looked.add(image.path("id").asText())) {
                        look(served, image);
                    }
                }
                rounds.incrementAndGet();
            }
        } catch (IOException | InterruptedException e) {
            // killed
        }
    }

    private void look(Served served, JsonNode image) throws IOException, InterruptedException {
        byte[] png = served.send(served.request(image.path("url").asText())).body();
        try {
            Path file = Files.write(folder.resolve("seen.png"), png);
            Pictures.read(file);
            if (png.length != image.path("bytes").asInt()) {
                broken.add(image.toString());
            }
            seen.incrementAndGet();
        } catch (RuntimeException e) {
            broken.add(image + ": " + e.getMessage());
        }
    }
}
