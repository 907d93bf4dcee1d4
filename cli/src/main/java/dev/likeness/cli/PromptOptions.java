package dev.likeness.cli;

import dev.likeness.reference.Mentions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The prompt, in which subjects of the library may be mentioned. */
final class PromptOptions {

    @Option(names = {"-p", "--prompt"}, required = true, paramLabel = "TEXT",
            description = "what the picture shall show; @name puts a subject of the library into it, @@ writes an @")
    String prompt;

    @Mixin
    LibraryOptions library;

    Mentions mentions() {
        return library.mentions(prompt);
    }
}
