package dev.likeness.cli;

import dev.likeness.reference.Mentions;
import dev.likeness.reference.SubjectLibrary;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The prompt, in which subjects of the library may be mentioned. */
final class PromptOptions {

    @Option(names = {"-p", "--prompt"}, required = true, paramLabel = "TEXT",
            description = "what the picture shall show; @name puts a subject of the library into it, @@ writes an @")
    String prompt;

    @Option(names = "--library", paramLabel = "DIR", description = "folder of the subject library (default: the user's own)")
    Path library;

    SubjectLibrary library() {
        return new SubjectLibrary(library == null ? SubjectLibrary.defaultFolder() : library);
    }

    Mentions mentions() {
        return mentions(prompt);
    }

    Mentions mentions(String text) {
        return Mentions.of(text, name -> library().get(name).prompt());
    }
}
