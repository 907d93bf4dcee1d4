package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.metadata.Metadata;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TasksTest {

    @TempDir
    static Path folder;

    private static Running running;

    @BeforeAll
    static void start() {
        running = Running.start(folder);
        ObjectNode subject = Running.JSON.createObjectNode().put("name", "rex")
                .put("reference", Running.url(Running.cutOut(64)));
        running.post("/api/v1/subjects", subject);
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    private static ObjectNode subject() {
        return Running.JSON.createObjectNode().put("reference", Running.url(Running.cutOut(64)));
    }

    private static ObjectNode with(ObjectNode request, ObjectNode... subjects) {
        for (ObjectNode subject : subjects) {
            request.withArray("subjects").add(subject);
        }
        return request;
    }

    static Stream<ObjectNode> requests() {
        String picture = Running.url(Running.cutOut(64).flatten(0x00ff00));
        String mask = Running.url(Running.mask(64));
        ObjectNode opaque = subject().put("reference", picture);
        ObjectNode story = with(Running.request("story"), subject());
        story.putArray("prompts").add("the snow").add("the house");
        return Stream.of(
                Running.generate(), Running.generate().put("prompt", "@rex in the snow"),
                with(Running.request("personalize").put("prompt", "the snow"), subject().put("x", 0.5).put("y", 0.5)
                        .put("scale", 0.8)),
                with(Running.request("personalize").put("prompt", "the snow"), opaque.deepCopy().put("mask", mask)),
                with(Running.request("personalize").put("prompt", "the snow"), opaque.deepCopy()
                        .put("segment", "box:16,16,32,32")),
                with(Running.request("compose").put("prompt", "the snow and @rex"), subject().put("x", 0.3).put("y", 0.5)
                        .put("scale", 0.5), Running.JSON.createObjectNode().put("reference", picture).put("scene", true)),
                with(Running.request("reconstruct"), subject().put("prompt", "a fox")),
                Running.request("inpaint").put("prompt", "a fox").put("image", picture).put("mask", mask),
                Running.request("inpaint").put("prompt", "@rex").put("image", picture).put("mask", mask)
                        .put("inject", "replace+mma"),
                Running.request("outpaint").put("prompt", "a fox").put("image", picture).put("right", 32),
                story);
    }

    @ParameterizedTest
    @MethodSource("requests")
    void everyTaskEndsWithItsPicturesAndTheirRecords(ObjectNode request) throws IOException {
        ObjectNode job = running.run(request);
        assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("done");
        int expected = Math.max(1, request.path("prompts").size());
        assertThat(job.path("images")).hasSize(expected);
        for (JsonNode image : job.path("images")) {
            HttpResponse<byte[]> png = running.send("GET", image.path("url").asText());
            assertThat(png.headers().firstValue("Content-Type")).hasValue("image/png");
            Path file = Files.write(folder.resolve("seen.png"), png.body());
            Picture picture = Pictures.read(file);
            assertThat(picture.width()).isEqualTo(image.path("width").asInt());
            assertThat(png.body()).hasSize(image.path("bytes").asInt());
            ObjectNode record = Metadata.read(file);
            assertThat(record.path("parameters").path("seed").asLong()).isEqualTo(image.path("seed").asLong());
            assertThat(running.get(image.path("url").asText() + "/details").path("parameters"))
                    .isEqualTo(record.path("parameters"));
            for (String input : List.of("layout", "reference", "image", "mask", "library")) {
                String path = record.path("parameters").path(input).asText();
                assertThat(path.isEmpty() || Files.exists(running.data.resolve("images").resolve(path)))
                        .as("%s %s", input, path)
                        .isTrue();
            }
        }
    }

    @Test
    void whatAJobTellsOfItsRequestCanBeSentAgainAndMakesTheSamePicture() {
        ObjectNode first = running.run(with(Running.request("personalize").put("prompt", "the snow"), subject()));
        ObjectNode second = running.run((ObjectNode) first.get("request"));
        assertThat(second.path("state").asText()).isEqualTo("done");
        assertThat(pixels(second)).isEqualTo(pixels(first));
        assertThat(first.at("/request/subjects/0/reference").asText())
                .isEqualTo("job:" + first.path("id").asText() + "/subject-1");
        HttpResponse<byte[]> input = running.send("GET", "/api/v1/jobs/" + first.path("id").asText() + "/inputs/subject-1");
        assertThat(input.body()).isEqualTo(Running.png(Running.cutOut(64)));
        assertThat(input.headers().firstValue("Content-Type")).hasValue("image/png");
    }

    private static byte[] pixels(ObjectNode job) {
        try {
            byte[] png = running.send("GET", job.at("/images/0/url").asText()).body();
            return Pictures.read(Files.write(folder.resolve("pixels.png"), png)).rgb();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aPictureOfTheServerCanBeAnInput() {
        ObjectNode made = running.run(Running.generate());
        ObjectNode job = running.run(Running.request("outpaint").put("prompt", "a fox").put("left", 16)
                .put("image", "image:" + made.at("/images/0/id").asText()));
        assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("done");
    }

    @Test
    void aFormCarriesPicturesInItsParts() {
        ObjectNode request = with(Running.request("personalize").put("prompt", "the snow"),
                Running.JSON.createObjectNode().put("reference", "part:a b"));
        HttpResponse<byte[]> response =
                running.postForm("/api/v1/jobs", Map.of("request", request, "a b", Running.png(Running.cutOut(64))));
        assertThat(response.statusCode()).isEqualTo(202);
        String self = response.headers().firstValue("Location").orElseThrow();
        assertThat(running.await(self.substring(self.lastIndexOf('/') + 1)).path("state").asText()).isEqualTo("done");
    }

    @Test
    void eventsTellWhatHappensWhenItHappens() throws IOException, InterruptedException {
        ObjectNode first = Running.tree(running.post("/api/v1/jobs", Running.generate().put("steps", 200).put("num_images", 16)));
        ObjectNode second = Running.tree(running.post("/api/v1/jobs", Running.generate().put("steps", 200).put("num_images", 16)));
        HttpResponse<Stream<String>> response = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(running.uri(second.at("/links/events").asText())).build(),
                HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            Iterator<String> events = lines.filter(line -> line.startsWith("data: ")).iterator();
            assertThat(events.next()).contains("\"state\":\"queued\"", "\"position\":");
            running.send("DELETE", first.at("/links/self").asText());
            String event = events.next();
            while (!event.contains("\"step\":3,")) {
                assertThat(event).doesNotContain("\"state\":\"done\"");
                event = events.next();
            }
            assertThat(event).contains("\"sigma\":", "\"seconds_left\":", "\"preview\":\"data:image/png;base64,");
            running.send("DELETE", second.at("/links/self").asText());
            while (events.hasNext()) {
                event = events.next();
            }
            assertThat(event).contains("\"state\":\"cancelled\"");
        }
    }

    @Test
    void aRunningJobIsCancelledBetweenSteps() throws InterruptedException {
        ObjectNode job = Running.tree(running.post("/api/v1/jobs", Running.generate().put("steps", 200)));
        String self = job.at("/links/self").asText();
        while (running.get(self).path("state").asText().equals("queued")) {
            Thread.sleep(10);
        }
        HttpResponse<byte[]> response = running.send("DELETE", self);
        assertThat(response.statusCode()).isEqualTo(202);
        ObjectNode ended = running.await(job.path("id").asText());
        assertThat(ended.path("state").asText()).isEqualTo("cancelled");
        assertThat(ended.path("images")).isEmpty();
        assertThat(running.send("DELETE", self).statusCode()).isEqualTo(409);
    }

    @Test
    void aJobThatCannotBeCarriedOutFailsWithASentence() {
        ObjectNode job = running.run(with(Running.request("personalize").put("prompt", "the snow"),
                subject().put("segment", "click:900,900")));
        assertThat(job.path("state").asText()).isEqualTo("failed");
        assertThat(job.at("/error/detail").asText()).contains("900").doesNotContain(folder.toString());
    }

    @Test
    void aKeyThatWasUsedGivesTheSameJob() {
        for (int i = 0; i < 2; i++) {
            ObjectNode first = submit("key-" + i);
            assertThat(submit("key-" + i).path("id")).isEqualTo(first.path("id"));
        }
    }

    private static ObjectNode submit(String key) {
        return Running.tree(running.send(HttpRequest.newBuilder(running.uri("/api/v1/jobs"))
                .header("Content-Type", "application/json").header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString(Running.generate().toString()))));
    }

    @Test
    void aStarredPictureIsListedAndADeletedOneIsGone() {
        ObjectNode job = running.run(Running.generate().put("num_images", 2));
        String kept = job.at("/images/0/id").asText();
        String gone = job.at("/images/1/url").asText();
        assertThat(running.send("PUT", "/api/v1/images/" + kept + "/star").statusCode()).isEqualTo(204);
        assertThat(running.get("/api/v1/images?starred=true").path("images").findValuesAsText("id")).contains(kept);
        assertThat(running.send("DELETE", gone).statusCode()).isEqualTo(204);
        assertThat(running.send("GET", gone).statusCode()).isEqualTo(404);
        assertThat(running.get("/api/v1/jobs/" + job.path("id").asText()).path("images")).hasSize(1);
        running.send("DELETE", "/api/v1/images/" + kept + "/star");
        assertThat(running.get("/api/v1/images?starred=true").path("images").findValuesAsText("id")).doesNotContain(kept);
    }

    @Test
    void pagesOfJobsFollowEachOther() {
        for (int i = 0; i < 3; i++) {
            running.run(Running.generate());
        }
        ObjectNode first = running.get("/api/v1/jobs?limit=2");
        ObjectNode second = running.get("/api/v1/jobs?limit=2&before=" + first.path("next").asText());
        assertThat(first.path("jobs")).hasSize(2);
        assertThat(second.path("jobs").findValuesAsText("id")).isNotEmpty()
                .doesNotContainAnyElementsOf(first.path("jobs").findValuesAsText("id"));
    }

    @Test
    void aMaskIsFoundOrBroughtToThePicturesSize() throws IOException {
        ObjectNode request = Running.JSON.createObjectNode().put("image", Running.url(Running.cutOut(64)));
        ObjectNode alpha = Running.tree(running.post("/api/v1/segment", request));
        assertThat(alpha.path("fraction").asDouble()).isEqualTo(0.25);
        assertThat(alpha.at("/box/x").asInt()).isEqualTo(16);
        ObjectNode painted =
                Running.tree(running.post("/api/v1/segment", request.deepCopy().put("mask", Running.url(Running.mask(32)))));
        assertThat(painted.path("width").asInt()).isEqualTo(64);
        assertThat(painted.path("warnings")).hasSize(1);
        ObjectNode word = Running.JSON.createObjectNode().put("image", Running.url(Running.cutOut(64).flatten(0xffffff)))
                .put("segment", "attention:fox").put("prompt", "a fox");
        assertThat(running.post("/api/v1/segment", word).statusCode()).isIn(200, 422); // of random weights, either
        HttpResponse<byte[]> png = running.send(HttpRequest.newBuilder(running.uri("/api/v1/segment"))
                .header("Content-Type", "application/json").header("Accept", "image/png")
                .POST(HttpRequest.BodyPublishers.ofString(request.toString())));
        assertThat(Pictures.read(Files.write(folder.resolve("mask.png"), png.body())).width()).isEqualTo(64);
    }
}
