package dev.likeness.cli;

import dev.likeness.denoise.Cancelled;
import dev.likeness.error.Refusal;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point of {@code likeness}. */
@Command(name = "likeness", mixinStandardHelpOptions = true, versionProvider = Main.Version.class,
        description = "Puts a subject from one picture into new pictures, without training.",
        subcommands = {GenerateCommand.class, PersonalizeCommand.OneSubject.class, PersonalizeCommand.SeveralSubjects.class,
                ReconstructCommand.class, InpaintCommand.Inside.class, InpaintCommand.Around.class, StoryCommand.class,
                InvertCommand.class, SegmentCommand.class, SubjectCommand.class, ReplayCommand.class, EvaluateCommand.class,
                AnalyzeCommand.class,
                TrainCommand.class, ModelsCommand.class, ServeCommand.class})
public final class Main {

    /** The version that the build wrote into the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"likeness " + number()};
        }

        static String number() {
            String version = Main.class.getPackage().getImplementationVersion();
            return version == null ? "development" : version;
        }
    }

    private static final int INTERNAL_ERROR = 1;

    private Main() {}

    public static void main(String[] args) {
        // JSON is UTF-8 whatever the locale says.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
        System.exit(run(args));
    }

    private static int run(String[] args) {
        try {
            return execute(args);
        } catch (Error e) { // picocli hands exceptions to refuse() and lets errors pass
            return refuse(e);
        }
    }

    /** The exit code of a command line. */
    static int execute(String... args) {
        // A value may look like a flag where it is tied to its own: --prompt=--steps is a strange prompt, not a missing one.
        boolean tied = Arrays.stream(args).anyMatch(argument -> argument.matches("(?s)--[a-z-]+=-.*"));
        return new CommandLine(new Main())
                .setAllowOptionsAsOptionParameters(tied)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // a prompt may begin with @
                .setParameterExceptionHandler(Main::refuseUsage)
                .setExecutionExceptionHandler((e, command, parsed) -> refuse(e))
                .execute(args);
    }

    private static int refuseUsage(ParameterException e, String[] args) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        String sentence = e.getMessage().lines().findFirst().orElse("unusable arguments");
        String meant = e instanceof UnmatchedArgumentException unmatched && !unmatched.getSuggestions().isEmpty()
                ? " Did you mean " + String.join(" or ", unmatched.getSuggestions()) + "?"
                : "";
        System.err.println("likeness: " + sentence + (sentence.endsWith(".") ? "" : ".") + meant + " See: " + name + " --help");
        return Refusal.Kind.USAGE.exitCode;
    }

    private static int refuse(Throwable e) {
        if (e instanceof Refusal refusal) {
            System.err.println("likeness: " + refusal.getMessage());
            return refusal.kind().exitCode;
        }
        if (e instanceof Cancelled) {
            System.err.println("likeness: " + e.getMessage());
            return INTERNAL_ERROR;
        }
        if (isOutOfMemory(e)) {
            System.err.println("likeness: Memory ran out; use a smaller --width and --height or a smaller --dtype, or give Java "
                    + "more with LIKENESS_JAVA_OPTS=-Xmx2g.");
            return Refusal.Kind.RESOURCES.exitCode;
        }
        System.err.println("likeness: internal error: " + e);
        e.printStackTrace();
        return INTERNAL_ERROR;
    }

    /** Java's heap, or libtorch's allocators, which tell it in the message alone. */
    private static boolean isOutOfMemory(Throwable e) {
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return e instanceof OutOfMemoryError || message.contains("out of memory") || message.contains("not enough memory")
                || message.contains("can't allocate memory");
    }
}
