package dev.likeness.error;

/**
 * Input that is refused: one clear sentence that names the input and the remedy.
 * Nothing has been written when it is thrown.
 */
public final class Refusal extends RuntimeException {

    /** What was wrong, and with it the exit code of the command line (docs/exit-codes.md). */
    public enum Kind {
        /** Flags and their values, sizes and tau included. */
        USAGE(2),
        /** Files that are missing, unreadable or unfit. */
        INPUT(3),
        /** A model folder that is missing, incomplete or of an unknown kind. */
        MODEL(4),
        /** Memory, disk or device that is not there. */
        RESOURCES(5);

        public final int exitCode;

        Kind(int exitCode) {
            this.exitCode = exitCode;
        }
    }

    private final Kind kind;

    private Refusal(Kind kind, String sentence, Throwable cause) {
        super(sentence, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    public static Refusal usage(String sentence, Object... args) {
        return new Refusal(Kind.USAGE, format(sentence, args), null);
    }

    public static Refusal input(String sentence, Object... args) {
        return new Refusal(Kind.INPUT, format(sentence, args), lastThrowable(args));
    }

    public static Refusal model(String sentence, Object... args) {
        return new Refusal(Kind.MODEL, format(sentence, args), lastThrowable(args));
    }

    public static Refusal resources(String sentence, Object... args) {
        return new Refusal(Kind.RESOURCES, format(sentence, args), lastThrowable(args));
    }

    private static String format(String sentence, Object[] args) {
        return args.length == 0 ? sentence : String.format(java.util.Locale.ROOT, sentence, args);
    }

    private static Throwable lastThrowable(Object[] args) {
        return args.length > 0 && args[args.length - 1] instanceof Throwable t ? t : null;
    }
}
