package dev.likeness.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.eval.Bench;
import dev.likeness.eval.EditBench;
import dev.likeness.eval.InversionBench;
import dev.likeness.eval.Measures;
import dev.likeness.eval.SegmentationBench;
import dev.likeness.eval.Suite;
import dev.likeness.eval.Variant;
import dev.likeness.image.ContactSheet;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.inversion.Inversion;
import dev.likeness.request.InjectionChoice;
import dev.likeness.task.FluxModel;
import dev.likeness.train.data.NpmPackages;
import dev.likeness.train.data.ToyboxData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "evaluate", mixinStandardHelpOptions = true,
        description = "Measures ways of putting references in, on a folder of cut-out subjects.")
final class EvaluateCommand implements Callable<Integer> {

    private enum Suites {
        TAU, SHARING, MMA, PERTURBATION, INVERSION, SEGMENTATION, EDIT;

        Suite suite() {
            return switch (this) {
                case TAU -> Suite.tau();
                case SHARING -> Suite.sharing();
                case MMA -> Suite.mma();
                case PERTURBATION -> Suite.perturbation();
                case INVERSION, SEGMENTATION, EDIT -> null; // not about subjects at new places
            };
        }
    }

    @Mixin
    ModelOptions modelOptions;

    @Option(names = "--suite", required = true, split = ",", description = "what is compared: tau, sharing, mma, perturbation, inversion, segmentation, edit")
    List<Suites> suites;

    @Option(names = "--subjects", defaultValue = "examples/subjects", paramLabel = "DIR",
            description = "PNG cut-outs with alpha; the file name is the subject's name (default: ${DEFAULT-VALUE})")
    Path subjects;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "only these subjects of the folder")
    List<String> only;

    @Option(names = "--results", defaultValue = "results.jsonl", paramLabel = "FILE",
            description = "a JSON line a picture; what it holds already is not made again (default: ${DEFAULT-VALUE})")
    Path results;

    @Option(names = "--pictures", defaultValue = "20", paramLabel = "N",
            description = "pictures for inversion, segmentation and edit (default: ${DEFAULT-VALUE})")
    int pictureCount;

    @Option(names = "--data", defaultValue = ".toybox/data", paramLabel = "DIR",
            description = "sprites that inversion and segmentation draw from; fetched into it when missing (default: "
                    + "${DEFAULT-VALUE})")
    Path data;

    @Option(names = "--sheet", paramLabel = "FILE",
            description = "also write a PNG with all pictures, a row a case; suites of one number of scenes only")
    Path sheet;

    private final ObjectMapper mapper = new ObjectMapper();
    private String setting; // model and element type, which results depend on

    @Override
    public Integer call() throws IOException {
        OutputFile.requireWritable(results);
        if (sheet != null) {
            OutputFile.requireWritable(sheet);
        }
        List<Suite> compared = suites.stream().filter(chosen -> chosen.suite() != null).map(Suites::suite).toList();
        List<Path> cutOuts = compared.isEmpty() ? List.of() : cutOuts();
        Map<String, ObjectNode> known = known();
        try (FluxModel model = modelOptions.open()) {
            setting = model.folder().getFileName() + " " + modelOptions.dtype;
            measure(new Bench(model), compared, cutOuts, known);
            for (Suite suite : compared) {
                print(suite, cases(suite, cutOuts), known);
            }
            suites.stream().filter(chosen -> chosen.suite() == null).forEach(chosen -> special(chosen, model));
            return 0;
        }
    }

    /** Every picture that is not known yet; what several suites compare is made once. */
    private void measure(Bench bench, List<Suite> compared, List<Path> cutOuts, Map<String, ObjectNode> known)
            throws IOException {
        Map<Bench.Case, Map<String, Variant>> wanted = new LinkedHashMap<>();
        for (Suite suite : compared) {
            for (Bench.Case of : cases(suite, cutOuts)) {
                suite.variants().forEach(v -> wanted.computeIfAbsent(of, c -> new LinkedHashMap<>()).put(v.name(), v));
            }
        }
        List<Picture> pictures = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        int number = 0;
        for (Map.Entry<Bench.Case, Map<String, Variant>> entry : wanted.entrySet()) {
            Bench.Case of = entry.getKey();
            List<Variant> missing = entry.getValue().values().stream()
                    .filter(v -> sheet != null || !known.containsKey(key(of, v.name()))).toList();
            if (!missing.isEmpty()) {
                for (Bench.Result result : bench.run(of, missing)) {
                    append(known, result);
                    pictures.add(result.picture());
                    labels.add(result.variant().equals(Bench.PLAIN) ? of.subject() + ", " + of.scene() : result.variant());
                }
            }
            System.err.printf(Locale.ROOT, "%d of %d, %s in %s%n", ++number, wanted.size(), of.subject(), of.scene());
        }
        if (sheet != null && !wanted.isEmpty()) {
            PngWriter.write(sheet, ContactSheet.of(pictures, labels, pictures.size() / wanted.size()), Map.of());
        }
    }

    private void special(Suites chosen, FluxModel model) {
        System.out.printf("%n%s, means of %d pictures%n%n", chosen.name().toLowerCase(Locale.ROOT), pictureCount);
        if (chosen == Suites.EDIT) {
            EditBench.Result result = EditBench.run(model, pictureCount);
            System.out.println("| task | tau | kept part as decoded | seam |\n|---|---|---|---|");
            result.rows().forEach(row -> System.out.printf(Locale.ROOT, "| %s | %.2f | %.2f dB | %.2f |%n", row.task(), row.tau(),
                    row.kept(), row.seam()));
            if (sheet != null) {
                PngWriter.write(sheet, ContactSheet.of(result.pictures(), result.labels(), EditBench.taus().length + 1),
                        Map.of());
            }
            return;
        }
        NpmPackages.fetch(data);
        ToyboxData drawn = ToyboxData.load(data);
        if (chosen == Suites.INVERSION) {
            System.out.println("| inversion | reconstruction | evaluations |\n|---|---|---|");
            InversionBench.run(model, drawn, pictureCount).forEach(row -> System.out.printf(Locale.ROOT,
                    "| %s%s | %.2f dB | %d |%n", InjectionChoice.flag(row.inversion().method()),
                    row.inversion().method() == Inversion.Method.RF_INVERSION
                            ? ", gamma " + row.inversion().gamma() + ", eta " + row.inversion().eta() : "",
                    row.psnr(), row.evaluations()));
        } else {
            System.out.println("| way | mean IoU | worst |\n|---|---|---|");
            SegmentationBench.run(model, drawn, pictureCount).forEach(row -> System.out.printf(Locale.ROOT,
                    "| %s | %.3f | %.3f |%n", row.way(), row.mean(), row.worst()));
        }
    }

    private List<Path> cutOuts() throws IOException {
        if (!Files.isDirectory(subjects)) {
            throw Refusal.input("--subjects %s is not a folder; give a folder of PNG cut-outs.", subjects);
        }
        try (Stream<Path> all = Files.list(subjects)) {
            List<Path> cutOuts = all.filter(file -> file.toString().endsWith(".png")).sorted().toList();
            if (cutOuts.isEmpty()) {
                throw Refusal.input("--subjects %s holds no PNG file; give a folder of PNG cut-outs.", subjects);
            }
            for (String name : only == null ? List.<String>of() : only) {
                if (cutOuts.stream().noneMatch(file -> file.endsWith(name + ".png"))) {
                    throw Refusal.input("--only %s is none of the cut-outs in %s; name files without .png.", name, subjects);
                }
            }
            return cutOuts;
        }
    }

    private List<Bench.Case> cases(Suite suite, List<Path> cutOuts) {
        return Bench.cases(suite, cutOuts).stream()
                .filter(of -> only == null || only.contains(of.cutOut().getFileName().toString().replace(".png", ""))).toList();
    }

    private Map<String, ObjectNode> known() throws IOException {
        Map<String, ObjectNode> known = new LinkedHashMap<>();
        if (Files.exists(results)) {
            for (String line : Files.readAllLines(results)) {
                try {
                    JsonNode json = mapper.readTree(line);
                    known.put(json.path("key").asText(), (ObjectNode) json);
                } catch (IOException | ClassCastException e) {
                    throw Refusal.input("--results %s holds a line that is no result; name another file.", results, e);
                }
            }
        }
        return known;
    }

    private String key(Bench.Case of, String variant) {
        return String.join(" | ", setting, of.subject(), of.scene(), variant);
    }

    private void append(Map<String, ObjectNode> known, Bench.Result result) throws IOException {
        String key = key(result.of(), result.variant());
        ObjectNode line = mapper.createObjectNode().put("key", key);
        line.setAll((ObjectNode) mapper.valueToTree(result.measures()));
        if (known.put(key, line) == null) {
            Files.writeString(results, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    /** A table of means, as Markdown. */
    private void print(Suite suite, List<Bench.Case> cases, Map<String, ObjectNode> known) {
        System.out.printf(Locale.ROOT, "%n%s, means of %d cases%n%n", suite.name(), cases.size());
        System.out.println("| | identity PSNR | SSIM | ghost | scene as in plain | prompt margin (agreement) |");
        System.out.println("|---|---|---|---|---|---|");
        List<String> names = new ArrayList<>(List.of(Bench.PLAIN, Bench.PASTED));
        suite.variants().stream().map(Variant::name).forEach(names::add);
        for (String name : names) {
            double[] sums = new double[6];
            for (Bench.Case of : cases) {
                Measures m = mapper.convertValue(known.get(key(of, name)).deepCopy().without("key"), Measures.class);
                double[] values = {m.psnr(), m.ssim(), m.ghost(), m.scene(), 100 * m.prompt(), m.prompt() > 0 ? 100 : 0};
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += values[i] / cases.size();
                }
            }
            System.out.printf(Locale.ROOT, "| %s | %.2f dB | %.3f | %.2f dB | %s | %.1f %% (%.0f %%) |%n", name, sums[0], sums[1], sums[2],
                    name.equals(Bench.PLAIN) ? "" : String.format(Locale.ROOT, "%.2f dB", sums[3]), sums[4], sums[5]);
        }
    }
}
