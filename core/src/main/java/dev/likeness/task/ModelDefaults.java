package dev.likeness.task;

import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.model.ConfigJson;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Settings that suit a model; what the user gives wins. They stand in {@code likeness.json} of the model folder, and
 * follow from the architecture where there is no such file.
 *
 * @param guidanceScale distilled guidance, for models that embed it
 * @param trueCfgScale classifier-free guidance; 1 means one pass a step
 * @param maxSequenceLength text tokens given to the transformer
 * @param tau replacement lasts while t > tau, in [0, 1]
 * @param replaceAt level of token replacement
 * @param referenceNoise whether the target region starts from the reference's noise
 * @param perturb whether the subject's tokens are perturbed
 * @param inpaintTau tau of inpainting
 * @param outpaintTau tau of outpainting
 */
public record ModelDefaults(int width, int height, int steps, double guidanceScale, double trueCfgScale,
        int maxSequenceLength, double tau, ReplaceAt replaceAt, boolean referenceNoise, boolean perturb, double inpaintTau,
        double outpaintTau) {

    /** FLUX.1-dev as the paper's public implementation and its notebooks run it. */
    public static final ModelDefaults DEV =
            new ModelDefaults(1024, 1024, 28, 3.5, 1, 512, 0.8, ReplaceAt.ATTENTION, false, false, 0.45, 0.7);
    private static final ModelDefaults SCHNELL =
            new ModelDefaults(1024, 1024, 4, 0, 1, 256, 0.8, ReplaceAt.ATTENTION, false, false, 0.45, 0.7);

    /** The model's way to put references in. @param tau of the task */
    public Injection injection(double tau) {
        Perturbation perturbation =
                perturb ? new Perturbation(Perturbation.PAPER_WINDOW, Perturbation.PAPER_MORPH, 0) : Perturbation.NONE;
        return new Injection(Injection.Mode.REPLACE, tau, Injection.TauBasis.SIGMA, replaceAt, referenceNoise,
                Positions.ZERO, perturbation, Inversion.EXACT, TokenMask.Rule.QUARTER);
    }

    static ModelDefaults read(Path modelFolder, FluxConfig transformer) {
        Path file = modelFolder.resolve("likeness.json");
        if (Files.exists(file)) {
            return ConfigJson.read(file, ModelDefaults.class, Set.of());
        }
        return transformer.guidanceEmbeds() ? DEV : SCHNELL;
    }
}
