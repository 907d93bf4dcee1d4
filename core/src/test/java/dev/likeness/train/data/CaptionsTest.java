package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CaptionsTest {

    private static final Place LEFT = new Place(0.2, 0.5, 0.3, false);
    private static final Place RIGHT = new Place(0.8, 0.5, 0.3, false);

    @Test
    void everyCaptionIsMadeOfKnownWords() {
        Set<String> words = Set.copyOf(Captions.words());
        long seed = 0;
        for (Subject subject : Subjects.all()) {
            for (String scene : Scenes.names()) {
                String caption = caption(seed++, CaptionStyle.VARIED, scene, mention(subject.noun(), LEFT));
                assertThat(caption).matches("[a-z]+( [a-z]+)*");
                assertThat(words).contains(caption.split(" "));
            }
        }
    }

    @Test
    void everyWordOccursInSomeCaption() {
        Set<String> unseen = new HashSet<>(Captions.words());
        long seed = 0;
        for (int round = 0; round < 20; round++) {
            for (Subject subject : Subjects.all()) {
                String scene = Scenes.names().get((int) (seed % Scenes.names().size()));
                Place place = new Place((seed % 5) / 4.0, (seed % 7) / 6.0, 0.2 + (seed % 8) / 10.0, false);
                String noun = subject.split() == Split.GENERIC ? Captions.genericNoun(Seeds.random(seed, 0))
                        : subject.noun();
                String caption = caption(seed++, CaptionStyle.VARIED, scene, mention(noun, place));
                unseen.removeAll(List.of(caption.split(" ")));
                unseen.removeAll(List.of(caption(seed, CaptionStyle.VARIED, scene, mention(noun, LEFT),
                        mention("apple", RIGHT)).split(" ")));
            }
        }
        assertThat(unseen).isEmpty();
    }

    @Test
    void wordsAreSortedSingleAndComplete() {
        List<String> words = Captions.words();

        assertThat(words).isSorted().doesNotHaveDuplicates().allMatch(word -> word.matches("[a-z]+"));
        assertThat(words).containsAll(Captions.functionWords());
        for (Subject subject : Subjects.of(Split.HELDOUT)) {
            assertThat(words).contains(subject.noun().split(" "));
        }
    }

    @Test
    void functionWordsNameNothing() {
        for (Subject subject : Subjects.all()) {
            if (subject.split() != Split.GENERIC) {
                assertThat(Captions.functionWords()).doesNotContain(subject.noun().split(" "));
            }
        }
        assertThat(Captions.functionWords())
                .doesNotContain("left", "right", "middle", "top", "bottom", "small", "large");
    }

    @Test
    void plainCaptionsAreAlwaysTheSame() {
        assertThat(plain("beach", mention("penguin", LEFT))).isEqualTo("a penguin on a beach");
        assertThat(plain("plain orange", mention("umbrella", LEFT)))
                .isEqualTo("an umbrella on a plain orange background");
        assertThat(plain("snow", mention("penguin", LEFT), mention("apple", RIGHT)))
                .isEqualTo("a penguin and an apple in the snow");
        assertThat(plain("forest")).isEqualTo("a forest");
    }

    @Test
    void articlesFitTheNoun() {
        assertThat(plain("snow", mention("grapes", LEFT))).isEqualTo("grapes in the snow");
        assertThat(plain("snow", mention("octopus", LEFT))).isEqualTo("an octopus in the snow");
        assertThat(plain("snow", mention("milk glass", LEFT))).isEqualTo("a milk glass in the snow");
        assertThat(plain("snow", mention("unicorn", LEFT))).isEqualTo("a unicorn in the snow");
        assertThat(plain("snow", mention("bread", LEFT))).isEqualTo("bread in the snow");
    }

    @Test
    void variedCaptionsSometimesSayPlaceAndSize() {
        Set<String> captions = new HashSet<>();
        for (int seed = 0; seed < 400; seed++) {
            captions.add(caption(seed, CaptionStyle.VARIED, "bricks", mention("penguin", LEFT)));
        }
        assertThat(captions).hasSizeGreaterThan(12)
                .contains("a penguin on the left in front of a brick wall", "a small penguin in front of a brick wall",
                        "a brick wall with a penguin")
                .noneMatch(caption -> caption.contains("right") || caption.contains("large"));
    }

    private static String plain(String scene, Captions.Mention... mentions) {
        return caption(0, CaptionStyle.PLAIN, scene, mentions);
    }

    private static String caption(long seed, CaptionStyle style, String scene, Captions.Mention... mentions) {
        return Captions.caption(Seeds.random(seed, 0), style, Scenes.named(scene), List.of(mentions));
    }

    private static Captions.Mention mention(String noun, Place place) {
        return new Captions.Mention(noun, place);
    }
}
