package dev.likeness.train;

import dev.likeness.image.ContactSheet;
import dev.likeness.image.Picture;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import dev.likeness.task.TaskListener;
import dev.likeness.train.data.Captions;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.Split;
import dev.likeness.train.data.Subject;
import dev.likeness.train.data.Subjects;
import java.util.ArrayList;
import java.util.List;

/** Samples that nobody picked: trained subjects and scenes by a fixed rule, one fixed seed each. */
public final class SampleGrid {

    private static final int COLUMNS = 6;
    private static final int PICTURES = COLUMNS * COLUMNS;
    private static final long FIRST_SEED = 1000;

    private SampleGrid() {}

    /**
     * 36 prompts: every so many-th of the trained subjects, each in the next scene.
     *
     * @param subjects number of named training subjects
     */
    public static List<String> prompts(int subjects) {
        List<Subject> trained = Subjects.of(Split.TRAIN);
        List<String> scenes = Scenes.names();
        List<String> prompts = new ArrayList<>();
        int count = Math.min(subjects, trained.size());
        for (int i = 0; i < PICTURES; i++) {
            prompts.add(Captions.plain(trained.get(i * count / PICTURES).noun(), scenes.get(i % scenes.size())));
        }
        return prompts;
    }

    /** Makes the picture of a prompt from a seed. */
    interface Painter {
        Picture paint(String prompt, long seed);
    }

    /**
     * The grid with each prompt below its picture.
     *
     * @param side picture side in pixels, a multiple of 16
     */
    public static Picture draw(FluxModel model, List<String> prompts, int side) {
        ModelDefaults defaults = model.defaults();
        return draw(prompts, (prompt, seed) -> {
            Sampling sampling = new Sampling(side, side, defaults.steps(), defaults.guidanceScale(),
                    defaults.trueCfgScale(), "", defaults.maxSequenceLength(), seed, 1);
            return Generate.run(model, prompt, sampling, TaskListener.NONE).images().get(0).picture();
        });
    }

    static Picture draw(List<String> prompts, Painter painter) {
        List<Picture> pictures = new ArrayList<>();
        for (String prompt : prompts) {
            pictures.add(painter.paint(prompt, FIRST_SEED + pictures.size()));
        }
        return ContactSheet.of(pictures, prompts, COLUMNS);
    }
}
