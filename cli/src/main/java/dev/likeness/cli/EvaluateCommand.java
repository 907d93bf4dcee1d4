package dev.likeness.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.eval.Bench;
import dev.likeness.eval.Measures;
import dev.likeness.eval.Suite;
import dev.likeness.eval.Variant;
import dev.likeness.image.ContactSheet;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.task.FluxModel;
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
        TAU, SHARING, MMA, PERTURBATION;

        Suite suite() {
            return switch (this) {
                case TAU -> Suite.tau();
                case SHARING -> Suite.sharing();
                case MMA -> Suite.mma();
                case PERTURBATION -> Suite.perturbation();
            };
        }
    }

    @Mixin
    ModelOptions modelOptions;

    @Option(names = "--suite", required = true, split = ",", description = "what is compared: tau, sharing, mma, perturbation")
    List<Suites> suites;

    @Option(names = "--subjects", required = true, paramLabel = "DIR",
            description = "PNG cut-outs with alpha; the file name is the subject's name")
    Path subjects;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "only these subjects of the folder")
    List<String> only;

    @Option(names = "--results", required = true, paramLabel = "FILE",
            description = "a JSON line a picture; what it holds already is not made again")
    Path results;

    @Option(names = "--sheet", paramLabel = "FILE",
            description = "also write a PNG with the pictures of each subject's first scene, a row a subject")
    Path sheet;

    private final ObjectMapper mapper = new ObjectMapper();

    @Override
    public Integer call() throws IOException {
        OutputFile.requireWritable(results);
        if (sheet != null) {
            OutputFile.requireWritable(sheet);
        }
        List<Path> cutOuts = cutOuts();
        Map<String, ObjectNode> known = known();
        try (FluxModel model = modelOptions.open()) {
            Bench bench = new Bench(model);
            for (Suites chosen : suites) {
                Suite suite = chosen.suite();
                List<Bench.Case> cases = Bench.cases(suite, cutOuts);
                List<Picture> pictures = new ArrayList<>();
                for (int i = 0; i < cases.size(); i++) {
                    Bench.Case of = cases.get(i);
                    boolean shown = sheet != null && i % suite.scenes() == 0;
                    if (shown || !suite.variants().stream().allMatch(v -> known.containsKey(key(suite, of, v.name())))) {
                        for (Bench.Result result : bench.run(of, suite.variants())) {
                            append(known, suite, result);
                            if (shown) {
                                pictures.add(result.picture());
                            }
                        }
                    }
                    System.err.printf(Locale.ROOT, "%s: %d of %d, %s in %s%n", suite.name(), i + 1, cases.size(), of.subject(),
                            of.scene());
                }
                print(suite, cases, known);
                if (sheet != null) {
                    write(suite, cases, pictures);
                }
            }
            return 0;
        }
    }

    private List<Path> cutOuts() throws IOException {
        if (!Files.isDirectory(subjects)) {
            throw Refusal.input("--subjects %s is not a folder; give a folder of PNG cut-outs.", subjects);
        }
        try (Stream<Path> all = Files.list(subjects)) {
            List<Path> cutOuts = all.filter(file -> file.toString().endsWith(".png"))
                    .filter(file -> only == null || only.contains(file.getFileName().toString().replace(".png", ""))).sorted()
                    .toList();
            if (cutOuts.isEmpty()) {
                throw Refusal.input("--subjects %s holds no PNG file%s; give a folder of PNG cut-outs.", subjects,
                        only == null ? "" : " named in --only " + String.join(",", only));
            }
            return cutOuts;
        }
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

    private static String key(Suite suite, Bench.Case of, String variant) {
        return String.join(" | ", suite.name(), of.subject(), of.scene(), variant);
    }

    private void append(Map<String, ObjectNode> known, Suite suite, Bench.Result result) throws IOException {
        String key = key(suite, result.of(), result.variant());
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
                Measures m = mapper.convertValue(known.get(key(suite, of, name)).deepCopy().without("key"), Measures.class);
                double[] values = {m.psnr(), m.ssim(), m.ghost(), m.scene(), 100 * m.prompt(), m.prompt() > 0 ? 100 : 0};
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += values[i] / cases.size();
                }
            }
            System.out.printf(Locale.ROOT, "| %s | %.2f dB | %.3f | %.2f dB | %s | %.1f %% (%.0f %%) |%n", name, sums[0], sums[1], sums[2],
                    name.equals(Bench.PLAIN) ? "" : String.format(Locale.ROOT, "%.2f dB", sums[3]), sums[4], sums[5]);
        }
    }

    private void write(Suite suite, List<Bench.Case> cases, List<Picture> pictures) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < cases.size(); i += suite.scenes()) {
            labels.add(cases.get(i).subject() + ", " + cases.get(i).scene());
            labels.add(Bench.PASTED);
            suite.variants().stream().map(Variant::name).forEach(labels::add);
        }
        String name = sheet.getFileName().toString().replaceFirst("\\.png$", "");
        Path file = suites.size() == 1 ? sheet : sheet.resolveSibling(name + "-" + suite.name() + ".png");
        PngWriter.write(file, ContactSheet.of(pictures, labels, suite.variants().size() + 2), Map.of());
    }
}
