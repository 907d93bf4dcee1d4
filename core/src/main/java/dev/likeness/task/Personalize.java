package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.Evaluations;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.ReferenceBranch;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inject.TokenReplacement;
import dev.likeness.inversion.Trajectory;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.tensor.Scope;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Puts the subject of a reference picture into a new picture (paper, section 3; single subject). */
public final class Personalize {

    /**
     * The noise that the reference's trajectory starts from. It is the same for every picture: so the reference's tokens serve
     * all of them, and a picture does not depend on which others were made with it. Were it the picture's own seed, reference
     * and target would share their noise token by token, and replacement would look better than it is.
     */
    private static final long REFERENCE_SEED = 0x4C696B656E657373L;

    private Personalize() {}

    /** What tau is compared with. */
    public enum TauBasis {
        /** The shifted noise level of the step, as the public implementation does. */
        SIGMA,
        /** The share of steps still to do, as the paper writes t / T. */
        STEPS;

        /** Number of leading steps with t > tau. */
        int stepsAbove(double[] sigmas, double tau) {
            if (this == SIGMA) {
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

    /**
     * How the reference is put in.
     *
     * @param tau replacement lasts while t > tau, in [0, 1]; 1 replaces nothing
     * @param replaceAt level of replacement
     * @param referenceNoise whether the target region starts from the reference's noise
     */
    public record Injection(double tau, TauBasis tauBasis, ReplaceAt replaceAt, boolean referenceNoise) {
        public Injection {
            if (!(tau >= 0 && tau <= 1)) {
                throw Refusal.usage("--tau %s is out of range; use a number from 0 (replace always) to 1 (never).", tau);
            }
        }
    }

    /**
     * A reference of the canvas's size; see {@link ReferenceFit}.
     *
     * @param mask white where the subject is
     * @param caption what the reference shows; may be empty
     * @param layout where the subject goes; null leaves it where it is
     */
    public record Subject(Picture picture, Mask mask, String caption, Layout layout) {}

    /** @throws dev.likeness.denoise.Cancelled when the listener asked for it */
    public static Generation run(FluxModel model, String prompt, Subject subject, Injection injection, Sampling sampling,
            TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        Placement placement = Placement.of(TokenMask.of(subject.mask(), TokenMask.MIN_SHARE), subject.layout());
        try (Scope scope = Scope.open()) {
            stopwatch.phase("load");
            model.load();
            double[] sigmas = model.sigmas(sampling);
            int replacedSteps = injection.tauBasis().stepsAbove(sigmas, injection.tau());

            stopwatch.phase("text");
            Conditioning target = model.conditioning(prompt, sampling);
            Conditioning source = Conditioning.of(model.text(subject.caption(), sampling), model.guidance(sampling));
            Denoiser denoiser = new Denoiser(model.transformer(), target, sampling.rows(), sampling.columns());
            Denoiser referenceDenoiser = new Denoiser(model.transformer(), source, sampling.rows(), sampling.columns());

            stopwatch.phase("encode");
            Tensor clean = model.encode(subject.picture());
            Trajectory trajectory = Trajectory.exact(clean, model.noise(REFERENCE_SEED, sampling), sigmas);
            ReferenceBranch reference = new ReferenceBranch(referenceDenoiser, trajectory);
            try (TokenReplacement replacement = new TokenReplacement(reference, placement, injection.replaceAt(),
                    injection.referenceNoise(), replacedSteps, sampling.count() > 1)) {
                List<Generation.Image> images = Generate.images(model, denoiser, sigmas, replacement, sampling, listener,
                        stopwatch);
                Evaluations evaluations = denoiser.evaluations(sampling.steps() * sampling.count())
                        .plus(new Evaluations(0, 0, reference.evaluations(), 0));
                return new Generation(images, evaluations, stopwatch.stop(), warnings(placement));
            }
        }
    }

    private static List<String> warnings(Placement placement) {
        return placement.clipped() == 0
                ? List.of()
                : List.of(String.format("%d of %d tokens of the subject fall outside the canvas and were dropped.",
                        placement.clipped(), placement.clipped() + placement.source().length));
    }
}
