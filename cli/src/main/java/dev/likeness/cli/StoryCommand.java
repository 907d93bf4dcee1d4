package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.reference.Mentions;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.Parameters;
import dev.likeness.request.Source;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Injection;
import dev.likeness.task.Sampling;
import dev.likeness.task.Story;
import dev.likeness.task.Subject;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "story", mixinStandardHelpOptions = true,
        description = "Puts the same subjects into a sequence of pictures, one for each line of a file.")
final class StoryCommand implements Callable<Integer> {

    /** Some editors put it before UTF-8. */
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    ReferenceOptions referenceOptions;

    @Mixin
    InjectionOptions injectionOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Option(names = "--prompts", required = true, paramLabel = "FILE",
            description = "a prompt a line, UTF-8; empty lines and lines that begin with # are left out")
    Path prompts;

    @Mixin
    LibraryOptions library;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        injectionOptions.check();
        List<String> lines = lines();
        outputOptions.check(lines.size() * samplingOptions.count);
        List<Mentions> mentions = lines.stream().map(library::mentions).toList();
        List<List<Source>> sources = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (mentions.get(i).names().isEmpty() && referenceOptions.reference == null && referenceOptions.layout == null) {
                throw Refusal.usage("There is no subject for '%s' in %s; write @name of one into that line, or give --reference "
                        + "FILE or a layout file.", lines.get(i), prompts);
            }
            sources.add(referenceOptions.read(library.open(), mentions.get(i).names()));
        }
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Injection injection = injectionOptions.with(model.defaults(), InjectionChoice.Purpose.PERSONALIZE, sampling.seed());
            injectionOptions.useCache(model);
            List<List<Subject>> subjects = Source.fit(sources, model, sampling);
            List<Story.Panel> panels = new ArrayList<>();
            for (int i = 0; i < lines.size(); i++) {
                panels.add(new Story.Panel(mentions.get(i).prompt(), subjects.get(i)));
            }
            List<Generation> pictures =
                    Story.run(model, panels, injection, referenceOptions.strict, sampling, new Progress());
            List<ObjectNode> parameters = new ArrayList<>();
            for (String line : lines) {
                ObjectNode one = Parameters.of(line, sampling, model);
                referenceOptions.record(one);
                library.record(one);
                InjectionChoice.record(one, injection);
                parameters.add(one);
            }
            outputOptions.warned(referenceOptions.warnings);
            outputOptions.write("compose", model.name(), parameters, pictures); // each picture can be replayed alone
            return 0;
        }
    }

    private List<String> lines() {
        try {
            List<String> lines = Files.readAllLines(prompts).stream().map(line -> line.replace(BYTE_ORDER_MARK, "").strip())
                    .filter(line -> !line.isEmpty() && !line.startsWith("#")).toList();
            if (lines.isEmpty()) {
                throw Refusal.input("--prompts %s holds no prompt; write one a line.", prompts);
            }
            return lines;
        } catch (MalformedInputException e) {
            throw Refusal.input("--prompts %s is not UTF-8 text; save it as such.", prompts);
        } catch (IOException e) {
            throw Refusal.input("--prompts %s cannot be read (%s); give a text file with a prompt a line.", prompts,
                    Files.exists(prompts) ? e.getMessage() : "there is no such file", e);
        }
    }
}
