package dev.likeness.inject;

import dev.likeness.denoise.Denoiser;
import dev.likeness.inversion.Trajectory;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The reference on its own way through the network: at a step that asks for it, one pass over the reference's trajectory
 * yields the hidden tokens of the subject in every block. They do not depend on the picture that is made, so a cache may
 * have them already.
 */
public final class ReferenceBranch {

    private final Denoiser denoiser;
    private final Trajectory trajectory;
    private final ReferenceCache cache;
    private final String key;
    private int evaluations;

    /**
     * @param denoiser conditioned on the reference's caption, one row, on the grid of the trajectory
     * @param key what the tokens depend on, as the cache's name for it
     */
    public ReferenceBranch(Denoiser denoiser, Trajectory trajectory, ReferenceCache cache, String key) {
        this.denoiser = denoiser;
        this.trajectory = trajectory;
        this.cache = cache;
        this.key = key;
    }

    /** Network passes made so far. */
    public int evaluations() {
        return evaluations;
    }

    /** A pass that was made outside, together with those of other references. */
    void countEvaluation() {
        evaluations++;
    }

    public Trajectory trajectory() {
        return trajectory;
    }

    /**
     * Tokens by block, each [1, n, d], owned by the open scope.
     *
     * @param rows numbers of the tokens, in the order wanted
     * @param level {@link ReplaceAt#ATTENTION} or {@link ReplaceAt#HIDDEN}
     */
    Map<Integer, Tensor> tokens(int step, double sigma, long[] rows, ReplaceAt level) {
        String part = level.name().toLowerCase(Locale.ROOT) + "-" + step;
        return cache.get(key, part, rows, needed -> evaluate(step, sigma, needed, level));
    }

    private Map<Integer, Tensor> evaluate(int step, double sigma, long[] rows, ReplaceAt level) {
        try (Scope scope = Scope.open()) {
            Map<Integer, Tensor> tokens = new HashMap<>();
            AttentionHook recorder = new AttentionHook() {
                @Override
                public Tensor hiddenStates(Site site, Tensor imageTokens) {
                    return level == ReplaceAt.HIDDEN ? record(site, imageTokens) : imageTokens;
                }

                @Override
                public Tensor attentionInput(Site site, Tensor imageTokens) {
                    return level == ReplaceAt.ATTENTION ? record(site, imageTokens) : imageTokens;
                }

                private Tensor record(Site site, Tensor imageTokens) {
                    tokens.put(site.block(), scope.keep(Ops.selectRows(imageTokens, Placed.index(rows, imageTokens))));
                    return imageTokens;
                }
            };
            denoiser.record(trajectory.at(step), step, sigma, recorder);
            evaluations++;
            return tokens;
        }
    }
}
