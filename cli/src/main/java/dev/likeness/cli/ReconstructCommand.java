package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.error.Refusal;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.Parameters;
import dev.likeness.request.Source;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Injection;
import dev.likeness.task.Personalize;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The paper's first experiment (section 3.1): the subject's tokens in their own place, under the reference's own prompt. */
@Command(name = "reconstruct", mixinStandardHelpOptions = true,
        description = "Draws the reference's subject again, in its place, from its tokens alone.")
final class ReconstructCommand implements Callable<Integer> {

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    ReferenceOptions referenceOptions;

    @Mixin
    LibraryOptions library;

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
        if (referenceOptions.layout != null || referenceOptions.scene != null) {
            throw Refusal.usage("reconstruct leaves the subject in its place; leave --layout and --scene out.");
        }
        if (referenceOptions.reference == null) {
            throw Refusal.usage("There is no subject; give --reference FILE, or @name of the subject library.");
        }
        Source source = referenceOptions.read(library.open(), List.of()).get(0);
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Injection injection = injectionOptions.with(model.defaults(), InjectionChoice.Purpose.RECONSTRUCT, sampling.seed());
            injectionOptions.useCache(model);
            Subject subject = source.fit(model, sampling);
            Generation generation = Personalize.run(model, source.caption(), List.of(subject), injection,
                    referenceOptions.strict, sampling, new Progress());
            for (Generation.Image image : generation.images()) {
                System.err.printf(Locale.ROOT, "the subject came back at %.2f dB%n",
                        MaskedPsnr.of(subject.picture(), subject.mask(), image.picture(), 0, 0));
            }
            ObjectNode parameters = Parameters.of(null, sampling, model);
            referenceOptions.record(parameters);
            library.record(parameters);
            InjectionChoice.record(parameters, injection);
            outputOptions.warned(referenceOptions.warnings);
            outputOptions.write("reconstruct", model.name(), parameters, generation);
            return 0;
        }
    }
}
