package dev.likeness.eval;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Subject;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * References for analysis: the standard list's subjects, which no model here was trained on, on scenes drawn for them. Their
 * captions name the scene alone, since no model knows the subjects' words.
 *
 * @param name unique among those of one call
 * @param mask white where the subject is
 * @param caption what the reference shows
 * @param elsewhere a prompt of another scene
 * @param seed of the picture that is made with it
 */
public record HeldOut(String name, String subject, Picture picture, Mask mask, String caption, String elsewhere, long seed) {

    private static final double MIN_SCALE = 0.5;
    private static final double MAX_SCALE = 0.75;
    private static final int OTHER = 7; // scenes on in the list
    private static final int SMALL = 32;

    /**
     * The subjects in turn, the scenes in turn (those of one colour left out), places and sizes at random.
     *
     * @param subjects folder of cut-outs, examples/subjects
     * @param width of the canvas in pixels, as is {@code height}
     * @param seed of the first; the same seed gives the same references
     * @throws Refusal (input) when a cut-out is not there
     */
    public static List<HeldOut> draw(Path subjects, int count, int width, int height, long seed) {
        List<String> names = ToyboxBench.subjects();
        List<String> scenes = Scenes.names().stream().filter(scene -> !scene.startsWith("plain ")).toList();
        List<HeldOut> drawn = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String subject = names.get(i % names.size());
            Path file = subjects.resolve(subject + ".png");
            if (!Files.isRegularFile(file)) {
                throw Refusal.input("--subjects %s holds no %s.png; give the folder examples/subjects.", subjects, subject);
            }
            int number = i + i / scenes.size(); // so that a subject's next picture has another scene
            String scene = scenes.get(number % scenes.size());
            String other = scenes.get((number + OTHER) % scenes.size());
            drawn.add(of(subject, file, scene, other, width, height, seed + i));
        }
        return drawn;
    }

    private static HeldOut of(String name, Path file, String scene, String other, int width, int height, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Picture cutOut = Pictures.read(file);
        double scale = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * random.nextDouble();
        Subject subject = ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, file.toString()), width, height, "",
                new Layout(0.5, 0.5, scale));
        Box box = subject.mask().box().orElseThrow();
        int right = random.nextInt(width - box.width() + 1) - box.x();
        int down = random.nextInt(height - box.height() + 1) - box.y();
        Mask mask = subject.mask().translate(right, down);
        ToyPicture ground = ToyboxData.drawScene(seed, Math.max(width, height), scene);
        Picture picture = Pictures.of(ground.image()).crop(new Box(0, 0, width, height))
                .under(Drawn.move(subject.picture(), right, down), mask);
        String elsewhere = ToyboxData.drawScene(seed, SMALL, other).caption();
        return new HeldOut(name + "-" + scene + "-" + seed, name, picture, mask, ground.caption(), elsewhere, seed);
    }
}
