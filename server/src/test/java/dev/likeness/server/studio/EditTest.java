package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class EditTest extends StudioTest {

    private static final Path SCENE = EXAMPLES.resolve("dragon-scene.png");

    @Test
    void repaintingChangesTheHoleAndKeepsTheRest() throws IOException {
        choose("What to make", "Repaint");
        page.locator("#file").setInputFiles(SCENE);
        Locator canvas = page.locator("canvas.hole");
        assertThat(canvas).isVisible();
        choose("Tool", "Box");
        drag(canvas, 0.2, 0.25, 0.8, 0.85);
        field("What shall be there").fill("a mountain lake");
        set("Seed", "7");
        BufferedImage picture = make("Repaint");

        BufferedImage before = ImageIO.read(SCENE.toFile());
        assertThat(Colours.distance(before, picture, 0, 0, 256, 40)).as("above the hole").isZero();
        assertThat(Colours.distance(before, picture, 76, 90, 100, 100)).as("in the hole").isGreaterThan(10);
    }

    @Test
    void theFrameIsDraggedToWhatIsAdded() throws IOException {
        choose("What to make", "Extend");
        page.locator("#file").setInputFiles(SCENE);
        Locator layer = page.locator(".layer.frame");
        assertThat(layer).isVisible();
        assertThat(field("Right")).hasValue("128");
        // Half of the picture is free on each side at first: the right edge stands at 1, the left one at a quarter.
        drag(layer, 0.998, 0.5, 0.875, 0.5);
        drag(layer, 0.25, 0.5, 0.125, 0.5);
        assertThat(field("Right")).hasValue("64");
        assertThat(field("Left")).hasValue("64");
        field("What lies beyond").fill("a mountain lake");
        illustrate("extend");
        BufferedImage picture = make("Extend the picture");

        assertThat(picture.getWidth()).isEqualTo(256 + 128);
        assertThat(picture.getHeight()).isEqualTo(256);
        BufferedImage kept = picture.getSubimage(64, 0, 256, 256);
        assertThat(Colours.distance(ImageIO.read(SCENE.toFile()), kept, 100, 100, 50, 50)).as("what is kept").isZero();
    }

    @Test
    void edgesMoveByArrowKeys() {
        choose("What to make", "Extend");
        page.locator("#file").setInputFiles(SCENE);
        page.getByRole(AriaRole.SLIDER,
                new Page.GetByRoleOptions().setName("Upper edge")).focus();
        page.keyboard().press("ArrowUp");
        page.keyboard().press("ArrowUp");
        assertThat(field("Above")).hasValue("32");
        page.keyboard().press("ArrowDown");
        assertThat(field("Above")).hasValue("16");
    }
}
