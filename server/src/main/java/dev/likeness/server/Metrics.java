package dev.likeness.server;

import dev.likeness.denoise.Evaluations;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What the server measures of itself, for Prometheus. */
final class Metrics {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Timer steps = Timer.builder("likeness.step").description("time of a denoising step")
            .publishPercentileHistogram().minimumExpectedValue(Duration.ofMillis(5))
                    .maximumExpectedValue(Duration.ofMinutes(1))
            .register(registry);

    Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        Gauge.builder("likeness.memory.resident.bytes", Metrics::residentBytes)
                .description("memory of the process, tensors included")
                .register(registry);
    }

    void watch(Jobs jobs) {
        for (Jobs.State state : new Jobs.State[] {Jobs.State.QUEUED, Jobs.State.RUNNING}) {
            Gauge.builder("likeness.jobs", () -> jobs.count(state)).tag("state", state.flag()).description("jobs at present")
                    .register(registry);
        }
    }

    void step(long nanoseconds) {
        steps.record(nanoseconds, TimeUnit.NANOSECONDS);
    }

    void evaluations(Evaluations made) {
        count("target", made.target());
        count("unconditional", made.unconditional());
        count("reference", made.reference());
        count("inversion", made.inversion());
    }

    private void count(String kind, int passes) {
        registry.counter("likeness.evaluations", "kind", kind).increment(passes);
    }

    void ended(String task, String state) {
        registry.counter("likeness.jobs.ended", "task", task, "state", state).increment();
    }

    void failed(String cause) {
        registry.counter("likeness.jobs.failures", "cause", cause).increment();
    }

    void request(String route, String method, int status, double milliseconds) {
        registry.timer("likeness.http", "route", route, "method", method, "status", Integer.toString(status))
                .record((long) (milliseconds * 1e6), TimeUnit.NANOSECONDS);
    }

    String text() {
        return registry.scrape();
    }

    /** 0 where the system does not tell. */
    static long residentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return 0; // not Linux
        }
        return 0;
    }
}
