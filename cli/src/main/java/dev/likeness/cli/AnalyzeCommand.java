package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.analysis.AttentionMaps;
import dev.likeness.analysis.PositionSensitivity;
import dev.likeness.analysis.PositionSensitivity.Measure;
import dev.likeness.analysis.PositionSensitivity.Scores;
import dev.likeness.analysis.Ratio;
import dev.likeness.analysis.Spread;
import dev.likeness.error.Refusal;
import dev.likeness.eval.Analysed;
import dev.likeness.eval.AttentionFigure;
import dev.likeness.eval.Evaluation;
import dev.likeness.eval.HeldOut;
import dev.likeness.eval.ReconstructionBench;
import dev.likeness.eval.ToyboxBench;
import dev.likeness.image.Box;
import dev.likeness.image.OutputFile;
import dev.likeness.image.PngWriter;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "analyze", mixinStandardHelpOptions = true,
        description = {"Looks into models: how much attention goes by position, where it goes, and what token replacement gives.",
                "Definitions and what came of it: docs/analysis.md."},
        subcommands = {AnalyzeCommand.OfPositions.class, AnalyzeCommand.OfAttention.class, AnalyzeCommand.OfReconstruction.class})
final class AnalyzeCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        throw Refusal.usage("analyze what? Give one of positions, attention, reconstruction.");
    }

    /** The paper's position sensitivity (supplement, section 6). */
    @Command(name = "positions", mixinStandardHelpOptions = true,
            description = {"Attention sharing with kept positions: how much of their attention denoising tokens give to the "
                    + "reference token at their own position. Of two models also the ratio.",
                    "References are the held-out subjects on drawn scenes; pictures are made of another scene."})
    static final class OfPositions implements Callable<Integer> {

        private static final double PAPER_DIT = 0.4294;
        private static final double PAPER_UNET = 0.0522;

        @Mixin
        AnalysisOptions options;

        @Option(names = "--samples", defaultValue = "100", paramLabel = "N",
                description = "references, a picture each (default: ${DEFAULT-VALUE})")
        int samples;

        @Option(names = "--json", description = "print all of it as JSON, by layer and step too")
        boolean json;

        /** What came of one model. @param subjects of the pictures @param pictures each by layer, then step */
        private record Measured(String name, String kind, int side, int steps, List<String> subjects,
                List<List<List<Scores>>> pictures) {

            double[] bySample(Measure measure) {
                return pictures.stream().mapToDouble(picture -> PositionSensitivity.mean(picture, measure)).toArray();
            }

            Ratio over(Measured other, Measure measure) {
                return Ratio.of(bySample(measure), other.bySample(measure), subjects);
            }
        }

        @Override
        public Integer call() {
            options.check("--samples", samples);
            Path subjects = options.subjects();
            List<Integer> sides = new ArrayList<>();
            for (Path folder : options.folders()) { // opening reads no weights
                try (Analysed model = options.open(folder)) {
                    sides.add(model.side());
                }
            }
            requireOneSize(sides);
            List<Measured> measured = new ArrayList<>();
            for (Path folder : options.folders()) {
                try (Analysed model = options.open(folder)) {
                    measured.add(measure(model, HeldOut.draw(subjects, samples, model.side(), model.side(), options.seed)));
                }
            }
            if (json) {
                System.out.println(json(measured).toPrettyString());
            } else {
                print(measured);
            }
            return 0;
        }

        private Measured measure(Analysed model, List<HeldOut> references) {
            Progress progress = new Progress();
            progress.cases(0, references.size());
            List<List<List<Scores>>> pictures = new ArrayList<>();
            for (HeldOut reference : references) {
                PositionSensitivity watch = new PositionSensitivity();
                model.share(reference.elsewhere(), reference, watch);
                pictures.add(watch.byLayer());
                progress.cases(pictures.size(), references.size());
            }
            return new Measured(model.name(), model.kind(), model.side(), model.steps(),
                    references.stream().map(HeldOut::subject).toList(), pictures);
        }

        private static void print(List<Measured> models) {
            List<String> names = models.stream().map(model -> model.name + " (" + model.kind + ")").toList();
            System.out.println("| | " + String.join(" | ", names) + " |");
            System.out.println("|---".repeat(models.size() + 1) + "|");
            for (Measure measure : Measure.values()) {
                System.out.println("| " + measure.title().replace('_', ' ') + " | " + String.join(" | ", models.stream()
                        .map(m -> Spread.of(m.bySample(measure)))
                        .map(spread -> String.format(Locale.ROOT, "%.4f (deviation %.4f)", spread.mean(), spread.deviation()))
                        .toList()) + " |");
            }
            if (models.size() == 2) {
                for (Measure measure : Measure.values()) {
                    Ratio ratio = models.get(0).over(models.get(1), measure);
                    String interval = Double.isNaN(ratio.error()) ? ""
                            : String.format(Locale.ROOT, ", 95 %% interval %.2f to %.2f", ratio.low(), ratio.high());
                    System.out.printf(Locale.ROOT, "%s: ratio %.2f%s%n", measure.title().replace('_', ' '), ratio.ofMeans(),
                            interval);
                }
                System.out.printf(Locale.ROOT, "the paper: %.4f in a DiT, %.4f in a U-Net, ratio %.2f%n", PAPER_DIT, PAPER_UNET,
                        PAPER_DIT / PAPER_UNET);
            }
        }

        private ObjectNode json(List<Measured> models) {
            ObjectNode result = new ObjectMapper().createObjectNode();
            result.put("task", "analyze positions").put("samples", samples).put("seed", options.seed);
            result.put("references", "held-out subjects of examples/subjects on drawn scenes; pictures of another scene");
            result.put("dtype", options.dtype().flag());
            for (Measured model : models) {
                ObjectNode one = result.withArray("models").addObject();
                one.put("model", model.name).put("kind", model.kind).put("size", model.side).put("steps", model.steps);
                ArrayNode layers = one.putArray("layers");
                for (List<Scores> layer : model.pictures.get(0)) {
                    layers.addObject().put("tokens", layer.get(0).tokens()).put("keys", layer.get(0).keys());
                }
                for (Measure measure : Measure.values()) {
                    put(one.putObject(measure.title()), model, measure);
                }
            }
            if (models.size() == 2) {
                ObjectNode ratios = result.putObject("ratio");
                ratios.put("of", models.get(0).name + " / " + models.get(1).name);
                for (Measure measure : Measure.values()) {
                    Ratio ratio = models.get(0).over(models.get(1), measure);
                    ObjectNode one = ratios.putObject(measure.title()).put("of_means", ratio.ofMeans());
                    put(one, "standard_error", ratio.error());
                    one.putArray("interval_95").add(number(ratio.low())).add(number(ratio.high()));
                    put(one.putObject("by_sample"), ratio.bySample());
                }
            }
            result.putObject("paper").put("dit", PAPER_DIT).put("unet", PAPER_UNET).put("ratio", PAPER_DIT / PAPER_UNET);
            long peak = OutputOptions.peakMemory();
            if (peak > 0) {
                result.put("peak_memory_bytes", peak);
            }
            return result;
        }

        private static void put(ObjectNode json, Measured model, Measure measure) {
            put(json, Spread.of(model.bySample(measure)));
            double[][] table = PositionSensitivity.table(model.pictures, measure);
            Arrays.stream(table).mapToDouble(layer -> Arrays.stream(layer).average().orElseThrow())
                    .forEach(json.putArray("by_layer")::add);
            for (int step = 0; step < table[0].length; step++) {
                int at = step;
                json.withArray("by_step").add(Arrays.stream(table).mapToDouble(layer -> layer[at]).average().orElseThrow());
            }
            for (double[] layer : table) {
                Arrays.stream(layer).forEach(json.withArray("by_layer_and_step").addArray()::add);
            }
        }

        private static void put(ObjectNode json, Spread spread) {
            json.put("mean", spread.mean());
            put(json, "standard_deviation", spread.deviation());
            put(json, "standard_error", spread.error());
        }

        private static void put(ObjectNode json, String name, double value) {
            json.put(name, number(value));
        }

        /** JSON has no word for what one sample does not tell. */
        private static Double number(double value) {
            return Double.isNaN(value) ? null : (Double) value;
        }
    }

    /** The paper's figure 3. */
    @Command(name = "attention", mixinStandardHelpOptions = true,
            description = "Draws where chosen places of a picture look in a reference that they share attention with, for each "
                    + "way of giving the reference's tokens positions: attention.png and report.html.")
    static final class OfAttention implements Callable<Integer> {

        @Mixin
        AnalysisOptions options;

        @Option(names = {"-o", "--output"}, defaultValue = "analysis-attention", paramLabel = "DIR",
                description = "folder for the figure (default: ${DEFAULT-VALUE})")
        Path output;

        @Option(names = {"-p", "--prompt"}, paramLabel = "TEXT", description = "of the picture (default: another scene)")
        String prompt;

        @Option(names = "--sample", defaultValue = "1", paramLabel = "N",
                description = "which of the held-out references, counted from 1 (default: ${DEFAULT-VALUE})")
        int sample;

        @Option(names = "--query", paramLabel = "X,Y",
                description = "a place in fractions of width and height; may be repeated (default: the subject's middle, and two "
                        + "corners)")
        List<String> queries = new ArrayList<>();

        @Override
        public Integer call() {
            options.check("--sample", sample);
            if (options.folders.size() > 1) {
                throw Refusal.usage("analyze attention looks into one model; give one --model.");
            }
            List<AttentionMaps.Query> places = new ArrayList<>();
            queries.forEach(text -> places.add(query(text)));
            folder(output);
            Path folder = options.folders().get(0);
            try (Analysed model = options.open(folder)) {
                List<HeldOut> drawn = HeldOut.draw(options.subjects(), sample, model.side(), model.side(), options.seed);
                HeldOut reference = drawn.get(sample - 1);
                Box box = reference.mask().box().orElseThrow();
                if (places.isEmpty()) {
                    places.add(new AttentionMaps.Query((box.x() + box.width() / 2.0) / model.side(),
                            (box.y() + box.height() / 2.0) / model.side()));
                    places.add(new AttentionMaps.Query(0.1, 0.1));
                    places.add(new AttentionMaps.Query(0.9, 0.9));
                }
                String made = prompt == null ? reference.elsewhere() : prompt;
                AttentionFigure figure = new AttentionFigure(model, reference, made, places);
                Map<String, String> settings = new LinkedHashMap<>();
                settings.put("model", model.name());
                settings.put("reference", reference.name() + ", " + reference.caption());
                settings.put("prompt", made);
                settings.put("seed", String.valueOf(reference.seed()));
                settings.put("size", String.valueOf(model.side()));
                settings.put("steps", String.valueOf(model.steps()));
                PngWriter.write(output.resolve("attention.png"), figure.picture(), Map.of());
                byte[] html = figure.html(settings).getBytes(StandardCharsets.UTF_8);
                OutputFile.write(output.resolve("report.html"), out -> out.write(html));
                System.out.println(output.resolve("attention.png"));
                System.out.println(output.resolve("report.html"));
                return 0;
            }
        }

        private static AttentionMaps.Query query(String text) {
            try {
                String[] parts = text.split(",", -1);
                double x = Double.parseDouble(parts[0].strip());
                double y = Double.parseDouble(parts[1].strip());
                if (parts.length == 2 && x >= 0 && x < 1 && y >= 0 && y < 1) {
                    return new AttentionMaps.Query(x, y);
                }
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
                // told below, with the form that is wanted
            }
            throw Refusal.usage("--query %s is not a place x,y; give two fractions from 0 to less than 1, such as 0.5,0.6.",
                    text);
        }
    }

    /** The paper's figure 2. */
    @Command(name = "reconstruction", mixinStandardHelpOptions = true,
            description = "Token replacement side by side: each model draws held-out subjects again from their tokens alone. "
                    + "Writes grid.png, report.html, results.json; an interrupted run goes on where it stopped.")
    static final class OfReconstruction implements Callable<Integer> {

        @Mixin
        AnalysisOptions options;

        @Option(names = {"-o", "--output"}, defaultValue = "analysis-reconstruction", paramLabel = "DIR",
                description = "folder for results (default: ${DEFAULT-VALUE})")
        Path output;

        @Option(names = "--samples", defaultValue = "40", paramLabel = "N",
                description = "references (default: ${DEFAULT-VALUE})")
        int samples;

        @Override
        public Integer call() {
            options.check("--samples", samples);
            List<Analysed> models = new ArrayList<>();
            try {
                for (Path folder : options.folders()) {
                    models.add(options.open(folder));
                }
                requireOneSize(models.stream().map(Analysed::side).toList());
                int side = models.get(0).side();
                if (models.stream().map(Analysed::name).distinct().count() < models.size()) {
                    throw Refusal.usage("Two of the models have folders of one name, which tables could not tell apart; rename "
                            + "one.");
                }
                ReconstructionBench bench =
                        new ReconstructionBench(models, HeldOut.draw(options.subjects(), samples, side, side, options.seed));
                Progress progress = new Progress();
                EvaluateCommand.print(bench, new Evaluation(bench, output, settings(models)).run(1, progress::cases));
                System.err.println(output.resolve("report.html"));
                return 0;
            } finally {
                models.forEach(Analysed::close);
            }
        }

        /** All that decides digits, by name. @param models those of the folders that were asked for, in order */
        Map<String, String> settings(List<Analysed> models) {
            Map<String, String> settings = new LinkedHashMap<>();
            for (int i = 0; i < models.size(); i++) {
                Analysed model = models.get(i);
                settings.put(model.name() + "-sha256", Evaluation.fingerprint(options.folders().get(i)));
                settings.put(model.name() + "-steps", String.valueOf(model.steps()));
            }
            settings.put("size", String.valueOf(models.get(0).side()));
            settings.put("seed", String.valueOf(options.seed));
            settings.put("dtype", options.dtype().flag());
            settings.put("device", Device.of(options.device).name());
            settings.put("threads", String.valueOf(Ops.threads(0)));
            settings.put("subjects-sha256", ToyboxBench.fingerprint(options.subjects()));
            return settings;
        }
    }

    private static void requireOneSize(List<Integer> sides) {
        if (sides.stream().distinct().count() > 1) {
            throw Refusal.usage("The models draw pictures of different sizes; give all of them one with --size.");
        }
    }

    private static void folder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Refusal.input("%s cannot be made (%s); name another --output.", folder, e.getMessage(), e);
        }
    }
}
