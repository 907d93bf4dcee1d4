package dev.likeness.model.flux;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * config.json of a FluxTransformer2DModel; the components are its keys.
 *
 * @param inChannels width of a packed latent token, 64 for FLUX.1
 * @param numLayers double-stream blocks
 * @param numSingleLayers single-stream blocks
 * @param jointAttentionDim width of a text token
 * @param pooledProjectionDim width of the pooled text vector
 * @param guidanceEmbeds whether guidance is distilled into an embedding (dev, Toybox) or not (schnell)
 * @param axesDimsRope head width given to each of the three position axes (text, row, column)
 */
public record FluxConfig(
        int inChannels,
        Integer outChannels,
        int numLayers,
        int numSingleLayers,
        int attentionHeadDim,
        int numAttentionHeads,
        int jointAttentionDim,
        int pooledProjectionDim,
        boolean guidanceEmbeds,
        List<Integer> axesDimsRope,
        Integer patchSize) {

    public FluxConfig {
        if (inChannels < 1 || numLayers < 0 || numSingleLayers < 0 || attentionHeadDim < 2 || numAttentionHeads < 1
                || jointAttentionDim < 1 || pooledProjectionDim < 1) {
            throw new IllegalArgumentException("in_channels, num_layers, num_single_layers, attention_head_dim, "
                    + "num_attention_heads, joint_attention_dim and pooled_projection_dim must be given and positive");
        }
        if (patchSize != null && patchSize != 1) {
            throw new IllegalArgumentException("patch_size must be 1, it is " + patchSize);
        }
        outChannels = outChannels == null ? inChannels : outChannels;
        axesDimsRope = axesDimsRope == null ? List.of(16, 56, 56) : List.copyOf(axesDimsRope);
        int sum = axesDimsRope.stream().mapToInt(Integer::intValue).sum();
        if (sum != attentionHeadDim || axesDimsRope.stream().anyMatch(axis -> axis % 2 != 0)) {
            throw new IllegalArgumentException("axes_dims_rope " + axesDimsRope
                    + " must be even numbers that sum to attention_head_dim " + attentionHeadDim);
        }
    }

    public static FluxConfig read(Path file) {
        return ConfigJson.read(file, FluxConfig.class, Set.of());
    }

    /** The same network with or without a guidance embedding. */
    public FluxConfig withGuidanceEmbeds(boolean embeds) {
        return new FluxConfig(inChannels, outChannels, numLayers, numSingleLayers, attentionHeadDim, numAttentionHeads,
                jointAttentionDim, pooledProjectionDim, embeds, axesDimsRope, patchSize);
    }

    /** Width d of the hidden states. */
    public int width() {
        return attentionHeadDim * numAttentionHeads;
    }
}
