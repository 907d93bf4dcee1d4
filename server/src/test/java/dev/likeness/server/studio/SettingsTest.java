package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.microsoft.playwright.Download;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest extends StudioTest {

    @TempDir
    Path folder;

    private BufferedImage teapotAt(String prompt) {
        button("Add teapot").click();
        field("Scene").fill(prompt);
        set("Seed", "11");
        set("Steps", "12");
        set("Tau", "0.3");
        placed("teapot").focus();
        page.keyboard().press("Shift+ArrowLeft");
        page.keyboard().press("ArrowUp");
        return make("Make the picture");
    }

    private void assertRestored(String prompt, double[] place) {
        assertThat(field("Scene")).hasValue(prompt);
        assertThat(field("Seed")).hasValue("11");
        assertThat(field("Steps")).hasValue("12");
        assertThat(field("Tau")).hasValue("0.3");
        assertThat(placed("Subject 1")).isVisible();
        assertThat(middle(placed("Subject 1"))[0]).isCloseTo(place[0], within(0.005));
        assertThat(middle(placed("Subject 1"))[1]).isCloseTo(place[1], within(0.005));
    }

    @Test
    void aDroppedPngBringsItsSettingsAndMakesTheSamePictureAgain() throws IOException {
        BufferedImage first = teapotAt("a meadow, evening");
        choose("What the canvas shows", "Arrange");
        double[] place = middle(placed("teapot"));
        choose("What the canvas shows", "Picture");
        Download download = page.waitForDownload(
                () -> page.locator("#result-bar").getByText("Download").click());
        Path png = folder.resolve("kept.png");
        download.saveAs(png);

        page.reload();
        drop(page, "kept.png", Files.readAllBytes(png));
        assertRestored("a meadow, evening", place);
        BufferedImage again = make("Make the picture");
        assertThat(Colours.distance(first, again, 0, 0, 256, 256)).isZero();
    }

    @Test
    void thePictureOfTheGalleryBringsItsSettings() {
        teapotAt("a beach at noon");
        choose("What the canvas shows", "Arrange");
        double[] place = middle(placed("teapot"));
        button("Start over").click();
        assertThat(page.locator("#chosen li")).hasCount(0);
        page.locator("#pictures .picture").first().click();
        page.locator("#viewer").getByText("Use these settings").click();
        assertRestored("a beach at noon", place);
    }

    @Test
    void aPngWithoutSettingsIsToldInWords() throws IOException {
        page.locator("#restore-file").setInputFiles(EXAMPLES.resolve("dragon.png"));
        assertThat(page.locator("#toast")).containsText("dragon.png carries no settings");
        Path text = Files.write(folder.resolve("no.png"), "not a picture".getBytes(StandardCharsets.UTF_8));
        page.locator("#file").setInputFiles(text);
        assertThat(page.locator("#toast")).containsText("no is not a picture that can be read");
    }

    @Test
    void whatTheServerRefusesIsToldBesideTheField() {
        button("Make the picture").click();
        assertThat(page.locator(".error[data-pointer='/subjects']")).containsText("Choose a subject first");
        button("Add teapot").click();
        button("Make the picture").click();
        assertThat(page.locator(".error[data-pointer='/prompt']")).containsText("Say where it shall be");
        assertThat(field("Scene")).isFocused();
        button("a field of snow").click();
        assertThat(page.locator(".error[data-pointer='/prompt']")).isHidden();

        set("Tau", "2");
        button("Make the picture").click();
        assertThat(page.locator(".error[data-pointer='/tau']")).containsText(Pattern.compile("0.*1"));
        assertThat(field("Tau")).isFocused();
        assertThat(field("Tau")).hasAttribute("aria-invalid", "true");
        set("Tau", "0.4");
        assertThat(page.locator(".error[data-pointer='/tau']")).isHidden();
        set("Width", "250");
        button("Make the picture").click();
        assertThat(page.locator(".error[data-pointer='/width']")).containsText("multiple of 16");
    }

    @Test
    void aKeptSubjectIsThereForOtherPictures() {
        button("Add teapot").click();
        page.locator("#chosen summary").click();
        button("Keep in the library").click();
        field("Name").fill("Not a name");
        button("Keep").click();
        assertThat(page.locator("#keeper .error")).containsText("small letters");
        field("Name").fill("grandmas-teapot");
        button("Keep").click();
        assertThat(page.locator("#toast")).containsText("@grandmas-teapot");

        page.reload();
        choose("Where subjects come from", "Your library");
        button("Add grandmas-teapot").click();
        button("a field of snow").click();
        set("Steps", "12");
        BufferedImage picture = make("Make the picture");
        assertThat(Colours.middle(picture, Colours.PINK)[2]).isGreaterThan(0.05);
        button("Remove grandmas-teapot from the library").click();
        assertThat(page.locator("#shelf-empty")).isVisible();
    }
}
