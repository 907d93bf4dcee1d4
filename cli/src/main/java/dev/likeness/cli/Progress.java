package dev.likeness.cli;

import dev.likeness.task.TaskListener;
import java.util.Locale;

/** Progress on standard error: a bar on a terminal, a few plain lines elsewhere. */
final class Progress implements TaskListener {

    private static final int WIDTH = 30;

    /** Told by the launcher: Java 17 knows only whether both input and output are a terminal, Java 22 says yes to all. */
    private final boolean terminal = Boolean.getBoolean("likeness.terminal");
    private long started;
    private int before; // cases that were there when it began

    @Override
    public void phase(String name) {
        if (!terminal && !name.equals("denoise")) {
            System.err.println(name + " ...");
        }
    }

    @Override
    public boolean step(int image, int images, int step, int steps, double sigma) {
        if (step == 1) {
            started = System.nanoTime();
        }
        if (!terminal) {
            if (step == steps || step % Math.max(1, steps / 4) == 0) {
                System.err.printf(Locale.ROOT, "denoise: picture %d of %d, step %d of %d%n", image + 1, images, step, steps);
            }
            return true;
        }
        int filled = WIDTH * step / steps;
        double left = step < 2 ? Double.NaN : (System.nanoTime() - started) / 1e9 / (step - 1) * (steps - step);
        System.err.printf(Locale.ROOT, "\r%d/%d [%s%s] step %d/%d%s ", image + 1, images, "#".repeat(filled),
                ".".repeat(WIDTH - filled), step, steps,
                Double.isNaN(left) ? "" : String.format(Locale.ROOT, ", %.0f s left", left));
        if (step == steps) {
            System.err.println();
        }
        return true;
    }

    /** Cases of an evaluation; several may be under way, and the first call says how many were done before. */
    void cases(int done, int all) {
        if (started == 0) {
            started = System.nanoTime();
            before = done;
        }
        double left = done == before ? Double.NaN : (System.nanoTime() - started) / 60e9 / (done - before) * (all - done);
        String time = Double.isNaN(left) ? "" : String.format(Locale.ROOT, ", %.0f min left", left);
        if (terminal) {
            int filled = all == 0 ? WIDTH : WIDTH * done / all;
            System.err.printf(Locale.ROOT, "\r[%s%s] case %d of %d%s ", "#".repeat(filled), ".".repeat(WIDTH - filled),
                    done, all, time);
            if (done == all) {
                System.err.println();
            }
        } else if (done == all || done % Math.max(1, all / 20) == 0) {
            System.err.printf(Locale.ROOT, "case %d of %d%s%n", done, all, time);
        }
    }
}
