package dev.likeness.denoise;

/** A run that its listener stopped between two steps. */
public final class Cancelled extends RuntimeException {

    public Cancelled(int step, int steps) {
        super("cancelled after step " + step + " of " + steps);
    }
}
