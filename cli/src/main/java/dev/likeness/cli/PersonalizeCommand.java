package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.reference.Mentions;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.Parameters;
import dev.likeness.request.Source;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.HunyuanDitModel;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.PersonalizeByDiffusion;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The same recipe under two names: for one subject, and for several with or without a scene. */
class PersonalizeCommand implements Callable<Integer> {

    @Command(name = "personalize", mixinStandardHelpOptions = true,
            description = "Puts the subject of a reference picture into a new picture.")
    static final class OneSubject extends PersonalizeCommand {}

    @Command(name = "compose", mixinStandardHelpOptions = true,
            description = "Puts several subjects into one new picture, by a layout file, or subjects into a --scene.")
    static final class SeveralSubjects extends PersonalizeCommand {}

    @Spec
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    PromptOptions promptOptions;

    @Mixin
    ReferenceOptions referenceOptions;

    @Mixin
    InjectionOptions injectionOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        injectionOptions.check();
        outputOptions.check(samplingOptions.count);
        Mentions mentions = promptOptions.mentions();
        List<Source> sources = referenceOptions.read(promptOptions.library.open(), mentions.names());
        if (modelOptions.isDiffusion()) {
            return byDiffusion(mentions.prompt(), sources);
        }
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Injection injection = injectionOptions.with(model.defaults(), InjectionChoice.Purpose.PERSONALIZE, sampling.seed());
            injectionOptions.useCache(model);
            List<Subject> subjects = sources.stream().map(source -> source.fit(model, sampling)).toList();
            Generation generation = Personalize.run(model, mentions.prompt(), subjects, injection, referenceOptions.strict,
                    sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            referenceOptions.record(parameters);
            promptOptions.library.record(parameters);
            InjectionChoice.record(parameters, injection);
            outputOptions.warned(referenceOptions.warnings);
            outputOptions.write(spec.name(), model.name(), parameters, generation);
            return 0;
        }
    }

    private int byDiffusion(String prompt, List<Source> sources) {
        injectionOptions.requireForDiffusion();
        sources.stream().filter(source -> source.mask() == null).findFirst().ifPresent(source -> {
            throw Refusal.usage("The mask of %s would be found by FLUX.1's attention; give it with --mask FILE, or make it first "
                    + "with likeness segment.", source.name());
        });
        try (DiffusionModel opened = modelOptions.openDiffusion()) {
            if (!(opened instanceof HunyuanDitModel model)) {
                throw Refusal.model("%s is a U-Net, and tokens are replaced in transformers; give %s a FLUX.1 or HunyuanDiT folder.",
                        opened.name(), spec.name());
            }
            Sampling sampling = samplingOptions.with(model.defaults());
            Injection injection = injectionOptions.with(ModelDefaults.DEV, InjectionChoice.Purpose.PERSONALIZE, sampling.seed());
            List<Subject> subjects = sources.stream().map(source -> source.fit(null, sampling)).toList();
            Generation generation = PersonalizeByDiffusion.run(model, prompt, subjects, injection, referenceOptions.strict,
                    sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            referenceOptions.record(parameters);
            promptOptions.library.record(parameters);
            InjectionChoice.record(parameters, injection);
            parameters.remove("inversion"); // it is DDIM's, and there is no other to choose
            outputOptions.warned(referenceOptions.warnings);
            outputOptions.write(spec.name(), model.name(), parameters, generation);
            return 0;
        }
    }
}
