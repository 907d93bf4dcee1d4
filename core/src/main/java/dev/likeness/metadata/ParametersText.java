package dev.likeness.metadata;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The text that AUTOMATIC1111's web UI introduced and most galleries read: the prompt, a line with the negative prompt,
 * and a line of settings. The distilled guidance of FLUX has a name of its own there, as in Forge; "CFG scale" is that of
 * classifier-free guidance, 1 without.
 */
final class ParametersText {

    private ParametersText() {
    }

    /**
     * Reads {@code model} of the record and {@code prompt, negative-prompt, steps, sampler, true-cfg-scale, guidance-scale, seed,
     * width, height} of its {@code parameters}; what is missing or null is left out.
     */
    static String of(ObjectNode record) {
        JsonNode parameters = record.path("parameters");
        StringBuilder text = new StringBuilder(plain(parameters, "prompt"));
        String negative = plain(parameters, "negative-prompt");
        if (!negative.isEmpty()) {
            text.append("\nNegative prompt: ").append(negative);
        }
        List<String> settings = new ArrayList<>();
        add(settings, "Steps", plain(parameters, "steps"));
        String sampler = plain(parameters, "sampler");
        add(settings, "Sampler", sampler.isEmpty() ? "Euler" : sampler.toUpperCase(Locale.ROOT));
        add(settings, "CFG scale", plain(parameters, "true-cfg-scale"));
        add(settings, "Distilled CFG Scale", plain(parameters, "guidance-scale"));
        add(settings, "Seed", plain(parameters, "seed"));
        if (parameters.hasNonNull("width") && parameters.hasNonNull("height")) {
            add(settings, "Size", plain(parameters, "width") + "x" + plain(parameters, "height"));
        }
        add(settings, "Model", plain(record, "model"));
        return text.append('\n').append(String.join(", ", settings)).toString();
    }

    private static String plain(JsonNode from, String key) {
        JsonNode value = from.path(key);
        // NUL ends a string in PNG, and no tool could show it.
        return value.isNull() ? "" : value.asText().replace("\0", "");
    }

    /** Readers split at commas and colons unless the value is quoted as JSON is. */
    private static void add(List<String> settings, String name, String value) {
        if (!value.isEmpty()) {
            boolean quote = value.contains(",") || value.contains(":") || value.contains("\n");
            settings.add(name + ": " + (quote ? TextNode.valueOf(value) : value));
        }
    }
}
