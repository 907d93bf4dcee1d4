package dev.likeness.model.vae;

import dev.likeness.error.Refusal;
import dev.likeness.model.ConfigJson;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * config.json of an AutoencoderKL; the components are its keys.
 *
 * @param blockOutChannels channels per level; every level but the last halves the size
 * @param scalingFactor latents given to the denoising network are (z - shift) * scaling; 0.18215 where it is not told, as in
 *     Stable Diffusion 1.5
 */
public record AutoencoderKlConfig(
        int inChannels,
        int outChannels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int latentChannels,
        int normNumGroups,
        Double scalingFactor,
        Double shiftFactor,
        Boolean useQuantConv,
        Boolean usePostQuantConv,
        Boolean midBlockAddAttention) {

    private static final int FLUX_GROUPS = 32;
    private static final double FLUX_SCALING = 0.3611;
    private static final double FLUX_SHIFT = 0.1159;
    private static final double PUBLIC_SCALING = 0.18215;
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
        scalingFactor = scalingFactor == null ? PUBLIC_SCALING : scalingFactor;
        shiftFactor = shiftFactor == null ? 0.0 : shiftFactor;
        useQuantConv = useQuantConv == null || useQuantConv;
        usePostQuantConv = usePostQuantConv == null || usePostQuantConv;
        midBlockAddAttention = midBlockAddAttention == null || midBlockAddAttention;
    }

    public static AutoencoderKlConfig read(Path file) {
        return ConfigJson.read(file, AutoencoderKlConfig.class, UNUSED, FIXED);
    }

    /**
     * The folder's config.json; for a single file what its shapes tell. The scale of the latents and the groups of the norms
     * they do not tell: as in the folder's config.json where there is one with as many latent channels, else as in FLUX.1.
     */
    public static AutoencoderKlConfig read(ModelFiles files) {
        Path file = files.config(Component.VAE);
        if (!files.single().containsKey(Component.VAE)) {
            return read(file);
        }
        Shapes shapes = files.shapes(Component.VAE);
        int latentChannels = shapes.size("decoder.conv_in.weight", 1);
        AutoencoderKlConfig known = Files.exists(file) ? read(file) : null;
        boolean fits = known != null && known.latentChannels() == latentChannels;
        List<Integer> channels = IntStream.range(0, shapes.count("encoder.down_blocks"))
                .mapToObj(i -> shapes.size("encoder.down_blocks." + i + ".resnets.0.conv1.weight", 0)).toList();
        int groups = fits ? known.normNumGroups() : FLUX_GROUPS;
        if (channels.isEmpty() || channels.stream().anyMatch(count -> count % groups != 0)) {
            throw Refusal.model("%s has levels of %s channels, which norms of %d groups do not divide; put the "
                    + "autoencoder's config.json into the folder vae of --model.", shapes.source(), channels, groups);
        }
        return new AutoencoderKlConfig(shapes.size("encoder.conv_in.weight", 1), shapes.size("decoder.conv_out.weight", 0),
                channels, shapes.count("encoder.down_blocks.0.resnets"), latentChannels, groups,
                fits ? known.scalingFactor() : FLUX_SCALING, fits ? known.shiftFactor() : FLUX_SHIFT,
                shapes.has("quant_conv.weight"), shapes.has("post_quant_conv.weight"),
                shapes.has("encoder.mid_block.attentions.0.to_q.weight"));
    }

    /** Pixels per latent along a side: 8 for FLUX.1 and Toybox. */
    public int pixelsPerLatent() {
        return 1 << (blockOutChannels.size() - 1);
    }
}
