package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.BoundingBox;
import com.microsoft.playwright.options.ColorScheme;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

class PersonalizeTest extends StudioTest {

    /** A token, in fractions of a canvas of 256 pixels; where a subject lands may differ by as much. */
    private static final double TOKEN = 16.0 / 256;

    @Test
    void threeClicksOnAnEmptyPageMakeAPictureOfTheSubject() {
        button("Add teapot").click();
        button("a field of snow").click();
        BufferedImage picture = make("Make the picture");

        assertThat(Colours.middle(picture, Colours.PINK)[2]).as("share of the teapot's pink").isBetween(0.05, 0.5);
        assertThat(page.locator("#pictures .card").first()).isVisible();
        illustrate("picture");
    }

    @Test
    void subjectLandsWhereItWasDropped() {
        button("Add teapot").click();
        button("a field of snow").click();
        set("Seed", "7");
        Locator teapot = placed("teapot");
        double[] before = middle(teapot);
        BoundingBox canvas = page.locator("#stage").boundingBox();
        BoundingBox box = teapot.boundingBox();
        double right = 0.24 * canvas.width / box.width;
        double up = 0.3 * canvas.height / box.height;
        drag(teapot, 0.5, 0.5, 0.5 + right, 0.5 - up);

        double[] shown = middle(teapot);
        assertThat(shown[0] - before[0]).isCloseTo(0.24, within(TOKEN / 2 + 0.01));
        assertThat(shown[1] - before[1]).isCloseTo(-0.3, within(TOKEN / 2 + 0.01));
        BufferedImage picture = make("Make the picture");
        assertAt(picture, shown);
    }

    @Test
    void arrowKeysMoveTheSubjectByTokens() {
        button("Add teapot").click();
        Locator teapot = placed("teapot");
        double[] before = middle(teapot);
        teapot.focus();
        page.keyboard().press("ArrowLeft");
        page.keyboard().press("ArrowLeft");
        page.keyboard().press("ArrowUp");

        double[] after = middle(teapot);
        assertThat(after[0] - before[0]).isCloseTo(-2 * TOKEN, within(0.004));
        assertThat(after[1] - before[1]).isCloseTo(-TOKEN, within(0.004));
        page.keyboard().press("Delete");
        assertThat(teapot).hasCount(0);
    }

    @Test
    void twoSubjectsStandBesideEachOther() {
        button("Add dragon").click();
        button("Add teapot").click();
        button("a beach").click();
        set("Seed", "7");
        double[] dragon = middle(placed("dragon"));
        double[] teapot = middle(placed("teapot"));
        assertThat(dragon[0]).isLessThan(0.5);
        assertThat(teapot[0]).isGreaterThan(0.5);
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        illustrate("arrange");

        BufferedImage picture = make("Make the picture");
        double[] green = Colours.middle(picture, Colours.GREEN);
        assertThat(green[0]).isCloseTo(dragon[0], within(1.5 * TOKEN));
        assertThat(green[1]).isCloseTo(dragon[1], within(2 * TOKEN));
        assertAt(picture, teapot);
    }

    @Test
    void aSmallerSubjectIsSmallerInThePicture() {
        button("Add teapot").click();
        button("a field of snow").click();
        set("Seed", "7");
        field("Size").fill("0.5");
        BoundingBox box = placed("teapot").boundingBox();
        BoundingBox canvas = page.locator("#stage").boundingBox();
        double share = box.width * box.height / (canvas.width * canvas.height);

        BufferedImage picture = make("Make the picture");
        assertThat(Colours.middle(picture, Colours.PINK)[2]).isBetween(0.3 * share, share);
    }

    private static void assertAt(BufferedImage picture, double[] place) {
        double[] pink = Colours.middle(picture, Colours.PINK);
        assertThat(pink[2]).as("share of the teapot's pink").isGreaterThan(0.01);
        assertThat(pink[0]).isCloseTo(place[0], within(1.5 * TOKEN));
        assertThat(pink[1]).isCloseTo(place[1], within(1.5 * TOKEN));
    }
}
