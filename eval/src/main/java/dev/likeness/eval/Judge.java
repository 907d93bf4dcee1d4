package dev.likeness.eval;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.latents.Pixels;
import dev.likeness.model.classifier.Classifier;
import dev.likeness.model.classifier.ClassifierConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Says what Toybox's pictures show, and how alike two subjects look, by a classifier that has seen drawn pictures only. */
public final class Judge implements AutoCloseable {

    private static final double MARGIN = 1.1; // side of the square around a subject, in its longer sides
    private static final int WHITE = 0xFFFFFF;

    private final Checkpoint weights;
    private final ClassifierConfig config;
    private final Classifier classifier;

    private Judge(Checkpoint weights, ClassifierConfig config) {
        this.weights = weights;
        this.config = config;
        classifier = weights.network(own -> new Classifier(config, own));
    }

    /**
     * What a picture shows, most likely first.
     *
     * @param scenes all scenes' names
     * @param subjects all named subjects' nouns
     */
    public record Verdict(List<String> scenes, List<String> subjects) {}

    /** @throws Refusal (model) when a file of the folder is missing or does not fit */
    public static Judge open(Path folder) {
        ClassifierConfig config = ClassifierConfig.read(folder.resolve("config.json"));
        return new Judge(Checkpoint.open(folder, "model", DType.FLOAT32, Device.CPU), config);
    }

    /** @param picture of any size; seen at the classifier's */
    public Verdict judge(Picture picture) {
        try (Scope scope = Scope.open()) {
            Classifier.Output output = classifier.forward(seen(picture));
            return new Verdict(ranked(config.scenes(), Tensors.floats(output.scenes())),
                    ranked(config.subjects(), Tensors.floats(output.subjects())));
        }
    }

    private static List<String> ranked(List<String> names, float[] values) {
        return IntStream.range(0, names.size()).boxed().sorted(Comparator.comparingDouble(i -> -values[i])).map(names::get)
                .toList();
    }

    /**
     * Where in the picture a subject is: the centre of what speaks for it.
     *
     * @param noun one of the nouns that {@link Verdict#subjects} lists
     * @return x and y as fractions of the picture's sides, 0 left and top to 1
     */
    public double[] where(Picture picture, String noun) {
        int subject = config.subjects().indexOf(noun);
        if (subject < 0) {
            throw new IllegalArgumentException("no subject of the judge is named " + noun);
        }
        try (Scope scope = Scope.open()) {
            Classifier.Output output = classifier.forward(seen(picture));
            int columns = (int) output.map().size(3);
            float[] map = Tensors.floats(output.map().select(1, subject));
            double sum = 0;
            double x = 0;
            double y = 0;
            for (int i = 0; i < map.length; i++) {
                double weight = Math.max(0, map[i]);
                sum += weight;
                x += weight * (i % columns + 0.5) / columns;
                y += weight * (i / columns + 0.5) / (map.length / columns);
            }
            return sum == 0 ? new double[] {0.5, 0.5} : new double[] {x / sum, y / sum};
        }
    }

    /**
     * Learned similarity: cosine between the identity vectors of the subject's surroundings in the reference and of the same
     * square, moved, in the picture made; -1 to 1, and 1 for equal pixels.
     *
     * @param mask the subject in the reference
     * @param right pixels that the subject was moved to the right, {@code down} likewise
     * @throws Refusal (input) when the mask is empty
     */
    public double similarity(Picture reference, Mask mask, Picture made, int right, int down) {
        Box box = mask.box().orElseThrow(() -> Refusal.input(
                "The mask of the reference is empty, and without a subject there is nothing to compare; give its mask."));
        return ImageText.cosine(identity(square(reference, box, 0, 0)), identity(square(made, box, right, down)));
    }

    private float[] identity(Picture picture) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(classifier.forward(seen(picture)).identity());
        }
    }

    private Tensor seen(Picture picture) {
        return Pixels.of(picture.flatten(WHITE).resize(config.size(), config.size()));
    }

    /** The square around a box, white where it leaves the picture. */
    private static Picture square(Picture picture, Box box, int right, int down) {
        int side = (int) Math.ceil(MARGIN * Math.max(box.width(), box.height()));
        int left = box.x() + right + (box.width() - side) / 2;
        int top = box.y() + down + (box.height() - side) / 2;
        int padding = Math.max(0, Math.max(Math.max(-left, -top),
                Math.max(left + side - picture.width(), top + side - picture.height())));
        return picture.flatten(WHITE).pad(padding, padding, padding, padding, WHITE)
                .crop(new Box(left + padding, top + padding, side, side));
    }

    @Override
    public void close() {
        weights.close();
    }
}
