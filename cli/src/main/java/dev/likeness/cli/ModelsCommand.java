package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.task.ModelReport;
import dev.likeness.task.ModelReport.Network;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "models", mixinStandardHelpOptions = true, description = "Tells about models.",
        subcommands = ModelsCommand.Inspect.class)
final class ModelsCommand {

    @Command(name = "inspect", mixinStandardHelpOptions = true,
            description = "Tells what a model folder or file holds and whether it loads; reads headers only.")
    static final class Inspect implements Callable<Integer> {

        private static final int SHOWN = 5; // names of a list in the text

        @Parameters(paramLabel = "PATH", description = "model folder in diffusers layout, or a safetensors or GGUF file")
        Path path;

        @Option(names = "--json", description = "as JSON, with every name")
        boolean json;

        @Override
        public Integer call() {
            ModelReport report = ModelReport.of(path);
            System.out.println(json ? json(report).toPrettyString() : text(report));
            return 0;
        }

        private ObjectNode json(ModelReport report) {
            ObjectMapper mapper = new ObjectMapper();
            ObjectNode root = mapper.createObjectNode().put("path", path.toString()).put("architecture",
                    report.architecture())
                    .put("loads", report.isSound()).put("parameters", report.parameters()).put("bytes", report.bytes());
            if (report.problem() != null) {
                root.put("problem", report.problem());
            }
            root.set("licences", mapper.valueToTree(report.licences()));
            root.set("missing_files", mapper.valueToTree(report.missingFiles()));
            root.putArray("networks");
            for (Network network : report.networks()) {
                ObjectNode node = root.withArray("networks").addObject().put("network", network.name());
                if (network.contents() != null) {
                    network.contents().files().forEach(file -> node.withArray("files").add(file.toString()));
                    node.put("parameters", network.contents().parameters()).put("bytes", network.contents().bytes());
                    network.contents().encodings().forEach((encoding, count) -> node.withObject("/types")
                            .put(encoding.name(), count));
                }
                node.set("missing", mapper.valueToTree(network.missing()));
                node.set("extra", mapper.valueToTree(network.extra()));
                node.set("misshapen", mapper.valueToTree(network.misshapen()));
                if (network.problem() != null) {
                    node.put("problem", network.problem());
                }
            }
            return root;
        }

        private static String text(ModelReport report) {
            StringBuilder text = new StringBuilder(report.architecture()).append(report.isSound() ? "" : ", does not load");
            line(text, "parameters", String.format(Locale.ROOT, "%,d", report.parameters()));
            line(text, "bytes", String.format(Locale.ROOT, "%,d", report.bytes()));
            line(text, "licence", report.licences().isEmpty() ? "no file" : String.join(", ", report.licences()));
            if (report.problem() != null) {
                line(text, "problem", report.problem());
            }
            list(text, "missing", report.missingFiles());
            for (Network network : report.networks()) {
                line(text, network.name(), network.contents() == null ? "-" : String.format(Locale.ROOT,
                        "%,d parameters, %,d bytes, %s",
                        network.contents().parameters(), network.contents().bytes(), types(network)));
                if (network.problem() != null) {
                    line(text, "  problem", network.problem());
                }
                list(text, "  missing", network.missing());
                list(text, "  extra", network.extra());
                list(text, "  misshapen", network.misshapen());
            }
            return text.toString();
        }

        private static String types(Network network) {
            return network.contents().encodings().entrySet().stream().map(entry -> entry.getKey() + " x " + entry.getValue())
                    .collect(Collectors.joining(", "));
        }

        private static void list(StringBuilder text, String title, Collection<String> names) {
            if (!names.isEmpty()) {
                line(text, title, names.stream().limit(SHOWN).collect(Collectors.joining(", "))
                        + (names.size() > SHOWN ? ", ... (" + names.size() + ")" : ""));
            }
        }

        private static void line(StringBuilder text, String title, String value) {
            text.append(System.lineSeparator()).append(String.format(Locale.ROOT, "%-24s %s", title, value));
        }
    }
}
