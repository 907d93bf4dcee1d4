package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How references are put in; what is not given comes from the method's settings. */
final class InjectionOptions {

    private static final double USUAL_GAMMA = 0.5; // as the paper of rf-inversion has it

    static final String GAMMA = "how far the way from the picture up to noise is pulled to a noise of its own, with --inversion "
            + "rf-inversion: from 0 (it follows the model's velocity alone) to 1 (a straight line) (default: " + USUAL_GAMMA + ")";

    /** Sets of settings. */
    enum Method { DEFAULT, PAPER, PUBLIC }

    /** What the references are put in for, with the taus of the paper and of its public implementation. */
    enum Task {
        PERSONALIZE(Injection.PAPER.tau(), Injection.PUBLIC.tau()),
        RECONSTRUCT(Injection.PAPER.tau(), Injection.PUBLIC.tau()),
        INPAINT(0.1, 0.45),
        OUTPAINT(0.1, 0.7);

        private final double paperTau;
        private final double publicTau;

        Task(double paperTau, double publicTau) {
            this.paperTau = paperTau;
            this.publicTau = publicTau;
        }

        private double tau(Method method, ModelDefaults defaults) {
            return switch (method) {
                case PAPER -> paperTau;
                case PUBLIC -> publicTau;
                case DEFAULT -> switch (this) {
                    case INPAINT -> defaults.inpaintTau();
                    case OUTPAINT -> defaults.outpaintTau();
                    default -> defaults.tau();
                };
            };
        }

        /** Whether a method's perturbation belongs to it: what stays in its place is left as it is. */
        private boolean perturbs() {
            return this == PERSONALIZE;
        }
    }

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
            return Arrays.stream(Inversion.Method.values()).filter(method -> flag(method).equalsIgnoreCase(text)).findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected one of "
                            + Arrays.stream(Inversion.Method.values()).map(InjectionOptions::flag).collect(Collectors.joining(", "))
                            + " but was '" + text + "'"));
        }
    }

    @Option(names = "--method", defaultValue = "default",
            description = "settings to start from: the model's (default), the paper's (paper) or those of the paper's public "
                    + "implementation (public)")
    Method method;

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
        with(ModelDefaults.DEV, Task.PERSONALIZE, 0);
        if (!(cacheGigabytes > 0 && cacheGigabytes <= 1 << 20)) {
            throw Refusal.usage("--cache-gb %s is out of range; use a number of gigabytes above 0.", cacheGigabytes);
        }
    }

    void useCache(FluxModel model) {
        if (cache != null) {
            model.use(ReferenceCache.inFolder(cache, ReferenceCache.MEMORY_BYTES, (long) (cacheGigabytes * (1 << 30))));
        }
    }

    /** @param seed of the first picture */
    Injection with(ModelDefaults defaults, Task task, long seed) {
        double usualTau = task.tau(method, defaults);
        Injection base = switch (method) {
            case DEFAULT -> defaults.injection(usualTau);
            case PAPER -> Injection.PAPER;
            case PUBLIC -> Injection.PUBLIC;
        };
        boolean described = shuffleWindow != null || maskMorph != null || perturbSeed != null;
        boolean perturbed = SamplingOptions.or(perturb,
                described || task.perturbs() && !base.perturbation().equals(Perturbation.NONE));
        if (!perturbed && described) {
            throw Refusal.usage("--shuffle-window, --mask-morph and --perturb-seed say how to perturb; leave --no-perturb out.");
        }
        Perturbation perturbation = !perturbed ? Perturbation.NONE : new Perturbation(
                SamplingOptions.or(shuffleWindow, Perturbation.PAPER_WINDOW),
                SamplingOptions.or(maskMorph, Perturbation.PAPER_MORPH), SamplingOptions.or(perturbSeed, seed));
        Injection.Mode used = SamplingOptions.or(mode, base.mode());
        boolean concatenated = used == Injection.Mode.REPLACE_CONCAT; // it knows one level and one set of positions
        if (concatenated && positions != null && positions != Positions.TARGET) {
            throw Refusal.usage("--inject replace+concat has the tokens at the target's positions; leave --positions out or give "
                    + "target.");
        }
        ReplaceAt level = concatenated ? ReplaceAt.ATTENTION : base.replaceAt();
        Positions places = concatenated ? Positions.TARGET : base.positions();
        return new Injection(used, SamplingOptions.or(tau, usualTau), SamplingOptions.or(tauBasis, base.tauBasis()),
                SamplingOptions.or(replaceAt, level),
                SamplingOptions.or(referenceNoise, base.referenceNoise()), SamplingOptions.or(positions, places),
                perturbation, inversion(base.inversion()), SamplingOptions.or(tokenRule, base.tokenRule()));
    }

    private Inversion inversion(Inversion base) {
        // Eta is of no account: the points of the way up are kept, and nothing goes down again.
        return inversion(SamplingOptions.or(inversion, base.method()), gamma, 1);
    }

    /** @param gamma null for the usual strength */
    static Inversion inversion(Inversion.Method method, Double gamma, double eta) {
        if (method == Inversion.Method.RF_INVERSION) {
            return new Inversion(method, SamplingOptions.or(gamma, USUAL_GAMMA), eta);
        }
        if (gamma != null) {
            throw Refusal.usage("--gamma belongs to --inversion rf-inversion; give that with it.");
        }
        return new Inversion(method, 1, 1);
    }

    /** Every effective setting, by flag name. */
    static void record(ObjectNode parameters, Injection injection) {
        parameters.put("inject", injection.mode().flag());
        parameters.put("tau", injection.tau()).put("tau-basis", lower(injection.tauBasis()));
        parameters.put("replace-at", lower(injection.replaceAt())).put("reference-noise", injection.referenceNoise());
        parameters.put("positions", lower(injection.positions()));
        Perturbation perturbation = injection.perturbation();
        boolean perturbed = !perturbation.equals(Perturbation.NONE);
        parameters.put("perturb", perturbed);
        if (perturbed) {
            parameters.put("shuffle-window", perturbation.shuffleWindow()).put("mask-morph", perturbation.maskMorph())
                    .put("perturb-seed", perturbation.seed());
        }
        Inversion inversion = injection.inversion();
        parameters.put("inversion", flag(inversion.method()));
        if (inversion.method() == Inversion.Method.RF_INVERSION) {
            parameters.put("gamma", inversion.gamma());
        }
        parameters.put("token-mask", lower(injection.tokenRule()));
    }

    static String flag(Inversion.Method method) {
        return lower(method).replace('_', '-');
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
