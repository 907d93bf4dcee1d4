package dev.likeness.inject;

import dev.likeness.denoise.StepInjection;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Timestep-adaptive token replacement (paper section 3.2): X_hat = X (1 - M) + X_ref M in the first steps, on tokens
 * without their positional encoding; the target's own positions apply afterwards. Several references are put in one after
 * the other. Serves any number of runs over one schedule.
 */
public final class TokenReplacement implements StepInjection {

    private final List<Placed> references;
    private final ReplaceAt level;
    private final int replacedSteps;

    /** @param replacedSteps number of leading steps that replace, those with t > tau */
    public TokenReplacement(List<Placed> references, ReplaceAt level, int replacedSteps) {
        this.references = references;
        this.level = level;
        this.replacedSteps = replacedSteps;
    }

    @Override
    public Tensor latents(int step, double sigma, Tensor latents) {
        for (int i = 0; i < references.size() && step < replacedSteps && level == ReplaceAt.LATENT; i++) {
            latents = references.get(i).putInto(latents, step);
        }
        return latents;
    }

    @Override
    public AttentionHook hook(int step, double sigma) {
        if (step >= replacedSteps || level == ReplaceAt.LATENT) {
            return AttentionHook.NONE;
        }
        List<Map<Integer, Tensor>> tokens = Placed.tokens(references, step, sigma, level);
        return new AttentionHook() {
            @Override
            public Tensor hiddenStates(Site site, Tensor imageTokens) {
                return level == ReplaceAt.HIDDEN ? replace(site, imageTokens) : imageTokens;
            }

            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                return level == ReplaceAt.ATTENTION ? replace(site, imageTokens) : imageTokens;
            }

            private Tensor replace(Site site, Tensor imageTokens) {
                return put(references, tokens.stream().map(blocks -> blocks.get(site.block())).toList(), imageTokens);
            }
        };
    }

    /**
     * Image tokens [B, N, d] with the subjects' in the places where they go.
     *
     * @param subjects tokens by reference, each [1, n, d]
     */
    static Tensor put(List<Placed> references, List<Tensor> subjects, Tensor imageTokens) {
        Tensor edited = imageTokens;
        for (int i = 0; i < references.size(); i++) {
            Tensor rows = Tensors.onDeviceOf(subjects.get(i), edited).expand(edited.size(0), -1, -1);
            edited = Ops.replaceRows(edited, Placed.index(references.get(i).placement().target(), edited), rows);
        }
        return edited;
    }
}
