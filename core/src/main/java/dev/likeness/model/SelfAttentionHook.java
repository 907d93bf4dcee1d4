package dev.likeness.model;

import dev.likeness.tensor.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * What a caller may see and change in the self-attention of a network whose text comes in by cross-attention: the U-Net of
 * Stable Diffusion, HunyuanDiT. Immutable and an argument of {@code forward}; several hooks compose with {@link #then}. The
 * FLUX transformer has its own, because image and text meet in one attention there.
 */
public interface SelfAttentionHook {

    /** Changes nothing. */
    SelfAttentionHook NONE = new SelfAttentionHook() {};

    /**
     * Where in the network and in the denoising a hook is called.
     *
     * @param layer 0-based self-attention layer, in the order of the data flow
     * @param layers how many there are
     * @param step 0-based denoising step
     * @param timestep of the first row of the batch, from 0 (image) to about 1000 (noise)
     * @param rows of the layer's grid of tokens; N = rows * columns tokens, row by row
     * @param columns of the layer's grid of tokens
     */
    record Site(int layer, int layers, int step, double timestep, int rows, int columns) {}

    /** The input of the self-attention's projections [B, N, C], after the norm, before queries, keys and values. */
    default Tensor attentionInput(Site site, Tensor tokens) {
        return tokens;
    }

    /**
     * Tokens from elsewhere that every query of a layer attends to as well.
     *
     * @param tokens rows in the form of attention inputs, [B, n, C] or [1, n, C]; the layer's own projections make their keys
     *     and values
     * @param rotation rotary unit vectors of their positions, complex64 [n, D/2]; null where attention knows no positions, as in
     *     the U-Net
     */
    record Appended(Tensor tokens, Tensor rotation) {}

    /**
     * What joins a layer's keys and values.
     *
     * @param tokens the input of the projections [B, N, C], as it was before {@link #attentionInput} edited it
     * @return null for nothing
     */
    default Appended appended(Site site, Tensor tokens) {
        return null;
    }

    /**
     * Shows queries and keys as the scores are made of them, before the softmax over all keys.
     *
     * @param q [B, H, N, D]
     * @param k [B, H, N + n, D], appended tokens last
     */
    default void attention(Site site, Tensor q, Tensor k) {}

    /** This hook first, then the other one on its result. */
    default SelfAttentionHook then(SelfAttentionHook next) {
        if (this == NONE) {
            return next;
        }
        if (next == NONE) {
            return this;
        }
        SelfAttentionHook first = this;
        return new SelfAttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor tokens) {
                return next.attentionInput(site, first.attentionInput(site, tokens));
            }

            @Override
            public Appended appended(Site site, Tensor tokens) {
                Appended mine = first.appended(site, tokens);
                Appended others = next.appended(site, tokens);
                if (mine == null || others == null) {
                    return mine == null ? others : mine;
                }
                Tensor rotation = mine.rotation == null ? null : Ops.cat(0, mine.rotation, others.rotation);
                return new Appended(Ops.cat(1, mine.tokens, others.tokens), rotation);
            }

            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                first.attention(site, q, k);
                next.attention(site, q, k);
            }
        };
    }
}
