package dev.likeness.server.studio;
import java.nio.file.Path;
final class TestServer {
    static TestServer shared() { return new TestServer(); }
    static TestServer in(Path data) { return new TestServer(); }
    String address() { return "http://127.0.0.1:8911/"; }
    void stop() {}
    void startAgain() {}
}
