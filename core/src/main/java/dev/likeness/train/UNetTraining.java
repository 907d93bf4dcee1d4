package dev.likeness.train;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.NoisePredictor;
import dev.likeness.denoise.StepListener;
import dev.likeness.image.Picture;
import dev.likeness.latents.Pixels;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.unet.UNet2DConditionModel;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.DiffusionConfig;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.data.ToyboxData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains Toybox-UNet as Stable Diffusion 2.1 was trained, on v = a noise - s x0 for x = a x0 + s noise, at timesteps of the
 * scaled-linear schedule, with the autoencoder and the text encoder frozen.
 */
public final class UNetTraining extends LatentTraining {

    /** The noise of Stable Diffusion; runs of few steps begin at the last timestep, where its offset of 1 counts for nothing. */
    static final DiffusionConfig DIFFUSION =
            new DiffusionConfig(1000, 0.00085, 0.012, "scaled_linear", "v_prediction", "trailing", 1, true, false);

    private static final int SAMPLE_STEPS = 20;
    private static final double SAMPLE_GUIDANCE = 3;

    /** Encodes captions: tokens [B, L, d], owned by the open scope. */
    public interface Captioner extends Function<List<String>, Tensor> {}

    private final Captioner captioner;
    private final UNet2DConditionConfig config;
    private final UNet2DConditionModel network;
    private final double[] alphas; // a^2 by timestep

    /** @param vae in bfloat16 */
    public UNetTraining(ToyboxData data, AutoencoderKl vae, Captioner captioner, UNet2DConditionConfig config, Path checkpoint,
            List<Stage> stages, double learningRate) {
        super("unet", "samples-unet-", data, vae, checkpoint, stages, learningRate,
                new TrainableWeights(w -> new UNet2DConditionModel(config, w),
                        Initial.scaled(1.0, UNetTraining::startsAtZero, 200_000), UNetTraining::hidden));
        this.captioner = captioner;
        this.config = config;
        network = new UNet2DConditionModel(config, weights());
        alphas = Diffusion.alphas(DIFFUSION);
    }

    /** Every residual block and transformer starts as the identity, and the first prediction is zero. */
    private static boolean startsAtZero(String name) {
        return name.matches(".*(conv2|proj_out|conv_out)\\.weight");
    }

    /** Matrices and convolutions inside the blocks, without what the timestep goes through. */
    private static boolean hidden(String name) {
        return name.matches("(down_blocks|mid_block|up_blocks)\\..*\\.weight") && !name.matches(".*(norm|time_emb_proj).*");
    }

    @Override
    Tensor loss(Stage stage, List<LatentPool.Entry> entries, long step, SplittableRandom random) {
        float[] timesteps = new float[entries.size()];
        List<String> captions = new ArrayList<>();
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = timestep(FlowMatching.shifted(random.nextDouble(), stage.shift()));
            captions.add(caption(entries.get(i), random));
        }
        return weightedLoss(network, stage, entries, captions, timesteps, step).mean();
    }

    /** @param level share of the way to the noise, in [0, 1] */
    private static int timestep(double level) {
        return Math.min(DIFFUSION.numTrainTimesteps() - 1, (int) (level * DIFFUSION.numTrainTimesteps()));
    }

    /** Weighted squared error of v per picture, [B]. */
    private Tensor weightedLoss(UNet2DConditionModel of, Stage stage, List<LatentPool.Entry> entries, List<String> captions,
            float[] timesteps, long noiseSeed) {
        try (Scope scope = Scope.open()) {
            int batch = entries.size();
            int side = stage.size() / 8;
            float[] a = new float[batch];
            float[] s = new float[batch];
            for (int i = 0; i < batch; i++) {
                double alpha = alphas[(int) timesteps[i]];
                a[i] = (float) Math.sqrt(alpha);
                s[i] = (float) Math.sqrt(1 - alpha);
            }
            Tensor toSignal = Tensors.of(a, batch, 1, 1, 1);
            Tensor toNoise = Tensors.of(s, batch, 1, 1, 1);
            Tensor clean = LatentPool.latents(entries, config.inChannels(), side); // [B, C, h, w]
            Tensor noise = Tensors.noise(noiseSeed * 2 + 1, Tensors.shape(clean));
            Tensor mixed = clean.mul(toSignal).add(noise.mul(toNoise));
            Tensor target = noise.mul(toSignal).sub(clean.mul(toNoise));
            Tensor error = predict(of, mixed, Tensors.of(timesteps, batch), captions).sub(target).square().mean(1); // [B, h, w]
            Tensor shares = Ops.upsampleNearest2x(LatentPool.weights(entries, side / 2).unsqueeze(1)).squeeze(1);
            return scope.keep(error.mul(shares).flatten(1, 2).mean(1));
        }
    }

    /** v [B, C, h, w], float32. @param latents float32 @param timesteps [B], float32 */
    private Tensor predict(UNet2DConditionModel of, Tensor latents, Tensor timesteps, List<String> captions) {
        UNet2DConditionModel.Input input = new UNet2DConditionModel.Input(Tensors.to(latents, DType.BFLOAT16), timesteps,
                Tensors.to(captioner.apply(captions), DType.BFLOAT16), null, null);
        return Tensors.to(of.forward(input, 0, SelfAttentionHook.NONE), DType.FLOAT32);
    }

    @Override
    Averaged averaged() {
        UNet2DConditionModel averaged = new UNet2DConditionModel(config, weights().averagedWeights(DType.BFLOAT16));
        return new Averaged() {
            @Override
            public Tensor errors(Stage stage, List<LatentPool.Entry> entries, List<String> captions, double level,
                    long noiseSeed) {
                float[] timesteps = new float[entries.size()];
                Arrays.fill(timesteps, timestep(level));
                return weightedLoss(averaged, stage, entries, captions, timesteps, noiseSeed);
            }

            @Override
            public Picture paint(Stage stage, String prompt, long seed) {
                try (Scope scope = Scope.open()) {
                    long side = stage.size() / 8;
                    NoisePredictor predictor = (latents, timestep, step, hook) ->
                            predict(averaged, latents, Tensors.of(new float[] {timestep, timestep}, 2), List.of("", prompt));
                    Tensor latents = new DiffusionSampler(predictor, DIFFUSION, SAMPLE_GUIDANCE).run(
                            Tensors.noise(seed, 1, config.inChannels(), side, side), Diffusion.Sampler.DDIM,
                            Diffusion.steps(DIFFUSION, Diffusion.Sampler.DDIM, SAMPLE_STEPS), null, DiffusionSampler.NO_HOOKS,
                            StepListener.NONE);
                    return Pixels.picture(vae.decode(Tensors.to(vae.denormalise(latents), DType.BFLOAT16)));
                }
            }
        };
    }
}
