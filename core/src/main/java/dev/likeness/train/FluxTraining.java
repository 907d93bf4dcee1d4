package dev.likeness.train;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.denoise.StepListener;
import dev.likeness.image.Picture;
import dev.likeness.latents.Packing;
import dev.likeness.latents.Pixels;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.data.ToyboxData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains Toybox's transformer by flow matching, with the autoencoder and the text encoders frozen; or distils the
 * classifier-free guidance of such a transformer into a guidance embedding (Meng et al., arXiv 2210.03142, stage one), so that a
 * step takes one pass instead of two. Stops and goes on from its checkpoint.
 */
public final class FluxTraining extends LatentTraining {

    private static final int SAMPLE_STEPS = 20;
    private static final double SAMPLE_SHIFT = 1.65; // what the scheduler's dynamic shifting gives for 256 tokens
    private static final double SAMPLE_GUIDANCE = 3;
    private static final double MAX_GUIDANCE = 5; // distilled scales lie between 1, which is none, and this

    /** Encodes captions: tokens [B, L, d] and pooled vectors [B, p], owned by the open scope. */
    public interface Captioner extends Function<List<String>, Conditioning.Text> {}

    private final Captioner captioner;
    private final FluxTransformer transformer;
    private final FluxConfig config;
    private final FluxTransformer teacher; // whose guidance is distilled; null in flow matching

    /** @param vae in bfloat16 */
    public FluxTraining(ToyboxData data, AutoencoderKl vae, Captioner captioner, FluxConfig config, Path checkpoint,
            List<Stage> stages, double learningRate) {
        this("samples-", data, vae, captioner, config, checkpoint, stages, learningRate, null);
    }

    private FluxTraining(String samples, ToyboxData data, AutoencoderKl vae, Captioner captioner, FluxConfig config,
            Path checkpoint, List<Stage> stages, double learningRate, TrainableWeights taught) {
        super("transformer", samples, data, vae, checkpoint, stages, learningRate, parameters(config, taught));
        this.captioner = captioner;
        this.config = config;
        transformer = new FluxTransformer(config, weights());
        teacher = taught == null ? null
                : new FluxTransformer(config.withGuidanceEmbeds(false), taught.averagedWeights(DType.BFLOAT16));
    }

    private static TrainableWeights parameters(FluxConfig config, TrainableWeights taught) {
        TrainableWeights parameters = new TrainableWeights(w -> new FluxTransformer(config, w),
                Initial.scaled(1.0, FluxTraining::startsAtZero, 100_000), FluxTraining::hidden);
        if (taught != null) {
            parameters.startFrom(taught.averaged(), 0);
        }
        return parameters;
    }

    /**
     * Distillation of this training's averaged weights into the same network with a guidance embedding.
     *
     * @param distilled where that training keeps its state
     */
    public FluxTraining distillation(Path distilled, List<Stage> distilledStages, double rate) {
        return new FluxTraining("samples-guided-", data(), vae, captioner, config.withGuidanceEmbeds(true), distilled,
                distilledStages, rate, weights());
    }

    /** adaLN-zero: every block starts as the identity, the first prediction is zero, and guidance changes nothing. */
    private static boolean startsAtZero(String name) {
        return name.matches(".*norm(1|1_context|_out)?\\.linear\\.weight") || name.equals("proj_out.weight")
                || name.endsWith("guidance_embedder.linear_2.weight");
    }

    /** The matrices inside the blocks, without modulation. */
    private static boolean hidden(String name) {
        return name.matches(".*blocks\\.\\d+\\.(attn|ff|ff_context|proj_mlp|proj_out)\\b.*weight")
                && !name.contains(".norm_");
    }

    public FluxConfig config() {
        return config;
    }

    @Override
    Tensor loss(Stage stage, List<LatentPool.Entry> entries, long step, SplittableRandom random) {
        int batch = entries.size();
        float[] sigmas = new float[batch];
        float[] guidance = new float[batch];
        List<String> captions = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            double logistic = 1 / (1 + Math.exp(-random.nextGaussian()));
            sigmas[i] = (float) FlowMatching.shifted(logistic, stage.shift());
            captions.add(caption(entries.get(i), random));
            guidance[i] = teacher == null ? 1 : (float) (1 + (MAX_GUIDANCE - 1) * random.nextDouble());
        }
        return weightedLoss(transformer, stage.size() / 8, entries, captions, sigmas, guidance, step).mean();
    }

    /**
     * Weighted squared error of the velocity per picture, [B].
     *
     * @param guidance scale of each picture, 1 for none: against the true velocity; otherwise against the teacher's guided one
     */
    private Tensor weightedLoss(FluxTransformer network, int side, List<LatentPool.Entry> entries, List<String> captions,
            float[] sigmas, float[] guidance, long noiseSeed) {
        try (Scope scope = Scope.open()) {
            int batch = entries.size();
            Tensor clean = Packing.pack(LatentPool.latents(entries, config.inChannels() / 4, side)); // [B, N, C]
            Tensor noise = Tensors.noise(noiseSeed * 2 + 1, Tensors.shape(clean));
            Tensor level = Tensors.of(sigmas, batch);
            Tensor mixed = clean.lerp(noise, level.view(batch, 1, 1));
            Conditioning.Text text = captioner.apply(captions);
            Tensor rotation = rotation((int) text.tokens().size(1), side / 2);
            Tensor scale = Tensors.of(guidance, batch);
            Tensor predicted = velocity(network, mixed, text, level, config.guidanceEmbeds() ? scale : null, rotation);
            Tensor target = network == transformer && teacher != null
                    ? guided(mixed, text, captioner.apply(Collections.nCopies(batch, "")), level, scale, rotation)
                    : noise.sub(clean);
            Tensor error = predicted.sub(target).square().mean(2); // [B, N]
            return scope.keep(error.mul(LatentPool.weights(entries, side / 2).flatten(1, 2)).mean(1));
        }
    }

    private static Tensor velocity(FluxTransformer network, Tensor mixed, Conditioning.Text text, Tensor level, Tensor guidance,
            Tensor rotation) {
        Conditioning.Text half = half(text);
        FluxTransformer.Input input = new FluxTransformer.Input(Tensors.to(mixed, DType.BFLOAT16), half.tokens(), half.pooled(),
                level, guidance, rotation);
        return Tensors.to(network.forward(input, 0, AttentionHook.NONE), DType.FLOAT32);
    }

    /** The teacher's velocity under classifier-free guidance of the scales given, [B, N, C]. */
    private Tensor guided(Tensor mixed, Conditioning.Text text, Conditioning.Text empty, Tensor level, Tensor scale,
            Tensor rotation) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Tensor with = velocity(teacher, mixed, text, level, null, rotation);
            Tensor without = velocity(teacher, mixed, empty, level, null, rotation);
            return scope.keep(without.add(with.sub(without).mul(scale.view(scale.size(0), 1, 1))));
        }
    }

    /**
     * Positions of a picture below the final size are spread over the final size's grid, so that what was learnt of shapes
     * and places still holds when the pictures grow.
     *
     * @param side token rows and columns
     * @return complex64 [L + side * side, D/2]
     */
    private Tensor rotation(int textTokens, int side) {
        double spread = stages.get(stages.size() - 1).size() / 16.0 / side;
        double[] ids = new double[(textTokens + side * side) * 3];
        for (int i = 0; i < side * side; i++) {
            int at = (textTokens + i) * 3;
            ids[at + 1] = (i / side + 0.5) * spread - 0.5;
            ids[at + 2] = (i % side + 0.5) * spread - 0.5;
        }
        return transformer.rotation(ids);
    }

    @Override
    Averaged averaged() {
        FluxTransformer averaged = new FluxTransformer(config, weights().averagedWeights(DType.BFLOAT16));
        double[] sigmas = FlowMatching.sigmas(new SchedulerConfig(SAMPLE_SHIFT, false, null, null, null, null), SAMPLE_STEPS, 1);
        return new Averaged() {
            @Override
            public Tensor errors(Stage stage, List<LatentPool.Entry> entries, List<String> captions, double level,
                    long noiseSeed) {
                float[] levels = new float[entries.size()];
                Arrays.fill(levels, (float) level);
                float[] none = new float[entries.size()];
                Arrays.fill(none, 1);
                return weightedLoss(averaged, stage.size() / 8, entries, captions, levels, none, noiseSeed);
            }

            @Override
            public Picture paint(Stage stage, String prompt, long seed) {
                try (Scope each = Scope.open()) {
                    int side = stage.size() / 16;
                    Conditioning.Text text = half(captioner.apply(List.of(prompt)));
                    Conditioning conditioning = config.guidanceEmbeds() ? Conditioning.of(text, SAMPLE_GUIDANCE)
                            : new Conditioning(text, half(captioner.apply(List.of(""))), SAMPLE_GUIDANCE, null);
                    Denoiser denoiser = new Denoiser(averaged, conditioning,
                            rotation((int) conditioning.text().tokens().size(1), side));
                    Tensor tokens = denoiser.run(Tensors.noise(seed, 1, (long) side * side, config.inChannels()), sigmas,
                            StepInjection.NONE, StepListener.NONE);
                    Tensor latents = vae.denormalise(Packing.unpack(tokens, side, side));
                    return Pixels.picture(vae.decode(Tensors.to(latents, DType.BFLOAT16)));
                }
            }
        };
    }

    private static Conditioning.Text half(Conditioning.Text text) {
        return new Conditioning.Text(Tensors.to(text.tokens(), DType.BFLOAT16), Tensors.to(text.pooled(), DType.BFLOAT16));
    }
}
