package dev.likeness.metadata;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.PngText;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The record of a generation as text chunks of a PNG: {@value #RECORD} holds every effective parameter as JSON, from which
 * the picture can be made again; {@value #PARAMETERS} holds what other tools read. What stands in the record is for the
 * caller to say, parameters under {@code parameters} by their flag names; their order is kept, so the same record always
 * gives the same bytes.
 */
public final class Metadata {

    /** Keyword of the JSON record. */
    public static final String RECORD = "likeness";
    /** Keyword of the text for other tools. */
    public static final String PARAMETERS = "parameters";
    /** The version of the record that is written, and the newest that is read. */
    public static final int VERSION = 1;

    private static final String VERSION_KEY = "record_version";
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Metadata() {
    }

    /** The entries, in the map's order, as the tree that {@link #toChunks} takes. */
    public static ObjectNode record(Map<String, ?> entries) {
        return JSON.valueToTree(entries);
    }

    /** The chunks for {@link dev.likeness.image.PngWriter}: keyword to text. */
    public static Map<String, String> toChunks(ObjectNode entries) {
        ObjectNode record = JSON.createObjectNode().put(VERSION_KEY, VERSION);
        record.setAll(entries);
        Map<String, String> chunks = new LinkedHashMap<>();
        chunks.put(PARAMETERS, ParametersText.of(record));
        chunks.put(RECORD, record.toString());
        return chunks;
    }

    /**
     * The record that a PNG file carries, as it was given to {@link #toChunks}.
     *
     * @throws Refusal (input) when the file cannot be read, carries no record, or one that this version cannot read
     */
    public static ObjectNode read(Path png) {
        String text = PngText.read(png).get(RECORD);
        if (text == null) {
            throw Refusal.input("%s carries no likeness record; only PNG files that Likeness wrote without --no-metadata "
                    + "and that no other program saved again do.", png);
        }
        try {
            JsonNode tree = JSON.readTree(text);
            if (tree instanceof ObjectNode record && record.path(VERSION_KEY).isInt()) {
                int version = record.remove(VERSION_KEY).intValue();
                if (version > VERSION) {
                    throw Refusal.input("%s carries a likeness record of version %d and this program reads up to %d; "
                            + "use a newer Likeness.", png, version, VERSION);
                }
                return record;
            }
            throw Refusal.input("%s carries a likeness record without a version; it was changed by hand: restore it.",
                    png);
        } catch (JsonProcessingException e) {
            throw Refusal.input("%s carries a likeness record that is not JSON (%s); it was changed by hand: restore it.",
                    png, e.getOriginalMessage(), e);
        }
    }
}
