package dev.likeness.server;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Promise;

/**
 * The body of a request, on disk until it is closed: while it arrives it takes no memory, and a sender can be slow only so
 * long. JSON, or multipart/form-data with files.
 */
final class Body implements AutoCloseable {

    private static final int MAX_PARTS = 64;
    private static final int MAX_FIELD = 1 << 20; // bytes of a form field that is no file

    private final Limits limits;
    private final Path folder;
    private Map<String, List<Path>> parts; // by name; null for JSON

    private Body(Limits limits, Path folder) {
        this.limits = limits;
        this.folder = folder;
    }

    /**
     * Receives a body.
     *
     * @param temporary folder to hold it
     * @param multipart whether a form is taken
     * @param json whether JSON is taken
     */
    static Body receive(Context context, Limits limits, Path temporary, boolean json, boolean multipart) {
        String type = String.valueOf(context.contentType());
        String kind = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        boolean form = kind.equals("multipart/form-data");
        if (!(json && kind.equals("application/json") || multipart && form)) {
            throw Problem.of(Problem.Kind.UNSUPPORTED_TYPE, "The content type is not %s; send that.",
                    !multipart ? "application/json" : !json ? "multipart/form-data"
                            : "application/json or multipart/form-data");
        }
        if (context.req().getContentLengthLong() > limits.bodyBytes()) {
            throw tooLarge(limits);
        }
        Body body = new Body(limits, temporary.resolve(UUID.randomUUID().toString()));
        try {
            Files.createDirectory(body.folder);
            body.spool(context.req().getInputStream());
            if (form) {
                body.parts = body.parse(type);
            }
            return body;
        } catch (IOException e) {
            body.close();
            throw Problem.of(Problem.Kind.REQUEST_TIMEOUT, "The body ended early or came too slowly; send it again.");
        } catch (RuntimeException e) {
            body.close();
            throw e;
        }
    }

    private static Problem tooLarge(Limits limits) {
        return Problem.of(Problem.Kind.TOO_LARGE, "The body is larger than %d bytes; send smaller pictures.",
                limits.bodyBytes());
    }

    private void spool(InputStream in) throws IOException {
        long until = System.nanoTime() + limits.bodyTime().toNanos();
        byte[] buffer = new byte[1 << 16];
        long bytes = 0;
        try (OutputStream out = Files.newOutputStream(whole())) {
            for (int read; (read = in.read(buffer)) >= 0; ) {
                bytes += read;
                if (bytes > limits.bodyBytes()) {
                    throw tooLarge(limits);
                }
                if (System.nanoTime() > until) {
                    throw Problem.of(Problem.Kind.REQUEST_TIMEOUT, "The body took more than %d s to arrive; send it faster.",
                            limits.bodyTime().toSeconds());
                }
                out.write(buffer, 0, read);
            }
        }
    }

    private Path whole() {
        return folder.resolve("body");
    }

    private Map<String, List<Path>> parse(String type) throws IOException {
        String boundary = MultiPart.extractBoundary(type);
        if (boundary == null) {
            throw Problem.of(Problem.Kind.MALFORMED, "The content type names no boundary of its parts; send a form as the "
                    + "standard has it.");
        }
        MultiPartFormData.Parser parser = new MultiPartFormData.Parser(boundary);
        parser.setFilesDirectory(folder);
        parser.setMaxMemoryFileSize(0);
        parser.setUseFilesForPartsWithoutFileName(true);
        parser.setMaxParts(MAX_PARTS);
        parser.setMaxFileSize(limits.bodyBytes());
        parser.setMaxLength(limits.bodyBytes());
        CompletableFuture<MultiPartFormData.Parts> parsed = new CompletableFuture<>();
        parser.parse(Content.Source.from(whole()), Promise.Invocable.toPromise(parsed));
        Map<String, List<Path>> files = new HashMap<>();
        try (MultiPartFormData.Parts all = parsed.join()) {
            for (MultiPart.Part part : all) {
                Path file = folder.resolve(UUID.randomUUID().toString());
                part.writeTo(file);
                files.computeIfAbsent(String.valueOf(part.getName()), name -> new ArrayList<>()).add(file);
            }
            return files;
        } catch (CompletionException e) {
            throw Problem.of(Problem.Kind.MALFORMED, "The form cannot be read; send at most %d parts, as the standard has "
                    + "them.", MAX_PARTS);
        }
    }

    /** The JSON object: the whole body, or the part {@code request}. */
    ObjectNode json() {
        Path file = parts == null ? whole() : part("request");
        if (file == null) {
            throw Problem.of(Problem.Kind.MALFORMED, "The form has no part 'request'; put the JSON of the request there.");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return parse(in);
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The body could not be read back; try again later.");
        }
    }

    private ObjectNode parse(InputStream in) throws IOException {
        JsonMapper mapper = JsonMapper.builder(JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(limits.jsonDepth())
                        .maxStringLength(Math.toIntExact(limits.bodyBytes())).maxNumberLength(64).maxNameLength(256)
                        .maxTokenCount(100_000).build())
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION).build())
                .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
        try {
            JsonNode tree = mapper.readTree(in);
            if (tree instanceof ObjectNode object) {
                return object;
            }
            throw Problem.of(Problem.Kind.MALFORMED, "The body is not a JSON object; write one in braces.");
        } catch (JacksonException e) {
            String reason = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
            throw Problem.of(Problem.Kind.MALFORMED, "%s", "The body is not JSON that can be read ("
                    + (reason.length() > 200 ? reason.substring(0, 200) + "..." : reason) + "); correct it.");
        }
    }

    /** A part of the form; null when there is none of that name. */
    Path part(String name) {
        return parts(name).stream().findFirst().orElse(null);
    }

    /** All parts of that name. */
    List<Path> parts(String name) {
        return parts == null ? List.of() : parts.getOrDefault(name, List.of());
    }

    /** A part as text; null when there is none of that name. */
    String field(String name) {
        Path part = part(name);
        try {
            if (part != null && Files.size(part) > MAX_FIELD) {
                throw Problem.of(Problem.Kind.TOO_LARGE, "The field '%s' is too long; shorten it.", name);
            }
            return part == null ? null : new String(Files.readAllBytes(part), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The body could not be read back; try again later.");
        }
    }

    @Override
    public void close() {
        Disk.delete(folder);
    }
}
