package dev.likeness.cli;

import dev.likeness.denoise.Cancelled;
import dev.likeness.error.Refusal;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point of {@code likeness}. */
@Command(name = "likeness", mixinStandardHelpOptions = true, versionProvider = Main.Version.class,
        description = "Puts a subject from one picture into new pictures, without training.",
        subcommands = {GenerateCommand.class, PersonalizeCommand.class, ReplayCommand.class, TrainCommand.class,
                EvaluateCommand.class})
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
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::refuseUsage)
                .setExecutionExceptionHandler((e, command, parsed) -> refuse(e));
    }

    private static int refuseUsage(ParameterException e, String[] args) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        String sentence = e.getMessage().lines().findFirst().orElse("unusable arguments");
        System.err.println("likeness: " + sentence + (sentence.endsWith(".") ? "" : ".") + " See: " + name + " --help");
        if (e instanceof UnmatchedArgumentException unmatched) {
            UnmatchedArgumentException.printSuggestions(unmatched, System.err);
        }
        return Refusal.Kind.USAGE.exitCode;
    }

    private static int refuse(Exception e) {
        if (e instanceof Refusal refusal) {
            System.err.println("likeness: " + refusal.getMessage());
            return refusal.kind().exitCode;
        }
        if (e instanceof Cancelled) {
            System.err.println("likeness: " + e.getMessage());
            return INTERNAL_ERROR;
        }
        System.err.println("likeness: internal error: " + e);
        e.printStackTrace();
        return INTERNAL_ERROR;
    }
}
