package dev.likeness.task;

import java.util.LinkedHashMap;
import java.util.Map;

/** Adds up the time of each phase of a task. */
final class Stopwatch {

    private final Map<String, Long> nanoseconds = new LinkedHashMap<>();
    private final TaskListener listener;
    private final long started = System.nanoTime();
    private String current;
    private long since;

    Stopwatch(TaskListener listener) {
        this.listener = listener;
        for (String phase : new String[] {"load", "text", "encode", "denoise", "decode"}) {
            nanoseconds.put(phase, 0L);
        }
    }

    void phase(String name) {
        long now = System.nanoTime();
        if (current != null) {
            nanoseconds.merge(current, now - since, Long::sum);
        }
        current = name;
        since = now;
        if (name != null) {
            listener.phase(name);
        }
    }

    /** Ends the current phase; milliseconds by phase, with the total. */
    Map<String, Long> stop() {
        phase(null);
        Map<String, Long> milliseconds = new LinkedHashMap<>();
        nanoseconds.forEach((name, value) -> milliseconds.put(name, value / 1_000_000));
        milliseconds.put("total", (System.nanoTime() - started) / 1_000_000);
        return milliseconds;
    }
}
