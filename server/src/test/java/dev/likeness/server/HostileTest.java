package dev.likeness.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Picture;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Requests that mean no good: each is refused with its status, nothing appears outside the data folder, the server lives
 * on.
 */
class HostileTest {

    private static final Duration SLOW = Duration.ofSeconds(2);
    private static final Limits LIMITS = hurried(Running.LIMITS);

    @TempDir
    static Path folder;

    private static Running running;
    private static Running guarded;

    /** Requests are written to the socket as they are: no client would send most of them. */
    private record Attack(String name, Set<Integer> statuses, String head, byte[] body, boolean slow, boolean guarded) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void start() throws IOException {
        running = Running.start(Files.createDirectory(folder.resolve("open")), LIMITS, null);
        guarded = Running.start(Files.createDirectory(folder.resolve("guarded")), LIMITS, "0123456789abcdef0123");
    }

    @AfterAll
    static void stop() {
        running.close();
        guarded.close();
    }

    private static Limits hurried(Limits usual) {
        return new Limits(8 << 20, SLOW, SLOW, usual.jsonDepth(), 4_000_000, usual.outputPixels(), usual.steps(),
                usual.images(), usual.promptCharacters(), usual.queue(), usual.watchers(), usual.waiters(), usual.attempts(),
                        usual.keptJobs(),
                usual.keptTime(), usual.keptBytes(), usual.grace(), usual.cacheBytes());
    }

    static Stream<Attack> attacks() {
        String nested = "{\"a\":" + "[".repeat(1_000_000) + "]".repeat(1_000_000) + "}";
        String wide = "{" + Stream.iterate(0, i -> i + 1).limit(200_000).map(i -> "\"k" + i + "\":0")
                .collect(Collectors.joining(","))
                + "}";
        return Stream.of(
                get("path traversal in an image's id", "/api/v1/images/..%2f..%2f..%2fetc%2fpasswd", 400, 404),
                get("dots in an image's id", "/api/v1/images/../../../etc/passwd", 400, 404),
                get("path traversal in an input's "
                        + "name", "/api/v1/jobs/00000000-0000-4000-8000-000000000000/inputs/..%2f..%2fjobs.db",
                        400, 404),
                get("path traversal in a subject's name", "/api/v1/subjects/..%2f..%2fjobs", 400, 404),
                get("path traversal out of the pages", "/../../jobs.db", 400, 404),
                get("path traversal in the libraries", "/webjars/..%2f..%2fopenapi.json", 400, 404),
                get("a NUL in an id", "/api/v1/images/a%00b", 400, 404),
                get("SQL in an id", "/api/v1/jobs/'%20OR%201=1--", 404),
                get("SQL in a filter", "/api/v1/jobs?before=1%20OR%201=1", 400),
                raw("SQL in a state", "GET /api/v1/jobs?state=done'-- HTTP/1.1", "", new byte[0], 400),
                json("a subject named as a path", "/api/v1/subjects", subject("../../evil"), 422),
                json("a subject named as an absolute path", "/api/v1/subjects", subject("/tmp/evil"), 422),
                json("a file of the server as picture", "/api/v1/jobs", outpaint("file:///etc/passwd"), 422),
                json("a path as picture", "/api/v1/jobs", outpaint("../../../etc/passwd"), 422),
                json("an address as picture", "/api/v1/jobs", outpaint("http://127.0.0.1:1/x.png"), 422),
                json("another job's database as input", "/api/v1/jobs",
                        outpaint("job:00000000-0000-4000-8000-000000000000/../../x"), 422),
                json("a mask file of the server", "/api/v1/segment", "{\"image\":\"" + Running.url(picture())
                        + "\",\"segment\":\"file:/etc/passwd\"}", 422),
                json("a network of the server", "/api/v1/segment", "{\"image\":\"" + Running.url(picture())
                        + "\",\"segment\":\"onnx:/etc/passwd\"}", 422),
                json("a picture that is a page", "/api/v1/jobs",
                        outpaint(data("<html><script>alert(1)</script>".getBytes())), 422),
                json("a picture that is an SVG", "/api/v1/jobs",
                        outpaint(data("<svg xmlns='http://www.w3.org/2000/svg'/>".getBytes())), 422),
                json("a picture cut off, followed by a page", "/api/v1/jobs", outpaint(data(polyglot())), 422),
                json("a picture of 60000 x 60000 pixels", "/api/v1/jobs", outpaint(data(bomb(60_000, 60_000))), 422),
                json("a picture of 2^31 pixels a side", "/api/v1/jobs",
                        outpaint(data(bomb(Integer.MAX_VALUE, Integer.MAX_VALUE))), 422),
                json("a picture of zeros that inflates a thousandfold", "/api/v1/jobs", outpaint(data(bomb(2000, 4000))),
                        422),
                json("no base64", "/api/v1/jobs", outpaint("data:image/png;base64,@@@@"), 422),
                json("a million lists in each other", "/api/v1/jobs", nested, 400),
                json("two hundred thousand fields", "/api/v1/jobs", wide, 400),
                json("a number of a million digits", "/api/v1/jobs", "{\"seed\":" + "9".repeat(1_000_000) + "}", 400),
                json("a field twice", "/api/v1/jobs", "{\"task\":\"generate\",\"task\":\"story\"}", 400),
                json("no object", "/api/v1/jobs", "[]", 400), json("a picture of more pixels than are drawn", "/api/v1/jobs",
                        Running.generate().put("width", 4096).put("height", 4096).toString(), 422),
                json("a job of a thousand pictures", "/api/v1/jobs", Running.generate().put("num_images", 1000).toString(),
                        422),
                json("a job of a million steps", "/api/v1/jobs", Running.generate().put("steps", 1_000_000).toString(), 422),
                json("a prompt of a million letters", "/api/v1/jobs", Running.generate().put("prompt", "x".repeat(1_000_000))
                        .toString(), 422),
                json("a NUL in a prompt", "/api/v1/jobs", Running.generate().put("prompt", "a\0b").toString(), 422),
                raw("a body of 100 MB by its length", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: application/json\r\nContent-Length: 100000000\r\n", new byte[0], 413),
                raw("a body of 100 MB in chunks", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", chunks(100), 413),
                raw("a form of 100 MB in chunks", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n", chunks(100), 413),
                raw("a form without a boundary", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: multipart/form-data\r\nContent-Length: 2\r\n", "{}".getBytes(), 400),
                raw("a form of two hundred parts", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: multipart/form-data; boundary=limit\r\nContent-Length: %d\r\n", parts(200), 400),
                raw("text as JSON", "POST /api/v1/jobs HTTP/1.1", "Content-Type: text/plain\r\nContent-Length: 2\r\n",
                        "{}".getBytes(), 415),
                raw("a form of a page as JSON", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n", "{}".getBytes(), 415),
                raw("no content type", "POST /api/v1/jobs HTTP/1.1", "Content-Length: 2\r\n", "{}".getBytes(), 415),
                raw("a page of another site", "POST /api/v1/jobs HTTP/1.1",
                        "Origin: https://evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
                                "{}".getBytes(), 403),
                raw("a page without an origin", "POST /api/v1/jobs HTTP/1.1",
                        "Origin: null\r\nContent-Type: application/json\r\nContent-Length: 2\r\n", "{}".getBytes(), 403),
                raw("a page of another site by its fetch metadata", "DELETE /api/v1/subjects/rex HTTP/1.1",
                        "Sec-Fetch-Site: cross-site\r\n", new byte[0], 403),
                raw("a page of another port", "POST /sdapi/v1/txt2img HTTP/1.1",
                        "Origin: http://127.0.0.1:1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
                                "{}".getBytes(), 403),
                new Attack("a name that was rebound to this machine", Set.of(421),
                        "GET /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", new byte[0], false,
                                false),
                new Attack("no host", Set.of(400, 421), "GET /api/v1/jobs HTTP/1.1\r\nConnection: close\r\n\r\n",
                        new byte[0], false, false),
                raw("a method that is none", "BREW /api/v1/jobs HTTP/1.1", "", new byte[0], 400, 404, 405),
                raw("a head of a megabyte", "GET /api/v1/jobs HTTP/1.1", "X: " + "y".repeat(1 << 20) + "\r\n", new byte[0],
                        400, 431),
                raw("two lengths of one body", "POST /api/v1/jobs HTTP/1.1",
                        "Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 20\r\n", "{}".getBytes(),
                                400),
                slow("a body that never ends", "Content-Type: application/json\r\nContent-Length: 1000\r\n", 400, 408),
                guarded("no token", "GET /api/v1/jobs HTTP/1.1", ""),
                guarded("a wrong token", "GET /metrics HTTP/1.1", "Authorization: Bearer 0123456789abcdef0124\r\n"),
                guarded("a wrong cookie", "GET /api/v1/images HTTP/1.1", "Cookie: likeness=0123456789abcdef0123\r\n"),
                guarded("a token in the address", "GET /api/v1/jobs?token=0123456789abcdef0123 HTTP/1.1", ""),
                guarded("doubled slashes around the token", "GET //api/v1/jobs HTTP/1.1", "", 400, 401, 404),
                guarded("a dotted way around the token", "GET /health/../api/v1/jobs HTTP/1.1", "", 400, 401, 404),
                guarded("an encoded way around the token", "GET /%61pi/v1/jobs HTTP/1.1", "", 401, 404));
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void anAttackIsRefusedAndChangesNothing(Attack attack) throws IOException {
        Set<Path> before = outside();
        Running target = attack.guarded ? guarded : running;
        String answer = send(target, attack);
        assertThat(answer).as("an answer").startsWith("HTTP/1.1 ");
        assertThat(Integer.parseInt(answer.substring(9, 12))).as(answer.length() > 600 ? answer.substring(0, 600) : answer)
                .isIn(attack.statuses);
        assertThat(answer).doesNotContain(folder.toString()).doesNotContain("root:");
        assertThat(outside()).isEqualTo(before);
        assertThat(Disk.list(target.data.resolve("tmp"))).isEmpty();
        assertThat(Disk.list(target.data.resolve("jobs"))).isEmpty();
        assertThat(target.get("/health/ready").path("status").asText()).isEqualTo("up");
    }

    @Test
    void whoWaitsForAPictureLongerThanIdleConnectionsLiveGetsItNevertheless() {
        String request = Running.JSON.createObjectNode().put("prompt", "a fox").put("steps", 200).put("n_iter", 16).toString();
        long began = System.nanoTime();
        assertThat(running.post("/sdapi/v1/txt2img", request).statusCode()).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(SLOW);
        running.get("/api/v1/jobs?limit=1").path("jobs").forEach(job -> Disk.delete(running.data.resolve("jobs")
                .resolve(job.path("id").asText())));
    }

    /** All files but those of the servers' data. */
    private static Set<Path> outside() throws IOException {
        Set<Path> files = new TreeSet<>();
        for (Path top : List.of(folder, folder.resolve("open"), folder.resolve("guarded"),
                Path.of(System.getProperty("java.io.tmpdir")))) {
            files.addAll(Disk.list(top).stream().filter(file -> file.toString().contains("evil") || top.startsWith(folder))
                    .toList());
        }
        return files;
    }

    private static String send(Running target, Attack attack) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", target.server.port())) {
            socket.setSoTimeout(20_000);
            try {
                OutputStream out = socket.getOutputStream();
                out.write(attack.head.replace("HOST", "127.0.0.1:" + target.server.port())
                        .getBytes(StandardCharsets.ISO_8859_1));
                out.write(attack.body);
                out.flush();
                if (!attack.slow) {
                    socket.shutdownOutput();
                }
            } catch (IOException e) {
                // refused before all was sent: the answer is there
            }
            return read(socket);
        }
    }

    private static String read(Socket socket) {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        try {
            for (int b; (b = socket.getInputStream().read()) >= 0; ) {
                answer.write(b);
            }
        } catch (IOException e) {
            // reset after the answer
        }
        return answer.toString(StandardCharsets.UTF_8);
    }

    private static Attack get(String name, String path, Integer... statuses) {
        return raw(name, "GET " + path + " HTTP/1.1", "", new byte[0], statuses);
    }

    private static Attack json(String name, String path, String body, Integer... statuses) {
        return raw(name, "POST " + path + " HTTP/1.1", "Content-Type: application/json\r\nContent-Length: %d\r\n",
                body.getBytes(StandardCharsets.UTF_8), statuses);
    }

    private static Attack raw(String name, String line, String headers, byte[] body, Integer... statuses) {
        return new Attack(name, Set.of(statuses), line + "\r\nHost: HOST\r\nConnection: close\r\n"
                + headers.replace("%d", Integer.toString(body.length)) + "\r\n", body, false, false);
    }

    private static Attack slow(String name, String headers, Integer... statuses) {
        return new Attack(name, Set.of(statuses), "POST /api/v1/jobs HTTP/1.1\r\nHost: HOST\r\n" + headers + "\r\n",
                "{".getBytes(), true,
                false);
    }

    private static Attack guarded(String name, String line, String headers, Integer... statuses) {
        return new Attack(name, statuses.length == 0 ? Set.of(401) : Set.of(statuses),
                line + "\r\nHost: HOST\r\nConnection: close\r\n" + headers + "\r\n", new byte[0], false, true);
    }

    private static Picture picture() {
        return Picture.filled(32, 32, 0x808080);
    }

    private static String subject(String name) {
        return Running.JSON.createObjectNode().put("name", name).put("reference", Running.url(Running.cutOut(64)))
                .toString();
    }

    private static String outpaint(String image) {
        return Running.request("outpaint").put("prompt", "a fox").put("left", 16).put("image", image).toString();
    }

    private static String data(byte[] bytes) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] polyglot() {
        byte[] png = Running.png(picture());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(png, 0, png.length / 2);
        out.writeBytes("<html><script>alert(1)</script></html>".getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    /** A PNG whose header claims a size, with some rows of zeros. */
    private static byte[] bomb(int width, int height) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DataOutputStream png = new DataOutputStream(out)) {
            png.writeLong(0x89504e470d0a1a0aL);
            ByteArrayOutputStream header = new ByteArrayOutputStream();
            DataOutputStream fields = new DataOutputStream(header);
            fields.writeInt(width);
            fields.writeInt(height);
            fields.write(new byte[] {8, 2, 0, 0, 0});
            chunk(png, "IHDR", header.toByteArray());
            ByteArrayOutputStream rows = new ByteArrayOutputStream();
            try (DeflaterOutputStream deflater = new DeflaterOutputStream(rows, new Deflater(9))) {
                for (int i = 0; i < 16; i++) {
                    deflater.write(new byte[1 << 20]);
                }
            }
            chunk(png, "IDAT", rows.toByteArray());
            chunk(png, "IEND", new byte[0]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static void chunk(DataOutputStream png, String type, byte[] data) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(type.getBytes(StandardCharsets.US_ASCII));
        crc.update(data);
        png.writeInt(data.length);
        png.writeBytes(type);
        png.write(data);
        png.writeInt((int) crc.getValue());
    }

    private static byte[] chunks(int megabytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < megabytes; i++) {
            out.writeBytes("100000\r\n".getBytes(StandardCharsets.US_ASCII));
            out.writeBytes(" ".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII));
            out.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        out.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    private static byte[] parts(int count) {
        return Running.form(Stream.iterate(0, i -> i + 1).limit(count).collect(Collectors.toMap(i -> "p" + i, i -> "x")));
    }
}
