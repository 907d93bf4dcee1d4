package dev.likeness.server.studio;

import dev.likeness.server.Limits;
import dev.likeness.server.Server;
import dev.likeness.server.ServerOptions;
import dev.likeness.task.FluxModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** The server with the embedded model, at a port of its own. */
final class TestServer {

    private static final Path MODEL = Path.of("..", "models", "toybox");

    private static TestServer shared;

    private final Path data;
    private final String token;
    private Server server;
    private int port;

    private TestServer(Path data, String token) {
        this.data = data;
        this.token = token;
        startAgain();
    }

    /** One that all tests of this virtual machine share. */
    static synchronized TestServer shared() {
        if (shared == null) {
            try {
                Path target = Files.createDirectories(Path.of("target", "studio"));
                shared = new TestServer(Files.createTempDirectory(target, "data"), null);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            Runtime.getRuntime().addShutdownHook(new Thread(shared::stop));
        }
        return shared;
    }

    /** One with a data folder of its own; the test stops it. */
    static TestServer in(Path data) {
        return new TestServer(data, null);
    }

    /** One that asks for a token; the test stops it. */
    static TestServer in(Path data, String token) {
        return new TestServer(data, token);
    }

    String address() {
        return "http://127.0.0.1:" + port + "/";
    }

    void stop() {
        server.close();
    }

    /** On the same data and, after the first time, at the same port. */
    void startAgain() {
        ServerOptions options = new ServerOptions("127.0.0.1", port, token, Set.of(), data.resolve("server"),
                data.resolve("subjects"), Limits.USUAL);
        server = new Server(options, () -> FluxModel.open(MODEL, Device.CPU, DType.BFLOAT16));
        port = server.port();
    }
}
