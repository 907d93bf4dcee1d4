package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The running server and openapi.json say the same. */
class ContractTest {

    private static final String DOCUMENT = "https://likeness.invalid/openapi.json";
    private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

    @TempDir
    static Path folder;

    private static Running running;
    private static JsonNode document;
    private static SchemaRegistry schemas;

    @BeforeAll
    static void start() throws IOException {
        running = Running.start(folder);
        String text;
        try (InputStream in = Server.class.getResourceAsStream("/openapi.json")) {
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        document = Running.JSON.readTree(text);
        schemas = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemas(Map.of(DOCUMENT, text)));
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void theServedDocumentIsTheOneOfTheSources() {
        assertThat(running.get("/openapi.json")).isEqualTo(document);
    }

    @Test
    void everyOperationOfTheDocumentHasARoute() {
        for (String operation : operations()) {
            String[] parts = operation.split(" ");
            HttpResponse<byte[]> response = running.send(HttpRequest.newBuilder(running.uri(filled(parts[1])))
                    .header("Content-Type", "application/json").method(parts[0], HttpRequest.BodyPublishers.ofString("{}")));
            String body = new String(response.body(), StandardCharsets.UTF_8);
            assertThat(response.statusCode()).as("%s: %s", operation, body).isNotEqualTo(405).isLessThan(500);
            assertThat(body).as(operation).doesNotContain("There is nothing at this address");
        }
    }

    @Test
    void everyRouteStandsInTheDocument() {
        // Javalin tells no routes; the metrics that it feeds do, after each was called.
        for (String method : List.of("GET", "POST", "PUT", "DELETE", "PATCH")) {
            for (String path : paths()) {
                HttpResponse<byte[]> response = running.send(HttpRequest.newBuilder(running.uri(filled(path)))
                        .header("Content-Type", "application/json")
                                .method(method, HttpRequest.BodyPublishers.ofString("{}")));
                boolean known = operations().contains(method + " " + path);
                assertThat(response.statusCode() == 405).as("%s %s: %d", method, path, response.statusCode())
                        .isEqualTo(!known);
            }
        }
    }

    @Test
    void answersHaveTheFormThatTheDocumentGives() {
        check("GET", "/api/v1/capabilities", running.send("GET", "/api/v1/capabilities"), 200);
        ObjectNode subject = Running.JSON.createObjectNode().put("name", "rex")
                .put("reference", Running.url(Running.cutOut(64)));
        conforms("SubjectRequest", subject);
        check("POST", "/api/v1/subjects", running.post("/api/v1/subjects", subject), 201);
        check("POST", "/api/v1/subjects", running.post("/api/v1/subjects", subject), 422);
        check("GET", "/api/v1/subjects", running.send("GET", "/api/v1/subjects"), 200);
        check("GET", "/api/v1/subjects/{name}", running.send("GET", "/api/v1/subjects/rex"), 200);
        check("GET", "/api/v1/subjects/{name}", running.send("GET", "/api/v1/subjects/nobody"), 404);

        ObjectNode request = Running.request("personalize").put("prompt", "the snow and @rex").put("num_images", 2);
        conforms("JobRequest", request);
        HttpResponse<byte[]> submitted = running.post("/api/v1/jobs", request);
        check("POST", "/api/v1/jobs", submitted, 202);
        String id = Running.tree(submitted).path("id").asText();
        String events = new String(running.send("GET", "/api/v1/jobs/" + id + "/events").body(), StandardCharsets.UTF_8);
        for (String event : events.split("\n\n")) {
            String data = event.substring(event.indexOf("data: ") + 6);
            conforms(event.startsWith("event: job") ? "Job" : "Progress", read(data));
        }
        assertThat(events).contains("event: progress", "data:image/png;base64,");
        HttpResponse<byte[]> done = running.send("GET", "/api/v1/jobs/" + id);
        check("GET", "/api/v1/jobs/{id}", done, 200);
        conforms("JobRequest", Running.tree(done).get("request"));
        check("GET", "/api/v1/jobs", running.send("GET", "/api/v1/jobs?state=done&limit=1"), 200);
        check("GET", "/api/v1/jobs", running.send("GET", "/api/v1/jobs?state=perhaps"), 400);
        check("DELETE", "/api/v1/jobs/{id}", running.send("DELETE", "/api/v1/jobs/" + id), 409);
        check("GET", "/api/v1/images", running.send("GET", "/api/v1/images?limit=1"), 200);
        String image = Running.tree(done).path("images").path(0).path("id").asText();
        check("GET", "/api/v1/images/{id}/details", running.send("GET", "/api/v1/images/" + image + "/details"), 200);
        check("PUT", "/api/v1/images/{id}/star", running.send("PUT", "/api/v1/images/" + NOBODY + "/star"), 404);

        ObjectNode segment = Running.JSON.createObjectNode().put("image", Running.url(Running.cutOut(64)));
        conforms("SegmentRequest", segment);
        check("POST", "/api/v1/segment", running.post("/api/v1/segment", segment), 200);
        check("POST", "/api/v1/segment", running.post("/api/v1/segment", segment.put("segment", "box:1")), 422);
        check("GET", "/health/live", running.send("GET", "/health/live"), 200);
        check("GET", "/health/ready", running.send("GET", "/health/ready"), 200);
        check("GET", "/v1/models", running.send("GET", "/v1/models"), 200);
        ObjectNode prompt = Running.JSON.createObjectNode().put("prompt", "a fox").put("steps", 2);
        check("POST", "/v1/images/generations", running.post("/v1/images/generations", prompt), 200);
        check("POST", "/v1/images/generations", running.post("/v1/images/generations", prompt.put("size", "large")), 400);
        check("POST", "/sdapi/v1/txt2img", running.post("/sdapi/v1/txt2img", prompt), 200);
        check("POST", "/sdapi/v1/img2img", running.post("/sdapi/v1/img2img", prompt), 422);
    }

    @Test
    void whatTheDocumentBoundsTheServerRefuses() {
        for (JsonNode request
                : List.of(Running.request("paint"), Running.generate().put("tau", 2), Running.generate().put("width", 17),
                Running.generate().put("surprise", 1), Running.generate().put("method", "mine"), Running.generate()
                        .put("steps", "4"))) {
            assertThat(errors("JobRequest", request)).as(request.toString()).isNotEmpty();
            HttpResponse<byte[]> response = running.post("/api/v1/jobs", request);
            assertThat(response.statusCode()).as(request.toString()).isEqualTo(422);
            assertThat(Running.tree(response).path("errors").path(0).path("pointer").asText()).startsWith("/");
        }
    }

    @Test
    void enumerationsOfTheDocumentAreThoseOfTheLibrary() {
        document.path("components").path("schemas").path("JobRequest").path("properties").properties().forEach(field -> {
            for (JsonNode value : field.getValue().path("enum")) {
                ObjectNode request = Running.generate().put("seed", 1);
                request.put(field.getKey(), value.asText());
                if (!field.getKey().equals("task")) {
                    HttpResponse<byte[]> response = running.post("/api/v1/jobs", request);
                    assertThat(response.statusCode()).as("%s: "
                            + "%s", request, new String(response.body(), StandardCharsets.UTF_8))
                            .isIn(202, 429);
                    running.send("DELETE", "/api/v1/jobs/" + Running.tree(response).path("id").asText());
                }
            }
        });
    }

    private static Set<String> paths() {
        Set<String> paths = new TreeSet<>();
        document.path("paths").fieldNames().forEachRemaining(paths::add);
        return paths;
    }

    /** METHOD path. */
    private static Set<String> operations() {
        Set<String> operations = new TreeSet<>();
        document.path("paths").properties().forEach(path -> path.getValue().fieldNames().forEachRemaining(method -> {
            if (!method.equals("parameters")) {
                operations.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey());
            }
        }));
        return operations;
    }

    private static String filled(String path) {
        return path.replace("{id}", NOBODY).replace("/inputs/{name}", "/inputs/image").replace("{name}", "nobody");
    }

    /** Status and body are ones that the document has for the operation. */
    private static void check(String method, String path, HttpResponse<byte[]> response, int status) {
        String text = new String(response.body(), StandardCharsets.UTF_8);
        assertThat(response.statusCode()).as("%s %s: %s", method, path, text).isEqualTo(status);
        String pointer = "/paths/" + path.replace("~", "~0").replace("/", "~1") + "/"
                + method.toLowerCase(java.util.Locale.ROOT)
                + "/responses/";
        JsonNode declared = document.at(pointer + status);
        String place = pointer + status;
        if (declared.isMissingNode()) {
            place = pointer + "default";
            declared = document.at(place);
        }
        if (declared.has("$ref")) {
            place = declared.path("$ref").asText().substring(1);
            declared = document.at(place);
        }
        String type = response.headers().firstValue("Content-Type").orElse("").split(";")[0];
        assertThat(declared.path("content").has(type)).as("%s %s %d answers with %s", method, path, status, type).isTrue();
        String schema = place + "/content/" + type.replace("/", "~1") + "/schema";
        assertThat(validate("#" + schema, read(text))).as("%s %s: %s", method, path, text).isEmpty();
    }

    private static JsonNode read(String text) {
        try {
            return Running.JSON.readTree(text);
        } catch (IOException e) {
            throw new AssertionError(text, e);
        }
    }

    private static void conforms(String schema, JsonNode value) {
        assertThat(errors(schema, value)).as("%s: %s", schema, value).isEmpty();
    }

    private static List<String> errors(String schema, JsonNode value) {
        return validate("#/components/schemas/" + schema, value);
    }

    private static List<String> validate(String fragment, JsonNode value) {
        Schema schema = schemas.getSchema(SchemaLocation.of(DOCUMENT + fragment));
        List<String> sentences = new ArrayList<>();
        for (Error error : schema.validate(value.toString(), InputFormat.JSON)) {
            sentences.add(error.getInstanceLocation() + " " + error.getMessage());
        }
        return sentences;
    }
}
