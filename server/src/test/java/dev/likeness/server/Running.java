package dev.likeness.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

/** A server with a tiny model on a free port of this machine, and a client for it. */
final class Running implements AutoCloseable {

    static final ObjectMapper JSON = new ObjectMapper();
    static final Limits LIMITS = Limits.USUAL.with(20, 100, Duration.ofDays(1), 1L << 30, Duration.ofSeconds(10));

    final Server server;
    final Path data;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    Running(Path folder, Limits limits, String token) {
        data = folder.resolve("data");
        server = new Server(new ServerOptions("127.0.0.1", 0, token, Set.of(), data, data.resolve("subjects"), limits),
                () -> {
            Ops.threads(1); // tensors this small are slower on several
            return FluxModel.open(folder.resolve("model"), Device.CPU, DType.FLOAT32);
        });
    }

    static Running start(Path folder) {
        return start(folder, LIMITS, null);
    }

    static Running start(Path folder, Limits limits, String token) {
        try {
            if (!Files.exists(folder.resolve("model"))) {
                TinyModel.write(Files.createDirectories(folder.resolve("model")));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Running(folder, limits, token);
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    HttpResponse<byte[]> send(HttpRequest.Builder request) {
        try {
            return client.send(request.timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    HttpResponse<byte[]> send(String method, String path) {
        return send(HttpRequest.newBuilder(uri(path)).method(method, HttpRequest.BodyPublishers.noBody()));
    }

    HttpResponse<byte[]> post(String path, String json) {
        return send(HttpRequest.newBuilder(uri(path)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    HttpResponse<byte[]> post(String path, JsonNode json) {
        return post(path, json.toString());
    }

    /** A form of text fields (values without a file name) and files. */
    HttpResponse<byte[]> postForm(String path, Map<String, ?> parts) {
        return send(HttpRequest.newBuilder(uri(path)).header("Content-Type", "multipart/form-data; boundary=limit")
                .POST(HttpRequest.BodyPublishers.ofByteArray(form(parts))));
    }

    static byte[] form(Map<String, ?> parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        parts.forEach((name, value) -> {
            boolean file = value instanceof byte[];
            out.writeBytes(("--limit\r\nContent-Disposition: form-data; name=\"" + name + "\""
                    + (file ? "; filename=\"f.png\"" : "")
                    + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            out.writeBytes(file ? (byte[]) value : value.toString().getBytes(StandardCharsets.UTF_8));
            out.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
        });
        out.writeBytes("--limit--\r\n".getBytes(StandardCharsets.UTF_8));
        return out.toByteArray();
    }

    static ObjectNode tree(HttpResponse<byte[]> response) {
        try {
            return (ObjectNode) JSON.readTree(response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ObjectNode get(String path) {
        return tree(send("GET", path));
    }

    /** Submits a job and waits for its end. */
    ObjectNode run(ObjectNode request) {
        ObjectNode job = tree(post("/api/v1/jobs", request));
        if (!job.has("id")) {
            throw new AssertionError(job.toString());
        }
        return await(job.path("id").asText());
    }

    ObjectNode await(String id) {
        String events = new String(send("GET", "/api/v1/jobs/" + id + "/events").body(), StandardCharsets.UTF_8);
        if (!events.contains("event: job")) {
            throw new AssertionError(events);
        }
        return get("/api/v1/jobs/" + id);
    }

    static ObjectNode request(String task) {
        return JSON.createObjectNode().put("task", task).put("steps", 2).put("seed", 1);
    }

    static ObjectNode generate() {
        return request("generate").put("prompt", "a fox in the snow");
    }

    /** A square in the middle of a transparent picture. */
    static Picture cutOut(int side) {
        byte[] rgb = new byte[3 * side * side];
        byte[] alpha = new byte[side * side];
        for (int y = side / 4; y < 3 * side / 4; y++) {
            for (int x = side / 4; x < 3 * side / 4; x++) {
                rgb[3 * (y * side + x)] = (byte) 200;
                alpha[y * side + x] = (byte) 255;
            }
        }
        return Picture.of(side, side, rgb, alpha);
    }

    /** White in the middle. */
    static Picture mask(int side) {
        return Mask.ofAlpha(cutOut(side), "the mask").toPicture();
    }

    static byte[] png(Picture picture) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            PngWriter.write(out, picture, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static String url(Picture picture) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png(picture));
    }

    @Override
    public void close() {
        server.close();
    }
}
