package dev.likeness.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The small JSON files of a model folder, which anyone may have written: they are read in bounded time and memory. */
public final class JsonFile {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonFile() {}

    /** @throws Refusal (model) when the file is missing, no JSON, or longer than any header of weights may be */
    public static JsonNode read(Path file) {
        try {
            if (Files.size(file) > TensorFile.MAX_HEADER) {
                throw Refusal.model("%s has %d bytes, and no model's has more than %d; download it again.", file,
                        Files.size(file), TensorFile.MAX_HEADER);
            }
            return MAPPER.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw Refusal.model("%s is not readable JSON (%s); download it again.", file, e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw Refusal.model("%s is not readable (%s); download it again.", file, e.getMessage(), e);
        }
    }
}
