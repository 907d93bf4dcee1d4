package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.inversion.Inversion;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.Parameters;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Invert;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "invert", mixinStandardHelpOptions = true,
        description = "Takes a picture to noise and back, and tells what the inversion keeps of it.")
final class InvertCommand implements Callable<Integer> {

    private static final double USUAL_ETA = 0.9; // as the paper of rf-inversion has it
    private static final String DDIM = "ddim";

    /** @param flux null for DDIM */
    private record Way(Inversion.Method flux) {}

    private static final class Ways implements ITypeConverter<Way> {
        @Override
        public Way convert(String text) {
            return new Way(text.equalsIgnoreCase(DDIM) ? null : InjectionOptions.Inversions.of(text, ", " + DDIM));
        }
    }

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Option(names = {"-r", "--reference"}, required = true, paramLabel = "FILE", description = "the picture")
    Path reference;

    @Option(names = "--reference-prompt", defaultValue = "", paramLabel = "TEXT",
            description = "what it shows (default: the empty prompt)")
    String referencePrompt;

    @Option(names = "--inversion", converter = Ways.class, paramLabel = "NAME",
            description = "exact, flow, rf-inversion, rf-solver or fireflow; ddim for models that tell noise from latents, such as "
                    + "Stable Diffusion (default: exact, and ddim for those)")
    Way way;

    @Option(names = "--gamma", paramLabel = "X", description = InjectionOptions.GAMMA)
    Double gamma;

    @Option(names = "--eta", paramLabel = "X",
            description = "how far the way down is pulled to the picture, with --inversion rf-inversion: from 0 (it follows the "
                    + "model's velocity alone) to 1 (a straight line) (default: " + USUAL_ETA + ")")
    Double eta;

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        boolean ddim = way != null && way.flux == null;
        Inversion.Method method = way == null || ddim ? Inversion.Method.EXACT : way.flux;
        if (eta != null && method != Inversion.Method.RF_INVERSION) {
            throw Refusal.usage("--eta belongs to --inversion rf-inversion; give that with it.");
        }
        Inversion inversion = InjectionChoice.inversion(method, gamma, SamplingOptions.or(eta, USUAL_ETA));
        if (samplingOptions.count != 1) {
            throw Refusal.usage("--num-images %d is of no use, because invert makes one picture; leave it out.",
                    samplingOptions.count);
        }
        outputOptions.check(1);
        Picture picture = Pictures.read(reference);
        if (modelOptions.isDiffusion()) {
            if (way != null && !ddim) {
                throw Refusal.usage("--inversion %s is for FLUX.1; give models that tell noise from latents --inversion ddim.",
                        InjectionChoice.flag(method));
            }
            return byDiffusion(picture);
        }
        if (ddim) {
            throw Refusal.usage("--inversion ddim is for models that tell noise from latents, such as Stable Diffusion; give "
                    + "FLUX.1 one of %s.", InjectionOptions.Inversions.names());
        }
        try (FluxModel model = modelOptions.open()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Picture fitted = fitted(picture, sampling);
            Generation generation = Invert.run(model, fitted, referencePrompt, inversion, sampling, new Progress());
            ObjectNode parameters = Parameters.of(null, sampling, model);
            if (method == Inversion.Method.RF_INVERSION) {
                parameters.put("gamma", inversion.gamma()).put("eta", inversion.eta());
            }
            return tell(InjectionChoice.flag(method), fitted, generation, model.name(), parameters);
        }
    }

    private int byDiffusion(Picture picture) {
        try (DiffusionModel model = modelOptions.openDiffusion()) {
            Sampling sampling = samplingOptions.with(model.defaults());
            Picture fitted = fitted(picture, sampling);
            Generation generation = Invert.run(model, fitted, referencePrompt, sampling, new Progress());
            return tell(DDIM, fitted, generation, model.name(), Parameters.of(null, sampling, model));
        }
    }

    private Picture fitted(Picture picture, Sampling sampling) {
        Mask whole = Mask.full(picture.width(), picture.height());
        return ReferenceFit.fit(picture, whole, sampling.width(), sampling.height(), referencePrompt, null).picture();
    }

    private int tell(String inversion, Picture fitted, Generation generation, String model, ObjectNode parameters) {
        double psnr = MaskedPsnr.of(fitted, Mask.full(fitted.width(), fitted.height()),
                generation.images().get(0).picture(), 0, 0);
        System.err.printf(Locale.ROOT, "%s: %.2f dB, %d evaluations%n", inversion, psnr, generation.evaluations().inversion());
        parameters.put("reference", reference.toString()).put("reference-prompt", referencePrompt).put("inversion", inversion);
        outputOptions.measured("reconstruction_psnr_db", psnr);
        outputOptions.write("invert", model, parameters, generation);
        return 0;
    }
}
