package dev.likeness.inject;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.image.Mask;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.schedule.Diffusion;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The reference on its own way through a U-Net, which knows no positions and attends on grids of several sizes: at each step one
 * pass over the reference at that noise level yields the input of every self-attention layer, which the picture attends to, or
 * takes in place of its own. {@link DiffusionReplacement} is for transformers, whose layers share one grid.
 */
public final class UNetReference {

    /** Share of a token's pixels that the subject must have for the token to be the subject's. */
    private static final float SHARE = 0.25f;

    private final DiffusionSampler sampler;
    private final Tensor clean;
    private final Tensor noise;
    private final List<Diffusion.Step> steps;

    /**
     * @param sampler that follows the reference's caption, without guidance
     * @param clean the reference's latents [1, C, h, w], float32
     * @param noise the same shape; the reference is seen at every level with this noise, which is where its exact trajectory is
     */
    public UNetReference(DiffusionSampler sampler, Tensor clean, Tensor noise, List<Diffusion.Step> steps) {
        this.sampler = sampler;
        this.clean = clean;
        this.noise = noise;
        this.steps = steps;
    }

    /** Attention sharing: every token attends to all of the reference's tokens of its layer as well. */
    public SelfAttentionHook sharing(int step) {
        Map<Integer, Tensor> tokens = tokens(step);
        return new SelfAttentionHook() {
            @Override
            public Appended appended(Site site, Tensor own) {
                return new Appended(tokens.get(site.layer()), null);
            }
        };
    }

    /**
     * Token replacement: the subject's tokens take the place of the picture's own, in place, in every layer. The mask is laid on
     * each layer's grid; a token belongs to the subject when a quarter of it does.
     */
    public SelfAttentionHook replacement(int step, Mask mask) {
        Map<Integer, Tensor> tokens = tokens(step);
        return new SelfAttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor own) {
                Mask grid = mask.resize(site.columns(), site.rows());
                long[] covered = IntStream.range(0, site.rows() * site.columns())
                        .filter(i -> grid.coverage(i % site.columns(), i / site.columns()) >= SHARE).asLongStream().toArray();
                if (covered.length == 0) {
                    return own;
                }
                Tensor index = Placed.index(covered, own);
                Tensor subject = Ops.selectRows(tokens.get(site.layer()), index).expand(own.size(0), -1, -1);
                return Ops.replaceRows(own, index, subject);
            }
        };
    }

    /** Inputs of self-attention by layer, each [1, N, C], owned by the open scope. */
    private Map<Integer, Tensor> tokens(int step) {
        try (Scope scope = Scope.open()) {
            Diffusion.Step at = steps.get(step);
            Tensor latents = clean.mul(new Scalar(Math.sqrt(at.from()))).add(noise.mul(new Scalar(Math.sqrt(1 - at.from()))));
            Map<Integer, Tensor> tokens = new HashMap<>();
            sampler.predict(latents, at.timestep(), step, new SelfAttentionHook() {
                @Override
                public Tensor attentionInput(Site site, Tensor own) {
                    tokens.put(site.layer(), scope.keep(own.alias()));
                    return own;
                }
            });
            return tokens;
        }
    }
}
