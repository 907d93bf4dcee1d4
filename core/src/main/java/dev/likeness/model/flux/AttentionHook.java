package dev.likeness.model.flux;

import dev.likeness.tensor.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * What a caller may see and change inside the transformer's forward pass. Immutable and an argument of
 * {@link FluxTransformer#forward}: there is no global state, and several hooks compose with {@link #then}.
 */
public interface AttentionHook {

    /** Changes nothing. */
    AttentionHook NONE = new AttentionHook() {};

    /**
     * Where in the network and in the denoising a hook is called.
     *
     * @param block 0-based, double-stream blocks first, single-stream blocks counted on from there
     * @param step 0-based denoising step
     * @param sigma noise level of the step, in [0, 1]
     * @param textTokens number L of text tokens
     * @param imageTokens number N of image tokens
     */
    record Site(int block, int step, double sigma, long textTokens, long imageTokens) {}

    /** The residual stream of the image tokens [B, N, d] as it enters a block. */
    default Tensor hiddenStates(Site site, Tensor imageTokens) {
        return imageTokens;
    }

    /**
     * The input of the attention projections of the image tokens [B, N, d]: after norm and modulation, before queries, keys
     * and values. The MLP path of a single-stream block sees the unedited input.
     */
    default Tensor attentionInput(Site site, Tensor imageTokens) {
        return imageTokens;
    }

    /**
     * Tokens from elsewhere that every query of a block attends to as well, after text and image.
     *
     * @param tokens rows in the form of attention inputs, [B, n, d] or [1, n, d]; the block's own image projections make their
     *     keys and values
     * @param rotation rotary unit vectors of their positions, complex64 [n, D/2]
     */
    record Appended(Tensor tokens, Tensor rotation) {}

    /**
     * What joins the attention of a block.
     *
     * @param imageTokens the input of the attention projections [B, N, d], as it was before {@link #attentionInput} edited it
     * @return null for nothing
     */
    default Appended appended(Site site, Tensor imageTokens) {
        return null;
    }

    /**
     * Shows queries and keys after normalisation and rotation, before the softmax over all keys.
     *
     * @param q [B, H, L + N, D], text first
     * @param k [B, H, L + N + n, D], appended tokens last
     */
    default void attention(Site site, Tensor q, Tensor k) {}

    /** This hook first, then the other one on its result. */
    default AttentionHook then(AttentionHook next) {
        if (this == NONE) {
            return next;
        }
        if (next == NONE) {
            return this;
        }
        AttentionHook first = this;
        return new AttentionHook() {
            @Override
            public Tensor hiddenStates(Site site, Tensor imageTokens) {
                return next.hiddenStates(site, first.hiddenStates(site, imageTokens));
            }

            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                return next.attentionInput(site, first.attentionInput(site, imageTokens));
            }

            @Override
            public Appended appended(Site site, Tensor imageTokens) {
                Appended mine = first.appended(site, imageTokens);
                Appended others = next.appended(site, imageTokens);
                if (mine == null || others == null) {
                    return mine == null ? others : mine;
                }
                return new Appended(Ops.cat(1, mine.tokens, others.tokens), Ops.cat(0, mine.rotation, others.rotation));
            }

            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                first.attention(site, q, k);
                next.attention(site, q, k);
            }
        };
    }
}
