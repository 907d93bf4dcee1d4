package dev.likeness.train.data;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** Words captions from a closed vocabulary of lower-case words. */
public final class Captions {

    private static final List<String> GENERIC_NOUNS = List.of("toy", "object", "thing");
    private static final List<String> OPENINGS = List.of("a picture of ", "a photo of ");
    private static final List<String> PLACES = List.of("on the left", "on the right", "in the middle", "at the top",
            "at the bottom");
    private static final String SMALL = "small";
    private static final String LARGE = "large";
    private static final Set<String> FUNCTION_WORDS = Set.copyOf(List.of("a", "an", "the", "of", "in", "on", "at", "by",
            "with", "and", "front", "picture", "photo", "background", "toy", "object", "thing"));

    /** Nouns that take no article although they are not plurals. */
    private static final Set<String> MASS_NOUNS = Set.of("bacon", "bread", "broccoli", "bubble tea", "cheese",
            "chocolate", "corn", "garlic", "meat", "popcorn", "soap", "sushi");

    private static final double OPENING_SHARE = 0.35;
    private static final double NO_ARTICLE_SHARE = 0.12;
    private static final double SIZE_SHARE = 0.3;
    private static final double PLACE_SHARE = 0.35;
    private static final double VIEW_FIRST_SHARE = 0.12;

    private Captions() {
    }

    /**
     * A subject as a caption sees it.
     *
     * @param noun  its noun, for generic fillers one of {@link #genericNoun}
     * @param place where it is and how large
     */
    record Mention(String noun, Place place) {
    }

    /** A word for something that has no noun. */
    static String genericNoun(RandomGenerator random) {
        return oneOf(random, GENERIC_NOUNS);
    }

    /** @param mentions none, one, or two from left to right */
    static String caption(RandomGenerator random, CaptionStyle style, Scenes.Scene scene, List<Mention> mentions) {
        boolean plain = style == CaptionStyle.PLAIN;
        String opening = !plain && random.nextDouble() < OPENING_SHARE ? oneOf(random, OPENINGS) : "";
        if (mentions.isEmpty()) {
            return opening + scene.view();
        }
        if (plain) {
            return mentions.stream().map(mention -> withArticle(mention.noun())).collect(Collectors.joining(" and "))
                    + " " + scene.phrases().get(0);
        }
        boolean viewFirst = random.nextDouble() < VIEW_FIRST_SHARE;
        boolean bare = opening.isEmpty() && !viewFirst && random.nextDouble() < NO_ARTICLE_SHARE;
        String what = mentions.size() == 1
                ? described(random, mentions.get(0), bare) + placed(random, mentions.get(0).place())
                : both(random, mentions, bare);
        return opening + (viewFirst ? scene.view() + " with " + what
                : what + " " + oneOf(random, scene.phrases()));
    }

    /** The plain caption of one subject in a scene (one of {@link Scenes#names}): {@code a tiger in the snow}. */
    public static String plain(String noun, String scene) {
        return withArticle(noun) + " " + Scenes.named(scene).phrases().get(0);
    }

    private static String both(RandomGenerator random, List<Mention> mentions, boolean bare) {
        boolean sides = random.nextDouble() < 2 * PLACE_SHARE;
        return described(random, mentions.get(0), bare) + (sides ? " on the left" : "") + " and "
                + described(random, mentions.get(1), bare) + (sides ? " on the right" : "");
    }

    private static String described(RandomGenerator random, Mention mention, boolean bare) {
        double scale = mention.place().scale();
        String size = scale < 0.52 ? SMALL : scale > 0.68 ? LARGE : "";
        String words = !size.isEmpty() && random.nextDouble() < SIZE_SHARE ? size + " " + mention.noun()
                : mention.noun();
        return bare || !countable(mention.noun()) ? words : prefixed(words);
    }

    private static String placed(RandomGenerator random, Place place) {
        if (random.nextDouble() >= PLACE_SHARE) {
            return "";
        }
        double x = place.centreX() - 0.5;
        double y = place.centreY() - 0.5;
        if (Math.max(Math.abs(x), Math.abs(y)) < 0.07) {
            return " in the middle";
        }
        if (Math.max(Math.abs(x), Math.abs(y)) < 0.13) {
            return "";
        }
        return Math.abs(x) >= Math.abs(y) ? x < 0 ? " on the left" : " on the right"
                : y < 0 ? " at the top" : " at the bottom";
    }

    /** Not so are plurals such as "grapes" and masses such as "bread"; "glass" and "octopus" are. */
    private static boolean countable(String noun) {
        boolean plural = noun.endsWith("s") && !noun.endsWith("ss") && !noun.endsWith("us");
        return !plural && !MASS_NOUNS.contains(noun);
    }

    /** The noun as it stands in a sentence, with an article where it takes one. */
    private static String withArticle(String noun) {
        return countable(noun) ? prefixed(noun) : noun;
    }

    private static String prefixed(String words) {
        boolean vowel = "aeio".indexOf(words.charAt(0)) >= 0 || words.startsWith("umb");
        return (vowel ? "an " : "a ") + words;
    }

    /** Every word that any caption can contain, sorted: held-out nouns too, so that tokenizers know them. */
    public static List<String> words() {
        Set<String> words = new TreeSet<>(FUNCTION_WORDS);
        words.add(SMALL);
        words.add(LARGE);
        OPENINGS.forEach(opening -> addWords(words, opening.trim()));
        PLACES.forEach(place -> addWords(words, place));
        for (String name : Scenes.names()) {
            addWords(words, Scenes.named(name).view());
            Scenes.named(name).phrases().forEach(phrase -> addWords(words, phrase));
        }
        Subjects.all().stream().filter(subject -> subject.split() != Split.GENERIC)
                .forEach(subject -> addWords(words, subject.noun()));
        return List.copyOf(words);
    }

    /** Words that say nothing about what is seen; all other {@link #words} name subjects, scenes, places or sizes. */
    public static Set<String> functionWords() {
        return FUNCTION_WORDS;
    }

    private static void addWords(Set<String> words, String text) {
        words.addAll(Arrays.asList(text.split(" ")));
    }

    private static String oneOf(RandomGenerator random, List<String> values) {
        return values.get(random.nextInt(values.size()));
    }
}
