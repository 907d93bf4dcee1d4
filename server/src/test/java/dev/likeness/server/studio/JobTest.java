package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobTest extends StudioTest {

    @TempDir
    Path data;

    @Override
    TestServer start() {
        return TestServer.in(data);
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    private void begin(int steps) {
        button("Add teapot").click();
        button("a field of snow").click();
        set("Seed", "7");
        set("Steps", Integer.toString(steps));
        button("Make the picture").click();
        assertThat(page.locator("#progress-words")).containsText("Step");
        assertThat(page.locator("canvas.preview")).isVisible();
    }

    @Test
    void aCancelledPictureIsNotMadeAndTheNextOneIs() {
        begin(200);
        button("Cancel").click();
        assertThat(page.locator("#progress")).isHidden();
        assertThat(page.locator(".layer.arrange")).isVisible();
        assertThat(page.locator("#pictures .card")).hasCount(0);

        set("Steps", "4");
        make("Make the picture");
        assertThat(page.locator("#pictures .card")).hasCount(1);
    }

    @Test
    void aReloadFindsThePictureInTheMakingAndItsSettings() {
        begin(200);
        page.reload();
        assertThat(page.locator("canvas.preview")).isVisible();
        assertThat(field("Scene")).hasValue("a field of snow");
        assertThat(field("Seed")).hasValue("7");
        assertThat(page.locator("#chosen li")).hasCount(1);
        BufferedImage picture = result();
        assertThat(Colours.middle(picture, Colours.PINK)[2]).isGreaterThan(0.05);
    }

    @Test
    void aRestartOfTheServerIsToldAndThePictureIsMadeAllTheSame() {
        begin(200);
        server.stop();
        assertThat(page.locator("#offline")).isVisible();
        server.startAgain();
        BufferedImage picture = result();
        assertThat(page.locator("#offline")).isHidden();
        assertThat(Colours.middle(picture, Colours.PINK)[2]).isGreaterThan(0.05);
    }

    @Test
    void picturesAreKeptAcrossARestart() {
        begin(30);
        result();
        page.locator(".result-bar .star").click();
        server.stop();
        server.startAgain();
        page.reload();
        assertThat(page.locator("#pictures .card")).hasCount(1);
        choose("Which pictures are shown", "Starred");
        assertThat(page.locator("#pictures .card")).hasCount(1);
        page.locator("#pictures .card .star").click();
        choose("Which pictures are shown", "All");
        choose("Which pictures are shown", "Starred");
        assertThat(page.locator("#gallery-empty")).containsText("No stars yet");
    }
}
