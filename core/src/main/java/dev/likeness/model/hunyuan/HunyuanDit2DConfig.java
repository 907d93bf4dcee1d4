package dev.likeness.model.hunyuan;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * config.json of a HunyuanDiT2DModel; the components are its keys.
 *
 * @param inChannels channels of a latent, 4 for HunyuanDiT
 * @param patchSize latents per token along a side
 * @param hiddenSize width d of the hidden states
 * @param mlpRatio the inner width of the feed-forward layers is d times this, rounded down
 * @param learnSigma whether the network predicts variances beside what it is asked for
 * @param crossAttentionDim width of a BERT token, and of all text tokens inside
 * @param crossAttentionDimT5 width of a T5 token
 * @param pooledProjectionDim width of the vector that the T5 tokens are pooled to
 * @param textLen number of BERT tokens
 * @param textLenT5 number of T5 tokens
 * @param useStyleCondAndImageMetaSize whether style and sizes of the picture are conditions: up to version 1.1, not from 1.2 on
 * @param sampleSize latents along a side of the pictures that it draws by default
 */
public record HunyuanDit2DConfig(
        int numAttentionHeads,
        int attentionHeadDim,
        int inChannels,
        int patchSize,
        int hiddenSize,
        int numLayers,
        double mlpRatio,
        Boolean learnSigma,
        int crossAttentionDim,
        int crossAttentionDimT5,
        int pooledProjectionDim,
        Integer textLen,
        Integer textLenT5,
        Boolean useStyleCondAndImageMetaSize,
        Integer sampleSize) {

    private static final Map<String, String> FIXED = Map.of("activation_fn", "gelu-approximate", "norm_type", "layer_norm");

    public HunyuanDit2DConfig {
        learnSigma = learnSigma == null || learnSigma;
        textLen = textLen == null ? 77 : textLen;
        textLenT5 = textLenT5 == null ? 256 : textLenT5;
        useStyleCondAndImageMetaSize = useStyleCondAndImageMetaSize == null || useStyleCondAndImageMetaSize;
        sampleSize = sampleSize == null ? 32 : sampleSize;
        if (numAttentionHeads < 1 || attentionHeadDim < 1 || inChannels < 1 || numLayers < 1 || textLen < 1 || textLenT5 < 1
                || pooledProjectionDim < 1 || crossAttentionDim < 1 || sampleSize < 1 || !(mlpRatio > 0)) {
            throw new IllegalArgumentException("num_attention_heads, attention_head_dim, in_channels, num_layers, mlp_ratio, "
                    + "pooled_projection_dim, cross_attention_dim, text_len, text_len_t5 and sample_size must be positive");
        }
        if (numLayers % 2 != 0) {
            throw new IllegalArgumentException("num_layers must be even, because the second half joins what the first half "
                    + "made; it is " + numLayers);
        }
        if (patchSize != 2) {
            throw new IllegalArgumentException("patch_size must be 2, it is " + patchSize);
        }
        if (hiddenSize != numAttentionHeads * attentionHeadDim) {
            throw new IllegalArgumentException("hidden_size " + hiddenSize + " must be num_attention_heads "
                    + numAttentionHeads + " x attention_head_dim " + attentionHeadDim);
        }
        if (attentionHeadDim % 4 != 0) {
            throw new IllegalArgumentException("attention_head_dim must be a multiple of 4, it is " + attentionHeadDim);
        }
        if (crossAttentionDimT5 < 1 || crossAttentionDimT5 % HunyuanDit2DModel.POOLER_HEADS != 0) {
            throw new IllegalArgumentException("cross_attention_dim_t5 must be a multiple of "
                    + HunyuanDit2DModel.POOLER_HEADS + ", it is " + crossAttentionDimT5);
        }
    }

    public static HunyuanDit2DConfig read(Path file) {
        return ConfigJson.read(file, HunyuanDit2DConfig.class, Set.of("dropout"), FIXED);
    }

    /** Inner width of the feed-forward layers. */
    int innerWidth() {
        return (int) (hiddenSize * mlpRatio);
    }

    /** Blocks that join what an earlier block made to their input: those after the middle one. */
    boolean joinsSkip(int block) {
        return block > numLayers / 2;
    }

    /** Blocks whose output a later one joins. */
    boolean givesSkip(int block) {
        return block < numLayers / 2 - 1;
    }
}
