package dev.likeness.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What memory a process has taken at most, in bytes, by what Linux tells of it; zeros elsewhere.
 *
 * @param peakResident of pages in memory, those of mapped files among them, which the system may take back at any time
 * @param peakAnonymous of those, what has no file behind it, as far as that was seen in time
 * @param peakSwapped that was swapped out, as far as that was seen in time
 */
record ProcessMemory(long peakResident, long peakAnonymous, long peakSwapped) {

    private static final long INTERVAL = 20; // milliseconds

    /** Looks at a process again and again until it has ended. */
    static ProcessMemory follow(Process process) throws InterruptedException {
        ProcessMemory peak = new ProcessMemory(0, 0, 0);
        Path status = Path.of("/proc", String.valueOf(process.pid()), "status");
        do {
            peak = peak.and(status);
        } while (!process.waitFor(INTERVAL, TimeUnit.MILLISECONDS));
        return peak;
    }

    private ProcessMemory and(Path status) {
        try {
            List<String> lines = Files.readAllLines(status);
            return new ProcessMemory(Math.max(peakResident, bytes(lines, "VmHWM:")), Math.max(peakAnonymous, bytes(lines, "RssAnon:")),
                    Math.max(peakSwapped, bytes(lines, "VmSwap:")));
        } catch (IOException e) {
            return this; // it has ended, or this is not Linux
        }
    }

    private static long bytes(List<String> status, String name) {
        return status.stream().filter(line -> line.startsWith(name)).findFirst()
                .map(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).orElse(0L);
    }
}
