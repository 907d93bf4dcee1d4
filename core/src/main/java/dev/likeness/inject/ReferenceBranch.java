package dev.likeness.inject;

import dev.likeness.denoise.Denoiser;
import dev.likeness.inversion.Trajectory;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The reference on its own way through the network: at a step that asks for it, one pass over the reference's trajectory
 * yields the hidden tokens of the subject in every block.
 */
public final class ReferenceBranch {

    private final Denoiser denoiser;
    private final Trajectory trajectory;
    private int evaluations;

    /** @param denoiser conditioned on the reference's caption, one row, on the grid of the trajectory */
    public ReferenceBranch(Denoiser denoiser, Trajectory trajectory) {
        this.denoiser = denoiser;
        this.trajectory = trajectory;
    }

    /** Network passes made so far. */
    public int evaluations() {
        return evaluations;
    }

    public Trajectory trajectory() {
        return trajectory;
    }

    /**
     * The subject's tokens by block, each [1, n, d], owned by the open scope.
     *
     * @param source numbers of the subject's tokens, [n]
     */
    Map<Integer, Tensor> tokens(int step, double sigma, Tensor source, boolean hiddenStates) {
        try (Scope scope = Scope.open()) {
            Map<Integer, Tensor> tokens = new HashMap<>();
            AttentionHook recorder = new AttentionHook() {
                @Override
                public Tensor hiddenStates(Site site, Tensor imageTokens) {
                    return hiddenStates ? record(site, imageTokens) : imageTokens;
                }

                @Override
                public Tensor attentionInput(Site site, Tensor imageTokens) {
                    return hiddenStates ? imageTokens : record(site, imageTokens);
                }

                private Tensor record(Site site, Tensor imageTokens) {
                    tokens.put(site.block(), scope.keep(Ops.selectRows(imageTokens, Tensors.onDeviceOf(source, imageTokens))));
                    return imageTokens;
                }
            };
            denoiser.velocity(trajectory.at(sigma), step, sigma, recorder);
            evaluations++;
            return tokens;
        }
    }
}
