package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ToyboxDataTest {

    private static final int SIZE = 64;
    private static final int RED = 0xFF0000;

    @TempDir
    private static Path folder;
    private static ToyboxData data;

    @BeforeAll
    static void load() throws IOException {
        SyntheticSprites.writeAll(folder);
        data = ToyboxData.load(folder);
    }

    @Test
    void theSameSeedGivesTheSamePictureOnEveryThread() {
        List<ToyPicture> alone = IntStream.range(0, 40).mapToObj(this::draw).toList();
        List<ToyPicture> together = IntStream.range(0, 40).parallel().mapToObj(this::draw).toList();

        for (int i = 0; i < alone.size(); i++) {
            assertThat(together.get(i).caption()).isEqualTo(alone.get(i).caption());
            assertThat(together.get(i).rgb()).isEqualTo(alone.get(i).rgb());
            assertThat(together.get(i).mask()).isEqualTo(alone.get(i).mask());
        }
    }

    @Test
    void everySubjectAndSceneIsDrawn() {
        Set<String> subjects = new HashSet<>();
        Set<String> scenes = new HashSet<>();
        for (int seed = 0; seed < 3000; seed++) {
            ToyPicture picture = data.draw(1000 + seed, 8, Recipe.LARGE_CENTRED);
            subjects.addAll(picture.subjects());
            scenes.add(picture.scene());
        }
        assertThat(subjects).hasSize(Subjects.of(Split.TRAIN).size());
        assertThat(scenes).hasSize(Scenes.names().size());
    }

    @Test
    void aChosenSubjectStandsWhereItIsPut() {
        ToyPicture picture = data.draw(5, SIZE, "plain white", List.of(new ToyboxData.Placed(penguin(), new Place(0.25, 0.75, 0.5, false))));

        assertThat(picture.box()).isEqualTo(new Rectangle(0, 32, 32, 32));
        assertThat(picture.caption()).isEqualTo("a penguin on a plain white background");
        assertThat(picture.subjects()).containsExactly("penguin");
        assertThat(picture.rgb()[48 * SIZE + 16]).isEqualTo(RED);
        assertThat(picture.mask()[48 * SIZE + 16]).isEqualTo(1);
        assertThat(picture.mask()[16 * SIZE + 16]).isZero();
    }

    @Test
    void theMaskIsTheSubjectWithoutItsShadow() {
        ToyPicture with = data.draw(5, SIZE, "plain white", List.of(new ToyboxData.Placed(penguin(), new Place(0.5, 0.5, 0.5, false))));
        ToyPicture without = ToyboxData.drawScene(5, SIZE, "plain white");
        int corner = 49 * SIZE + 49;

        assertThat(with.mask()[corner]).isZero();
        assertThat(with.rgb()[corner] & 255).isLessThan((without.rgb()[corner] & 255) - 10);
        assertThat(with.rgb()[0]).isEqualTo(without.rgb()[0]);
    }

    @Test
    void floatingSubjectsThrowNoShadow() {
        ToyPicture with = data.draw(5, SIZE, "space", List.of(new ToyboxData.Placed(penguin(), Place.CENTRE)));
        int[] without = ToyboxData.drawScene(5, SIZE, "space").rgb();

        for (int i = 0; i < without.length; i++) {
            if (with.mask()[i] == 0) {
                assertThat(with.rgb()[i]).isEqualTo(without[i]);
            }
        }
    }

    @Test
    void largeCentredSubjectsAreLargeAndCentred() {
        for (int seed = 0; seed < 200; seed++) {
            ToyPicture picture = data.draw(seed, SIZE, Recipe.LARGE_CENTRED.withTwoAndEmpty(0, 0));
            assertThat(picture.box().getWidth() / SIZE).isBetween(0.53, 0.87);
            assertThat(picture.box().getCenterX() / SIZE).isCloseTo(0.5, within(0.1));
        }
    }

    @Test
    void subjectsAnywhereFitAndStandOnTheGround() {
        for (int seed = 0; seed < 200; seed++) {
            ToyPicture picture = data.draw(seed, SIZE, Recipe.ANYWHERE.withTwoAndEmpty(0, 0));
            Scenes.Backdrop backdrop = Scenes.backdrop(picture.scene(), seed, SIZE);
            assertThat(new Rectangle(SIZE, SIZE).contains(picture.box())).isTrue();
            if (backdrop.ground() == Scenes.Ground.STANDING) {
                assertThat(picture.box().getMaxY() / SIZE).isGreaterThan(backdrop.groundTop());
            }
        }
    }

    @Test
    void twoSubjectsAreDifferentAndDoNotOverlap() {
        Recipe recipe = Recipe.ANYWHERE.withTwoAndEmpty(1, 0).withGenericShare(0).withMaxSubjects(2);
        for (int seed = 0; seed < 100; seed++) {
            ToyPicture picture = data.draw(seed, SIZE, recipe);
            assertThat(picture.subjects()).containsExactlyInAnyOrder("apple", "strawberry");
            assertThat(picture.caption()).contains("apple", "strawberry", " and ");
            assertThat(picture.box().getMaxX()).isLessThanOrEqualTo(SIZE / 2.0);
        }
    }

    @Test
    void theRecipeChoosesTheSplit() {
        Set<String> heldOut = new HashSet<>(Subjects.of(Split.HELDOUT).stream().map(Subject::noun).toList());
        Recipe recipe = Recipe.ANYWHERE.withSplit(Split.HELDOUT).withTwoAndEmpty(0, 0);

        assertThat(data.draw(1, SIZE, recipe.withGenericShare(0)).subjects()).allMatch(heldOut::contains);
        assertThat(data.draw(1, SIZE, recipe.withGenericShare(1)).subjects())
                .allMatch(noun -> List.of("toy", "object", "thing").contains(noun));
        assertThat(data.draw(1, SIZE, recipe.withTwoAndEmpty(0, 1)).subjects()).isEmpty();
    }

    @Test
    void theSpriteAloneFillsThePicture() {
        BufferedImage sprite = data.sprite(penguin(), 32);

        assertThat(sprite.getRGB(16, 16)).isEqualTo(0xFF000000 | RED);
        assertThat(sprite.getRGB(1, 1)).isEqualTo(0xFF000000 | RED);
    }

    @Test
    void aFolderWithoutSpritesIsRefused(@TempDir Path empty) {
        assertThatThrownBy(() -> ToyboxData.load(empty)).isInstanceOf(Refusal.class)
                .hasMessageContaining(empty.toString());
    }

    @Test
    void aFolderThatLacksASpriteIsRefused(@TempDir Path partial) throws IOException {
        SyntheticSprites.write(partial, "1f34e", SyntheticSprites.square(java.awt.Color.RED));

        assertThatThrownBy(() -> ToyboxData.load(partial)).isInstanceOf(Refusal.class).hasMessageContaining(".webp");
    }

    private ToyPicture draw(long seed) {
        return data.draw(seed, SIZE, Recipe.ANYWHERE);
    }

    private static Subject penguin() {
        return Subjects.named("penguin").orElseThrow();
    }
}
