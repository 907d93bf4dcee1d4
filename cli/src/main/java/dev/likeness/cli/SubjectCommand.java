package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.request.MaskReader;
import dev.likeness.task.FluxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "subject", mixinStandardHelpOptions = true, description = "Keeps subjects that prompts can mention as @name.",
        subcommands = {SubjectCommand.Add.class, SubjectCommand.ListAll.class, SubjectCommand.Show.class,
                SubjectCommand.Remove.class})
final class SubjectCommand {

    @Command(name = "add", mixinStandardHelpOptions = true, description = "Adds a subject.")
    static final class Add implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "lower-case letters, digits, - and _")
        String name;

        @Option(names = {"-r", "--reference"}, required = true, paramLabel = "FILE", description = "picture of the subject")
        Path reference;

        @Option(names = {"-p", "--prompt"}, paramLabel = "TEXT",
                description = "words that stand for it in prompts (default: its name)")
        String prompt;

        @Mixin
        MaskOptions maskOptions;

        @Mixin
        LibraryOptions library;

        @Mixin
        ModelOptions modelOptions;

        @Override
        public Integer call() {
            modelOptions.check();
            maskOptions.check();
            SubjectLibrary subjects = library.open();
            subjects.requireFree(name);
            Picture picture = Pictures.read(reference);
            List<String> warnings = new ArrayList<>();
            Mask found = mask(picture, new MaskReader(false, warnings));
            SubjectLibrary.Entry entry = subjects.add(name, picture, found, prompt, maskOptions.how().flag());
            OutputOptions.warn(warnings);
            System.out.println(entry.reference().getParent());
            return 0;
        }

        private Mask mask(Picture picture, MaskReader reader) {
            String caption = prompt == null ? "" : prompt;
            if (!maskOptions.needsModel()) {
                return maskOptions.find(reader, picture, reference, caption, null);
            }
            try (FluxModel model = modelOptions.open()) {
                return maskOptions.find(reader, picture, reference, caption, model);
            }
        }
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists the subjects.")
    static final class ListAll implements Callable<Integer> {
        @Mixin
        LibraryOptions library;

        @Option(names = "--json", description = "as JSON")
        boolean json;

        @Override
        public Integer call() {
            SubjectLibrary.Listing listing = library.open().list();
            if (json) {
                ObjectMapper mapper = new ObjectMapper();
                System.out.println(mapper.createArrayNode()
                        .addAll(listing.subjects().stream().map(SubjectCommand::json).toList()).toPrettyString());
            } else {
                listing.subjects().forEach(entry -> System.out.println("@" + entry.name() + "\t" + entry.prompt()));
            }
            listing.broken().forEach((name, sentence) -> System.err.println("likeness: warning: " + sentence));
            return 0;
        }
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Tells where a subject's files are and how it was made.")
    static final class Show implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "without the @")
        String name;

        @Mixin
        LibraryOptions library;

        @Override
        public Integer call() {
            System.out.println(json(library.open().get(name)).toPrettyString());
            return 0;
        }
    }

    @Command(name = "remove", mixinStandardHelpOptions = true, description = "Removes a subject.")
    static final class Remove implements Callable<Integer> {
        @Parameters(paramLabel = "NAME", description = "without the @")
        String name;

        @Mixin
        LibraryOptions library;

        @Override
        public Integer call() {
            library.open().remove(name);
            return 0;
        }
    }

    private static ObjectNode json(SubjectLibrary.Entry entry) {
        return new ObjectMapper().createObjectNode().put("name", entry.name()).put("prompt", entry.prompt())
                .put("reference", entry.reference().toString()).put("mask", entry.mask().toString())
                .put("segment", entry.segment()).put("added", entry.added().toString());
    }
}
