package dev.likeness.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.metadata.Metadata;
import dev.likeness.weights.LoraFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "replay", mixinStandardHelpOptions = true,
        description = "Makes a picture again from the record in its PNG.")
final class ReplayCommand implements Callable<Integer> {

    /** A record comes from a file that anyone may have written: no other command may be started by it. */
    private static final Set<String> TASKS =
            Set.of("generate", "personalize", "compose", "reconstruct", "invert", "inpaint", "outpaint");

    /** Flags that are said in the negative where they are false; the others are left out then. */
    private static final Set<String> NEGATABLE = Set.of("reference-noise", "perturb", "blend");

    /** Flags that replay has itself. */
    private static final Set<String> OWN_FLAGS = Set.of("output", "model", "json", "help", "version");

    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "PNG", description = "a picture that likeness made")
    Path picture;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE", description = "PNG to write")
    Path output;

    @Option(names = "--model", paramLabel = "DIR", description = "model folder; the embedded Toybox by default")
    Path model;

    @Option(names = "--device", paramLabel = "NAME", description = "another device than the one it was made on")
    String device;

    @Option(names = "--set", paramLabel = "NAME=[VALUE]",
            description = "another value for one of its parameters, which takes the place of those that say the same in another "
                    + "way; without a value the parameter is left out; may be repeated")
    Map<String, String> changes = new LinkedHashMap<>();

    @Option(names = "--json", description = "print the result as JSON to standard output")
    boolean json;

    @Override
    public Integer call() throws IOException {
        ObjectNode record = Metadata.read(picture);
        String task = record.path("task").asText();
        if (!TASKS.contains(task)) {
            throw Refusal.input("%s was made by '%s', which cannot be replayed; give a picture made by one of %s.", picture, task,
                    String.join(", ", new TreeSet<>(TASKS)));
        }
        String madeWith = record.path("model").asText();
        if (model == null && !madeWith.equals(ModelOptions.EMBEDDED)) {
            throw Refusal.usage("%s was made with the model %s; give its folder with --model DIR.", picture, madeWith);
        }
        List<String> arguments = new ArrayList<>(List.of(task));
        Set<String> replaced = replaced();
        for (Map.Entry<String, JsonNode> parameter : record.path("parameters").properties()) {
            if (replaced.contains(parameter.getKey())) {
                continue;
            }
            String flag = "--" + parameter.getKey();
            if (parameter.getKey().equals(OutputOptions.LORA)) {
                for (JsonNode lora : parameter.getValue()) {
                    String path = LoraFile.path(lora.asText());
                    arguments.add(flag + "=" + LoraFile.withPath(lora.asText(), inputFile(OutputOptions.LORA, path)));
                }
            } else if (!parameter.getValue().isBoolean()) {
                arguments.add(flag + "=" + value(parameter.getKey(), parameter.getValue().asText()));
            } else if (parameter.getValue().asBoolean()) {
                arguments.add(flag);
            } else if (NEGATABLE.contains(parameter.getKey())) {
                arguments.add("--no-" + parameter.getKey());
            }
        }
        CommandSpec command = spec.root().subcommands().get(task).getCommandSpec();
        changes.forEach((name, value) -> arguments.addAll(changed(command, name, value)));
        arguments.add("--output=" + output);
        if (model != null) {
            arguments.add("--model=" + model);
        }
        if (json) {
            arguments.add("--json");
        }
        return Main.execute(arguments.toArray(String[]::new));
    }

    /** Recorded parameters that do not count any more: what is changed, what belongs to it, and what says the same otherwise. */
    private Set<String> replaced() {
        Set<String> names = new TreeSet<>(changes.keySet());
        changes.forEach((name, value) -> {
            names.addAll(details(name, value));
            if (!value.isEmpty() && !value.equals("false")) {
                names.addAll(rivals(name, value));
            }
        });
        return names;
    }

    /** What says more about a parameter, and tells nothing of its new value. */
    private static Set<String> details(String name, String value) {
        return switch (name) {
            case "perturb" -> value.equals("true") ? Set.of() : Set.of("shuffle-window", "mask-morph", "perturb-seed");
            case "inversion" -> Set.of("gamma", "eta");
            case "segment" -> Set.of("onnx-size", "onnx-normalisation");
            case "mask" -> value.isEmpty() ? Set.of("mask-invert") : Set.of();
            case "reference" -> value.isEmpty() ? Set.of("mask", "mask-invert", "segment", "onnx-size", "onnx-normalisation",
                    "reference-prompt", "region") : Set.of();
            // A picture's size follows from what is extended and by how much.
            case "canvas" -> value.isEmpty() ? Set.of("position", "width", "height") : Set.of("width", "height");
            case "left", "right", "up", "down", "image" -> Set.of("width", "height");
            default -> Set.of();
        };
    }

    /** What cannot stand beside a parameter that has this value. */
    private static Set<String> rivals(String name, String value) {
        return switch (name) {
            case "shuffle-window", "mask-morph", "perturb-seed" -> Set.of("perturb"); // they set it
            case "mask", "mask-invert" -> Set.of("segment", "onnx-size", "onnx-normalisation");
            case "segment", "onnx-size", "onnx-normalisation" -> Set.of("mask", "mask-invert");
            case "canvas", "position" -> Set.of("left", "right", "up", "down");
            case "left", "right", "up", "down" -> Set.of("canvas", "position");
            case "reference" -> value.startsWith("@")
                    ? Set.of("mask", "mask-invert", "segment", "onnx-size", "onnx-normalisation", "reference-prompt") : Set.of();
            case "inject" -> value.equals("replace+concat") ? Set.of("positions", "replace-at") : Set.of(); // it has its own
            default -> Set.of();
        };
    }

    /** A flag and its new value; true and false set or unset a flag without one, and what may be left out is, without a value. */
    private static List<String> changed(CommandSpec command, String name, String value) {
        OptionSpec flag = OWN_FLAGS.contains(name) ? null : command.findOption("--" + name);
        if (flag == null) {
            throw Refusal.usage("--set %s names no parameter of %s; use the name of one of its flags, such as steps or seed.", name,
                    command.name());
        }
        if (value.isEmpty() && !flag.required()) {
            return List.of();
        }
        if (!flag.typeInfo().isBoolean()) {
            return List.of("--" + name + "=" + value);
        }
        return switch (value) {
            case "true" -> List.of("--" + name);
            case "false" -> NEGATABLE.contains(name) ? List.of("--no-" + name) : List.of();
            default -> throw Refusal.usage("--set %s=%s is neither true nor false; use one of the two.", name, value);
        };
    }

    private String value(String name, String recorded) throws IOException {
        if (name.equals("device") && device != null) {
            return device;
        }
        return OutputOptions.isFile(name, recorded) ? inputFile(name, recorded) : recorded;
    }

    /** Relative names count from the picture's folder; they stay relative, so that the new record can move as well. */
    private String inputFile(String name, String recorded) throws IOException {
        Path file = picture.toRealPath().getParent().resolve(recorded).normalize();
        if (!Files.exists(file)) {
            throw Refusal.input("%s was made with --%s %s, which is not there; put the file back.", picture, name, file);
        }
        return Path.of(recorded).isAbsolute() ? file.toString() : OutputOptions.relative(Path.of("").toRealPath(), file);
    }
}
