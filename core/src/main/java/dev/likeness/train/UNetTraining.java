package dev.likeness.train;

import dev.likeness.image.Picture;
import dev.likeness.latents.Pixels;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.unet.UNet2DConditionModel;
import dev.likeness.model.vae.AutoencoderKl;
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
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains Toybox-UNet as Stable Diffusion 2.1 was trained, on v = a noise - s x0 for x = a x0 + s noise, at timesteps of the
 * scaled-linear schedule, with the autoencoder and the text encoder frozen.
 */
public final class UNetTraining extends LatentTraining {

    /** Timesteps of training. */
    static final int TIMESTEPS = 1000;
    /** Noise variance of the first step, and of the last; their roots grow evenly between. */
    static final double BETA_START = 0.00085;
    static final double BETA_END = 0.012;

    private static final int SAMPLE_STEPS = 20;
    private static final double SAMPLE_GUIDANCE = 3;

    /** Encodes captions: tokens [B, L, d], owned by the open scope. */
    public interface Captioner extends Function<List<String>, Tensor> {}

    private final Captioner captioner;
    private final UNet2DConditionConfig config;
    private final UNet2DConditionModel network;
    private final double[] signal; // a by timestep; s is sqrt(1 - a^2)

    /** @param vae in bfloat16 */
    public UNetTraining(ToyboxData data, AutoencoderKl vae, Captioner captioner, UNet2DConditionConfig config, Path checkpoint,
            List<Stage> stages, double learningRate) {
        super("unet", "samples-unet-", data, vae, checkpoint, stages, learningRate,
                new TrainableWeights(w -> new UNet2DConditionModel(config, w),
                        Initial.scaled(1.0, UNetTraining::startsAtZero, 200_000), UNetTraining::hidden));
        this.captioner = captioner;
        this.config = config;
        network = new UNet2DConditionModel(config, weights());
        signal = signal();
    }

    /** Every residual block and transformer starts as the identity, and the first prediction is zero. */
    private static boolean startsAtZero(String name) {
        return name.matches(".*(conv2|proj_out|conv_out)\\.weight");
    }

    /** Matrices and convolutions inside the blocks, without what the timestep goes through. */
    private static boolean hidden(String name) {
        return name.matches("(down_blocks|mid_block|up_blocks)\\..*\\.weight") && !name.matches(".*(norm|time_emb_proj).*");
    }

    private static double[] signal() {
        double[] signal = new double[TIMESTEPS];
        double product = 1;
        for (int t = 0; t < TIMESTEPS; t++) {
            double root = Math.sqrt(BETA_START) + (Math.sqrt(BETA_END) - Math.sqrt(BETA_START)) * t / (TIMESTEPS - 1);
            product *= 1 - root * root;
            signal[t] = Math.sqrt(product);
        }
        return signal;
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
        return Math.min(TIMESTEPS - 1, (int) (level * TIMESTEPS));
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
                a[i] = (float) signal[(int) timesteps[i]];
                s[i] = (float) Math.sqrt(1 - a[i] * a[i]);
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
                    Tensor latents = ddim(averaged, prompt, Tensors.noise(seed, 1, config.inChannels(), side, side));
                    return Pixels.picture(vae.decode(Tensors.to(vae.denormalise(latents), DType.BFLOAT16)));
                }
            }
        };
    }

    /** Deterministic DDIM with guidance over evenly spaced timesteps, from the last one. @param latents [1, C, h, w] */
    private Tensor ddim(UNet2DConditionModel of, String prompt, Tensor latents) {
        Tensor x = latents;
        for (int step = 0; step < SAMPLE_STEPS; step++) {
            int t = TIMESTEPS - 1 - step * TIMESTEPS / SAMPLE_STEPS;
            int next = TIMESTEPS - 1 - (step + 1) * TIMESTEPS / SAMPLE_STEPS;
            Tensor both = predict(of, Ops.repeat(x, 2, 1, 1, 1), Tensors.of(new float[] {t, t}, 2), List.of("", prompt));
            Tensor v = both.narrow(0, 0, 1).lerp(both.narrow(0, 1, 1), new Scalar(SAMPLE_GUIDANCE));
            Tensor clean = along(x, signal[t], v, -Math.sqrt(1 - signal[t] * signal[t]));
            Tensor noise = along(x, Math.sqrt(1 - signal[t] * signal[t]), v, signal[t]);
            double a = next < 0 ? 1 : signal[next];
            x = along(clean, a, noise, Math.sqrt(1 - a * a));
        }
        return x;
    }

    /** x * a + y * b. */
    private static Tensor along(Tensor x, double a, Tensor y, double b) {
        return x.mul(new Scalar(a)).add(y.mul(new Scalar(b)));
    }
}
