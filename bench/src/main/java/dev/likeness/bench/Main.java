package dev.likeness.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.task.Personalize;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bin/bench}: the Toybox job, ours and the peer's, each in a process of its own, in turns. */
@Command(name = "bench", mixinStandardHelpOptions = true, subcommands = {FluxCommand.class, WriteModelCommand.class, KernelsCommand.class},
        description = "The same job with likeness and, given --python, with bench/peer/peer.py: whole jobs, a second prompt from the "
                + "same reference, single evaluations, the start, memory. Both take turns; ratios are medians of pairs.")
final class Main implements Callable<Integer> {

    private static final int STEPS = 28;
    private static final int PLAIN_PICTURES = 3; // for the time of an evaluation
    private static final String FIRST_PROMPT = "a field of snow";
    private static final String SECOND_PROMPT = "a beach";
    private static final List<String> MORE_PROMPTS = List.of(SECOND_PROMPT, "a desert", "a forest");

    @Option(names = "--python", paramLabel = "FILE",
            description = "a Python with bench/peer/requirements.txt; without one likeness is measured alone")
    Path python;

    @Option(names = "--rounds", defaultValue = "3", paramLabel = "N", description = "turns (default: ${DEFAULT-VALUE})")
    int rounds;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N",
            description = "threads of both sides; 0 leaves the choice to each (default: ${DEFAULT-VALUE})")
    int threads;

    @Option(names = "--tau", defaultValue = "0.8", paramLabel = "T", description = "(default: ${DEFAULT-VALUE})")
    double tau;

    @Option(names = "--keep", paramLabel = "DIR", description = "folder to keep the pictures in")
    Path keep;

    private final Path home = Path.of(System.getProperty("likeness.home"));
    private final Map<String, List<Double>> figures = new LinkedHashMap<>();
    private Path folder;

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        folder = keep == null ? Files.createTempDirectory("likeness-bench") : Files.createDirectories(keep);
        try {
            for (int round = 0; round < rounds; round++) {
                System.err.printf("round %d of %d ...%n", round + 1, rounds);
                for (String dtype : List.of("float32", "auto")) {
                    ours(dtype);
                    if (python != null) {
                        peer(dtype);
                    }
                }
            }
            report();
            return 0;
        } finally {
            if (keep == null) {
                deleteAll(folder);
            }
        }
    }

    /** A job, another prompt in a new process by the cache, further prompts in one process, and plain passes. */
    private void ours(String dtype) throws IOException, InterruptedException {
        String side = "ours " + dtype + " ";
        Path cache = Files.createTempDirectory(folder, "cache");
        for (String job : List.of("first", "cached")) {
            ChildProcess.Result done = personalize("personalize", dtype, "--cache", cache.toString(),
                    "--prompt", job.equals("first") ? FIRST_PROMPT : SECOND_PROMPT,
                    "--output", folder.resolve("ours-" + dtype + "-" + job + ".png").toString());
            note(side + job + " ms", done.json().path("timings_ms").path("total").asDouble());
            note(side + job + " wall ms", done.wallMilliseconds());
            note(side + job + " to first step ms", done.millisecondsTo("step 1/"));
            note(side + job + " evaluations", done.json().path("evaluations").path("target").asDouble()
                    + done.json().path("evaluations").path("reference").asDouble());
            note(side + job + " peak bytes", done.json().path("peak_memory_bytes").asDouble());
        }
        deleteAll(cache);
        double alone = story(dtype, List.of(FIRST_PROMPT)).path("timings_ms").path("total").asDouble();
        JsonNode together = story(dtype, Stream.concat(Stream.of(FIRST_PROMPT), MORE_PROMPTS.stream()).toList());
        note(side + "second ms", (together.path("timings_ms").path("total").asDouble() - alone) / MORE_PROMPTS.size());
        JsonNode plain = likeness("generate", "--dtype", dtype, "--num-images", String.valueOf(PLAIN_PICTURES), "--prompt",
                FIRST_PROMPT, "--output", folder.resolve("plain-" + dtype + ".png").toString()).json();
        note(side + "evaluation ms", plain.path("timings_ms").path("denoise").asDouble() / (PLAIN_PICTURES * STEPS));
    }

    private JsonNode story(String dtype, List<String> prompts) throws IOException, InterruptedException {
        Path file = Files.write(folder.resolve("prompts.txt"), prompts);
        return personalize("story", dtype, "--prompts", file.toString(),
                "--output", folder.resolve("story-" + dtype + "-" + prompts.size() + ".png").toString()).json();
    }

    private ChildProcess.Result personalize(String command, String dtype, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(command, "--method", "public", "--tau", String.valueOf(tau), "--dtype", dtype,
                "--reference", home.resolve("examples/dragon-scene.png").toString(),
                "--mask", home.resolve("examples/dragon-mask.png").toString()));
        all.addAll(List.of(arguments));
        return likeness(all.toArray(String[]::new));
    }

    private ChildProcess.Result likeness(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home.resolve("bin/likeness").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--true-cfg-scale", "1", "--steps", String.valueOf(STEPS), "--seed", "7", "--threads",
                String.valueOf(threads), "--json"));
        // The bar of a terminal tells every step.
        return ChildProcess.run(command, Map.of("LIKENESS_JAVA_OPTS", "-Dlikeness.terminal=true"));
    }

    /** @param beside the dtype of ours that this turn is paired with; the peer always computes in float32 */
    private void peer(String beside) throws IOException, InterruptedException {
        ChildProcess.Result done = peer("--reference", home.resolve("examples/dragon-scene.png").toString(), "--mask",
                home.resolve("examples/dragon-mask.png").toString(), "--tau", String.valueOf(tau), "--steps", String.valueOf(STEPS),
                "--seed", "7", "--reference-seed", String.valueOf(Personalize.REFERENCE_SEED),
                "--prompt", FIRST_PROMPT, "--output", folder.resolve("peer-first.png").toString(),
                "--prompt", SECOND_PROMPT, "--output", folder.resolve("peer-second.png").toString());
        JsonNode first = done.json().path("jobs").path(0);
        String row = "peer " + beside + " ";
        // Ours reads the model within the job, so the peer's job does as well.
        double second = done.json().path("jobs").path(1).path("total_ms").asDouble();
        note(row + "first ms", done.json().path("load_ms").asDouble() + first.path("total_ms").asDouble());
        note(row + "first wall ms", done.wallMilliseconds() - second);
        note(row + "second ms", second);
        note(row + "evaluations", first.path("evaluations").asDouble());
        note(row + "peak bytes", done.json().path("peak_memory_bytes").asDouble());
        note(row + "evaluation ms",
                peer("--evaluations", String.valueOf(PLAIN_PICTURES * STEPS)).json().path("evaluation_ms").asDouble());
    }

    private ChildProcess.Result peer(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python.toString(), home.resolve("bench/peer/peer.py").toString(),
                home.resolve("models/toybox").toString(), "--threads", String.valueOf(threads)));
        command.addAll(List.of(arguments));
        return ChildProcess.run(command, Map.of());
    }

    private void note(String name, double value) {
        figures.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }

    private void report() {
        System.out.printf(Locale.ROOT, "Toybox job: 256 x 256, %d steps, tau %s, one pass a step; %d round(s)%n%n", STEPS, tau, rounds);
        System.out.println("| | likeness float32 | likeness default | peer float32 | float32 | default |");
        System.out.println("|---|---|---|---|---|---|");
        row("job, ms", "first ms", "first ms", 1);
        row("second prompt, the model loaded, ms", "second ms", "second ms", 1);
        row("second prompt, a new process, ms", "cached ms", "first ms", 1);
        row("one evaluation, ms", "evaluation ms", "evaluation ms", 1);
        row("evaluations of a job", "first evaluations", "evaluations", 1);
        row("evaluations of a second prompt", "cached evaluations", "evaluations", 1);
        row("peak memory, MB", "first peak bytes", "peak bytes", 1e-6);
        row("command to picture, ms", "first wall ms", "first wall ms", 1);
        row("command to first step, ms", "first to first step ms", null, 1);
        double flops = evaluationFlops();
        System.out.printf(Locale.ROOT, "%nOne evaluation: %.2f GFLOP; likeness float32 %.0f GFLOPS, default %.0f GFLOPS", flops / 1e9,
                flops / 1e6 / median("ours float32 evaluation ms"), flops / 1e6 / median("ours auto evaluation ms"));
        System.out.println(python == null
                ? ".%nThe peer was not measured: give --python, a Python with bench/peer/requirements.txt.".formatted()
                : String.format(Locale.ROOT, ", peer %.0f GFLOPS.", flops / 1e6 / median("peer float32 evaluation ms")));
        System.out.printf(Locale.ROOT, "default against float32: one evaluation x %.2f, PSNR %.1f dB%n",
                ratio("ours auto evaluation ms", "ours float32 evaluation ms"), psnr("ours-float32-first", "ours-auto-first"));
        if (python != null) {
            System.out.printf(Locale.ROOT, "float32 against peer: PSNR %.1f dB, second prompt %.1f dB%n",
                    psnr("ours-float32-first", "peer-first"), psnr("ours-float32-cached", "peer-second"));
        }
    }

    private void row(String title, String ours, String peers, double unit) {
        StringBuilder line = new StringBuilder("| " + title + " |");
        for (String dtype : List.of("float32", "auto")) {
            line.append(String.format(Locale.ROOT, " %.5g |", unit * median("ours " + dtype + " " + ours)));
        }
        if (python == null || peers == null) {
            System.out.println(line.append(" - | - | - |"));
            return;
        }
        line.append(String.format(Locale.ROOT, " %.5g |", unit * median("peer float32 " + peers)));
        for (String dtype : List.of("float32", "auto")) {
            line.append(String.format(Locale.ROOT, " x %.2f |", ratio("peer " + dtype + " " + peers, "ours " + dtype + " " + ours)));
        }
        System.out.println(line);
    }

    private double median(String name) {
        return median(figures.get(name).stream().mapToDouble(Double::doubleValue));
    }

    /** Median over the rounds of the quotient of two figures of the same round. */
    private double ratio(String above, String below) {
        List<Double> a = figures.get(above);
        List<Double> b = figures.get(below);
        double[] ratios = new double[a.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = a.get(i) / b.get(i);
        }
        return median(DoubleStream.of(ratios));
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private double psnr(String one, String other) {
        Picture picture = picture(one);
        return MaskedPsnr.of(picture, Mask.full(picture.width(), picture.height()), picture(other), 0, 0);
    }

    private Picture picture(String name) {
        return Pictures.read(folder.resolve(name + ".png"));
    }

    /** Multiplications and additions of a pass over 16 x 16 image tokens: linear layers and attention. */
    private double evaluationFlops() {
        FluxConfig config = FluxConfig.read(home.resolve("models/toybox/transformer/config.json"));
        double d = config.width();
        double image = 256;
        double text = 24;
        double joint = image + text;
        double linear = (config.numLayers() + config.numSingleLayers()) * joint * 12 * d * d;
        double modulation = (config.numLayers() * 12.0 + config.numSingleLayers() * 3.0 + 2) * d * d;
        double ends = image * 2 * config.inChannels() * d + text * config.jointAttentionDim() * d;
        double attention = (config.numLayers() + config.numSingleLayers()) * 2 * joint * joint * d;
        return 2 * (linear + modulation + ends + attention);
    }

    static void deleteAll(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
