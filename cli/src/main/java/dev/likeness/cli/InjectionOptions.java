package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.TokenMask;
import dev.likeness.request.InjectionChoice;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How references are put in; what is not given comes from the method's settings. */
final class InjectionOptions {

    static final String GAMMA = "how far the way from the picture up to noise is pulled to a noise of its own, with --inversion "
            + "rf-inversion: from 0 (it follows the model's velocity alone) to 1 (a straight line) (default: " + InjectionChoice.USUAL_GAMMA + ")";

    static final class Modes implements ITypeConverter<Injection.Mode> {
        @Override
        public Injection.Mode convert(String text) {
            return Arrays.stream(Injection.Mode.values()).filter(mode -> mode.flag().equalsIgnoreCase(text)).findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected one of " + Arrays.stream(Injection.Mode.values())
                            .map(Injection.Mode::flag).collect(Collectors.joining(", ")) + " but was '" + text + "'"));
        }
    }

    static final class Inversions implements ITypeConverter<Inversion.Method> {
        @Override
        public Inversion.Method convert(String text) {
            return of(text, "");
        }

        /** @param more names that would have been right as well, for the sentence */
        static Inversion.Method of(String text, String more) {
            return Arrays.stream(Inversion.Method.values()).filter(method -> InjectionChoice.flag(method).equalsIgnoreCase(text)).findFirst()
                    .orElseThrow(() -> new TypeConversionException(
                            "expected one of " + names() + more + " but was '" + text + "'"));
        }

        static String names() {
            return Arrays.stream(Inversion.Method.values()).map(InjectionChoice::flag).collect(Collectors.joining(", "));
        }
    }

    @Option(names = "--method", defaultValue = "default",
            description = "settings to start from: the model's (default), the paper's (paper) or those of the paper's public "
                    + "implementation (public)")
    InjectionChoice.Method method;

    @Option(names = "--inject", converter = Modes.class, paramLabel = "MODE",
            description = "replace, replace+mma, replace+concat, sharing or none")
    Injection.Mode mode;

    @Option(names = "--tau", paramLabel = "T", description = "tokens are replaced while t > tau; 1 replaces nothing, 0 always")
    Double tau;

    @Option(names = "--tau-basis", description = "t is the shifted noise level (sigma) or the share of steps to do (steps)")
    Injection.TauBasis tauBasis;

    @Option(names = "--replace-at", description = "level of replacement: attention, hidden or latent")
    ReplaceAt replaceAt;

    @Option(names = "--reference-noise", negatable = true, description = "start the target region from the reference's noise")
    Boolean referenceNoise;

    @Option(names = "--positions",
            description = "positions of reference tokens that join attention: zero, target, keep or shift; replace+concat has "
                    + "target")
    Positions positions;

    @Option(names = "--perturb", negatable = true, description = "shuffle the subject's tokens and change its mask")
    Boolean perturb;

    @Option(names = "--shuffle-window", paramLabel = "N", description = "side in tokens of the shuffled windows; sets --perturb")
    Integer shuffleWindow;

    @Option(names = "--mask-morph", paramLabel = "PX",
            description = "kernel that grows (above 0) or shrinks (below 0) the mask, in pixels of a canvas of 1024; sets "
                    + "--perturb")
    Integer maskMorph;

    @Option(names = "--perturb-seed", paramLabel = "N", description = "seed of the shuffle (default: the first picture's); sets --perturb")
    Long perturbSeed;

    @Option(names = "--inversion", converter = Inversions.class, paramLabel = "NAME",
            description = "exact, flow, rf-inversion, rf-solver or fireflow")
    Inversion.Method inversion;

    @Option(names = "--gamma", paramLabel = "X", description = GAMMA)
    Double gamma;

    @Option(names = "--token-mask",
            description = "tokens that belong to the subject: quarter (of their pixels), whole or nearest (pixel is white)")
    TokenMask.Rule tokenRule;

    @Option(names = "--cache", paramLabel = "DIR", description = "keep the references' tokens in this folder for other runs")
    Path cache;

    @Option(names = "--cache-gb", defaultValue = "8", paramLabel = "GB", description = "size of the folder (default: ${DEFAULT-VALUE})")
    double cacheGigabytes;

    /** Refuses what is out of range, before a model is looked for. */
    void check() {
        choice().check();
        if (!(cacheGigabytes > 0 && cacheGigabytes <= 1 << 20)) {
            throw Refusal.usage("--cache-gb %s is out of range; use a number of gigabytes above 0.", cacheGigabytes);
        }
    }

    /** Refuses what models that tell noise from latents do not have. */
    void requireForDiffusion() {
        if (inversion != null) {
            throw Refusal.usage("--inversion is for FLUX.1; models that tell noise from latents are inverted by DDIM. Leave it out.");
        }
        if (cache != null) {
            throw Refusal.usage("--cache is for FLUX.1; leave it out.");
        }
    }

    void useCache(FluxModel model) {
        if (cache != null) {
            model.use(ReferenceCache.inFolder(cache, ReferenceCache.MEMORY_BYTES, (long) (cacheGigabytes * (1 << 30))));
        }
    }

    private InjectionChoice choice() {
        return new InjectionChoice(method, mode, tau, tauBasis, replaceAt, referenceNoise, positions, perturb, shuffleWindow,
                maskMorph, perturbSeed, inversion, gamma, tokenRule);
    }

    /** @param seed of the first picture */
    Injection with(ModelDefaults defaults, InjectionChoice.Purpose purpose, long seed) {
        return choice().with(defaults, purpose, seed);
    }
}
