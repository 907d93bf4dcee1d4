package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenTest extends StudioTest {

    private static final String TOKEN = "a secret of some length";

    @TempDir
    Path data;

    @Override
    TestServer start() {
        return TestServer.in(data, TOKEN);
    }

    @Override
    void enter() {
        assertThat(field("Token")).isVisible();
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    @Test
    void aServerWithATokenAsksForItOnceAndThenMakesPictures() {
        field("Token").fill("another secret of some length");
        button("Open the studio").click();
        assertThat(page.locator("#keeper .error")).hasText("That is not the token of this server.");
        page.keyboard().press("Escape");
        assertThat(field("Token")).isVisible();
        field("Token").fill(TOKEN);
        button("Open the studio").click();
        assertThat(page.locator("#model")).not().isEmpty();

        button("Add teapot").click();
        button("a field of snow").click();
        set("Steps", "6");
        assertThat(Colours.middle(make("Make the picture"), Colours.PINK)[2]).isGreaterThan(0.02);
        page.reload();
        assertThat(page.locator("#pictures .card")).hasCount(1);
        assertThat(page.locator("#keeper")).isHidden();
    }
}
