package dev.likeness.inject;

import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Token concatenation exactly as the public implementation of the paper has it: at every step, all references and the
 * picture attend to the tokens of all subjects, at the places where these go; while t > tau the picture's tokens are
 * replaced as well. Because the references attend to each other, they run as one batch, and nothing of it can be cached.
 */
public final class Concatenation implements StepInjection {

    private final List<Placed> references;
    private final Denoiser denoiser;
    private final Tensor rotation; // complex [n of all references, D/2]
    private final int replacedSteps;

    /**
     * Its tensors belong to the scope that is open when it is made.
     *
     * @param denoiser of all references, one row each in their order
     * @param columns token columns of the canvas
     */
    public Concatenation(List<Placed> references, Denoiser denoiser, FluxTransformer transformer, int columns,
            int replacedSteps) {
        this.references = references;
        this.denoiser = denoiser;
        this.rotation = ReferenceAttention.rotation(references, Positions.TARGET, transformer, columns);
        this.replacedSteps = replacedSteps;
    }

    @Override
    public AttentionHook hook(int step, double sigma) {
        Map<Integer, List<Tensor>> tokens = evaluate(step, sigma);
        return new AttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                return step < replacedSteps
                        ? TokenReplacement.put(references, tokens.get(site.block()), imageTokens)
                        : imageTokens;
            }

            @Override
            public Appended appended(Site site, Tensor imageTokens) {
                return new Appended(Ops.cat(1, tokens.get(site.block()).toArray(Tensor[]::new)), rotation);
            }
        };
    }

    /** One pass of all references; by block the subjects' attention inputs, each [1, n, d]. */
    private Map<Integer, List<Tensor>> evaluate(int step, double sigma) {
        try (Scope scope = Scope.open()) {
            Map<Integer, List<Tensor>> tokens = new HashMap<>();
            AttentionHook shared = new AttentionHook() {
                @Override
                public Appended appended(Site site, Tensor imageTokens) {
                    List<Tensor> subjects = new ArrayList<>();
                    for (int i = 0; i < references.size(); i++) {
                        Tensor index = Placed.index(references.get(i).placement().source(), imageTokens);
                        subjects.add(scope.keep(Ops.selectRows(imageTokens.narrow(0, i, 1), index)));
                    }
                    tokens.put(site.block(), subjects);
                    return new Appended(Ops.cat(1, subjects.toArray(Tensor[]::new)), rotation);
                }
            };
            Tensor[] latents = references.stream().map(placed -> placed.reference().trajectory().at(step)).toArray(Tensor[]::new);
            denoiser.record(Ops.cat(0, latents), step, sigma, shared);
            references.forEach(placed -> placed.reference().countEvaluation());
            return tokens;
        }
    }
}
