package dev.likeness.model.vae;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * config.json of an AutoencoderKL; the components are its keys.
 *
 * @param blockOutChannels channels per level; every level but the last halves the size
 * @param scalingFactor latents given to the transformer are (z - shift) * scaling
 */
public record AutoencoderKlConfig(
        int inChannels,
        int outChannels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int latentChannels,
        int normNumGroups,
        double scalingFactor,
        Double shiftFactor,
        Boolean useQuantConv,
        Boolean usePostQuantConv,
        Boolean midBlockAddAttention) {

    private static final Set<String> UNUSED = Set.of("sample_size", "force_upcast");
    private static final Map<String, String> FIXED = Map.of("act_fn", "silu", "down_block_types", "DownEncoderBlock2D",
            "up_block_types", "UpDecoderBlock2D", "latents_mean", "null", "latents_std", "null");

    public AutoencoderKlConfig {
        if (blockOutChannels == null || blockOutChannels.isEmpty() || latentChannels < 1 || layersPerBlock < 1) {
            throw new IllegalArgumentException("block_out_channels, latent_channels and layers_per_block must be given");
        }
        for (int channels : blockOutChannels) {
            if (normNumGroups < 1 || channels % normNumGroups != 0) {
                throw new IllegalArgumentException("norm_num_groups must divide every entry of block_out_channels");
            }
        }
        shiftFactor = shiftFactor == null ? 0.0 : shiftFactor;
        useQuantConv = useQuantConv == null || useQuantConv;
        usePostQuantConv = usePostQuantConv == null || usePostQuantConv;
        midBlockAddAttention = midBlockAddAttention == null || midBlockAddAttention;
    }

    public static AutoencoderKlConfig read(Path file) {
        return ConfigJson.read(file, AutoencoderKlConfig.class, UNUSED, FIXED);
    }

    /** Pixels per latent along a side: 8 for FLUX.1 and Toybox. */
    public int pixelsPerLatent() {
        return 1 << (blockOutChannels.size() - 1);
    }
}
