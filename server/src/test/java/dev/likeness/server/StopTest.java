package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StopTest {

    @TempDir
    Path folder;

    private static Limits grace(Duration time) {
        return Limits.USUAL.with(10, 100, Duration.ofDays(1), 1L << 30, time);
    }

    private static ObjectNode running(Running running, ObjectNode request) throws InterruptedException {
        ObjectNode job = Running.tree(running.post("/api/v1/jobs", request));
        while (!running.get(self(job)).at("/progress/phase").asText().equals("denoise")) {
            Thread.sleep(1);
        }
        return job;
    }

    private static String self(ObjectNode job) {
        return job.at("/links/self").asText();
    }

    @Test
    void aJobThatEndsWithinTheGraceIsDoneWhenTheServerHasStopped() throws InterruptedException {
        ObjectNode job;
        try (Running running = Running.start(folder, grace(Duration.ofSeconds(60)), null)) {
            job = running(running, Running.generate().put("steps", 50));
        }
        try (Running running = Running.start(folder)) {
            assertThat(running.get(self(job)).path("state").asText()).isEqualTo("done");
        }
    }

    @Test
    void aJobThatDoesNotIsDoneAfterTheNextStart() throws InterruptedException {
        ObjectNode job;
        ObjectNode waiting;
        try (Running running = Running.start(folder, grace(Duration.ZERO), null)) {
            job = running(running, Running.generate().put("steps", 200).put("num_images", 16));
            waiting = Running.tree(running.post("/api/v1/jobs", Running.generate()));
        }
        try (Running running = Running.start(folder)) {
            assertThat(running.get(self(job)).path("state").asText()).isIn("queued", "running");
            ObjectNode ended = running.await(job.path("id").asText());
            assertThat(ended.path("images")).hasSize(16);
            assertThat(running.await(waiting.path("id").asText()).path("finished").asText())
                    .isGreaterThan(ended.path("finished").asText());
        }
    }
}
