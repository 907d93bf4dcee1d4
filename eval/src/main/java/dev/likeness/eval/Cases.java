package dev.likeness.eval;

import dev.likeness.image.Picture;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** What suites share: fixed lists of cases, and grids of them. */
final class Cases {

    /** A case by its parts. @param start gives its reference, which may be null */
    record Simple(String name, String subject, List<String> methods, List<Long> seeds, Supplier<Picture> start,
            Function<Set<String>, List<Suite.Outcome>> work) implements Suite.Case {

        @Override
        public Picture reference() {
            return start.get();
        }

        @Override
        public List<Suite.Outcome> run(Set<String> wanted) {
            return work.apply(wanted);
        }
    }

    private Cases() {}

    /** Rows of a table with tabs beside this class, without its heading. */
    static List<List<String>> read(String name) {
        try (InputStream stream = Cases.class.getResourceAsStream(name);
                BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            return reader.lines().skip(1).map(line -> List.of(line.split("\t", -1))).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final int GRID_ROWS = 8;

    /** The first cases, one a row, the reference first and then every method, each with the case's first seed. */
    static Suite.Grid grid(List<Suite.Case> cases, Map<String, String> methods) {
        List<String> columns = new ArrayList<>(List.of("reference"));
        columns.addAll(methods.keySet());
        List<List<Suite.Shot>> rows = new ArrayList<>();
        for (Suite.Case of : cases.subList(0, Math.min(GRID_ROWS, cases.size()))) {
            List<Suite.Shot> row = new ArrayList<>(List.of(new Suite.Shot(of, null, 0, of.name())));
            methods.keySet().forEach(method -> row.add(new Suite.Shot(of, method, of.seeds().get(0), "")));
            rows.add(row);
        }
        return new Suite.Grid("Pictures", columns, rows);
    }
}
