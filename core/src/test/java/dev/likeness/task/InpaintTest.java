package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.denoise.Evaluations;
import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.TestPictures;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Layout;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InpaintTest {

    private static final int SIDE = TinyModel.SIDE;

    @TempDir
    static Path folder;

    private static FluxModel model;

    @BeforeAll
    static void open() throws IOException {
        model = FluxModel.open(TinyModel.write(folder), Device.CPU, DType.FLOAT32);
    }

    @BeforeEach
    void forget() {
        model.use(ReferenceCache.inMemory(ReferenceCache.MEMORY_BYTES));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Mask hole(int width, int height, Box hole) {
        float[] coverage = new float[width * height];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = hole.contains(i % width, i / width) ? 1 : 0;
        }
        return Mask.of(width, height, coverage);
    }

    private static Sampling sampling(int width, int height, int count) {
        return new Sampling(width, height, TinyModel.STEPS, 0, 1, "", 8, 5, count);
    }

    /** Of 4 steps the first two replace. */
    private static Injection injection(ReplaceAt level) {
        return new Injection(0.5, TauBasis.STEPS, level, false);
    }

    private static Generation run(Inpaint.Edit edit, List<Subject> subjects, Sampling sampling) {
        return Inpaint.run(model, "a fox in the snow", edit, subjects, injection(ReplaceAt.ATTENTION), false, sampling,
                TaskListener.NONE);
    }

    private static Picture picture(Inpaint.Edit edit) {
        return run(edit, List.of(), sampling(SIDE, SIDE, 1)).images().get(0).picture();
    }

    private static int distance(Box box, int x, int y) {
        int dx = Math.max(0, Math.max(box.x() - x, x - (box.x() + box.width() - 1)));
        int dy = Math.max(0, Math.max(box.y() - y, y - (box.y() + box.height() - 1)));
        return Math.max(dx, dy);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 6})
    void whatIsKeptIsThePictureAndWhatIsFreshTheModels(int softEdge) {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        Box box = new Box(16, 20, 24, 30);
        Mask hole = hole(SIDE, SIDE, box);
        Picture made = picture(new Inpaint.Edit(picture, hole, "", true, softEdge));
        Picture decoded = picture(new Inpaint.Edit(picture, hole, "", false, softEdge));
        int mixed = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            int x = i % SIDE;
            int y = i / SIDE;
            if (box.contains(x, y)) {
                assertThat(made.colour(x, y)).isEqualTo(decoded.colour(x, y));
            } else if (distance(box, x, y) >= Math.max(1, softEdge)) {
                assertThat(made.colour(x, y)).isEqualTo(picture.colour(x, y));
            } else {
                mixed += made.colour(x, y) != picture.colour(x, y) ? 1 : 0;
            }
        }
        assertThat(mixed > 0).isEqualTo(softEdge > 1);
        assertThat(decoded).isNotEqualTo(picture);
    }

    /** Of two holes the larger one is meant; the picture between them is not. */
    @Test
    void aSubjectGoesIntoTheMiddleOfTheLargestHole() {
        float[] coverage = new float[SIDE * SIDE];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = new Box(0, 0, 32, SIDE).contains(i % SIDE, i / SIDE)
                    || new Box(48, 0, 16, SIDE).contains(i % SIDE, i / SIDE) ? 1 : 0;
        }
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        Inpaint.Edit edit = new Inpaint.Edit(picture, Mask.of(SIDE, SIDE, coverage), "", true, 0);
        assertThat(edit.middle()).isEqualTo(new Layout(0.25, 0.5, 0.5));
    }

    @Test
    void aSubjectUnderTheKeptPictureIsToldOrRefused() {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        Inpaint.Edit edit = new Inpaint.Edit(picture, hole(SIDE, SIDE, new Box(0, 0, 32, SIDE)), "", true, 0);
        Picture cutOut = TinyModel.subject();
        Subject beside = ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, "it"), SIDE, SIDE, "", new Layout(0.5, 0.5));
        assertThat(run(edit, List.of(beside), sampling(SIDE, SIDE, 1)).warnings()).singleElement().asString()
                .contains("2 of 4 tokens of subject 1 lie outside the hole");
        assertThatThrownBy(() -> Inpaint.run(model, "a fox", edit, List.of(beside), injection(ReplaceAt.ATTENTION), true,
                sampling(SIDE, SIDE, 1), TaskListener.NONE)).hasMessageContaining("--strict");
        Subject inside = ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, "it"), SIDE, SIDE, "", edit.middle());
        assertThat(run(edit, List.of(inside), sampling(SIDE, SIDE, 1)).warnings()).isEmpty();
    }

    /** The picture of 90 x 70 is drawn on a canvas of 96 x 64. */
    @Test
    void withoutBlendingTheResultIsTheCanvasWithItThePictureAgain() {
        Picture picture = TestPictures.varied(90, 70, false, 2);
        Mask hole = hole(90, 70, new Box(30, 20, 30, 30));
        Sampling sampling = sampling(96, 64, 2);
        List<Generation.Image> canvas = run(new Inpaint.Edit(picture, hole, "", false, 0), List.of(), sampling).images();
        List<Generation.Image> blended = run(new Inpaint.Edit(picture, hole, "", true, 0), List.of(), sampling).images();
        assertThat(canvas).extracting(Generation.Image::seed).containsExactly(5L, 6L);
        assertThat(blended).extracting(Generation.Image::seed).containsExactly(5L, 6L);
        for (int i = 0; i < 2; i++) {
            Picture drawn = canvas.get(i).picture();
            assertThat(List.of(drawn.width(), drawn.height())).containsExactly(96, 64);
            assertThat(blended.get(i).picture()).isEqualTo(picture.under(drawn.resize(90, 70), hole));
        }
        assertThat(blended.get(0).picture()).isNotEqualTo(blended.get(1).picture());
    }

    @Test
    void aTransparentPictureIsKeptOnWhite() {
        Picture picture = TestPictures.varied(SIDE, SIDE, true, 3);
        Picture made = picture(new Inpaint.Edit(picture, hole(SIDE, SIDE, new Box(0, 0, 32, 64)), "", true, 0));
        assertThat(made.hasAlpha()).isFalse();
        assertThat(made.crop(new Box(32, 0, 32, 64))).isEqualTo(picture.flatten(0xFFFFFF).crop(new Box(32, 0, 32, 64)));
    }

    /** What is kept goes through the network as one reference, at the replaced steps only; so does each subject. */
    @Test
    void whatIsKeptTakesOnePassAtEachReplacedStep() {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        Inpaint.Edit edit = new Inpaint.Edit(picture, hole(SIDE, SIDE, new Box(16, 16, 32, 32)), "", true, 0);
        assertThat(run(edit, List.of(), sampling(SIDE, SIDE, 2)).evaluations()).isEqualTo(new Evaluations(8, 0, 2, 0));
        assertThat(run(edit, List.of(), sampling(SIDE, SIDE, 1)).evaluations()).as("again")
                .isEqualTo(new Evaluations(4, 0, 0, 0));
        forget();
        Picture fox = TinyModel.subject();
        Subject subject = ReferenceFit.fit(fox, Mask.ofAlpha(fox, "fox"), SIDE, SIDE, "a fox", new Layout(0.5, 0.5));
        Generation with = run(edit, List.of(subject), sampling(SIDE, SIDE, 1));
        assertThat(with.evaluations()).isEqualTo(new Evaluations(4, 0, 4, 0));
        assertThat(with.warnings()).isEmpty();
        assertThat(with.images()).isNotEqualTo(run(edit, List.of(), sampling(SIDE, SIDE, 1)).images());
    }

    /** And they stay in their places. */
    @Test
    void onlyTokensWithoutAPixelOfTheHoleAreKept() {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        Subject kept = new Subject(picture, hole(SIDE, SIDE, new Box(48, 0, 16, 64)).invert(), "", null, true);
        Arrangement arrangement = Arrangement.of(List.of(kept), injection(ReplaceAt.LATENT), true);
        assertThat(arrangement.placements().get(0).target()).containsExactly(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14);
        assertThat(arrangement.placements().get(0).source()).isEqualTo(arrangement.placements().get(0).target());
        Subject less = new Subject(picture, hole(SIDE, SIDE, new Box(47, 0, 17, 64)).invert(), "", null, true);
        assertThat(Arrangement.of(List.of(less), injection(ReplaceAt.LATENT), true).placements().get(0).target())
                .as("a token with one column of the hole is drawn anew").containsExactly(0, 1, 4, 5, 8, 9, 12, 13);
    }

    private static void assertRefused(Refusal.Kind kind, String sentence, Runnable making) {
        assertThatThrownBy(making::run).isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(kind))
                .hasMessageContaining(sentence);
    }

    @Test
    void aHoleOfNothingOrOfAnotherSizeIsRefused() {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        assertRefused(Refusal.Kind.INPUT, "no pixel as hole",
                () -> new Inpaint.Edit(picture, Mask.full(SIDE, SIDE).invert(), "", true, 0));
        assertRefused(Refusal.Kind.INPUT, "32 x 64", () -> new Inpaint.Edit(picture, Mask.full(32, SIDE), "", true, 0));
    }

    @Test
    void aHoleThatLeavesNothingIsRefused() {
        Picture picture = TestPictures.varied(SIDE, SIDE, false, 1);
        float[] stripes = new float[SIDE * SIDE];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = i % SIDE % 16 == 3 ? 1 : 0; // one column of every token
        }
        for (Mask hole : List.of(Mask.full(SIDE, SIDE), Mask.of(SIDE, SIDE, stripes),
                hole(SIDE, SIDE, new Box(1, 1, 63, 63)))) {
            assertRefused(Refusal.Kind.INPUT, "leaves no block", () -> picture(new Inpaint.Edit(picture, hole, "", true, 0)));
        }
        Mask oneTokenLess = hole(SIDE, SIDE, new Box(48, 16, 16, 16)).invert();
        assertThat(picture(new Inpaint.Edit(picture, oneTokenLess, "", true, 0))).isNotEqualTo(picture);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1025, Integer.MIN_VALUE})
    void softEdgesOutOfRangeAreRefused(int softEdge) {
        assertRefused(Refusal.Kind.USAGE, "--soft-edge", () -> new Inpaint.Edit(TestPictures.varied(8, 8, false, 1),
                Mask.full(8, 8), "", true, softEdge));
    }

    @ParameterizedTest
    @CsvSource({"3, 5, 7, 11", "0, 0, 0, 1", "16, 0, 0, 0", "0, 2, 0, 0", "0, 0, 4, 0"})
    void outpaintingFramesThePictureWithAHole(int left, int right, int up, int down) {
        Picture picture = TestPictures.varied(20, 10, false, 4);
        Inpaint.Edit edit = Inpaint.Edit.outpaint(picture, left, right, up, down, "a fox", true, 2);
        assertThat(edit.picture().width()).isEqualTo(20 + left + right);
        assertThat(edit.picture().height()).isEqualTo(10 + up + down);
        Box kept = new Box(left, up, 20, 10);
        assertThat(edit.picture().crop(kept)).isEqualTo(picture);
        assertThat(edit.picture()).isEqualTo(picture.extend(left, up, right, down));
        assertThat(edit.hole()).isEqualTo(hole(edit.picture().width(), edit.picture().height(), kept).invert());
        assertThat(edit.caption()).isEqualTo("a fox");
        assertThat(edit.softEdge()).isEqualTo(2);
    }

    @Test
    void theOutpaintedPictureHoldsTheOldOne() {
        Picture picture = TestPictures.varied(32, 48, false, 5);
        Picture made = picture(Inpaint.Edit.outpaint(picture, 32, 0, 0, 16, "", true, 0));
        assertThat(made.width()).isEqualTo(64);
        assertThat(made.height()).isEqualTo(64);
        assertThat(made.crop(new Box(32, 0, 32, 48))).isEqualTo(picture);
        assertThat(made).isNotEqualTo(picture.extend(32, 0, 0, 16));
    }

    /** None, less than none, and more than any memory holds. */
    @ParameterizedTest
    @CsvSource({"0, 0, 0, 0", "-1, 5, 0, 0", "4, 0, -2, 0", "0, 0, 0, -3", "2000000000, 0, 0, 0", "0, 0, 10000, 10000000",
        "2147483647, 2147483647, 0, 2", "1073741824, 1073741824, 1073741824, 1073741824"})
    void impossibleFramesAreRefused(int left, int right, int up, int down) {
        Picture picture = TestPictures.varied(20, 10, false, 4);
        assertThatThrownBy(() -> Inpaint.Edit.outpaint(picture, left, right, up, down, "", true, 0))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE));
    }
}
