package dev.likeness.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.likeness.denoise.Evaluations;
import dev.likeness.error.Refusal;
import dev.likeness.image.OutputFile;
import dev.likeness.image.PngWriter;
import dev.likeness.metadata.Metadata;
import dev.likeness.request.Parameters;
import dev.likeness.task.Generation;
import dev.likeness.weights.LoraFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Option;

/** Where pictures and the result go. */
final class OutputOptions {

    /** Parameters that always name files. */
    private static final Set<String> INPUT_FILES = Set.of("mask", "region", "scene", "image", "library", "transformer",
            "vae", "clip-l", "t5");

    /** The parameter with several values. */
    static final String LORA = "lora";

    /** Whether a parameter's value is a file: a reference may be a name of the library, a layout a place. */
    static boolean isFile(String parameter, String value) {
        return switch (parameter) {
            case "reference" -> !value.startsWith("@");
            case "layout" -> ReferenceOptions.isLayoutFile(value);
            default -> INPUT_FILES.contains(parameter);
        };
    }

    private final Map<String, Double> measures = new LinkedHashMap<>();
    private final Set<String> warnings = new LinkedHashSet<>();

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE",
            description = "PNG to write; with several pictures FILE-1.png, FILE-2.png, ...")
    Path output;

    @Option(names = "--json", description = "print the result as JSON to standard output")
    boolean json;

    @Option(names = "--no-metadata", description = "leave the record of the generation out of the PNG")
    boolean noMetadata;

    /** Refuses outputs that cannot be written, before anything is computed. */
    void check(int count) {
        requirePng(output);
        paths(count).forEach(OutputFile::requireWritable);
    }

    static void requirePng(Path output) {
        if (!output.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw Refusal.usage("--output %s does not end in .png; PNG is the format that is written.", output);
        }
    }

    /** A figure that the result shall tell. */
    void measured(String name, double value) {
        measures.put(name, value);
    }

    /** Sentences that the result shall tell beside those of the task. */
    void warned(Collection<String> sentences) {
        warnings.addAll(sentences);
    }

    /** Tells sentences on standard error. */
    static void warn(Collection<String> sentences) {
        sentences.forEach(sentence -> System.err.println("likeness: warning: " + sentence));
    }

    /**
     * @param model its name
     * @param parameters every effective parameter by its flag name, without the seed
     */
    void write(String task, String model, ObjectNode parameters, Generation generation) {
        write(task, model, List.of(parameters), List.of(generation));
    }

    /**
     * Writes the pictures and tells the result.
     *
     * @param model its name
     * @param parameters by generation, every effective parameter by its flag name, without the seed
     */
    void write(String task, String model, List<ObjectNode> parameters, List<Generation> generations) {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode result = mapper.createObjectNode();
        result.put("task", task);
        List<Path> paths = paths(generations.stream().mapToInt(generation -> generation.images().size()).sum());
        Evaluations evaluations = Evaluations.NONE;
        Map<String, Long> timings = new LinkedHashMap<>();
        int number = 0;
        for (int i = 0; i < generations.size(); i++) {
            Generation generation = generations.get(i);
            evaluations = evaluations.plus(generation.evaluations());
            generation.milliseconds().forEach((phase, time) -> timings.merge(phase, time, Long::sum));
            warnings.addAll(generation.warnings());
            for (Generation.Image image : generation.images()) {
                ObjectNode own = parameters.get(i).deepCopy();
                own.properties().stream().filter(entry -> isFile(entry.getKey(), entry.getValue().asText()))
                        .forEach(entry -> entry.setValue(TextNode.valueOf(fromOutput(Path.of(entry.getValue().asText())))));
                if (own.get(LORA) instanceof ArrayNode loras) {
                    own.putArray(LORA).addAll(StreamSupport.stream(loras.spliterator(), false).map(JsonNode::asText)
                            .map(flag -> LoraFile.withPath(flag, fromOutput(Path.of(LoraFile.path(flag))))).map(TextNode::valueOf)
                            .toList());
                }
                ObjectNode record = Parameters.record(task, model, own, generation, image);
                Path path = paths.get(number++);
                PngWriter.write(path, image.picture(), noMetadata ? Map.of() : Metadata.toChunks(record));
                ObjectNode told = result.withArray("images").addObject().put("path", path.toString()).put("seed", image.seed())
                        .put("width", image.picture().width()).put("height", image.picture().height());
                if (generations.size() > 1) {
                    told.set("prompt", own.get("prompt"));
                }
            }
        }
        result.put("model", model);
        measures.forEach(result::put);
        result.set("evaluations", mapper.valueToTree(evaluations));
        result.set("timings_ms", mapper.valueToTree(timings));
        long peak = peakMemory();
        if (peak > 0) {
            result.put("peak_memory_bytes", peak);
        }
        result.set("parameters", parameters.get(0).deepCopy().put("seed", generations.get(0).images().get(0).seed()));
        warn(warnings);
        if (json) {
            warnings.forEach(result.withArray("warnings")::add);
            System.out.println(result.toPrettyString());
        } else {
            paths.forEach(System.out::println);
        }
    }

    /** An input file as the record names it: from the picture's folder, where replay looks for it, unless it was absolute. */
    private String fromOutput(Path file) {
        try {
            Path folder = output.toAbsolutePath().getParent().toRealPath();
            return file.isAbsolute() ? file.toString() : relative(folder, file.toRealPath());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // both were there when the task began
        }
    }

    /** The way from a folder to a file, which is never taken for a name of the library. */
    static String relative(Path folder, Path file) {
        String way = folder.relativize(file).toString();
        return way.startsWith("@") ? Path.of(".", way).toString() : way;
    }

    private List<Path> paths(int count) {
        List<Path> paths = new ArrayList<>();
        String name = output.getFileName().toString();
        String stem = name.substring(0, name.length() - ".png".length());
        for (int i = 1; i <= count; i++) {
            paths.add(count == 1 ? output : output.resolveSibling(stem + "-" + i + ".png"));
        }
        return paths;
    }

    /** Highest resident memory of this process in bytes, 0 where the system does not tell. */
    private static long peakMemory() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return 0; // not Linux
        }
        return 0;
    }
}
