package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.TestPictures;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The scores over tiny random encoders: what must hold for any network. */
class ImageTextTest {

    private static final double ROUNDING = 1e-6;
    private static final String PROMPT = "a photo of a red cat on a beach"; // the first of golden_encoders.py

    private static ImageText scores;

    @BeforeAll
    static void open() {
        scores = ImageText.open(Golden.path("encoders/clip"), Golden.path("encoders/dino"), Device.CPU);
    }

    @AfterAll
    static void close() {
        scores.close();
    }

    private static Picture picture(String name) {
        return Pictures.read(Golden.path("encoders/pictures/" + name + ".png"));
    }

    private static Picture withNoise(Picture picture, int amplitude) {
        Random random = new Random(3);
        byte[] rgb = picture.rgb();
        for (int i = 0; i < rgb.length; i++) {
            int value = (rgb[i] & 255) + random.nextInt(-amplitude, amplitude + 1);
            rgb[i] = (byte) Math.max(0, Math.min(255, value));
        }
        return Picture.of(picture.width(), picture.height(), rgb, null);
    }

    private static Mask box(int width, int height, Box box) {
        float[] coverage = new float[width * height];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = box.contains(i % width, i / width) ? 1 : 0;
        }
        return Mask.of(width, height, coverage);
    }

    /** A subject with its corner at x, y on a background of its own. */
    private static ImageText.View subject(int x, int y, int width, int height, int background) {
        Picture subject = TestPictures.varied(width, height, false, 5);
        Picture canvas = subject.pad(x, y, 150 - x - width, 130 - y - height, background);
        return new ImageText.View(canvas, box(150, 130, new Box(x, y, width, height)));
    }

    @Test
    void aPictureIsItself() {
        Picture wide = picture("wide");
        assertThat(scores.clipImage(wide, wide)).isCloseTo(1, within(ROUNDING));
        assertThat(scores.dino(wide, wide)).isCloseTo(1, within(ROUNDING));
    }

    @Test
    void theMoreAPictureIsChangedTheLessItIsItself() {
        Picture wide = picture("wide");
        double[] clip = new double[3];
        double[] dino = new double[3];
        Picture[] others = {withNoise(wide, 20), withNoise(wide, 200), picture("tall")};
        for (int i = 0; i < others.length; i++) {
            clip[i] = scores.clipImage(wide, others[i]);
            dino[i] = scores.dino(others[i], wide);
        }
        assertThat(clip[0]).isGreaterThan(clip[1]).isGreaterThan(clip[2]).isLessThan(1);
        assertThat(dino[0]).isGreaterThan(dino[1]).isGreaterThan(dino[2]).isLessThan(1);
    }

    /** The public model's logits are the cosines times 14. */
    @Test
    void pictureAndPromptAsThePublicModelScoresThem() {
        try (Scope scope = Scope.open()) {
            double[] logits = Golden.open("encoders.safetensors").doubles("clip.logits_per_image");
            assertThat(scores.clipText(picture("wide"), PROMPT)).isCloseTo(logits[0] / 14, within(1e-5));
        }
    }

    @Test
    void aCutOutIsTheSameWhereverTheSubjectStands() {
        ImageText.View here = subject(10, 20, 60, 40, 0x336699);
        ImageText.View there = subject(83, 71, 60, 40, 0xFFAA00);
        assertThat(ImageText.cutOut(here)).isEqualTo(ImageText.cutOut(there));
        assertThat(scores.segClipImage(here, there)).isCloseTo(1, within(ROUNDING));
        assertThat(scores.clipImage(here.picture(), there.picture())).isLessThan(0.999);
    }

    @Test
    void aCutOutIsASquareWithWhiteAroundTheSubject() {
        ImageText.View view = subject(10, 20, 60, 40, 0x336699);
        Picture cutOut = ImageText.cutOut(view);
        assertThat(cutOut).isEqualTo(view.picture().crop(new Box(10, 20, 60, 40)).pad(0, 10, 0, 10, 0xFFFFFF));
        Mask hole = view.mask().and(box(150, 130, new Box(30, 30, 5, 5)).invert());
        assertThat(ImageText.cutOut(new ImageText.View(view.picture(), hole)).colour(32 - 10, 32 - 20 + 10))
                .isEqualTo(0xFFFFFF);
    }

    @Test
    void severalReferencesCountByTheirMean() {
        Picture wide = picture("wide");
        Picture tall = picture("tall");
        ImageText.References both =
                scores.references(List.of(new ImageText.View(wide, null), new ImageText.View(tall, null)));
        ImageText.Scores result = scores.score(new ImageText.View(wide, null), PROMPT, both);
        assertThat(result.clipImage()).isCloseTo((1 + scores.clipImage(wide, tall)) / 2, within(ROUNDING));
        assertThat(result.dino()).isCloseTo((1 + scores.dino(wide, tall)) / 2, within(ROUNDING));
        assertThat(result.clipText()).isEqualTo(scores.clipText(wide, PROMPT));
        assertThat(result.segClipImage()).isNaN();
    }

    @Test
    void masksOnBothSidesGiveACutOutScore() {
        ImageText.View here = subject(10, 20, 60, 40, 0x336699);
        ImageText.References references = scores.references(List.of(here));
        assertThat(scores.score(subject(50, 60, 60, 40, 0), PROMPT, references).segClipImage()).isCloseTo(1, within(ROUNDING));
        assertThat(scores.score(new ImageText.View(here.picture(), null), PROMPT, references).segClipImage()).isNaN();
    }

    @Test
    void anEmptyMaskAndOneOfAnotherSizeAreRefused() {
        Picture small = picture("small");
        ImageText.View empty = new ImageText.View(small, Mask.full(small.width(), small.height()).invert());
        assertThatThrownBy(() -> scores.references(List.of(empty))).isInstanceOf(Refusal.class).hasMessageContaining("empty");
        assertThatThrownBy(() -> new ImageText.View(small, Mask.full(3, 3))).isInstanceOf(Refusal.class)
                .hasMessageContaining("3 x 3");
    }

    @Test
    void cosines() {
        assertThat(ImageText.cosine(new float[] {1, 2}, new float[] {2, 4})).isCloseTo(1, within(1e-15));
        assertThat(ImageText.cosine(new float[] {1, 0}, new float[] {0, 3})).isZero();
        assertThat(ImageText.cosine(new float[] {1, 1}, new float[] {-5, -5})).isCloseTo(-1, within(1e-15));
    }
}
