package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.schedule.FlowMatching;

/**
 * How references are put in.
 *
 * @param tau replacement lasts while t > tau, in [0, 1]; 1 replaces nothing
 * @param replaceAt level of replacement
 * @param referenceNoise whether the target region starts from the reference's noise
 * @param positions where reference tokens stand when they join attention; for the modes that let them join
 * @param tokenRule which tokens belong to a subject
 */
public record Injection(Mode mode, double tau, TauBasis tauBasis, ReplaceAt replaceAt, boolean referenceNoise,
        Positions positions, Perturbation perturbation, Inversion inversion, TokenMask.Rule tokenRule) {

    /** What is done with the reference's tokens. */
    public enum Mode {
        /** Token replacement while t > tau, nothing afterwards. */
        REPLACE("replace"),
        /** Token replacement while t > tau, then multi-modal attention over [image; reference; text]: the paper's method. */
        REPLACE_MMA("replace+mma"),
        /** Token replacement while t > tau, and concatenation at every step, as the public implementation can. */
        REPLACE_CONCAT("replace+concat"),
        /** Attention to the reference's tokens at every step, no replacement: the baseline that fails. */
        SHARING("sharing"),
        /** Plain generation. */
        NONE("none");

        private final String flag;

        Mode(String flag) {
            this.flag = flag;
        }

        /** Its name on the command line. */
        public String flag() {
            return flag;
        }

        boolean replaces() {
            return this == REPLACE || this == REPLACE_MMA || this == REPLACE_CONCAT;
        }
    }

    /** What tau is compared with. */
    public enum TauBasis {
        /** The shifted noise level of the step, as the public implementation does. */
        SIGMA,
        /** The share of steps still to do, as the paper writes t / T. */
        STEPS
    }

    /** The paper's settings (section 4.1): tau of the steps, multi-modal attention without positions, perturbation. */
    public static final Injection PAPER = new Injection(Mode.REPLACE_MMA, 0.8, TauBasis.STEPS, ReplaceAt.ATTENTION, false,
            Positions.ZERO, new Perturbation(Perturbation.PAPER_WINDOW, Perturbation.PAPER_MORPH, 0), Inversion.EXACT,
            TokenMask.Rule.QUARTER);

    /** How the paper's public implementation behaves; its notebooks use taus from 0.6 to 0.7. */
    public static final Injection PUBLIC = new Injection(Mode.REPLACE, 0.6, TauBasis.SIGMA, ReplaceAt.ATTENTION, false,
            Positions.TARGET, Perturbation.NONE, Inversion.EXACT, TokenMask.Rule.NEAREST);

    public Injection {
        if (!(tau >= 0 && tau <= 1)) {
            throw Refusal.usage("--tau %s is out of range; use a number from 0 (replace always) to 1 (never).", tau);
        }
        if (mode == Mode.REPLACE_CONCAT && replaceAt != ReplaceAt.ATTENTION) {
            throw Refusal.usage("--inject replace+concat replaces at attention only; leave --replace-at out or give attention.");
        }
    }

    /** Token replacement alone. */
    public Injection(double tau, TauBasis tauBasis, ReplaceAt replaceAt, boolean referenceNoise) {
        this(Mode.REPLACE, tau, tauBasis, replaceAt, referenceNoise, Positions.ZERO, Perturbation.NONE, Inversion.EXACT,
                TokenMask.Rule.QUARTER);
    }

    /** Whether each reference goes through the network on its own. */
    boolean runsReferences() {
        return switch (mode) {
            case REPLACE -> replaceAt != ReplaceAt.LATENT;
            case REPLACE_MMA, SHARING -> true;
            case REPLACE_CONCAT, NONE -> false;
        };
    }

    /** Number of leading steps that replace, those with t > tau. */
    int replacedSteps(double[] sigmas) {
        if (!mode.replaces()) {
            return 0;
        }
        if (tauBasis == TauBasis.SIGMA) {
            return FlowMatching.stepsAbove(sigmas, tau);
        }
        int steps = sigmas.length - 1;
        double[] remaining = new double[steps + 1];
        for (int i = 0; i <= steps; i++) {
            remaining[i] = (double) (steps - i) / steps;
        }
        return FlowMatching.stepsAbove(remaining, tau);
    }
}
