package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobsTest {

    @TempDir
    Path data;

    private Jobs open(int queue, int kept, Duration time, long bytes) {
        return new Jobs(data, Limits.USUAL.with(queue, kept, time, bytes, Duration.ZERO));
    }

    private Jobs open() {
        return open(10, 100, Duration.ofDays(1), 1 << 20);
    }

    private Jobs.Job submit(Jobs jobs) throws IOException {
        String id = UUID.randomUUID().toString();
        Files.createDirectories(jobs.inputs(id));
        return jobs.submit(id, null, Running.generate(), 1);
    }

    private static void finish(Jobs jobs) {
        ObjectNode record = Running.JSON.createObjectNode();
        record.putObject("parameters").put("seed", 1);
        jobs.finish(jobs.take().orElseThrow(), List.of(new Tasks.Made(Picture.filled(16, 16, 0), 1, "a fox", record)),
                Running.JSON.createObjectNode());
    }

    @Test
    void jobsAreTakenInTheOrderOfTheirComing() throws IOException {
        try (Jobs jobs = open()) {
            Jobs.Job first = submit(jobs);
            Jobs.Job second = submit(jobs);
            assertThat(jobs.position(second)).isEqualTo(2);
            assertThat(jobs.take().orElseThrow().id()).isEqualTo(first.id());
            assertThat(jobs.position(second)).isEqualTo(1);
        }
    }

    @Test
    void aRunningJobWaitsAgainAfterARestartBeforeAllOthers() throws IOException {
        String first;
        try (Jobs jobs = open()) {
            first = submit(jobs).id();
            submit(jobs);
            jobs.take();
        }
        try (Jobs jobs = open()) {
            Jobs.Job taken = jobs.take().orElseThrow();
            assertThat(taken.id()).isEqualTo(first);
            assertThat(taken.attempts()).isEqualTo(2);
        }
    }

    @Test
    void aJobThatEndsTheProcessAgainAndAgainIsGivenUp() throws IOException {
        String id;
        try (Jobs jobs = open()) {
            id = submit(jobs).id();
        }
        for (int i = 0; i < Limits.USUAL.attempts(); i++) {
            try (Jobs jobs = open()) {
                assertThat(jobs.take()).isPresent();
            }
        }
        try (Jobs jobs = open()) {
            assertThat(jobs.take()).isEmpty();
            assertThat(jobs.get(id).orElseThrow().state()).isEqualTo(Jobs.State.FAILED);
        }
    }

    @Test
    void aJobThatWasStoppedForTheServersSakeCountsNoAttempt() throws IOException {
        try (Jobs jobs = open()) {
            submit(jobs);
            jobs.stopped(jobs.take().orElseThrow());
            assertThat(jobs.take().orElseThrow().attempts()).isEqualTo(1);
        }
    }

    @Test
    void whatWasCancelledWhileItRanNeverBecomesDone() throws IOException {
        try (Jobs jobs = open()) {
            String id = submit(jobs).id();
            Jobs.Job running = jobs.take().orElseThrow();
            assertThat(jobs.cancel(id)).isTrue();
            jobs.finish(running, List.of(new Tasks.Made(Picture.filled(16, 16, 0), 1, "", Running.JSON.createObjectNode())),
                    Running.JSON.createObjectNode());
            assertThat(jobs.get(id).orElseThrow().state()).isEqualTo(Jobs.State.CANCELLED);
            assertThat(jobs.images(false, Long.MAX_VALUE, 10)).isEmpty();
            assertThat(Disk.list(data.resolve("images"))).isEmpty();
            assertThat(jobs.cancel(id)).isFalse();
        }
        try (Jobs jobs = open()) {
            String id = submit(jobs).id();
            jobs.take();
            jobs.cancel(id);
        }
        try (Jobs jobs = open()) {
            assertThat(jobs.take()).isEmpty();
        }
    }

    @Test
    void aFullQueueSaysWhenToTryAgain() throws IOException {
        try (Jobs jobs = open(1, 100, Duration.ofDays(1), 1 << 20)) {
            submit(jobs);
            assertThatThrownBy(() -> submit(jobs)).isInstanceOfSatisfying(Problem.class, problem -> {
                assertThat(problem.kind.status).isEqualTo(429);
                assertThat(problem.retryAfter).isPositive();
            });
        }
    }

    @Test
    void whatNoRowKnowsIsSweptAtTheStart() throws IOException {
        try (Jobs jobs = open()) {
            submit(jobs);
            finish(jobs);
        }
        Files.createDirectories(data.resolve("jobs/" + UUID.randomUUID()));
        Files.writeString(data.resolve("images/" + UUID.randomUUID() + ".png"), "half");
        Files.writeString(data.resolve("images/.part-" + UUID.randomUUID()), "half");
        try (Jobs jobs = open()) {
            assertThat(Disk.list(data.resolve("images"))).hasSize(1);
            assertThat(Disk.list(data.resolve("jobs"))).hasSize(1);
            assertThat(jobs.images(false, Long.MAX_VALUE, 10)).hasSize(1);
        }
    }

    @Test
    void theOldestJobsGoByCountAndStarredOnesStay() throws IOException {
        try (Jobs jobs = open(10, 2, Duration.ofDays(1), 1 << 20)) {
            for (int i = 0; i < 4; i++) {
                submit(jobs);
                finish(jobs);
                if (i == 0) {
                    jobs.star(jobs.images(false, Long.MAX_VALUE, 1).get(0).id(), true);
                }
            }
            List<Jobs.Job> before = jobs.list(null, Long.MAX_VALUE, 10);
            jobs.retain();
            assertThat(jobs.list(null, Long.MAX_VALUE, 10)).extracting(Jobs.Job::id)
                    .containsExactly(before.get(0).id(), before.get(1).id(), before.get(3).id());
            assertThat(Disk.list(data.resolve("images"))).hasSize(3);
            assertThat(Disk.list(data.resolve("jobs"))).hasSize(3);
        }
    }

    @Test
    void jobsGoByAgeAndByBytesAndWaitingOnesStay() throws IOException, InterruptedException {
        try (Jobs jobs = open(10, 100, Duration.ofMillis(1), 1 << 20)) {
            submit(jobs);
            finish(jobs);
            submit(jobs);
            Thread.sleep(20);
            jobs.retain();
            assertThat(jobs.list(null, Long.MAX_VALUE, 10)).extracting(Jobs.Job::state).containsExactly(Jobs.State.QUEUED);
        }
        try (Jobs jobs = open(10, 100, Duration.ofDays(1), 1)) {
            finish(jobs);
            jobs.retain();
            assertThat(jobs.list(null, Long.MAX_VALUE, 10)).isEmpty();
        }
    }

    @Test
    void aFolderServesOneServer() {
        try (Jobs jobs = open()) {
            assertThat(jobs.count(Jobs.State.QUEUED)).isZero();
            assertThatThrownBy(this::open).isInstanceOf(Refusal.class).hasMessageContaining("in use");
        }
    }
}
