package dev.likeness.model.unet;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonFormat.Feature;
import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * config.json of a UNet2DConditionModel; the components are its keys. Lists by level may be one number for all levels in the
 * file.
 *
 * @param sampleSize side of the latents in training; without effect on numbers
 * @param inChannels channels of the latents
 * @param downBlockTypes by level from the finest: CrossAttnDownBlock2D, or DownBlock2D without attention
 * @param upBlockTypes by level from the coarsest: CrossAttnUpBlock2D, or UpBlock2D without attention
 * @param blockOutChannels by level from the finest
 * @param layersPerBlock residual blocks of a level on the way down; one more on the way up
 * @param crossAttentionDim width of a text token
 * @param attentionHeadDim by level the <em>number</em> of heads: the public key has the wrong name and keeps it
 * @param transformerLayersPerBlock by level the layers of each of its transformers
 * @param useLinearProjection whether transformers begin and end with linear layers (2.1, SDXL) or 1 x 1 convolutions (1.5)
 * @param upcastAttention whether scores of attention are beyond two bytes a number (2.1): they are computed in float32
 * @param additionEmbedType text_time where a pooled text and the picture's sizes condition as well (SDXL), else null
 * @param additionTimeEmbedDim width of the embedding of each of those sizes
 * @param projectionClassEmbeddingsInputDim width of pooled text and embedded sizes together
 */
public record UNet2DConditionConfig(
        Integer sampleSize,
        int inChannels,
        int outChannels,
        List<String> downBlockTypes,
        List<String> upBlockTypes,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int crossAttentionDim,
        @JsonFormat(with = Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) List<Integer> attentionHeadDim,
        @JsonFormat(with = Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) List<Integer> transformerLayersPerBlock,
        int normNumGroups,
        Double normEps,
        Boolean useLinearProjection,
        Boolean upcastAttention,
        String additionEmbedType,
        Integer additionTimeEmbedDim,
        Integer projectionClassEmbeddingsInputDim) {

    /** Without effect on numbers: dropout, and what only other kinds of blocks read. */
    private static final Set<String> UNUSED = Set.of("dropout", "resnet_out_scale_factor", "resnet_skip_time_act",
            "addition_embed_type_num_heads", "mid_block_only_cross_attention", "cross_attention_norm");
    private static final Map<String, String> FIXED = Map.ofEntries(
            Map.entry("center_input_sample", "false"), Map.entry("flip_sin_to_cos", "true"), Map.entry("freq_shift", "0"),
            Map.entry("mid_block_type", "UNetMidBlock2DCrossAttn"), Map.entry("only_cross_attention", "false"),
            Map.entry("downsample_padding", "1"), Map.entry("mid_block_scale_factor", "1"), Map.entry("act_fn", "silu"),
            Map.entry("reverse_transformer_layers_per_block", "null"), Map.entry("encoder_hid_dim", "null"),
            Map.entry("encoder_hid_dim_type", "null"), Map.entry("num_attention_heads", "null"),
            Map.entry("dual_cross_attention", "false"), Map.entry("class_embed_type", "null"),
            Map.entry("num_class_embeds", "null"), Map.entry("resnet_time_scale_shift", "default"),
            Map.entry("time_embedding_type", "positional"), Map.entry("time_embedding_dim", "null"),
            Map.entry("time_embedding_act_fn", "null"), Map.entry("timestep_post_act", "null"),
            Map.entry("time_cond_proj_dim", "null"), Map.entry("conv_in_kernel", "3"), Map.entry("conv_out_kernel", "3"),
            Map.entry("attention_type", "default"), Map.entry("class_embeddings_concat", "false"));
    private static final int TIME_IDS = 6;

    public UNet2DConditionConfig {
        if (blockOutChannels == null || blockOutChannels.isEmpty() || inChannels < 1 || outChannels < 1 || layersPerBlock < 1
                || crossAttentionDim < 1) {
            throw new IllegalArgumentException("in_channels, out_channels, block_out_channels, layers_per_block and "
                    + "cross_attention_dim must be given and positive");
        }
        blockOutChannels = List.copyOf(blockOutChannels);
        int levels = blockOutChannels.size();
        downBlockTypes = types("down_block_types", downBlockTypes, levels, "CrossAttnDownBlock2D", "DownBlock2D");
        upBlockTypes = types("up_block_types", upBlockTypes, levels, "CrossAttnUpBlock2D", "UpBlock2D");
        attentionHeadDim = byLevel("attention_head_dim", attentionHeadDim, levels, 8);
        transformerLayersPerBlock = byLevel("transformer_layers_per_block", transformerLayersPerBlock, levels, 1);
        for (int i = 0; i < levels; i++) {
            int channels = blockOutChannels.get(i);
            if (normNumGroups < 1 || channels % normNumGroups != 0) {
                throw new IllegalArgumentException("norm_num_groups must divide every entry of block_out_channels");
            }
            boolean attends = downAttends(downBlockTypes, i) || upAttends(upBlockTypes, levels - 1 - i) || i == levels - 1;
            if (attends && channels % attentionHeadDim.get(i) != 0) {
                throw new IllegalArgumentException("attention_head_dim, the number of heads, must divide block_out_channels");
            }
        }
        normEps = normEps == null ? 1e-5 : normEps;
        useLinearProjection = useLinearProjection != null && useLinearProjection;
        upcastAttention = upcastAttention != null && upcastAttention;
        if (additionEmbedType == null) {
            additionTimeEmbedDim = null;
            projectionClassEmbeddingsInputDim = null;
        } else if (!additionEmbedType.equals("text_time")) {
            throw new IllegalArgumentException("addition_embed_type must be text_time or null, it is " + additionEmbedType);
        } else if (additionTimeEmbedDim == null || projectionClassEmbeddingsInputDim == null
                || projectionClassEmbeddingsInputDim <= TIME_IDS * additionTimeEmbedDim) {
            throw new IllegalArgumentException("projection_class_embeddings_input_dim must hold a pooled text and "
                    + "6 x addition_time_embed_dim");
        }
    }

    public static UNet2DConditionConfig read(Path file) {
        return ConfigJson.read(file, UNet2DConditionConfig.class, UNUSED, FIXED);
    }

    private static List<String> types(String key, List<String> types, int levels, String attending, String plain) {
        if (types == null || types.size() != levels || types.stream().anyMatch(t -> !t.equals(attending) && !t.equals(plain))) {
            throw new IllegalArgumentException(key + " must name " + attending + " or " + plain + " for each of "
                    + levels + " levels, it is " + types);
        }
        return List.copyOf(types);
    }

    private static List<Integer> byLevel(String key, List<Integer> given, int levels, int standard) {
        List<Integer> numbers = given == null ? List.of(standard) : given;
        if (numbers.size() != 1 && numbers.size() != levels || numbers.stream().anyMatch(n -> n == null || n < 1)) {
            throw new IllegalArgumentException(key + " must be a positive number, or one for each of " + levels
                    + " levels, it is " + given);
        }
        return numbers.size() == levels ? List.copyOf(numbers) : List.copyOf(Collections.nCopies(levels, numbers.get(0)));
    }

    private static boolean downAttends(List<String> types, int level) {
        return types.get(level).equals("CrossAttnDownBlock2D");
    }

    private static boolean upAttends(List<String> types, int block) {
        return types.get(block).equals("CrossAttnUpBlock2D");
    }

    /** Levels of resolution; each but the last halves the size. */
    public int levels() {
        return blockOutChannels.size();
    }

    boolean downAttends(int level) {
        return downAttends(downBlockTypes, level);
    }

    /** @param block 0 is the coarsest level */
    boolean upAttends(int block) {
        return upAttends(upBlockTypes, block);
    }

    /** Width of the pooled text, 0 where the network takes none. */
    public int pooledWidth() {
        return additionEmbedType == null ? 0 : projectionClassEmbeddingsInputDim - TIME_IDS * additionTimeEmbedDim;
    }
}
