package dev.likeness.denoise;

/** Network passes of batch one, by what they were for. */
public record Evaluations(int target, int unconditional, int reference, int inversion) {

    public static final Evaluations NONE = new Evaluations(0, 0, 0, 0);

    public Evaluations plus(Evaluations other) {
        return new Evaluations(target + other.target, unconditional + other.unconditional, reference + other.reference,
                inversion + other.inversion);
    }
}
