package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.reference.Mentions;
import dev.likeness.reference.SubjectLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the subjects are that are called by {@code @name}. */
final class LibraryOptions {

    @Option(names = "--library", paramLabel = "DIR", description = "folder of the subject library (default: the user's own)")
    Path folder;

    SubjectLibrary open() {
        return new SubjectLibrary(folder == null ? SubjectLibrary.defaultFolder() : folder);
    }

    Mentions mentions(String text) {
        return Mentions.of(text, name -> open().get(name).prompt());
    }

    /** The folder where one was given, so that replay finds the same subjects. */
    void record(ObjectNode parameters) {
        if (folder != null && Files.isDirectory(folder)) { // where nothing was taken from it, it need not be there
            parameters.put("library", folder.toString());
        }
    }
}
