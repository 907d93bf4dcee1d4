package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.reference.Mentions;
import dev.likeness.request.Parameters;
import dev.likeness.schedule.Diffusion;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Option(names = "--sampler", paramLabel = "NAME",
            description = "ddim or ddpm, for models that tell noise from latents, such as Stable Diffusion (default: ddim)")
    Diffusion.Sampler sampler;

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
        if (modelOptions.isDiffusion()) {
            return byDiffusion(mentions.prompt());
        }
        if (sampler != null) {
            throw Refusal.usage("--sampler is for models that tell noise from latents, such as Stable Diffusion; leave it out "
                    + "with FLUX.1.");
        }
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Generation generation = Generate.run(model, mentions.prompt(), sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            outputOptions.write("generate", model.name(), parameters, generation);
            return 0;
        }
    }

    private int byDiffusion(String prompt) {
        Diffusion.Sampler chosen = SamplingOptions.or(sampler, Diffusion.Sampler.DDIM);
        try (DiffusionModel model = modelOptions.openDiffusion()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Generation generation = Generate.run(model, prompt, chosen, sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            parameters.put("sampler", chosen.name().toLowerCase(Locale.ROOT));
            outputOptions.write("generate", model.name(), parameters, generation);
            return 0;
        }
    }
}
