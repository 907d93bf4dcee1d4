package dev.likeness.train.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The curated subjects of {@code subjects.tsv}, in its order: the most common and distinctive first. */
public final class Subjects {

    private static final List<Subject> ALL = read();
    private static final Map<Split, List<Subject>> BY_SPLIT =
            ALL.stream().collect(Collectors.groupingBy(Subject::split, Collectors.toUnmodifiableList()));

    private Subjects() {
    }

    public static List<Subject> all() {
        return ALL;
    }

    public static List<Subject> of(Split split) {
        return BY_SPLIT.get(split);
    }

    /** The named subject (train or held-out) that this noun names. */
    public static Optional<Subject> named(String noun) {
        return ALL.stream()
                .filter(subject -> subject.split() != Split.GENERIC && subject.noun().equals(noun))
                .findFirst();
    }

    private static List<Subject> read() {
        try (InputStream stream = Subjects.class.getResourceAsStream("subjects.tsv");
             BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            return reader.lines().skip(1).map(Subjects::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Subject parse(String line) {
        String[] cells = line.split("\t");
        return new Subject(cells[0], cells[1], cells[2], Split.valueOf(cells[3].toUpperCase(Locale.ROOT)));
    }
}
