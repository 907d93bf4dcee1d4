package dev.likeness.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.metadata.Metadata;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "replay", mixinStandardHelpOptions = true,
        description = "Makes a picture again from the record in its PNG.")
final class ReplayCommand implements Callable<Integer> {

    @Parameters(paramLabel = "PNG", description = "a picture that likeness made")
    Path picture;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE", description = "PNG to write")
    Path output;

    @Option(names = "--model", paramLabel = "DIR", description = "model folder; the embedded Toybox by default")
    Path model;

    @Override
    public Integer call() {
        ObjectNode record = Metadata.read(picture);
        List<String> arguments = new ArrayList<>(List.of(record.path("task").asText()));
        for (Map.Entry<String, JsonNode> parameter : record.path("parameters").properties()) {
            String flag = "--" + parameter.getKey();
            if (!parameter.getValue().isBoolean()) {
                arguments.add(flag + "=" + parameter.getValue().asText());
            } else if (parameter.getValue().asBoolean()) {
                arguments.add(flag);
            } else if (parameter.getKey().equals("reference-noise")) {
                arguments.add("--no-reference-noise");
            }
        }
        arguments.add("--output=" + output);
        if (model != null) {
            arguments.add("--model=" + model);
        }
        return Main.commandLine().execute(arguments.toArray(String[]::new));
    }
}
