package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.BadRequestException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.Image;
import com.openai.models.images.ImageEditParams;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImageModel;
import com.openai.models.images.ImagesResponse;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients of other programs' interfaces, OpenAI's by its own library, AUTOMATIC1111's by the requests of its documentation.
 */
class CompatibilityTest {

    private static final String TOKEN = "sk-0123456789abcdef";

    @TempDir
    static Path folder;

    private static Running running;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        running = Running.start(folder, Running.LIMITS, TOKEN);
        client = client(TOKEN);
    }

    @AfterAll
    static void stop() {
        client.close();
        running.close();
    }

    private static OpenAIClient client(String key) {
        return OpenAIOkHttpClient.builder().baseUrl(running.uri("/v1").toString()).apiKey(key).maxRetries(0).build();
    }

    @Test
    void openAisClientGeneratesPicturesAsData() throws IOException {
        ImagesResponse response = client.images().generate(ImageGenerateParams.builder().prompt("a fox in the snow").n(2)
                .size(ImageGenerateParams.Size.of("64x48")).model(ImageModel.of("gpt-image-2"))
                        .build());
        List<Image> images = response.data().orElseThrow();
        assertThat(images).hasSize(2);
        Picture picture = picture(images.get(1).b64Json().orElseThrow());
        assertThat(picture.width()).isEqualTo(64);
        assertThat(picture.height()).isEqualTo(48);
    }

    @Test
    void openAisClientGeneratesPicturesAsAddresses() {
        ImagesResponse response = client.images().generate(ImageGenerateParams.builder().prompt("a fox").build());
        String url = response.data().orElseThrow().get(0).url().orElseThrow();
        HttpResponse<byte[]> png =
                running.send(HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + TOKEN));
        assertThat(png.statusCode()).isEqualTo(200);
    }

    @Test
    void theFormatThatIsAskedForWins() {
        HttpResponse<byte[]> response = running.send(HttpRequest.newBuilder(running.uri("/v1/images/generations"))
                .header("Content-Type", "application/json").header("Authorization", "Bearer " + TOKEN)
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\": \"a fox\", \"response_format\": \"b64_json\"}")));
        assertThat(Running.tree(response).at("/data/0/b64_json").asText()).startsWith("iVBORw0KGgo");
    }

    @Test
    void openAisClientEditsWhatIsTransparentInTheMaskAndNothingElse() throws IOException {
        Picture picture = Picture.filled(64, 64, 0x20c020);
        Picture transparentInTheMiddle = Picture.of(64, 64, picture.rgb(), inverted(Running.cutOut(64).alpha()));
        ImagesResponse response = client.images().edit(ImageEditParams.builder().prompt("a house")
                .image(new ByteArrayInputStream(Running.png(picture)))
                .mask(new ByteArrayInputStream(Running.png(transparentInTheMiddle)))
                .model(ImageModel.of("gpt-image-2")).build());
        Picture edited = picture(response.data().orElseThrow().get(0).b64Json().orElseThrow());
        assertThat(edited.colour(0, 0)).isEqualTo(0x20c020);
        assertThat(edited.colour(32, 32)).isNotEqualTo(0x20c020);
    }

    @Test
    void openAisClientUnderstandsRefusals() {
        assertThatThrownBy(() -> client.images().generate(ImageGenerateParams.builder().prompt("a fox")
                .size(ImageGenerateParams.Size.of("17x17")).build()))
                .isInstanceOfSatisfying(BadRequestException.class, e -> assertThat(e.param()).hasValue("size"))
                .hasMessageContaining("17");
        assertThatThrownBy(() -> client.images().edit(ImageEditParams.builder().prompt("a house")
                .image(new ByteArrayInputStream(Running.png(Picture.filled(64, 64, 0)))).build()))
                .isInstanceOf(BadRequestException.class).hasMessageContaining("transparent");
        OpenAIClient stranger = client("sk-another-0123456789");
        assertThatThrownBy(() -> stranger.images().generate(ImageGenerateParams.builder().prompt("a fox").build()))
                .isInstanceOf(UnauthorizedException.class);
        stranger.close();
    }

    private static byte[] inverted(byte[] alpha) {
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = (byte) ~alpha[i];
        }
        return alpha;
    }

    @Test
    void webuisClientGeneratesPictures() throws IOException {
        ObjectNode answer = Running.tree(webui("txt2img", """
                {"prompt": "a fox in the snow", "negative_prompt": "a house", "seed": 7, "steps": 2, "width": 64,
                        "height": 48,
                 "cfg_scale": 2, "sampler_name": "DPM++ 2M", "n_iter": 2, "batch_size": 1, "restore_faces": false,
                 "override_settings": {}}"""));
        assertThat(answer.path("images")).hasSize(2);
        assertThat(picture(answer.at("/images/0").asText()).height()).isEqualTo(48);
        JsonNode info = Running.JSON.readTree(answer.path("info").asText());
        assertThat(info.path("all_seeds")).extracting(JsonNode::asLong).containsExactly(7L, 8L);
        assertThat(answer.at("/parameters/steps").asInt()).isEqualTo(2);
    }

    @Test
    void webuisClientChangesWhatIsWhiteInTheMaskAndNothingElse() throws IOException {
        Picture picture = Picture.filled(64, 64, 0x20c020);
        ObjectNode request = Running.JSON.createObjectNode().put("prompt", "a house").put("steps", 2).put("seed", -1)
                .put("mask", base64(Running.mask(64))).put("mask_blur", 0).put("denoising_strength", 0.75).put("width", 64)
                .put("height", 64);
        request.putArray("init_images").add(base64(picture));
        Picture inside = picture(Running.tree(webui("img2img", request.toString())).at("/images/0").asText());
        assertThat(inside.colour(0, 0)).isEqualTo(0x20c020);
        assertThat(inside.colour(32, 32)).isNotEqualTo(0x20c020);
        request.put("inpainting_mask_invert", 1);
        Picture around = picture(Running.tree(webui("img2img", request.toString())).at("/images/0").asText());
        assertThat(around.colour(32, 32)).isEqualTo(0x20c020);
        assertThat(around.colour(0, 0)).isNotEqualTo(0x20c020);
    }

    @Test
    void webuisClientIsToldWhatIsWrongInItsOwnForm() {
        HttpResponse<byte[]> response = webui("txt2img", "{\"prompt\": \"a fox\", \"width\": 65}");
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(Running.tree(response).path("detail").asText()).contains("65");
        assertThat(Running.tree(response).path("errors").asText()).isEqualTo("width");
    }

    private static HttpResponse<byte[]> webui(String route, String json) {
        String credentials = Base64.getEncoder().encodeToString(("user:" + TOKEN).getBytes(StandardCharsets.UTF_8));
        return running.send(HttpRequest.newBuilder(running.uri("/sdapi/v1/" + route))
                .header("Content-Type", "application/json")
                .header("Authorization", "Basic " + credentials).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    private static String base64(Picture picture) {
        return Base64.getEncoder().encodeToString(Running.png(picture));
    }

    private static Picture picture(String base64) throws IOException {
        return Pictures.read(Files.write(folder.resolve("seen.png"), Base64.getDecoder().decode(base64)));
    }
}
