package dev.likeness.reference;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The subjects of the library that a prompt mentions: {@code a photo of @robot on a beach}. A name ends where the alphabet of
 * names ends, so {@code @robot's} mentions robot. An @ inside a word ({@code mail@host}) is none of ours, and {@code @@}
 * stands for a plain @.
 *
 * @param prompt the prompt with the noun of each subject in place of its name, as the text encoders shall read it
 * @param names in order of their first mention, each once, without the @
 */
public record Mentions(String prompt, List<String> names) {

    // Wider than names are: what looks like one and is none, such as @Robot, shall be refused and not pass as text.
    private static final Pattern MENTION =
            Pattern.compile("@@|(?<![\\p{L}\\p{M}\\p{N}_])@([\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}_-]*)");

    public Mentions {
        names = List.copyOf(names);
    }

    /**
     * @param nounOf gives the noun or caption of a name; asked once for each. What it throws is passed on: see
     *     {@link SubjectLibrary#get}
     */
    public static Mentions of(String prompt, Function<String, String> nounOf) {
        Map<String, String> nouns = new LinkedHashMap<>();
        String replaced = MENTION.matcher(prompt).replaceAll(match -> Matcher.quoteReplacement(
                match.group(1) == null ? "@" : nouns.computeIfAbsent(match.group(1), nounOf)));
        return new Mentions(replaced, List.copyOf(nouns.keySet()));
    }
}
