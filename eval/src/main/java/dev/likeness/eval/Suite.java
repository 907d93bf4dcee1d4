package dev.likeness.eval;

import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.Injection;
import dev.likeness.task.Injection.Mode;
import dev.likeness.task.Injection.TauBasis;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What is compared with what.
 *
 * @param scenes number of scenes that each subject is put into, 1 to 3
 * @param variants plain generation is always made and not among them; one name is one way in all suites
 */
public record Suite(String name, int scenes, List<Variant> variants) {

    private static final double[] TAUS = {0.95, 0.9, 0.8, 0.7, 0.6, 0.4, 0.2, 0.1};
    private static final Perturbation PERTURBED =
            new Perturbation(Perturbation.PAPER_WINDOW, Perturbation.PAPER_MORPH, 7);

    /** Identity against prompt agreement as tau falls from 1, which is plain generation, at two levels of replacement. */
    public static Suite tau() {
        List<Variant> variants = new ArrayList<>();
        for (ReplaceAt level : List.of(ReplaceAt.LATENT, ReplaceAt.ATTENTION)) {
            for (double tau : TAUS) {
                variants.add(variant(label(level, tau), Mode.REPLACE, tau, level, Positions.ZERO, Perturbation.NONE));
            }
        }
        return new Suite("tau", 1, variants);
    }

    /** Replacement, alone and with the late stage, against attention sharing, tau 0.8. */
    public static Suite sharing() {
        double tau = 0.8;
        List<Variant> variants = new ArrayList<>();
        for (ReplaceAt level : List.of(ReplaceAt.LATENT, ReplaceAt.ATTENTION)) {
            variants.add(variant(label(level, tau), Mode.REPLACE, tau, level, Positions.ZERO, Perturbation.NONE));
            variants.add(late(level, tau, Positions.TARGET));
        }
        for (Positions positions : List.of(Positions.KEEP, Positions.ZERO, Positions.SHIFT)) {
            variants.add(variant("sharing, positions " + lower(positions), Mode.SHARING, tau, ReplaceAt.ATTENTION, positions,
                    Perturbation.NONE));
        }
        return new Suite("sharing", 3, variants);
    }

    /** Late multi-modal attention: none, with the paper's positions, with those of the public implementation. */
    public static Suite mma() {
        List<Variant> variants = new ArrayList<>();
        for (ReplaceAt level : List.of(ReplaceAt.LATENT, ReplaceAt.ATTENTION)) {
            double tau = 0.8;
            variants.add(variant(label(level, tau), Mode.REPLACE, tau, level, Positions.ZERO, Perturbation.NONE));
            for (Positions positions : List.of(Positions.ZERO, Positions.TARGET)) {
                variants.add(late(level, tau, positions));
            }
        }
        return new Suite("mma", 1, variants);
    }

    /** The same with and without perturbation. */
    public static Suite perturbation() {
        List<Variant> variants = new ArrayList<>();
        for (ReplaceAt level : List.of(ReplaceAt.LATENT, ReplaceAt.ATTENTION)) {
            for (double tau : new double[] {0.8, 0.4}) {
                variants.add(variant(label(level, tau), Mode.REPLACE, tau, level, Positions.ZERO, Perturbation.NONE));
                variants.add(variant(label(level, tau) + ", perturbed", Mode.REPLACE, tau, level, Positions.ZERO, PERTURBED));
            }
        }
        return new Suite("perturbation", 1, variants);
    }

    private static Variant variant(String name, Mode mode, double tau, ReplaceAt level, Positions positions,
            Perturbation perturbation) {
        return new Variant(name, new Injection(mode, tau, TauBasis.SIGMA, level, level == ReplaceAt.LATENT, positions,
                perturbation, Inversion.EXACT, TokenMask.Rule.QUARTER));
    }

    private static Variant late(ReplaceAt level, double tau, Positions positions) {
        return variant(label(level, tau) + ", then multi-modal attention, positions " + lower(positions), Mode.REPLACE_MMA, tau,
                level, positions, Perturbation.NONE);
    }

    private static String label(ReplaceAt level, double tau) {
        return String.format(Locale.ROOT, "%s, tau %.2f", lower(level), tau);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
