package dev.likeness.request;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import java.util.Locale;

/**
 * How references shall be put in. What is null comes from the method's settings.
 *
 * @param method not null
 */
public record InjectionChoice(Method method, Injection.Mode mode, Double tau, Injection.TauBasis tauBasis,
        ReplaceAt replaceAt,
        Boolean referenceNoise, Positions positions, Boolean perturb, Integer shuffleWindow, Integer maskMorph,
        Long perturbSeed, Inversion.Method inversion, Double gamma, TokenMask.Rule tokenRule) {

    /** The pull of rf-inversion where none is given, as its paper has it. */
    public static final double USUAL_GAMMA = 0.5;

    /** Sets of settings: the model's, the paper's, and those of the paper's public implementation. */
    public enum Method { DEFAULT, PAPER, PUBLIC }

    /** What the references are put in for, with the taus of the paper and of its public implementation. */
    public enum Purpose {
        PERSONALIZE(Injection.PAPER.tau(), Injection.PUBLIC.tau()),
        RECONSTRUCT(Injection.PAPER.tau(), Injection.PUBLIC.tau()),
        INPAINT(0.1, 0.45),
        OUTPAINT(0.1, 0.7);

        private final double paperTau;
        private final double publicTau;

        Purpose(double paperTau, double publicTau) {
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

    /** @throws Refusal (usage) when what was given is out of range or does not fit together; no model is needed to tell */
    public void check() {
        with(ModelDefaults.DEV, Purpose.PERSONALIZE, 0);
    }

    /** @param seed of the first picture */
    public Injection with(ModelDefaults defaults, Purpose purpose, long seed) {
        double usualTau = purpose.tau(method, defaults);
        Injection base = switch (method) {
            case DEFAULT -> defaults.injection(usualTau);
            case PAPER -> Injection.PAPER;
            case PUBLIC -> Injection.PUBLIC;
        };
        boolean described = shuffleWindow != null || maskMorph != null || perturbSeed != null;
        boolean perturbed = requireNonNullElse(perturb,
                described || purpose.perturbs() && !base.perturbation().equals(Perturbation.NONE));
        if (!perturbed && described) {
            throw Refusal.usage("--shuffle-window, --mask-morph and --perturb-seed say how to perturb; leave --no-perturb "
                    + "out.");
        }
        Perturbation perturbation = !perturbed ? Perturbation.NONE : new Perturbation(
                requireNonNullElse(shuffleWindow, Perturbation.PAPER_WINDOW),
                requireNonNullElse(maskMorph, Perturbation.PAPER_MORPH), requireNonNullElse(perturbSeed, seed));
        Injection.Mode used = requireNonNullElse(mode, base.mode());
        boolean concatenated = used == Injection.Mode.REPLACE_CONCAT; // it knows one level and one set of positions
        if (concatenated && positions != null && positions != Positions.TARGET) {
            throw Refusal.usage("--inject replace+concat has the tokens at the target's positions; leave --positions out "
                    + "or give target.");
        }
        ReplaceAt level = concatenated ? ReplaceAt.ATTENTION : base.replaceAt();
        Positions places = concatenated ? Positions.TARGET : base.positions();
        return new Injection(used, requireNonNullElse(tau, usualTau), requireNonNullElse(tauBasis, base.tauBasis()),
                requireNonNullElse(replaceAt, level), requireNonNullElse(referenceNoise, base.referenceNoise()),
                requireNonNullElse(positions, places), perturbation, inversion(base.inversion()),
                requireNonNullElse(tokenRule, base.tokenRule()));
    }

    private Inversion inversion(Inversion base) {
        // Eta is of no account: the points of the way up are kept, and nothing goes down again.
        return inversion(requireNonNullElse(inversion, base.method()), gamma, 1);
    }

    /** @param gamma null for the usual strength */
    public static Inversion inversion(Inversion.Method method, Double gamma, double eta) {
        if (method == Inversion.Method.RF_INVERSION) {
            return new Inversion(method, requireNonNullElse(gamma, USUAL_GAMMA), eta);
        }
        if (gamma != null) {
            throw Refusal.usage("--gamma belongs to --inversion rf-inversion; give that with it.");
        }
        return new Inversion(method, 1, 1);
    }

    /** Every effective setting, by flag name. */
    public static void record(ObjectNode parameters, Injection injection) {
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

    /** A method's name as it is given. */
    public static String flag(Inversion.Method method) {
        return lower(method).replace('_', '-');
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
