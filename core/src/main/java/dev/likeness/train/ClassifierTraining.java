package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.likeness.model.classifier.Classifier;
import dev.likeness.model.classifier.ClassifierConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.Crops.Crop;
import dev.likeness.train.data.Place;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.Split;
import dev.likeness.train.data.Subject;
import dev.likeness.train.data.Subjects;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import dev.likeness.train.data.ToyboxData.Placed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains the judge of Toybox's pictures on drawn ones: all subjects, held-out ones too, because it judges and never draws.
 * Stops and goes on from its checkpoint.
 */
public final class ClassifierTraining {

    private static final int SIZE = 128;
    private static final int BATCH = 32;
    private static final double RATE = 1e-3;
    /** Cosines times this are the subjects' logits. */
    private static final double SHARPNESS = 20;
    private static final double EMPTY_SHARE = 0.08;
    private static final double TWO_SHARE = 0.2;
    private static final double NOISE = 0.06;
    private static final long EVALUATION_SEEDS = 1L << 41;

    private final ToyboxData data;
    private final Path checkpoint;
    private final int steps;
    private final ClassifierConfig config;
    private final List<Subject> subjects; // in the order of the network's classes
    private final Map<Subject, Integer> numbers = new HashMap<>();
    private final TrainableWeights weights;
    private final Classifier classifier;

    /**
     * A drawn picture and what it shows.
     *
     * @param shown none, one or two
     */
    private record Sample(ToyPicture picture, int scene, List<Integer> shown) {}

    /**
     * Shares of right answers on held-out composites: pictures of seeds that training never draws.
     *
     * @param scene scene, over all pictures
     * @param subject subject among all of them, over pictures with one
     * @param subjectTop5 the same among the five most likely
     */
    public record Accuracy(double scene, double subject, double subjectTop5) {}

    /** @param steps length of the whole run, over which the learning rate falls */
    public ClassifierTraining(ToyboxData data, Path workFolder, int steps) {
        this.data = data;
        this.steps = steps;
        List<Subject> named = Subjects.all().stream().filter(subject -> subject.split() != Split.GENERIC).toList();
        subjects = Stream.concat(named.stream(), Subjects.of(Split.GENERIC).stream()).toList();
        for (int i = 0; i < subjects.size(); i++) {
            numbers.put(subjects.get(i), i);
        }
        config = new ClassifierConfig(SIZE, List.of(32, 64, 128, 224), 128, Scenes.names(),
                named.stream().map(Subject::noun).toList(), subjects.size() - named.size());
        checkpoint = workFolder.resolve("classifier-state.safetensors");
        weights = new TrainableWeights(w -> new Classifier(config, w), Initial.scaled(1.0, name -> false, 200_000),
                name -> name.matches(".*(stem|halve|conv[12]|identity)\\.weight"));
        if (Files.exists(checkpoint)) {
            weights.restore(checkpoint);
        }
        classifier = new Classifier(config, weights);
    }

    public void run(Consumer<String> log) throws IOException {
        long first = weights.updates();
        long started = System.nanoTime();
        log.accept(String.format(Locale.ROOT, "classifier: %d parameters, from step %d to %d", weights.size(), first, steps));
        double running = 0;
        try (Batches<List<Sample>> batches = new Batches<>(first, this::batch)) {
            while (weights.updates() < steps) {
                double progress = (double) weights.updates() / steps;
                double rate = RATE * Math.min(1, (weights.updates() + 1) / 100.0)
                        * (0.02 + 0.98 * 0.5 * (1 + Math.cos(Math.PI * progress)));
                try (Scope scope = Scope.open()) {
                    Tensor loss = loss(batches.next());
                    loss.backward();
                    running += (Tensors.item(loss) - running) * (weights.updates() == first ? 1 : 0.02);
                }
                weights.update(rate, 0.01, Math.min(0.995, (1.0 + weights.updates()) / (10 + weights.updates())));
                long step = weights.updates();
                if (step % 100 == 0) {
                    log.accept(String.format(Locale.ROOT, "classifier: step %d loss %.4f, %.1f samples/s", step, running,
                            (step - first) * BATCH / ((System.nanoTime() - started) / 1e9)));
                }
                if (step % 500 == 0 || step == steps) {
                    Accuracy accuracy = accuracy(step == steps ? 2048 : 512);
                    log.accept(String.format(Locale.ROOT, "classifier: step %d scene %.4f, subject %.4f, top five %.4f", step,
                            accuracy.scene(), accuracy.subject(), accuracy.subjectTop5()));
                    weights.save(checkpoint);
                }
            }
        }
    }

    /** Every other batch at half the size: generated pictures are softer than drawn ones. */
    private List<Sample> batch(long step) {
        return draw(step * BATCH, BATCH, step % 2 == 0 ? SIZE : SIZE / 2);
    }

    private List<Sample> draw(long seed, int count, int size) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            samples.add(draw(seed + i, size));
        }
        return samples;
    }

    private Sample draw(long seed, int size) {
        RandomGenerator random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + 2);
        int scene = random.nextInt(config.scenes().size());
        double kind = random.nextDouble();
        List<Placed> placed = new ArrayList<>();
        if (kind < TWO_SHARE) {
            placed.add(new Placed(any(random), beside(random, 0.26)));
            placed.add(new Placed(any(random), beside(random, 0.74)));
        } else if (kind < 1 - EMPTY_SHARE) {
            placed.add(new Placed(any(random), alone(random)));
        }
        return new Sample(data.draw(seed, size, config.scenes().get(scene), placed), scene,
                placed.stream().map(p -> numbers.get(p.subject())).distinct().toList());
    }

    private Subject any(RandomGenerator random) {
        return subjects.get(random.nextInt(subjects.size()));
    }

    /** Up to the whole picture, so that a subject's own box is as familiar as a picture. */
    private static Place alone(RandomGenerator random) {
        double scale = 0.3 + 0.7 * random.nextDouble();
        double room = Math.max(0.04, 1 - scale);
        return new Place(0.5 + room * (random.nextDouble() - 0.5), 0.5 + room * (random.nextDouble() - 0.5), scale,
                random.nextBoolean());
    }

    private static Place beside(RandomGenerator random, double middle) {
        double scale = 0.28 + 0.22 * random.nextDouble();
        return new Place(middle + 0.06 * (random.nextDouble() - 0.5), 0.35 + 0.3 * random.nextDouble(), scale,
                random.nextBoolean());
    }

    private static Tensor pixels(List<Sample> samples) {
        Tensor pixels = Crops.pixels(samples.stream().map(sample -> Crop.whole(sample.picture())).toList());
        return pixels.size(2) == SIZE ? pixels : Ops.upsampleBicubic(pixels, SIZE, SIZE);
    }

    private Tensor loss(List<Sample> samples) {
        try (Scope scope = Scope.open()) {
            long seed = weights.updates() * 3;
            int batch = samples.size();
            Tensor pixels = pixels(samples);
            Tensor contrast = Tensors.noise(seed, batch, 3, 1, 1).mul(new Scalar(0.1)).exp();
            Tensor brightness = Tensors.noise(seed + 1, batch, 3, 1, 1).mul(new Scalar(0.08));
            Tensor noise = Tensors.noise(seed + 2, Tensors.shape(pixels)).mul(new Scalar(NOISE));
            pixels = pixels.mul(contrast).add(brightness).add(noise);
            float[] scenes = new float[batch * config.scenes().size()];
            float[] shown = new float[batch * subjects.size()];
            for (int i = 0; i < batch; i++) {
                Sample sample = samples.get(i);
                scenes[i * config.scenes().size() + sample.scene()] = 1;
                for (int number : sample.shown()) {
                    shown[i * subjects.size() + number] = 1f / sample.shown().size();
                }
            }
            Classifier.Output output = classifier.forward(Tensors.to(pixels, DType.BFLOAT16));
            Tensor sceneLoss = crossEntropy(output.scenes(), scenes);
            Tensor subjectLoss = crossEntropy(output.subjects().mul(new Scalar(SHARPNESS)), shown);
            return scope.keep(sceneLoss.add(subjectLoss));
        }
    }

    /** Mean over the batch; a row of zeros says nothing. */
    private static Tensor crossEntropy(Tensor logits, float[] targets) {
        Tensor target = Tensors.of(targets, Tensors.shape(logits));
        return Tensors.to(logits, DType.FLOAT32).log_softmax(1).mul(target).sum().div(new Scalar((double) -logits.size(0)));
    }

    /** How often the averaged weights are right about pictures of seeds that training never draws. */
    public Accuracy accuracy(int pictures) {
        int scenes = 0;
        int alone = 0;
        int first = 0;
        int amongFive = 0;
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Classifier averaged = new Classifier(config, weights.averagedWeights(DType.FLOAT32));
            for (int start = 0; start < pictures; start += BATCH) {
                List<Sample> samples = draw(EVALUATION_SEEDS + start, BATCH, SIZE);
                float[] sceneLogits;
                float[] cosines;
                try (Scope each = Scope.open()) {
                    Classifier.Output output = averaged.forward(pixels(samples));
                    sceneLogits = Tensors.floats(output.scenes());
                    cosines = Tensors.floats(output.subjects());
                }
                for (int i = 0; i < samples.size(); i++) {
                    Sample sample = samples.get(i);
                    scenes += rank(sceneLogits, i, config.scenes().size(), sample.scene()) == 0 ? 1 : 0;
                    if (sample.shown().size() == 1) {
                        int rank = rank(cosines, i, subjects.size(), sample.shown().get(0));
                        alone++;
                        first += rank == 0 ? 1 : 0;
                        amongFive += rank < 5 ? 1 : 0;
                    }
                }
            }
        }
        int seen = (pictures + BATCH - 1) / BATCH * BATCH;
        return new Accuracy((double) scenes / seen, (double) first / alone, (double) amongFive / alone);
    }

    /** Number of classes with a greater value than that of the class given. */
    private static int rank(float[] values, int row, int classes, int of) {
        int rank = 0;
        for (int k = 0; k < classes; k++) {
            rank += values[row * classes + k] > values[row * classes + of] ? 1 : 0;
        }
        return rank;
    }

    /** Writes config.json and the averaged weights; bfloat16's other three bits say nothing that the accuracy shows. */
    public void export(Path folder) throws IOException {
        Files.createDirectories(folder);
        ObjectMapper mapper = new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);
        Files.writeString(folder.resolve("config.json"), mapper.valueToTree(config).toPrettyString() + "\n");
        weights.write(folder.resolve("model.safetensors"), 5);
    }
}
