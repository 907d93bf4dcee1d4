package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.microsoft.playwright.Locator;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MaskTest extends StudioTest {

    private Locator canvas;

    @BeforeEach
    void chooseAPictureWithoutTransparency() {
        page.locator("#file").setInputFiles(EXAMPLES.resolve("teapot-scene.png"));
        canvas = page.locator(".mask-canvas");
        assertThat(canvas).isVisible();
    }

    /** Share of the picture that is marked pink, as the canvas shows it: what is not marked lies behind a veil. */
    private double marked() {
        page.mouse().move(0, 0); // the ring of the brush covers what is below it
        return ((Number) canvas.evaluate("""
                shown => {
                  const pixels = shown.getContext("2d").getImageData(0, 0, shown.width, shown.height).data;
                  let pink = 0;
                  for (let i = 0; i < pixels.length; i += 4) {
                    pink += pixels[i] > 190 && pixels[i + 1] < 110 && pixels[i + 2] < 190 ? 1 : 0;
                  }
                  return 4 * pink / pixels.length;
                }""")).doubleValue();
    }

    @Test
    void aClickFindsTheSubject() {
        assertThat(button("Use this mask")).isDisabled();
        canvas.click();
        assertThat(button("Use this mask")).isEnabled();
        assertThat(marked()).isGreaterThan(0.1);
        illustrate("mask");
        button("Use this mask").click();
        assertThat(placed("teapot-scene")).isVisible();
    }

    @Test
    void aBoxFindsTheSubject() {
        choose("How to mark it", "Box");
        drag(canvas, 0.15, 0.2, 0.85, 0.82);
        assertThat(button("Use this mask")).isEnabled();
        assertThat(marked()).isGreaterThan(0.1);
    }

    @Test
    void aWordFindsASubjectAndNoWordIsToldInWords() {
        choose("How to mark it", "Word");
        button("Find").click();
        assertThat(page.locator("#masker-error")).containsText("Write a word");
        field("Word").and(page.locator("#word")).fill("teapot");
        button("Find").click();
        assertThat(button("Use this mask")).isEnabled();
        assertThat(page.locator("#masker-error")).isHidden();
    }

    @Test
    void whatIsPaintedCanBeTakenBackAndIsWhatThePictureShows() {
        choose("How to mark it", "Brush");
        field("Size of the brush").fill("0.3");
        drag(canvas, 0.35, 0.45, 0.65, 0.45);
        double first = marked();
        assertThat(first).isGreaterThan(0.03);
        drag(canvas, 0.35, 0.65, 0.65, 0.65);
        double second = marked();
        assertThat(second).isGreaterThan(1.2 * first);
        button("Undo").click();
        assertThat(marked()).isEqualTo(first);
        button("Redo").click();
        assertThat(marked()).isEqualTo(second);
        choose("How to mark it", "Eraser");
        drag(canvas, 0.35, 0.65, 0.65, 0.65);
        assertThat(marked()).isLessThan(second);
        button("Undo").click();

        button("Use this mask").click();
        button("a field of snow").click();
        set("Seed", "7");
        BufferedImage picture = make("Make the picture");
        assertThat(Colours.middle(picture, Colours.PINK)[2]).as("share of the painted pink").isGreaterThan(0.03);
    }

    @Test
    void theMaskIsPaintedByKeyboardAlone() {
        choose("How to mark it", "Brush");
        canvas.focus();
        page.keyboard().press("Enter");
        double dab = marked();
        assertThat(dab).isBetween(0.001, 0.02);
        page.keyboard().press("Shift+ArrowRight");
        page.keyboard().press("Shift+ArrowRight");
        page.keyboard().press("Enter");
        assertThat(marked()).isGreaterThan(dab);
        page.keyboard().press("Control+z");
        assertThat(marked()).isCloseTo(dab, within(0.002)); // the cross stands elsewhere
    }

    @Test
    void aCancelledMaskAddsNoSubject() {
        page.keyboard().press("Escape");
        assertThat(canvas).isHidden();
        assertThat(page.locator("#chosen li")).hasCount(0);
    }
}
