package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Subject;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.ToyboxData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class JudgeTest {

    private static final int SIZE = 256;
    private static final int MOVED = 64;
    private static final long UNSEEN = 1L << 45;

    private static Judge judge;
    private static List<String> nouns;
    private static List<Subject> subjects;

    @BeforeAll
    static void open() throws IOException {
        judge = Judge.open(Path.of("../models/judge"));
        try (Stream<Path> files = Files.list(Path.of("../examples/subjects"))) {
            List<Path> cutOuts = files.filter(file -> file.toString().endsWith(".png")).sorted().toList();
            nouns = cutOuts.stream().map(file -> file.getFileName().toString().replace(".png", "").replace('-', ' ')).toList();
            subjects = cutOuts.stream().map(JudgeTest::half).toList();
        }
    }

    @AfterAll
    static void close() {
        judge.close();
    }

    /** The cut-out at half the picture's size, in the middle. */
    private static Subject half(Path file) {
        Picture cutOut = Pictures.read(file);
        return ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, file.toString()), SIZE, SIZE, "", new Layout(0.5, 0.5, 0.5));
    }

    private static Picture scene(int number) {
        List<String> names = Scenes.names();
        return Pictures.of(ToyboxData.drawScene(UNSEEN + number, SIZE, names.get(number % names.size())).image());
    }

    /** The subject moved to the right, over a scene. */
    private static Picture pasted(Subject subject, Picture scene, int right) {
        Picture moved = subject.picture().pad(Math.max(0, right), 0, Math.max(0, -right), 0, 0xFFFFFF)
                .crop(new Box(Math.max(0, -right), 0, SIZE, SIZE));
        return scene.under(moved, subject.mask().translate(right, 0));
    }

    private static double similarity(Subject subject, Picture made, int right) {
        return judge.similarity(subject.picture(), subject.mask(), made, right, 0);
    }

    @Test
    void equalPixelsAreWhollyAlike() {
        for (Subject subject : subjects.subList(0, 5)) {
            assertThat(similarity(subject, subject.picture(), 0)).isCloseTo(1, within(1e-5));
        }
    }

    @Test
    void aMovedPictureIsWhollyAlikeAtItsNewPlaceOnly() {
        Picture white = Picture.filled(SIZE, SIZE, 0xFFFFFF);
        for (Subject subject : subjects.subList(0, 5)) {
            Picture reference = white.under(subject.picture(), subject.mask());
            Picture moved = pasted(subject, white, MOVED);
            assertThat(judge.similarity(reference, subject.mask(), moved, MOVED, 0)).isCloseTo(1, within(1e-5));
            assertThat(judge.similarity(reference, subject.mask(), moved, -MOVED, 0)).isLessThan(0.8);
        }
    }

    @Test
    void theRightSubjectIsMoreAlikeThanAllOthersOnAnyGround() {
        int right = 0;
        for (int i = 0; i < subjects.size(); i++) {
            Picture ground = scene(i);
            Subject shown = subjects.get(i);
            Picture made = pasted(shown, ground, MOVED);
            double[] values = subjects.stream().mapToDouble(subject -> similarity(subject, made, MOVED)).toArray();
            int own = i;
            right += IntStream.range(0, values.length).noneMatch(k -> k != own && values[k] >= values[own]) ? 1 : 0;
        }
        assertThat(right).as("first of 40 on 40 grounds").isGreaterThanOrEqualTo(36);
    }

    @Test
    void scenesOfUnseenSeedsAreRecognised() {
        int right = 0;
        int count = 4 * Scenes.names().size();
        for (int i = 0; i < count; i++) {
            right += judge.judge(scene(i)).scenes().get(0).equals(Scenes.names().get(i % Scenes.names().size())) ? 1 : 0;
        }
        assertThat((double) right / count).isGreaterThanOrEqualTo(0.97);
    }

    @Test
    void subjectsAreRecognisedAndFoundOnAnyGround() {
        int recognised = 0;
        List<Boolean> found = new ArrayList<>();
        for (int i = 0; i < subjects.size(); i++) {
            int right = i % 2 == 0 ? MOVED : -MOVED;
            Picture made = pasted(subjects.get(i), scene(100 + i), right);
            recognised += judge.judge(made).subjects().subList(0, 5).contains(nouns.get(i)) ? 1 : 0;
            found.add(judge.where(made, nouns.get(i))[0] > 0.5 == right > 0);
        }
        assertThat(recognised).as("of 40 among the five most likely of all").isGreaterThanOrEqualTo(36);
        assertThat(found).as("on the side where they are").filteredOn(side -> side).hasSizeGreaterThanOrEqualTo(38);
    }

    @Test
    void anEmptyMaskIsRefused() {
        Subject subject = subjects.get(0);
        assertThatThrownBy(() -> judge.similarity(subject.picture(), Mask.of(SIZE, SIZE, new float[SIZE * SIZE]),
                subject.picture(), 0, 0)).isInstanceOf(Refusal.class).hasMessageContaining("empty");
    }
}
