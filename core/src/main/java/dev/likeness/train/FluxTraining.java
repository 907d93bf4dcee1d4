package dev.likeness.train;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.denoise.StepListener;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
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
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import dev.likeness.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains Toybox's transformer by flow matching, with the autoencoder and the text encoders frozen; or distils the
 * classifier-free guidance of such a transformer into a guidance embedding (Meng et al., arXiv 2210.03142, stage one), so that a
 * step takes one pass instead of two. Stops and goes on from its checkpoint.
 */
public final class FluxTraining {

    /** Share of training captions dropped to the empty prompt, which true guidance needs. */
    private static final double CAPTION_DROP = 0.1;
    private static final long EVALUATION_SEEDS = 1L << 40;
    private static final double[] EVALUATION_SIGMAS = {0.5, 0.7, 0.85};
    private static final int SAMPLES = 18;
    private static final int SAMPLE_STEPS = 20;
    private static final double SAMPLE_SHIFT = 1.65; // what the scheduler's dynamic shifting gives for 256 tokens
    private static final double SAMPLE_GUIDANCE = 3;
    private static final double MAX_GUIDANCE = 5; // distilled scales lie between 1, which is none, and this

    /**
     * A stretch of training on pictures of one kind.
     *
     * @param until update at which the stage ends
     * @param size picture side in pixels
     * @param shift shift of the training noise levels: sigma' = s sigma / (1 + (s - 1) sigma)
     */
    public record Stage(long until, int size, int batch, double shift, Recipe recipe) {}

    /** Encodes captions: tokens [B, L, d] and pooled vectors [B, p], owned by the open scope. */
    public interface Captioner extends Function<List<String>, Conditioning.Text> {}

    private final ToyboxData data;
    private final AutoencoderKl vae;
    private final Captioner captioner;
    private final Path checkpoint;
    private final List<Stage> stages;
    private final double learningRate;
    private final TrainableWeights weights;
    private final FluxTransformer transformer;
    private final FluxConfig config;
    private final FluxTransformer teacher; // whose guidance is distilled; null in flow matching

    /** @param vae in bfloat16 */
    public FluxTraining(ToyboxData data, AutoencoderKl vae, Captioner captioner, FluxConfig config, Path checkpoint,
            List<Stage> stages, double learningRate) {
        this(data, vae, captioner, config, checkpoint, stages, learningRate, null);
    }

    private FluxTraining(ToyboxData data, AutoencoderKl vae, Captioner captioner, FluxConfig config, Path checkpoint,
            List<Stage> stages, double learningRate, TrainableWeights taught) {
        this.data = data;
        this.vae = vae;
        this.captioner = captioner;
        this.config = config;
        this.stages = stages;
        this.learningRate = learningRate;
        this.checkpoint = checkpoint;
        weights = new TrainableWeights(w -> new FluxTransformer(config, w),
                Initial.scaled(1.0, FluxTraining::startsAtZero, 100_000), FluxTraining::hidden);
        if (taught != null) {
            weights.startFrom(taught.averaged(), 0);
        }
        if (Files.exists(checkpoint)) {
            weights.restore(checkpoint);
        }
        transformer = new FluxTransformer(config, weights);
        teacher = taught == null ? null
                : new FluxTransformer(config.withGuidanceEmbeds(false), taught.averagedWeights(DType.BFLOAT16));
    }

    /**
     * Distillation of this training's averaged weights into the same network with a guidance embedding.
     *
     * @param distilled where that training keeps its state
     */
    public FluxTraining distillation(Path distilled, List<Stage> distilledStages, double rate) {
        return new FluxTraining(data, vae, captioner, config.withGuidanceEmbeds(true), distilled, distilledStages, rate, weights);
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

    /**
     * Goes on from weights whose training state is gone, unless there is a state to go on from.
     *
     * @param file the transformer's weights as they were written
     * @param update the update at which they were
     */
    public void startFrom(Path file, long update) {
        if (!Files.exists(checkpoint)) {
            try (Scope scope = Scope.open()) {
                weights.startFrom(SafetensorsFile.open(file).readAll(), update);
            }
        }
    }

    public TrainableWeights weights() {
        return weights;
    }

    public FluxConfig config() {
        return config;
    }

    /** @param exporter called after every checkpoint, to write the averaged weights where they are used */
    public void run(Consumer<String> log, Runnable exporter) throws IOException {
        log.accept(String.format(Locale.ROOT, "transformer: %d parameters, from update %d", weights.size(),
                weights.updates()));
        for (Stage stage : stages) {
            if (weights.updates() < stage.until()) {
                run(stage, log, exporter);
            }
        }
    }

    private void run(Stage stage, Consumer<String> log, Runnable exporter) throws IOException {
        log.accept("transformer: " + stage);
        LatentPool pool = new LatentPool(vae);
        long first = weights.updates();
        long total = stages.get(stages.size() - 1).until();
        int fresh = Math.max(1, stage.batch() / 6);
        List<LatentPool.Entry> evaluation = evaluationSet(stage);
        double running = Double.NaN;
        long started = System.nanoTime();
        try (Batches<List<ToyPicture>> pictures = new Batches<>(first, number -> draw(stage, number, fresh))) {
            while (weights.updates() < stage.until()) {
                long step = weights.updates();
                pool.add(pictures.next());
                while (pool.size() < 4 * stage.batch()) {
                    pool.add(pictures.next());
                }
                SplittableRandom random = new SplittableRandom(step * 0x9E3779B97F4A7C15L + 1);
                try (Scope scope = Scope.open()) {
                    Tensor loss = loss(stage, pool.draw(stage.batch(), random), step, random);
                    loss.backward();
                    double value = Tensors.item(loss);
                    running = Double.isNaN(running) ? value : running + 0.02 * (value - running);
                }
                weights.update(rate(step, total), 0.01, Math.min(0.995, (1.0 + step) / (10 + step)));
                step++;
                if (step % 50 == 0) {
                    log.accept(String.format(Locale.ROOT, "transformer: update %d loss %.4f, %.1f samples/s", step, running,
                            (step - first) * stage.batch() / ((System.nanoTime() - started) / 1e9)));
                }
                if (step % 250 == 0 || step == stage.until()) {
                    log.accept(String.format(Locale.ROOT, "transformer: update %d gap x1e-4 at .5/.7/.85: %s", step,
                            gaps(stage, evaluation)));
                }
                if (step % 500 == 0 || step == stage.until()) {
                    weights.save(checkpoint);
                    exporter.run();
                    drawSamples(stage, step);
                }
            }
        }
    }

    /** Warm-up, constant, then linear decay over the last third. */
    private double rate(long step, long total) {
        double decay = Math.min(1, 3.0 * (total - step) / total);
        return learningRate * Math.min(1, (step + 1) / 200.0) * Math.max(0.02, decay);
    }

    private List<ToyPicture> draw(Stage stage, long number, int count) {
        List<ToyPicture> pictures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pictures.add(data.draw(number * 64 + i, stage.size(), stage.recipe()));
        }
        return pictures;
    }

    private Tensor loss(Stage stage, List<LatentPool.Entry> entries, long step, SplittableRandom random) {
        int batch = entries.size();
        float[] sigmas = new float[batch];
        float[] guidance = new float[batch];
        List<String> captions = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            double logistic = 1 / (1 + Math.exp(-random.nextGaussian()));
            sigmas[i] = (float) FlowMatching.shifted(logistic, stage.shift());
            captions.add(random.nextDouble() < CAPTION_DROP ? "" : entries.get(i).caption);
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
            int z = config.inChannels() / 4;
            float[] latents = new float[batch * z * side * side];
            float[] shares = new float[batch * side * side / 4];
            for (int i = 0; i < batch; i++) {
                LatentPool.Entry entry = entries.get(i);
                System.arraycopy(entry.latents, 0, latents, i * entry.latents.length, entry.latents.length);
                System.arraycopy(entry.weights, 0, shares, i * entry.weights.length, entry.weights.length);
            }
            Tensor clean = Packing.pack(Tensors.of(latents, batch, z, side, side)); // [B, N, C]
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
            return scope.keep(error.mul(Tensors.of(shares, batch, (long) side * side / 4)).mean(1));
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

    /** Fixed prompts drawn with the averaged weights at the stage's size. */
    private void drawSamples(Stage stage, long update) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            FluxTransformer averaged = new FluxTransformer(config, weights.averagedWeights(DType.BFLOAT16));
            double[] sigmas = FlowMatching.sigmas(new SchedulerConfig(SAMPLE_SHIFT, false, null, null, null, null),
                    SAMPLE_STEPS, 1);
            int side = stage.size() / 16;
            List<String> prompts = SampleGrid.prompts(stage.recipe().maxSubjects()).subList(0, SAMPLES);
            Picture sheet = SampleGrid.draw(prompts, (prompt, seed) -> {
                try (Scope each = Scope.open()) {
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
            });
            Path file = checkpoint.resolveSibling(String.format(Locale.ROOT, "samples-%s%06d.png", teacher == null ? "" : "guided-",
                    update));
            PngWriter.write(file, sheet, Map.of());
        }
    }

    private static Conditioning.Text half(Conditioning.Text text) {
        return new Conditioning.Text(Tensors.to(text.tokens(), DType.BFLOAT16), Tensors.to(text.pooled(), DType.BFLOAT16));
    }

    private List<LatentPool.Entry> evaluationSet(Stage stage) {
        List<LatentPool.Entry> set = new ArrayList<>();
        Recipe named = stage.recipe().withGenericShare(0).withTwoAndEmpty(0, 0);
        for (int i = 0; i < 4; i++) {
            List<ToyPicture> pictures = new ArrayList<>();
            for (int j = 0; j < 24; j++) {
                pictures.add(data.draw(EVALUATION_SEEDS + i * 24 + j, stage.size(), named));
            }
            set.addAll(LatentPool.encode(vae, pictures));
        }
        return set;
    }

    /**
     * Loss with a wrong subject word minus loss with the true one, on renders that were never trained on: the go/no-go
     * figure. Zero means that the model ignores what the prompt names.
     */
    private String gaps(Stage stage, List<LatentPool.Entry> set) {
        StringBuilder gaps = new StringBuilder();
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            FluxTransformer averaged = new FluxTransformer(config, weights.averagedWeights(DType.BFLOAT16));
            for (double sigma : EVALUATION_SIGMAS) {
                double gap = 0;
                for (int start = 0; start < set.size(); start += 24) {
                    List<LatentPool.Entry> entries = set.subList(start, start + 24);
                    List<String> right = new ArrayList<>();
                    List<String> wrong = new ArrayList<>();
                    for (int i = 0; i < entries.size(); i++) {
                        LatentPool.Entry entry = entries.get(i);
                        String other = entries.stream().map(e -> e.subjects.get(0))
                                .filter(noun -> !noun.equals(entry.subjects.get(0))).skip(i % 5).findFirst().orElseThrow();
                        right.add(entry.caption);
                        wrong.add(entry.caption.replace(entry.subjects.get(0), other));
                    }
                    float[] sigmas = new float[entries.size()];
                    Arrays.fill(sigmas, (float) sigma);
                    gap += difference(averaged, stage, entries, wrong, right, sigmas, start);
                }
                gaps.append(gaps.isEmpty() ? "" : " / ").append(Math.round(gap / set.size() * 1e4));
            }
        }
        return gaps.toString();
    }

    private double difference(FluxTransformer network, Stage stage, List<LatentPool.Entry> entries, List<String> wrong,
            List<String> right, float[] sigmas, long seed) {
        try (Scope scope = Scope.open()) {
            long noiseSeed = EVALUATION_SEEDS + seed;
            float[] none = new float[entries.size()];
            Arrays.fill(none, 1);
            Tensor worse = weightedLoss(network, stage.size() / 8, entries, wrong, sigmas, none, noiseSeed);
            Tensor better = weightedLoss(network, stage.size() / 8, entries, right, sigmas, none, noiseSeed);
            return Tensors.item(worse.sub(better).sum());
        }
    }
}
