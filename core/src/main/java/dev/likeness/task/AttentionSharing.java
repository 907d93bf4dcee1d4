package dev.likeness.task;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import java.util.List;

/**
 * A picture whose tokens attend to all tokens of a reference as well, in every block and at every step: attention sharing, the
 * baseline that the paper's analysis looks at (section 3.1 and supplement, section 6).
 */
public final class AttentionSharing {

    private AttentionSharing() {}

    /**
     * @param reference of the canvas's size; goes along its exact trajectory, from noise of its own
     * @param caption what it shows
     * @param positions where its tokens stand: {@link Positions#KEEP}, {@link Positions#ZERO} or {@link Positions#SHIFT}
     * @param watch sees queries and keys of every block and step, the reference's keys last, in row-major order
     */
    public static Generation run(FluxModel model, String prompt, Picture reference, String caption, Positions positions,
            Sampling sampling, AttentionHook watch, TaskListener listener) {
        Subject whole = new Subject(reference, Mask.full(reference.width(), reference.height()), caption, null);
        Injection sharing = new Injection(Injection.Mode.SHARING, 1, Injection.TauBasis.SIGMA, ReplaceAt.ATTENTION, false,
                positions, Perturbation.NONE, Inversion.EXACT, TokenMask.Rule.QUARTER);
        return Personalize.run(model, prompt, List.of(whole), sharing, false, sampling, watch, listener);
    }
}
