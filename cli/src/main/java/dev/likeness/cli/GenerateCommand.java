package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.Sampling;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "generate", mixinStandardHelpOptions = true, description = "Text to image.")
final class GenerateCommand implements Callable<Integer> {

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        outputOptions.check(samplingOptions.count);
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Generation generation = Generate.run(model, samplingOptions.prompt, sampling, new Progress());
            ObjectNode parameters = Parameters.of(samplingOptions.prompt, sampling, model);
            outputOptions.write("generate", model, parameters, generation);
            return 0;
        }
    }
}
