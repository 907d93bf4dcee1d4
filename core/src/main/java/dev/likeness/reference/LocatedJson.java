package dev.likeness.reference;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A JSON value that knows where in its file it stands. Jackson's tree forgets that, and whoever wrote the file by hand wants to
 * be told the line also when the JSON as such is sound.
 *
 * @param pointer JSON pointer (RFC 6901); empty for the whole document
 * @param line from 1, as is the column; of an object's member, where its value begins
 * @param value a Map or List of LocatedJson, a String, a Double, a Boolean, or null
 */
record LocatedJson(Path file, String pointer, int line, int column, Object value) {

    /** Larger files are refused: nobody writes such a one by hand. */
    static final int MAX_BYTES = 1 << 20;

    private static final int SHOWN = 40; // letters of a text that stand in a refusal

    private static final JsonFactory FACTORY = new JsonFactory();

    /**
     * Reads strict JSON (RFC 8259) in UTF-8.
     *
     * @throws Refusal (input) when the file is missing, unreadable, too large, empty, not UTF-8 or not JSON, when a key stands
     *     twice in an object, or when anything follows the value
     */
    static LocatedJson read(Path file) {
        String text = text(file);
        try (JsonParser parser = FACTORY.createParser(text)) {
            try {
                LocatedJson document = new Reader(file, parser).document();
                if (parser.nextToken() != null) {
                    throw at(file, "", parser.currentTokenLocation(), "something follows the end of the JSON; remove it.");
                }
                return document;
            } catch (JsonProcessingException e) {
                // Jackson's limits of length and depth come without a place.
                JsonLocation place = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
                throw at(file, parser.getParsingContext().pathAsPointer().toString(), place, "%s; correct the JSON.", reason(e));
            }
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read (%s); check the file.", file, e.getMessage(), e);
        }
    }

    /** The whole file, without the mark that some editors put before UTF-8. */
    private static String text(Path file) {
        if (!Files.exists(file)) {
            throw Refusal.input("%s does not exist; check the path.", file);
        }
        if (Files.isDirectory(file)) {
            throw Refusal.input("%s is a folder; name a JSON file.", file);
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read; check its permissions.", file, e);
        }
        if (bytes.length > MAX_BYTES) {
            throw Refusal.input("%s is larger than %d MB; check that it is the right file.", file, MAX_BYTES >> 20);
        }
        String text = decode(file, bytes);
        text = text.startsWith("\uFEFF") ? text.substring(1) : text;
        if (text.isBlank()) {
            throw at(file, "", 1, 1, "the file is empty; write a JSON object into it.");
        }
        return text;
    }

    private static String decode(Path file, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder(); // reports what is malformed
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        String text = out.flip().toString();
        if (result.isError()) {
            int line = 1 + (int) text.chars().filter(c -> c == '\n').count();
            throw at(file, "", line, text.length() - text.lastIndexOf('\n'),
                    "the text is not UTF-8; save the file in that encoding.");
        }
        return text;
    }

    /** Jackson's first line, without its advice to programmers. */
    private static String reason(JsonProcessingException e) {
        if (e instanceof JsonEOFException) {
            return "the file ends early, before everything is closed that was opened";
        }
        return e.getOriginalMessage().lines().findFirst().orElse("unreadable")
                .replaceFirst("(: maybe a \\(non-standard\\) comment|: enable `|, from `| \\(start marker at).*", "");
    }

    /** Builds the tree; after each call the parser stands on the last token of what was read. */
    private record Reader(Path file, JsonParser parser) {

        LocatedJson document() throws IOException {
            parser.nextToken();
            return value("");
        }

        private LocatedJson value(String pointer) throws IOException {
            JsonLocation at = parser.currentTokenLocation();
            Object value = switch (parser.currentToken()) {
                case START_OBJECT -> object(pointer);
                case START_ARRAY -> array(pointer);
                case VALUE_STRING -> parser.getText();
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
                case VALUE_TRUE -> true;
                case VALUE_FALSE -> false;
                default -> null;
            };
            return new LocatedJson(file, pointer, at.getLineNr(), at.getColumnNr(), value);
        }

        private Map<String, LocatedJson> object(String pointer) throws IOException {
            Map<String, LocatedJson> members = new LinkedHashMap<>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                String child = pointer + "/" + key.replace("~", "~0").replace("/", "~1");
                if (members.containsKey(key)) {
                    throw at(file, child, parser.currentTokenLocation(), "%s stands twice in one object; remove one of the two.",
                            shown(key));
                }
                parser.nextToken();
                members.put(key, value(child));
            }
            return Collections.unmodifiableMap(members);
        }

        private List<LocatedJson> array(String pointer) throws IOException {
            List<LocatedJson> elements = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                elements.add(value(pointer + "/" + elements.size()));
            }
            return Collections.unmodifiableList(elements);
        }
    }

    /**
     * The members of an object.
     *
     * @param known the keys that it may have
     * @throws Refusal (input) when this is no object or has another key
     */
    Map<String, LocatedJson> object(Collection<String> known) {
        Map<String, LocatedJson> members = new LinkedHashMap<>();
        if (!(value instanceof Map<?, ?> map)) {
            throw refusal("%s is not an object; write one in braces, with the fields %s.", shown(), String.join(", ", known));
        }
        map.forEach((key, member) -> members.put((String) key, (LocatedJson) member));
        members.forEach((key, member) -> {
            if (!known.contains(key)) {
                throw member.refusal("%s is not a known field; use %s.", shown(key), String.join(", ", known));
            }
        });
        return members;
    }

    /** A member of an object; this itself where it has none of that name. */
    LocatedJson member(String key) {
        return value instanceof Map<?, ?> map && map.get(key) instanceof LocatedJson member ? member : this;
    }

    /** @throws Refusal (input) when this is no array */
    List<LocatedJson> array() {
        if (!(value instanceof List<?> list)) {
            throw refusal("%s is not a list; write one in square brackets.", shown());
        }
        return list.stream().map(LocatedJson.class::cast).toList();
    }

    /** @throws Refusal (input) when this is no string */
    String string() {
        if (!(value instanceof String text)) {
            throw refusal("%s is not a text; write one in double quotes.", shown());
        }
        return text;
    }

    /** @throws Refusal (input) when this is no string or an empty one */
    String filledString() {
        if (string().isEmpty()) {
            throw refusal("the text is empty; write what is meant, or leave the field out where it may be missing.");
        }
        return string();
    }

    /** @throws Refusal (input) when this is neither true nor false */
    boolean bool() {
        if (!(value instanceof Boolean flag)) {
            throw refusal("%s is neither true nor false; write one of the two, without quotes.", shown());
        }
        return flag;
    }

    /** @throws Refusal (input) when this is no number from least to most */
    double number(double least, double most) {
        if (!(value instanceof Double number)) {
            throw refusal("%s is not a number; write one from %s to %s, without quotes.", shown(), Layout.number(least),
                    Layout.number(most));
        }
        if (!(number >= least && number <= most)) {
            throw refusal("%s is out of range; write a number from %s to %s.", shown(), Layout.number(least),
                    Layout.number(most));
        }
        return number;
    }

    /** A refusal (input) that says where this stands; for the caller to throw. */
    Refusal refusal(String sentence, Object... args) {
        return at(file, pointer, line, column, sentence, args);
    }

    private String shown() {
        if (value instanceof String text) {
            return shown(text);
        }
        return value instanceof Map ? "an object" : value instanceof List ? "a list"
                : value instanceof Double number ? Layout.number(number) : String.valueOf(value);
    }

    /** In quotes, cut where it is long, on one line whatever is in it. */
    static String shown(String text) {
        return '"' + line(text, SHOWN) + '"';
    }

    /** Cut where it is long, on one line whatever is in it. */
    static String line(String text, int most) {
        String start = text.codePointCount(0, text.length()) > most
                ? text.substring(0, text.offsetByCodePoints(0, most)) + "..." : text;
        return start.replaceAll("[\\p{Cntrl}\\u2028\\u2029]", "?");
    }

    private static Refusal at(Path file, String pointer, JsonLocation at, String sentence, Object... args) {
        return at(file, pointer, at.getLineNr(), at.getColumnNr(), sentence, args);
    }

    private static Refusal at(Path file, String pointer, int line, int column, String sentence, Object... args) {
        String where = pointer.isEmpty() ? "" : ", " + line(pointer, 2 * SHOWN);
        return Refusal.input("%s, line %d, column %d%s: %s", file, line, column, where,
                String.format(Locale.ROOT, sentence, args));
    }
}
