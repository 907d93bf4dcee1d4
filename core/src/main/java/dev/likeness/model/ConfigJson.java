package dev.likeness.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * Reads a config.json into a record whose components are its keys in camel case. A key that the record does not know is
 * an error unless it is listed as known and without effect: a model whose config says something we would ignore must not
 * load silently.
 */
public final class ConfigJson {

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES) // a number that is left out is not 0
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();

    private ConfigJson() {}

    /**
     * @param unused keys that may stand in the file and change nothing here; keys that begin with {@code _} always may
     * @throws Refusal (model) when the file is missing, not JSON, or says something this version does not support
     */
    public static <T> T read(Path file, Class<T> type, Set<String> unused) {
        return read(file, type, unused, Map.of());
    }

    /**
     * @param fixed keys that may stand in the file with one value only, the one that the code computes with; for an array
     *     each element's value. {@code null} may stand for every one of them
     */
    public static <T> T read(Path file, Class<T> type, Set<String> unused, Map<String, String> fixed) {
        if (!Files.isRegularFile(file)) {
            throw Refusal.model("%s does not exist; point --model at a complete model folder in diffusers layout.", file);
        }
        try {
            if (!(MAPPER.readTree(file.toFile()) instanceof ObjectNode json)) {
                throw Refusal.model("%s is no JSON object; download it again.", file);
            }
            fixed.forEach((key, value) -> requireFixed(file, key, json.path(key), value));
            json.remove(fixed.keySet());
            json.properties().removeIf(e -> e.getKey().startsWith("_") || unused.contains(e.getKey()));
            return MAPPER.treeToValue(json, type);
        } catch (JsonProcessingException e) {
            Throwable reason = e.getCause() == null ? e : e.getCause();
            throw Refusal.model("%s is not supported: %s", file,
                    String.valueOf(reason.getMessage()).lines().findFirst().orElse("unreadable"), e);
        } catch (IOException e) {
            throw Refusal.model("%s cannot be read (%s).", file, e.getMessage(), e);
        }
    }

    private static void requireFixed(Path file, String key, JsonNode actual, String expected) {
        if (actual.isArray()) {
            actual.forEach(element -> requireFixed(file, key, element, expected));
        } else if (!actual.isMissingNode() && !actual.isNull() && !actual.asText().equals(expected)) {
            throw Refusal.model("%s is not supported: %s is %s, and only %s is supported.", file, key, actual, expected);
        }
    }
}
