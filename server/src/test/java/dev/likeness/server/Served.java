package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A server in a process of its own, which can be measured and killed. */
final class Served implements AutoCloseable {

    private static final String READY = "listening at ";
    private static final Limits LIMITS = limits();

    final Process process;
    private final BufferedReader output;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private volatile int port;

    private Served(Process process) {
        this.process = process;
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    /** A killed job is started again without an end here, and nothing is deleted to make room. */
    private static Limits limits() {
        Limits usual = Limits.USUAL;
        return new Limits(usual.bodyBytes(), usual.bodyTime(), usual.idleTime(), usual.jsonDepth(), usual.inputPixels(),
                usual.outputPixels(), usual.steps(), usual.images(), usual.promptCharacters(), usual.queue(),
                        usual.watchers(),
                usual.waiters(), Integer.MAX_VALUE, Integer.MAX_VALUE, usual.keptTime(), usual.keptBytes(),
                        Duration.ofSeconds(5),
                64L << 20);
    }

    /** Entry point of the process. @param args data folder, model folder, threads */
    public static void main(String[] args) {
        Path data = Path.of(args[0]);
        Server server = new Server(new ServerOptions("127.0.0.1", 0, null, Set.of(), data, data.resolve("subjects"),
                LIMITS), () -> {
            Ops.threads(Integer.parseInt(args[2]));
            return FluxModel.open(Path.of(args[1]), Device.CPU, DType.FLOAT32);
        });
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        System.out.println(READY + server.port());
    }

    /** Starts the process; it need not listen yet. */
    static Served start(Path data, Path model, int threads) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx1g",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
                        "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-Dorg.bytedeco.javacpp.maxbytes=0", "-cp", System.getProperty("java.class.path"), Served.class.getName(),
                data.toString(), model.toString(), Integer.toString(threads));
        builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
        builder.environment().remove("OMP_NUM_THREADS");
        builder.redirectError(ProcessBuilder.Redirect.appendTo(data.resolveSibling(data.getFileName() + ".log").toFile()));
        return new Served(builder.start());
    }

    static Path tinyModel(Path folder) throws IOException {
        return TinyModel.write(Files.createDirectories(folder.resolve("model")));
    }

    /** Waits until it listens; false when it was killed before. */
    boolean awaitPort() throws IOException {
        for (String line; (line = output.readLine()) != null; ) {
            if (line.startsWith(READY)) {
                port = Integer.parseInt(line.substring(READY.length()));
                return true;
            }
        }
        return false;
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(Duration.ofSeconds(30));
    }

    HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    ObjectNode get(String path) throws IOException, InterruptedException {
        return Running.tree(send(request(path)));
    }

    HttpResponse<byte[]> submit(ObjectNode job, String key) throws IOException, InterruptedException {
        HttpRequest.Builder request = request("/api/v1/jobs").header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(job.toString()));
        return send(key == null ? request : request.header("Idempotency-Key", key));
    }

    /** Waits until nothing is queued or runs. */
    void drain() throws IOException, InterruptedException {
        while (!get("/api/v1/jobs?state=queued&limit=1").path("jobs").isEmpty()
                || !get("/api/v1/jobs?state=running&limit=1").path("jobs").isEmpty()) {
            Thread.sleep(50);
        }
    }

    /** Resident bytes. */
    long memory() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"));
        return lines.stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst().orElseThrow() * 1024;
    }

    /** Time that it has spent computing. */
    Duration processor() {
        return process.toHandle().info().totalCpuDuration().orElseThrow();
    }

    /** SIGKILL: the process does nothing more. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().completeOnTimeout(process, 30, TimeUnit.SECONDS).join();
        kill();
    }
}
