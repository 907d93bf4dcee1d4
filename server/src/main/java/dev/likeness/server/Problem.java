package dev.likeness.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is wrong with a request or became of a job, by RFC 9457. */
final class Problem extends RuntimeException {

    /** The kinds, which docs/server.md lists. */
    enum Kind {
        MALFORMED(400, "The request cannot be read"),
        UNAUTHORIZED(401, "A token is needed"),
        FORBIDDEN(403, "The request is not allowed"),
        NOT_FOUND(404, "There is no such thing"),
        METHOD_NOT_ALLOWED(405, "The method is not allowed"),
        REQUEST_TIMEOUT(408, "The request arrived too slowly"),
        CONFLICT(409, "The request does not fit the present state"),
        TOO_LARGE(413, "The request is too large"),
        UNSUPPORTED_TYPE(415, "The content type is not supported"),
        MISDIRECTED(421, "The request is for another host"),
        INVALID_REQUEST(422, "The request cannot be carried out"),
        BUSY(429, "There is too much to do"),
        INTERNAL(500, "The server failed"),
        MODEL(500, "The model failed"),
        UNAVAILABLE(503, "The server cannot do this now"),
        RESOURCES(507, "Memory or disk ran out");

        final int status;
        final String title;

        Kind(int status, String title) {
            this.status = status;
            this.title = title;
        }

        String slug() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Where a file of JSON stands in a refusal; a request has no lines. */
    private static final Pattern PLACE = Pattern.compile("^[^,]*, line \\d+, column \\d+(?:, (?<pointer>[^:]*))?: "
            + "(?<rest>.*)$", Pattern.DOTALL);
    private static final Pattern FLAG = Pattern.compile("--([a-z]+(?:-[a-z]+)*)");

    final Kind kind;
    final String pointer; // null when the whole request is meant
    final int retryAfter; // seconds, 0 for none

    private Problem(Kind kind, String pointer, String detail, int retryAfter, Throwable cause) {
        super(detail, cause);
        this.kind = kind;
        this.pointer = pointer;
        this.retryAfter = retryAfter;
    }

    static Problem of(Kind kind, String sentence, Object... args) {
        return new Problem(kind, null, String.format(Locale.ROOT, sentence, args), 0, null);
    }

    /** @param pointer JSON Pointer of the field */
    static Problem at(String pointer, String sentence, Object... args) {
        return new Problem(Kind.INVALID_REQUEST, pointer, String.format(Locale.ROOT, sentence, args), 0, null);
    }

    /** @param seconds after which trying again makes sense */
    static Problem later(Kind kind, int seconds, String sentence, Object... args) {
        return new Problem(kind, null, String.format(Locale.ROOT, sentence, args), Math.max(1, seconds), null);
    }

    /**
     * A refusal of the library in the words of the API: flags become fields, files their names.
     *
     * @param pointer of the field that it is about; null to take it from the sentence where that tells
     */
    static Problem of(Refusal refusal, String pointer) {
        String sentence = refusal.getMessage();
        Matcher placed = PLACE.matcher(sentence);
        String at = pointer;
        if (placed.matches()) {
            at = placed.group("pointer") == null ? pointer : placed.group("pointer");
            sentence = placed.group("rest");
        }
        Matcher flag = FLAG.matcher(sentence);
        if (at == null && flag.find() && !flag.group(1).equals("layout")) {
            at = "/" + flag.group(1).replace('-', '_');
        }
        sentence = FLAG.matcher(sentence).replaceAll(match -> match.group(1).replace('-', '_'));
        sentence = sentence.replaceAll("/\\S*/([a-z]+(-[0-9]+)?)\\b", "$1"); // no folder of ours is the sender's business
        Kind kind = switch (refusal.kind()) {
            case USAGE, INPUT -> Kind.INVALID_REQUEST;
            case MODEL -> Kind.MODEL;
            case RESOURCES -> Kind.RESOURCES;
        };
        return new Problem(kind, at, sentence, 0, refusal);
    }

    /** @param instance number of the request; null for none */
    ObjectNode json(String instance) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("type", "/problems/" + kind.slug()).put("title", kind.title).put("status", kind.status)
                .put("detail", getMessage());
        if (instance != null) {
            json.put("instance", instance);
        }
        if (pointer != null) {
            json.putArray("errors").addObject().put("pointer", pointer).put("detail", getMessage());
        }
        return json;
    }
}
