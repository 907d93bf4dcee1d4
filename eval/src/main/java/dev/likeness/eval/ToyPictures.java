package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/** Pictures as Toybox was trained on, drawn from seeds that training never uses, with the truth about them. */
final class ToyPictures {

    private static final long SEEDS = 1L << 50;
    private static final int NAMED_SUBJECTS = 80; // those that Toybox was trained on by name
    static final int SIZE = 256;

    /** @param name unique among them @param word the subject's noun, as the caption has it */
    record Labelled(String name, Picture picture, Mask mask, Box box, String caption, String word) {}

    private ToyPictures() {}

    /** A case for each picture, the picture as its reference. @param run what is measured of a picture by the wanted methods */
    static List<Suite.Case> cases(ToyboxData data, int count, List<String> methods, long seed,
            BiFunction<Labelled, Set<String>, List<Suite.Outcome>> run) {
        return draw(data, count).stream().map(labelled -> (Suite.Case) new Cases.Simple(labelled.name(), labelled.name(), methods,
                List.of(seed), labelled::picture, wanted -> run.apply(labelled, wanted))).toList();
    }

    /** One named subject each. */
    static List<Labelled> draw(ToyboxData data, int count) {
        Recipe recipe = Recipe.ANYWHERE.withMaxSubjects(NAMED_SUBJECTS).withGenericShare(0).withTwoAndEmpty(0, 0);
        List<Labelled> pictures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ToyPicture drawn = data.draw(SEEDS + i, SIZE, recipe);
            Box box = new Box(drawn.box().x, drawn.box().y, drawn.box().width, drawn.box().height);
            pictures.add(new Labelled("picture-" + i, Pictures.of(drawn.image()), Mask.of(SIZE, SIZE, drawn.mask()), box,
                    drawn.caption(), drawn.subjects().get(0)));
        }
        return pictures;
    }
}
