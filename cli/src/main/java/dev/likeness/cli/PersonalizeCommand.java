package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Layout;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.Personalize.TauBasis;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "personalize", mixinStandardHelpOptions = true,
        description = "Puts the subject of a reference picture into a new picture.")
final class PersonalizeCommand implements Callable<Integer> {

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Option(names = {"-r", "--reference"}, required = true, paramLabel = "FILE",
            description = "picture of the subject; its alpha channel is the mask unless --mask is given")
    Path reference;

    @Option(names = "--reference-prompt", defaultValue = "", paramLabel = "TEXT",
            description = "what the reference shows (default: the empty prompt)")
    String referencePrompt;

    @Option(names = "--mask", paramLabel = "FILE", description = "mask of the reference, white where the subject is")
    Path mask;

    @Option(names = "--mask-invert", description = "the mask file is black where the subject is")
    boolean maskInvert;

    @Option(names = "--layout", paramLabel = "X,Y",
            description = "where the middle of the subject goes, in fractions of the canvas (default: where it is)")
    String layout;

    @Option(names = "--tau", paramLabel = "T",
            description = "tokens are replaced while t > tau; 1 replaces nothing, 0 always")
    Double tau;

    @Option(names = "--tau-basis", defaultValue = "sigma",
            description = "t is the shifted noise level (sigma) or the share of steps to do (steps); default: sigma")
    TauBasis tauBasis;

    @Option(names = "--replace-at", description = "level of replacement: attention, hidden or latent")
    ReplaceAt replaceAt;

    @Option(names = "--reference-noise", negatable = true,
            description = "start the target region from the reference's noise")
    Boolean referenceNoise;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        if (maskInvert && mask == null) {
            throw Refusal.usage("--mask-invert says how to read a mask file; give --mask FILE with it.");
        }
        Layout place = layout == null ? null : Layout.parse(layout);
        injection(SamplingOptions.or(tau, 0.0), ReplaceAt.ATTENTION, false); // refuses a tau out of range
        outputOptions.check(samplingOptions.count);
        Picture picture = Pictures.read(reference);
        Mask subjectMask = subjectMask(picture);
        try (FluxModel model = modelOptions.open()) {
            ModelDefaults defaults = model.defaults();
            Sampling sampling = samplingOptions.with(defaults);
            Personalize.Injection injection = injection(SamplingOptions.or(tau, defaults.tau()),
                    SamplingOptions.or(replaceAt, defaults.replaceAt()),
                    SamplingOptions.or(referenceNoise, defaults.referenceNoise()));
            Personalize.Subject subject =
                    ReferenceFit.fit(picture, subjectMask, sampling.width(), sampling.height(), referencePrompt, place);
            Generation generation = Personalize.run(model, samplingOptions.prompt, subject, injection, sampling,
                    new Progress());
            ObjectNode parameters = Parameters.of(samplingOptions.prompt, sampling, model);
            parameters.put("reference", reference.toString()).put("reference-prompt", referencePrompt);
            if (mask != null) {
                parameters.put("mask", mask.toString()).put("mask-invert", maskInvert);
            }
            if (layout != null) {
                parameters.put("layout", layout);
            }
            parameters.put("tau", injection.tau()).put("tau-basis", lower(injection.tauBasis()));
            parameters.put("replace-at", lower(injection.replaceAt())).put("reference-noise", injection.referenceNoise());
            outputOptions.write("personalize", model, parameters, generation);
            return 0;
        }
    }

    private Personalize.Injection injection(double tau, ReplaceAt replaceAt, boolean referenceNoise) {
        return new Personalize.Injection(tau, tauBasis, replaceAt, referenceNoise);
    }

    private Mask subjectMask(Picture picture) {
        if (mask == null) {
            Mask alpha = Mask.ofAlpha(picture, reference.toString());
            if (alpha.isEmpty()) {
                throw Refusal.input("--reference %s is transparent everywhere; give a picture of which the subject is opaque.",
                        reference);
            }
            return alpha;
        }
        Mask read = Mask.read(mask, maskInvert);
        read.requireSizeOf(picture, mask.toString(), reference.toString());
        if (read.isEmpty()) {
            throw Refusal.input("--mask %s marks no pixel as subject; paint the subject white, or use --mask-invert when it "
                    + "is black there.", mask);
        }
        return read;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
