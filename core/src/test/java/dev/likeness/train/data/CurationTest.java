package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurationTest {

    private static final Subject HELD_OUT = new Subject("1f001", "cube", "object", Split.HELDOUT);
    private static final Subject TRAIN = new Subject("1f002", "bar", "object", Split.TRAIN);

    @Test
    void lookAlikesOfHeldOutSubjectsAndUnsuitableSpritesStayOut(@TempDir Path folder) throws IOException {
        SyntheticSprites.write(folder, "1f001", SyntheticSprites.square(Color.RED));
        SyntheticSprites.write(folder, "1f002", SyntheticSprites.picture(Color.GREEN, 50, 10));
        SyntheticSprites.write(folder, "1f003", SyntheticSprites.square(new Color(250, 10, 0)));
        SyntheticSprites.write(folder, "1f004-fe0f", SyntheticSprites.picture(Color.BLUE, 10, 40));
        SyntheticSprites.write(folder, "1f005", SyntheticSprites.picture(Color.CYAN, 10, 40));
        SyntheticSprites.write(folder, "1f006", SyntheticSprites.picture(Color.CYAN, 10, 40));
        SyntheticSprites.writeList(folder, "[" + String.join(",",
                entry("1F001", "cube", "Objects", "tool"), entry("1F002", "bar", "Objects", "tool"),
                entry("1F003", "alike", "Objects", "tool"), entry("1F004-FE0F", "other", "Food & Drink", "drink"),
                entry("1F005", "placard", "Objects", "tool"), entry("1F006", "hash", "Symbols", "keycap"),
                entry("1F007", "missing", "Objects", "tool")) + "]");
        Curation curation = new Curation(SpriteLibrary.open(folder));

        List<Subject> pool = curation.genericPool(List.of(HELD_OUT, TRAIN));

        assertThat(pool).containsExactly(new Subject("1f004-fe0f", "toy", "food", Split.GENERIC));
        assertThat(curation.likeness(HELD_OUT, HELD_OUT)).isGreaterThan(0.99);
        assertThat(curation.likeness(HELD_OUT, TRAIN)).isLessThan(0.5);
    }

    @Test
    void aTrainingSubjectThatLooksLikeAHeldOutOneIsTold(@TempDir Path folder) throws IOException {
        SyntheticSprites.write(folder, HELD_OUT.codepoints(), SyntheticSprites.square(Color.RED));
        SyntheticSprites.write(folder, TRAIN.codepoints(), SyntheticSprites.square(new Color(250, 10, 0)));
        SyntheticSprites.write(folder, "1f003", SyntheticSprites.picture(Color.GREEN, 50, 10));
        SyntheticSprites.writeList(folder, "[" + entry("1F003", "bar", "Objects", "tool") + "]");
        Curation curation = new Curation(SpriteLibrary.open(folder));

        assertThat(curation.violations(List.of(HELD_OUT, TRAIN))).satisfiesExactly(
                alike -> assertThat(alike).contains(HELD_OUT.noun(), TRAIN.noun()),
                added -> assertThat(added).contains("1f003"));
    }

    private static String entry(String unified, String name, String category, String subcategory) {
        return "{\"unified\":\"%s\",\"short_name\":\"%s\",\"category\":\"%s\",\"subcategory\":\"%s\"}"
                .formatted(unified, name, category, subcategory);
    }
}
