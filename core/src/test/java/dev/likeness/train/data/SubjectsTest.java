package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SubjectsTest {

    @Test
    void rowsAreWellFormed() {
        assertThat(Subjects.all()).allSatisfy(subject -> {
            assertThat(subject.codepoints()).matches("[0-9a-f]{4,5}(-[0-9a-f]{4,5})*");
            assertThat(subject.noun()).matches("[a-z]+( [a-z]+)?");
            assertThat(subject.group()).matches("[a-z]+");
        });
    }

    @Test
    void noSpriteIsInTwoSplits() {
        assertThat(Subjects.all()).extracting(Subject::codepoints).doesNotHaveDuplicates();
    }

    @Test
    void namedSubjectsHaveNounsOfTheirOwn() {
        List<Subject> named =
                Subjects.all().stream().filter(subject -> subject.split() != Split.GENERIC).toList();

        assertThat(named).extracting(Subject::noun).doesNotHaveDuplicates();
        assertThat(named).extracting(Subject::noun).doesNotContain("toy", "object", "thing");
    }

    @Test
    void thereAreEnoughOfEach() {
        assertThat(Subjects.of(Split.TRAIN)).hasSizeGreaterThanOrEqualTo(200);
        assertThat(Subjects.of(Split.HELDOUT)).hasSizeGreaterThanOrEqualTo(84);
        assertThat(Subjects.of(Split.GENERIC)).hasSizeGreaterThanOrEqualTo(300);
    }

    @Test
    void theMostCommonComeFirst() {
        assertThat(Subjects.of(Split.TRAIN)).extracting(Subject::noun)
                .startsWith("apple", "strawberry", "penguin", "red car", "tiger");
    }

    @Test
    void aNounFindsItsSubject() {
        assertThat(Subjects.named("penguin")).hasValueSatisfying(
                subject -> assertThat(subject.codepoints()).isEqualTo("1f427"));
        assertThat(Subjects.named("toy")).isEmpty();
    }
}
