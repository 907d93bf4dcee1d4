package dev.likeness.inject;

import dev.likeness.denoise.StepInjection;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Every token also attends to the subjects' reference tokens. In the late steps this is the paper's multi-modal attention
 * over [image; reference; text] (section 3.2); in all steps it is attention sharing, the baseline that fails on diffusion
 * transformers (section 3.1).
 */
public final class ReferenceAttention implements StepInjection {

    private final List<Placed> references;
    private final Tensor rotation; // complex [n of all references, D/2]
    private final int from;
    private final int until;

    /**
     * Its tensors belong to the scope that is open when it is made.
     *
     * @param columns token columns of the canvas
     * @param from first step, 0-based
     * @param until the step after the last one
     */
    public ReferenceAttention(List<Placed> references, Positions positions, FluxTransformer transformer, int columns,
            int from, int until) {
        this.references = references;
        this.rotation = rotation(references, positions, transformer, columns);
        this.from = from;
        this.until = until;
    }

    /** Rotary unit vectors of all references' tokens, one reference after the other, complex64 [n, D/2]. */
    static Tensor rotation(List<Placed> references, Positions positions, FluxTransformer transformer, int columns) {
        return Ops.cat(0, references.stream()
                .map(placed -> transformer.rotation(positions.ids(placed.placement(), columns))).toArray(Tensor[]::new));
    }

    @Override
    public AttentionHook hook(int step, double sigma) {
        if (step < from || step >= until) {
            return AttentionHook.NONE;
        }
        List<Map<Integer, Tensor>> tokens = Placed.tokens(references, step, sigma, ReplaceAt.ATTENTION);
        return new AttentionHook() {
            @Override
            public Appended appended(Site site, Tensor imageTokens) {
                Tensor[] rows = tokens.stream()
                        .map(blocks -> Tensors.onDeviceOf(blocks.get(site.block()), imageTokens)).toArray(Tensor[]::new);
                return new Appended(Ops.cat(1, rows), rotation);
            }
        };
    }
}
