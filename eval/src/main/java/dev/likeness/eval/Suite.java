package dev.likeness.eval;

import dev.likeness.image.Picture;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is measured: cases, each of them drawn and measured by one or more methods. */
public interface Suite {

    /**
     * One picture and what was measured of it.
     *
     * @param values those that are defined for it
     * @param picture null where there is nothing to see
     */
    record Outcome(String method, long seed, Map<Instrument, Double> values, Picture picture) {}

    /** A case; it knows nothing of the others, so that their order and number change no digit. */
    interface Case {

        /** Unique in its suite; fit for a file's name. */
        String name();

        /** Pictures of the same subject are not independent of each other: means and intervals go by subject. */
        String subject();

        List<String> methods();

        List<Long> seeds();

        /** What the case starts from, such as the reference; null when there is no such picture. */
        default Picture reference() {
            return null;
        }

        /** Every seed of the wanted methods. */
        List<Outcome> run(Set<String> wanted);
    }

    /**
     * A picture in a grid.
     *
     * @param method null for the case's {@linkplain Case#reference reference}
     */
    record Shot(Case of, String method, long seed, String label) {}

    /** Pictures side by side. @param columns headings, as many as shots in a row; empty for none */
    record Grid(String title, List<String> columns, List<List<Shot>> rows) {}

    /**
     * A measure as a parameter of a method grows.
     *
     * @param series lines, each with its points: parameter to method
     */
    record Curve(String title, String parameter, Instrument instrument, Map<String, Map<Double, String>> series) {}

    /** Its name on the command line. */
    String name();

    /** Sentences that a reader has to know, for the head of the report. */
    List<String> notes();

    /** What is measured, in the order of columns. */
    List<Instrument> instruments();

    /** Titles of the methods by name, in the order of rows. */
    Map<String, String> methods();

    /** Methods that are there to compare with and never the best. */
    default Set<String> controls() {
        return Set.of();
    }

    List<Case> cases();

    /** The first one is also written as a PNG; usually the first cases, each with every method. */
    default List<Grid> grids() {
        return List.of(Cases.grid(cases(), methods()));
    }

    default List<Curve> curves() {
        return List.of();
    }
}
