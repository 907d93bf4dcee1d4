package dev.likeness.inject;

import dev.likeness.denoise.StepInjection;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.reference.Placement;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Timestep-adaptive token replacement (paper section 3.2): X_hat = X (1 - M) + X_ref M in the first steps, on tokens
 * without their positional encoding; the target's own positions apply afterwards.
 *
 * <p>Serves any number of runs over one schedule. The reference's tokens do not depend on the run, so they can be kept for
 * the next one; closing frees them.
 */
public final class TokenReplacement implements StepInjection, AutoCloseable {

    private final ReferenceBranch reference;
    private final ReplaceAt level;
    private final boolean referenceNoise;
    private final int replacedSteps;
    private final boolean keepTokens;
    private final Map<Integer, Map<Integer, Tensor>> kept = new HashMap<>(); // by step, then block, each [1, n, d]
    private final Tensor source; // [n]
    private final Tensor target; // [n]

    /**
     * Its tensors belong to the scope that is open when it is made.
     *
     * @param replacedSteps number of leading steps that replace, those with t > tau
     * @param referenceNoise whether the target region starts from the reference's noise (moved along) instead of its own
     * @param keepTokens whether there will be further runs, which then need no reference pass; costs memory for the tokens of
     *     every block and replaced step
     */
    public TokenReplacement(ReferenceBranch reference, Placement placement, ReplaceAt level, boolean referenceNoise,
            int replacedSteps, boolean keepTokens) {
        this.reference = reference;
        this.level = level;
        this.referenceNoise = referenceNoise;
        this.replacedSteps = replacedSteps;
        this.keepTokens = keepTokens;
        source = Tensors.of(placement.source(), placement.source().length);
        target = Tensors.of(placement.target(), placement.target().length);
    }

    @Override
    public Tensor latents(int step, double sigma, Tensor latents) {
        boolean replaced = step < replacedSteps && (level == ReplaceAt.LATENT || referenceNoise && step == 0);
        if (!replaced) {
            return latents;
        }
        Tensor tokens = reference.trajectory().at(sigma);
        return Ops.replaceRows(latents, target, Ops.selectRows(tokens, source));
    }

    @Override
    public AttentionHook hook(int step, double sigma) {
        if (step >= replacedSteps || level == ReplaceAt.LATENT) {
            return AttentionHook.NONE;
        }
        boolean hidden = level == ReplaceAt.HIDDEN;
        Map<Integer, Tensor> tokens = tokens(step, sigma, hidden);
        return new AttentionHook() {
            @Override
            public Tensor hiddenStates(Site site, Tensor imageTokens) {
                return hidden ? replace(site, imageTokens) : imageTokens;
            }

            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                return hidden ? imageTokens : replace(site, imageTokens);
            }

            private Tensor replace(Site site, Tensor imageTokens) {
                Tensor rows = tokens.get(site.block()).expand(imageTokens.size(0), -1, -1);
                return Ops.replaceRows(imageTokens, Tensors.onDeviceOf(target, imageTokens), rows);
            }
        };
    }

    private Map<Integer, Tensor> tokens(int step, double sigma, boolean hidden) {
        Map<Integer, Tensor> tokens = kept.get(step);
        if (tokens == null) {
            tokens = reference.tokens(step, sigma, source, hidden);
            if (keepTokens) {
                tokens.values().forEach(Scope::own);
                kept.put(step, tokens);
            }
        }
        return tokens;
    }

    @Override
    public void close() {
        kept.values().forEach(tokens -> tokens.values().forEach(Scope::release));
        kept.clear();
    }
}
