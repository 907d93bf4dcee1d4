package dev.likeness.model.flux;

import dev.likeness.error.Refusal;
import dev.likeness.model.ConfigJson;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import java.nio.file.Files;
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

    /**
     * The folder's config.json; for a single file what its shapes tell. How a head's width is divided among the axes they do
     * not tell: as in the folder's config.json where that fits, else as in FLUX.1.
     */
    public static FluxConfig read(ModelFiles files) {
        Path file = files.config(Component.TRANSFORMER);
        if (!files.single().containsKey(Component.TRANSFORMER)) {
            return read(file);
        }
        return of(files.shapes(Component.TRANSFORMER), Files.exists(file) ? read(file).axesDimsRope() : List.of(16, 56, 56));
    }

    private static FluxConfig of(Shapes shapes, List<Integer> axes) {
        int width = shapes.size("x_embedder.weight", 0);
        int doubleBlocks = shapes.count("transformer_blocks");
        int head = shapes.size((doubleBlocks > 0 ? "" : "single_") + "transformer_blocks.0.attn.norm_q.weight", 0);
        if (width % head != 0 || axes.stream().mapToInt(Integer::intValue).sum() != head) {
            throw Refusal.model("%s has heads of width %d in a width of %d, and how they are divided among the axes %s "
                    + "does not tell; put the model's config.json into the folder transformer of --model.", shapes.source(),
                    head, width,
                    axes);
        }
        return new FluxConfig(shapes.size("x_embedder.weight", 1), shapes.size("proj_out.weight", 0), doubleBlocks,
                shapes.count("single_transformer_blocks"), head, width / head, shapes.size("context_embedder.weight", 1),
                shapes.size("time_text_embed.text_embedder.linear_1.weight", 1),
                shapes.has("time_text_embed.guidance_embedder.linear_1.weight"), axes, 1);
    }

    /** Width d of the hidden states. */
    public int width() {
        return attentionHeadDim * numAttentionHeads;
    }
}
