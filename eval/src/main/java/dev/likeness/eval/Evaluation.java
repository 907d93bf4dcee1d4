package dev.likeness.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs a suite and writes what came of it into a folder: results.jsonl as it goes, from which an interrupted run goes on;
 * then results.csv with every picture, results.json with the means, grid.png, and report.html, which shows all of it in one
 * file. Pictures lie in pictures/METHOD/CASE-SEED.jpg.
 */
public final class Evaluation {

    private static final int SIDE = 256; // longest side of kept pictures, in pixels

    /** Told after each case. */
    @FunctionalInterface
    public interface Listener {
        void done(int cases, int of);
    }

    private final Suite suite;
    private final Path folder;
    private final Map<String, String> settings;

    /** @param settings what every digit depends on, by name: model, element type and the like */
    public Evaluation(Suite suite, Path folder, Map<String, String> settings) {
        this.suite = suite;
        this.folder = folder;
        this.settings = new LinkedHashMap<>(settings);
        this.settings.put("suite", suite.name());
    }

    /**
     * Makes what is missing and writes the report.
     *
     * @param jobs cases at once; no digit depends on it
     * @return means by method and instrument
     * @throws Refusal (input) when the folder holds results of other settings
     */
    public Map<String, Map<Instrument, Summary>> run(int jobs, Listener listener) {
        makeFolder(folder);
        try (Results results = Results.open(folder.resolve("results.jsonl"), settings)) {
            measure(results, jobs, listener);
            Map<String, Map<Instrument, Summary>> summaries = summarize(results);
            write("results.csv", csv(results));
            write("results.json", json(summaries));
            List<Suite.Grid> grids = suite.grids();
            if (!grids.isEmpty()) {
                PngWriter.write(folder.resolve("grid.png"), Report.sheet(grids.get(0), this::file), Map.of());
            }
            write("report.html", Report.html(suite, settings, summaries, this::file));
            return summaries;
        }
    }

    /**
     * SHA-256 over names and bytes of what a model's folder holds, also through links, all files but texts and pictures for
     * people; or of one file.
     *
     * @throws Refusal (model) when it cannot be read
     */
    public static String fingerprint(Path folder) {
        if (!Files.exists(folder)) {
            throw Refusal.model("%s does not exist; name a model's folder.", folder);
        }
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return sha256("", folder, files.filter(Files::isRegularFile)
                    .filter(file -> !file.toString().matches(".*\\.(md|png)")).sorted().toList());
        } catch (IOException | UncheckedIOException e) { // the latter of a link that leads back to where it is
            throw Refusal.model("%s cannot be read (%s); name a model's folder.", folder, e.getMessage(), e);
        }
    }

    /**
     * SHA-256 over a text, and over names and bytes of files in a folder.
     *
     * @throws Refusal (input) when one cannot be read
     */
    public static String fingerprint(String text, Path folder, List<Path> files) {
        try {
            return sha256(text, folder, files);
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read (%s); check its files.", folder, e.getMessage(), e);
        }
    }

    private static String sha256(String text, Path folder, List<Path> files) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(text.getBytes(StandardCharsets.UTF_8));
            for (Path file : files) {
                digest.update((folder.relativize(file) + "\n").getBytes(StandardCharsets.UTF_8));
                try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                    in.transferTo(OutputStream.nullOutputStream());
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }

    private void measure(Results results, int jobs, Listener listener) {
        List<Suite.Case> pending = suite.cases().stream()
                .filter(of -> of.methods().stream().anyMatch(method -> !results.holds(of, method))).toList();
        int all = suite.cases().size();
        int done = all - pending.size();
        listener.done(done, all);
        BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
        ExecutorService threads = new ThreadPoolExecutor(jobs, jobs, 0, TimeUnit.SECONDS, waiting);
        CompletionService<Void> running = new ExecutorCompletionService<>(threads);
        try {
            for (Suite.Case of : pending) {
                running.submit(() -> {
                    measure(results, of);
                    return null;
                });
            }
            for (int i = 0; i < pending.size(); i++) {
                running.take().get();
                listener.done(++done, all);
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            if (e.getCause() instanceof Error known) {
                throw known;
            }
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Refusal.resources("The evaluation was interrupted; start it again, and it goes on where it stopped.");
        } finally {
            waiting.clear();
            threads.shutdown(); // cases that run are not interrupted, which would close the file of results under them
            awaitEnd(threads);
        }
    }

    /** Nothing may still be computed when the caller closes the model, so that interrupts wait as well. */
    private static void awaitEnd(ExecutorService threads) {
        boolean interrupted = false;
        while (!threads.isTerminated()) {
            try {
                threads.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Pictures come first: where a line stands, its picture is there. */
    private void measure(Results results, Suite.Case of) {
        Set<String> missing = new LinkedHashSet<>(of.methods());
        missing.removeIf(method -> results.holds(of, method));
        Picture reference = of.reference();
        if (reference != null) {
            save(new Suite.Shot(of, null, 0, ""), reference);
        }
        for (Suite.Outcome outcome : of.run(missing)) {
            if (missing.contains(outcome.method())) {
                if (outcome.picture() != null) {
                    save(new Suite.Shot(of, outcome.method(), outcome.seed(), ""), outcome.picture());
                }
                results.add(of, outcome);
            }
        }
    }

    /** Where a picture lies. */
    private Path file(Suite.Shot shot) {
        Path pictures = folder.resolve("pictures");
        return shot.method() == null ? pictures.resolve("reference").resolve(shot.of().name() + ".jpg")
                : pictures.resolve(shot.method()).resolve(shot.of().name() + "-" + shot.seed() + ".jpg");
    }

    private void save(Suite.Shot shot, Picture picture) {
        Path file = file(shot);
        makeFolder(file.getParent());
        byte[] jpeg = Jpeg.of(Jpeg.fit(picture, SIDE));
        OutputFile.write(file, out -> out.write(jpeg));
    }

    private static void makeFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Refusal.input("%s cannot be made (%s); name another --output.", folder, e.getMessage(), e);
        }
    }

    private void write(String name, String text) {
        OutputFile.write(folder.resolve(name), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    private Map<String, Map<Instrument, Summary>> summarize(Results results) {
        Map<String, Map<Instrument, Summary>> summaries = new LinkedHashMap<>();
        for (String method : suite.methods().keySet()) {
            Map<Instrument, Map<String, List<Double>>> values = new EnumMap<>(Instrument.class);
            for (Suite.Case of : suite.cases()) {
                for (long seed : of.methods().contains(method) ? of.seeds() : List.<Long>of()) {
                    results.get(of, method, seed).forEach((instrument, value) ->
                            values.computeIfAbsent(instrument, i -> new TreeMap<>())
                                    .computeIfAbsent(of.subject(), s -> new ArrayList<>()).add(value));
                }
            }
            Map<Instrument, Summary> row = new EnumMap<>(Instrument.class);
            values.forEach((instrument, bySubject) -> row.put(instrument, Summary.of(bySubject)));
            summaries.put(method, row);
        }
        return summaries;
    }

    private String csv(Results results) {
        StringBuilder csv = new StringBuilder("case,subject,method,seed");
        suite.instruments().forEach(instrument -> csv.append(',').append(instrument.id()));
        csv.append('\n');
        for (Suite.Case of : suite.cases()) {
            for (String method : of.methods()) {
                for (long seed : of.seeds()) {
                    Map<Instrument, Double> values = results.get(of, method, seed);
                    csv.append(String.join(",", quoted(of.name()), quoted(of.subject()), quoted(method), Long.toString(seed)));
                    suite.instruments().forEach(instrument ->
                            csv.append(',').append(values.containsKey(instrument) ? values.get(instrument).toString() : ""));
                    csv.append('\n');
                }
            }
        }
        return csv.toString();
    }

    /** RFC 4180: names of methods may hold names of folders. */
    private static String quoted(String field) {
        return field.matches("(?s).*[,\"\r\n].*") ? '"' + field.replace("\"", "\"\"") + '"' : field;
    }

    private String json(Map<String, Map<Instrument, Summary>> summaries) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        settings.forEach(json.putObject("settings")::put);
        json.put("cases", suite.cases().size());
        suite.cases().stream().flatMap(of -> of.seeds().stream()).distinct().sorted().forEach(json.putArray("seeds")::add);
        ObjectNode methods = json.putObject("methods");
        summaries.forEach((method, row) -> {
            ObjectNode one = methods.putObject(method).put("title", suite.methods().get(method));
            row.forEach((instrument, summary) -> {
                ObjectNode numbers = one.putObject(instrument.id());
                numbers.put("mean", summary.mean());
                if (summary.subjects() > 1) {
                    numbers.put("standard_error", summary.error());
                    numbers.putArray("interval_95").add(summary.mean() - summary.margin())
                            .add(summary.mean() + summary.margin());
                }
                numbers.put("least", summary.least()).put("greatest", summary.greatest()).put("pictures", summary.pictures())
                        .put("subjects", summary.subjects());
            });
        });
        return json.toPrettyString() + "\n";
    }
}
