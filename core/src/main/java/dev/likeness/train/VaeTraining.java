package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.Crops.Crop;
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.Split;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains Toybox's autoencoder: L1 and squared error (the subject's pixels count three times), L1 of the gradients, and a
 * slight pull of the latents towards a standard normal. Now and then the latents are halved in size and must decode to the
 * halved picture, which keeps them smooth and so easier to generate (after EQ-VAE, arXiv 2502.09509). Stops and goes on from
 * its checkpoint.
 */
public final class VaeTraining {

    private static final int LARGE = 256;
    private static final int SMALL = 128;
    private static final double KL_WEIGHT = 3e-4;
    /** Every so many steps the halved latents must decode to the halved picture. */
    private static final int COARSE_EVERY = 4;
    private static final int EVALUATED = 48;
    /** Seeds from here on belong to evaluation pictures. */
    private static final long EVALUATION_SEEDS = 1L << 40;

    private final ToyboxData data;
    private final Path checkpoint;
    private final int steps;
    private final AutoencoderKlConfig config;
    private final TrainableWeights weights;
    private final AutoencoderKl vae;

    /** Reconstruction quality in dB, means of each picture's PSNR: all pixels, and the subject's own pixels. */
    public record Quality(double full, double subject) {}

    /** @param steps length of the whole run, over which the learning rate falls */
    public VaeTraining(ToyboxData data, AutoencoderKlConfig config, Path workFolder, int steps) {
        this.data = data;
        this.config = config;
        this.steps = steps;
        checkpoint = workFolder.resolve("vae-state.safetensors");
        weights = new TrainableWeights(w -> new AutoencoderKl(config, w),
                Initial.scaled(1.0, name -> false, 1),
                name -> name.matches(".*\\.(conv\\d?|conv_shortcut)\\.weight"));
        if (Files.exists(checkpoint)) {
            weights.restore(checkpoint);
        }
        vae = new AutoencoderKl(config, weights);
    }

    /** The layout that Toybox uses: 8x, 16 latent channels, no attention. */
    public static AutoencoderKlConfig toyboxConfig(List<Integer> widths) {
        return new AutoencoderKlConfig(3, 3, widths, 1, 16, 8, 1.0, 0.0, false, false, false);
    }

    public void run(Consumer<String> log) throws IOException {
        long started = System.nanoTime();
        long first = weights.updates();
        log.accept(String.format(Locale.ROOT, "vae: %d parameters, from step %d to %d", weights.size(), first, steps));
        double running = 0;
        try (Batches<List<Crop>> batches = new Batches<>(first, this::batch)) {
            while (weights.updates() < steps) {
                double progress = (double) weights.updates() / steps;
                double rate = 2e-5 + (1e-3 - 2e-5) * 0.5 * (1 + Math.cos(Math.PI * progress));
                rate *= Math.min(1, (weights.updates() + 1) / 100.0);
                try (Scope scope = Scope.open()) {
                    Tensor loss = loss(batches.next());
                    loss.backward();
                    running += (Tensors.item(loss) - running) * (weights.updates() == first ? 1 : 0.02);
                }
                weights.update(rate, 1e-4, Math.min(0.998, 1 - 10.0 / (10 + weights.updates())));
                long step = weights.updates();
                if (step % 100 == 0) {
                    log.accept(String.format(Locale.ROOT, "vae: step %d loss %.4f, %.2f steps/s", step, running,
                            (step - first) / ((System.nanoTime() - started) / 1e9)));
                }
                if (step % 500 == 0 || step == steps) {
                    Quality quality = evaluate(DType.BFLOAT16);
                    log.accept(String.format(Locale.ROOT,
                            "vae: step %d held-out %.2f dB, subject %.2f dB", step, quality.full(), quality.subject()));
                    weights.save(checkpoint);
                }
            }
        }
    }

    /**
     * As many pixels every time: a whole large picture, crops of such, or whole small pictures. Crops alone are not enough:
     * GroupNorm's statistics are those of the picture that it sees.
     */
    private List<Crop> batch(long step) {
        SplittableRandom random = new SplittableRandom(step * 0x9E3779B97F4A7C15L);
        Recipe recipe = Recipe.ANYWHERE.withGenericShare(0.5);
        if (step % 3 == 0) {
            return List.of(Crop.whole(data.draw(4 * step, LARGE, recipe)));
        }
        List<Crop> crops = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ToyPicture picture = data.draw(4 * step + i, step % 3 == 1 ? LARGE : SMALL, recipe);
            crops.add(Crop.random(picture, SMALL, random));
        }
        return crops;
    }

    private Tensor loss(List<Crop> crops) {
        try (Scope scope = Scope.open()) {
            Tensor pixels = Crops.pixels(crops);
            Tensor share = Crops.masks(crops).mul(new Scalar(2.0)).add(new Scalar(1)); // [B, 1, side, side]
            Tensor moments = Tensors.to(vae.moments(Tensors.to(pixels, DType.BFLOAT16)), DType.FLOAT32);
            Tensor[] parts = Ops.chunk(moments, 2, 1);
            Tensor mean = parts[0];
            Tensor logVariance = Ops.clamp(parts[1], -20, 10);
            Tensor noise = Tensors.noise(weights.updates() * 31 + 7, Tensors.shape(mean));
            Tensor latents = mean.add(logVariance.mul(new Scalar(0.5)).exp().mul(noise));
            if (weights.updates() % COARSE_EVERY == 0) {
                latents = halved(latents);
                pixels = halved(pixels);
                share = halved(share);
            }
            Tensor decoded = Tensors.to(vae.decode(Tensors.to(latents, DType.BFLOAT16)), DType.FLOAT32);
            Tensor difference = decoded.sub(pixels);
            Tensor kl = mean.square().add(logVariance.exp()).sub(logVariance).sub(new Scalar(1)).mul(new Scalar(0.5))
                    .mean();
            Tensor loss = difference.abs().mul(share).mean()
                    .add(slopes(difference, 2).add(slopes(difference, 3)).mul(new Scalar(0.5)))
                    .add(difference.square().mul(share).mean().mul(new Scalar(5.0)))
                    .add(kl.mul(new Scalar(KL_WEIGHT)));
            return scope.keep(loss);
        }
    }

    /** Means of 2 x 2 blocks: [B, C, h, w] to [B, C, h/2, w/2]. */
    private static Tensor halved(Tensor x) {
        return x.view(x.size(0), x.size(1), x.size(2) / 2, 2, x.size(3) / 2, 2).mean(5).mean(3);
    }

    /** Mean absolute difference between neighbours along an axis. */
    private static Tensor slopes(Tensor x, long axis) {
        long n = x.size(axis) - 1;
        return x.narrow(axis, 1, n).sub(x.narrow(axis, 0, n)).abs().mean();
    }

    /** Quality of the averaged weights on held-out subjects at 256 x 256. */
    public Quality evaluate(DType dtype) {
        double full = 0;
        double subject = 0;
        int withSubject = 0;
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            AutoencoderKl averaged = new AutoencoderKl(config, weights.averagedWeights(dtype));
            for (int i = 0; i < EVALUATED; i++) {
                ToyPicture picture = evaluationPicture(i);
                float[] truth;
                float[] decoded;
                try (Scope each = Scope.open()) {
                    Tensor pixels = Crops.pixels(List.of(Crop.whole(picture)));
                    truth = Tensors.floats(pixels);
                    decoded = Tensors.floats(averaged.decode(averaged.encode(Tensors.to(pixels, dtype))));
                }
                double[] sums = squaredErrors(truth, decoded, picture.mask());
                full += psnr(sums[0] / truth.length);
                if (sums[2] > 0) {
                    subject += psnr(sums[1] / (3 * sums[2]));
                    withSubject++;
                }
            }
        }
        return new Quality(full / EVALUATED, subject / withSubject);
    }

    private ToyPicture evaluationPicture(int index) {
        return data.draw(EVALUATION_SEEDS + index, 256,
                Recipe.ANYWHERE.withSplit(Split.HELDOUT).withGenericShare(0).withTwoAndEmpty(0, 0));
    }

    /** Sum over all values, sum over the subject's values, number of subject pixels. */
    private static double[] squaredErrors(float[] truth, float[] decoded, float[] mask) {
        double[] sums = new double[3];
        for (int i = 0; i < truth.length; i++) {
            double d = Math.max(-1, Math.min(1, decoded[i])) - truth[i];
            sums[0] += d * d;
            if (mask[i % mask.length] > 0.5f) {
                sums[1] += d * d;
            }
        }
        for (float covered : mask) {
            sums[2] += covered > 0.5f ? 1 : 0;
        }
        return sums;
    }

    /** dB for pixels in [-1, 1]. */
    private static double psnr(double meanSquaredError) {
        return 10 * Math.log10(4 / meanSquaredError);
    }

    /**
     * Writes {@code vae/} with the averaged weights; shift and scaling factor are measured so that normalised latents have
     * mean 0 and deviation 1.
     */
    public void export(Path modelFolder) throws IOException {
        double sum = 0;
        double squares = 0;
        long count = 0;
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            AutoencoderKl averaged = new AutoencoderKl(config, weights.averagedWeights(DType.FLOAT32));
            for (int i = 0; i < 64; i++) {
                try (Scope each = Scope.open()) {
                    ToyPicture picture = data.draw(EVALUATION_SEEDS * 2 + i, 256, Recipe.ANYWHERE);
                    for (float value : Tensors.floats(averaged.encode(Crops.pixels(List.of(Crop.whole(picture)))))) {
                        sum += value;
                        squares += (double) value * value;
                        count++;
                    }
                }
            }
        }
        double mean = sum / count;
        double deviation = Math.sqrt(squares / count - mean * mean);
        Path folder = Files.createDirectories(modelFolder.resolve("vae"));
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("_class_name", "AutoencoderKL").put("_diffusers_version", "0.32.0").put("act_fn", "silu");
        json.set("block_out_channels", new ObjectMapper().valueToTree(config.blockOutChannels()));
        for (int i = 0; i < config.blockOutChannels().size(); i++) {
            json.withArray("down_block_types").add("DownEncoderBlock2D");
            json.withArray("up_block_types").add("UpDecoderBlock2D");
        }
        json.put("force_upcast", false).put("in_channels", 3).put("latent_channels", config.latentChannels());
        json.put("layers_per_block", config.layersPerBlock()).put("mid_block_add_attention", config.midBlockAddAttention());
        json.put("norm_num_groups", config.normNumGroups()).put("out_channels", 3).put("sample_size", 256);
        json.put("scaling_factor", Math.round(1e4 / deviation) / 1e4).put("shift_factor", Math.round(mean * 1e4) / 1e4);
        json.put("use_quant_conv", false).put("use_post_quant_conv", false);
        Files.writeString(folder.resolve("config.json"), json.toPrettyString() + "\n");
        SafetensorsWriter.write(folder.resolve("diffusion_pytorch_model.safetensors"), weights.averaged(),
                DType.BFLOAT16);
    }
}
