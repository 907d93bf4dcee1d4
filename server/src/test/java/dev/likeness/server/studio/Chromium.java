package dev.likeness.server.studio;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The system's Chromium; one for all tests of this virtual machine. */
final class Chromium {

    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

    /** As root there is no sandbox; the others keep the browser from looking for hosts of its own. */
    private static final List<String> ARGUMENTS = List.of("--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync");

    private static Browser browser;

    private Chromium() {}

    static synchronized Browser browser() {
        if (browser == null) {
            Path executable = executable();
            Playwright playwright = Playwright.create(
                    new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
            Runtime.getRuntime().addShutdownHook(new Thread(playwright::close));
            browser = playwright.chromium().launch(
                    new BrowserType.LaunchOptions().setExecutablePath(executable).setArgs(ARGUMENTS));
        }
        return browser;
    }

    /** Named by {@code -Dlikeness.chromium=FILE}, else found on the path. */
    private static Path executable() {
        String named = System.getProperty("likeness.chromium", "");
        Stream<Path> candidates = named.isEmpty()
                ? Arrays.stream(Objects.requireNonNullElse(System.getenv("PATH"), "").split(File.pathSeparator))
                        .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
                : Stream.of(Path.of(named));
        return candidates.filter(Files::isExecutable).findFirst().orElseThrow(() -> new AssertionError(
                "The studio's tests need Chromium: install it (Debian: apt-get install chromium), or name it with "
                        + "-Dlikeness.chromium=FILE."));
    }
}
