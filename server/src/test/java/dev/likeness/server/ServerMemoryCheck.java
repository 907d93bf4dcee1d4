package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/check --server-memory}: what an idle server uses, and what many jobs leave behind. */
class ServerMemoryCheck {

    private static final int FEW = 50;
    private static final int MANY = 500;

    @TempDir
    static Path folder;

    @Test
    void anIdleServerRestsAndManyJobsLeaveNothingBehind() throws Exception {
        try (Served served = Served.start(folder.resolve("data"), Path.of("../models/toybox").toAbsolutePath(), 0)) {
            assertThat(served.awaitPort()).isTrue();
            run(served, 0, FEW);
            long few = served.memory();
            Thread.sleep(2000);
            Duration before = served.processor();
            Thread.sleep(10_000);
            Duration idle = served.processor().minus(before);
            run(served, FEW, MANY);
            long many = served.memory();
            System.out.printf("idle: %d ms of processor in 10 s; memory after %d jobs %d MB, after %d jobs %d MB (%+.1f "
                    + "%%)%n", idle.toMillis(), FEW, few >> 20, MANY, many >> 20, 100.0 * many / few - 100);
            assertThat(idle).isLessThan(Duration.ofMillis(100));
            assertThat((double) many / few).isLessThan(1.05);
        }
    }

    private static void run(Served served, int from, int to) throws Exception {
        for (int i = from; i < to; i++) {
            ObjectNode request = Running.generate().put("width", 64).put("height", 64).put("seed", i);
            if (i % 2 == 1) {
                request.put("task", "personalize").withArray("subjects").addObject()
                        .put("reference", Running.url(Running.cutOut(64 + i % 8)));
            }
            while (served.submit(request, null).statusCode() == 429) {
                Thread.sleep(100);
            }
        }
        served.drain();
    }
}
