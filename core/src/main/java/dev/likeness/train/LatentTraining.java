package dev.likeness.train;

import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.model.vae.AutoencoderKl;
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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains a network that predicts something of noisy latents from a caption, whichever network it is: stages, batches, checkpoints,
 * the go/no-go figure and samples. The autoencoder is frozen. Stops and goes on from its checkpoint.
 */
public abstract class LatentTraining {

    /** Share of training captions dropped to the empty prompt, which true guidance needs. */
    private static final double CAPTION_DROP = 0.1;
    private static final long EVALUATION_SEEDS = 1L << 40;
    private static final double[] EVALUATION_LEVELS = {0.5, 0.7, 0.85};
    private static final int SAMPLES = 18;

    /**
     * A stretch of training on pictures of one kind.
     *
     * @param until update at which the stage ends
     * @param size picture side in pixels
     * @param shift shift of the training noise levels: sigma' = s sigma / (1 + (s - 1) sigma)
     */
    public record Stage(long until, int size, int batch, double shift, Recipe recipe) {}

    /** The network with its averaged weights. */
    interface Averaged {

        /** Loss of each picture [B] at one noise level from 0 to 1, without guidance. */
        Tensor errors(Stage stage, List<LatentPool.Entry> entries, List<String> captions, double level, long noiseSeed);

        /** Draws a prompt with guidance at the stage's size. */
        Picture paint(Stage stage, String prompt, long seed);
    }

    final AutoencoderKl vae;
    final Path checkpoint;
    final List<Stage> stages;
    private final ToyboxData data;
    private final double learningRate;
    private final TrainableWeights weights;
    private final String part;
    private final String samples;

    /**
     * @param part its name in the log
     * @param samples beginning of the names of its sample sheets
     * @param vae in bfloat16
     * @param weights restored here from the checkpoint, if there is one
     */
    LatentTraining(String part, String samples, ToyboxData data, AutoencoderKl vae, Path checkpoint, List<Stage> stages,
            double learningRate, TrainableWeights weights) {
        this.part = part;
        this.samples = samples;
        this.data = data;
        this.vae = vae;
        this.checkpoint = checkpoint;
        this.stages = stages;
        this.learningRate = learningRate;
        this.weights = weights;
        if (Files.exists(checkpoint)) {
            weights.restore(checkpoint);
        }
    }

    /** Loss of a batch, a scalar to be differentiated. @param random what the batch draws noise levels and the like from */
    abstract Tensor loss(Stage stage, List<LatentPool.Entry> entries, long step, SplittableRandom random);

    /** Owned by the open scope. */
    abstract Averaged averaged();

    final ToyboxData data() {
        return data;
    }

    /**
     * Goes on from weights whose training state is gone, unless there is a state to go on from.
     *
     * @param file the network's weights as they were written
     * @param update the update at which they were
     */
    public final void startFrom(Path file, long update) {
        if (!Files.exists(checkpoint)) {
            try (Scope scope = Scope.open()) {
                weights.startFrom(SafetensorsFile.open(file).readAll(), update);
            }
        }
    }

    public final TrainableWeights weights() {
        return weights;
    }

    /** @param exporter called after every checkpoint, to write the averaged weights where they are used */
    public final void run(Consumer<String> log, Runnable exporter) throws IOException {
        log.accept(String.format(Locale.ROOT, "%s: %d parameters, from update %d", part, weights.size(), weights.updates()));
        for (Stage stage : stages) {
            if (weights.updates() < stage.until()) {
                run(stage, log, exporter);
            }
        }
    }

    private void run(Stage stage, Consumer<String> log, Runnable exporter) throws IOException {
        log.accept(part + ": " + stage);
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
                    log.accept(String.format(Locale.ROOT, "%s: update %d loss %.4f, %.1f samples/s", part, step, running,
                            (step - first) * stage.batch() / ((System.nanoTime() - started) / 1e9)));
                }
                if (step % 250 == 0 || step == stage.until()) {
                    log.accept(String.format(Locale.ROOT, "%s: update %d gap x1e-4 at .5/.7/.85: %s", part, step,
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

    /** A picture's caption, or the empty prompt in its place. */
    static String caption(LatentPool.Entry entry, SplittableRandom random) {
        return random.nextDouble() < CAPTION_DROP ? "" : entry.caption;
    }

    /** Fixed prompts drawn with the averaged weights at the stage's size. */
    private void drawSamples(Stage stage, long update) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Averaged averaged = averaged();
            List<String> prompts = SampleGrid.prompts(stage.recipe().maxSubjects()).subList(0, SAMPLES);
            Picture sheet = SampleGrid.draw(prompts, (prompt, seed) -> averaged.paint(stage, prompt, seed));
            PngWriter.write(checkpoint.resolveSibling(String.format(Locale.ROOT, "%s%06d.png", samples, update)), sheet, Map.of());
        }
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
            Averaged averaged = averaged();
            for (double level : EVALUATION_LEVELS) {
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
                    try (Scope each = Scope.open()) {
                        Tensor worse = averaged.errors(stage, entries, wrong, level, EVALUATION_SEEDS + start);
                        Tensor better = averaged.errors(stage, entries, right, level, EVALUATION_SEEDS + start);
                        gap += Tensors.item(worse.sub(better).sum());
                    }
                }
                gaps.append(gaps.isEmpty() ? "" : " / ").append(Math.round(gap / set.size() * 1e4));
            }
        }
        return gaps.toString();
    }
}
