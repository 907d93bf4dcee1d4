package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.denoise.Evaluations;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.Injection.Mode;
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

class StoryTest {

    private static final List<String> PROMPTS = List.of("a fox in the snow", "a fox on a house", "the house");
    private static final Sampling SAMPLING =
            new Sampling(TinyModel.SIDE, TinyModel.SIDE, TinyModel.STEPS, 0, 1, "", 8, 3, 2);

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

    /** Two subjects, perturbed; of four steps two replace and two attend, and the inversion takes five passes each. */
    private static List<Generation> tell(List<String> prompts) {
        Picture picture = TinyModel.subject();
        Mask mask = Mask.ofAlpha(picture, "subject");
        List<Subject> subjects = List.of(
                ReferenceFit.fit(picture, mask, TinyModel.SIDE, TinyModel.SIDE, "a fox", new Layout(0.25, 0.5)),
                ReferenceFit.fit(picture, mask, TinyModel.SIDE, TinyModel.SIDE, "a house", new Layout(0.75, 0.5)));
        Injection injection = new Injection(Mode.REPLACE_MMA, 0.5, TauBasis.STEPS, ReplaceAt.ATTENTION, false, Positions.ZERO,
                new Perturbation(2, 0, 1), new Inversion(Inversion.Method.FIREFLOW, 1, 1), TokenMask.Rule.QUARTER);
        List<Story.Panel> panels = prompts.stream().map(prompt -> new Story.Panel(prompt, subjects)).toList();
        return Story.run(model, panels, injection, true, SAMPLING, TaskListener.NONE);
    }

    @Test
    void referencesGoThroughTheNetworkForTheFirstPromptOnly() {
        assertThat(tell(PROMPTS)).extracting(Generation::evaluations).containsExactly(
                new Evaluations(8, 0, 8, 10), new Evaluations(8, 0, 0, 0), new Evaluations(8, 0, 0, 0));
    }

    @Test
    void everyPictureIsTheOneMadeAlone() {
        List<Generation> story = tell(PROMPTS);
        assertThat(story).hasSize(PROMPTS.size());
        for (int i = 0; i < PROMPTS.size(); i++) {
            forget();
            assertThat(tell(List.of(PROMPTS.get(i))).get(0).images()).isEqualTo(story.get(i).images());
        }
        assertThat(story.stream().flatMap(generation -> generation.images().stream())).doesNotHaveDuplicates()
                .extracting(Generation.Image::seed).containsExactly(3L, 4L, 3L, 4L, 3L, 4L);
    }

    @Test
    void withoutPromptsThereIsNoStory() {
        assertThat(tell(List.of())).isEmpty();
    }
}
