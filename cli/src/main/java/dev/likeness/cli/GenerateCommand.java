package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.reference.Mentions;
import dev.likeness.request.Parameters;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(name = "generate", mixinStandardHelpOptions = true, description = "Draws a picture from a prompt.")
final class GenerateCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    PromptOptions promptOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        outputOptions.check(samplingOptions.count);
        Mentions mentions = promptOptions.mentions();
        if (!mentions.names().isEmpty()) { // a picture with a subject of the library is personalized
            List<String> arguments = new ArrayList<>(spec.root().commandLine().getParseResult().originalArgs());
            arguments.set(arguments.indexOf(spec.name()), "personalize");
            return Main.execute(arguments.toArray(String[]::new));
        }
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Generation generation = Generate.run(model, mentions.prompt(), sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            outputOptions.write("generate", model, parameters, generation);
            return 0;
        }
    }
}
