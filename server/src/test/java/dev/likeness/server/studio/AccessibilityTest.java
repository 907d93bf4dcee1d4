package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AccessibilityTest extends StudioTest {

    /** Labels, roles, contrast and the rest of WCAG 2.2 A and AA, as far as a program can tell. */
    private void assertAccessible(String what) {
        List<String> found = new AxeBuilder(page).analyze().getViolations().stream()
                .flatMap(rule -> rule.getNodes().stream().map(node -> rule.getId() + ": " + node.getHtml())).toList();
        assertThat(found).as(what).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void everyViewHasLabelsAndContrast(ColorScheme colours) {
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(colours));
        assertAccessible("the empty page");
        button("Add dragon").click();
        button("Add fox").click();
        page.locator("#chosen summary").first().click();
        set("Tau", "2");
        button("a field of snow").click();
        button("Make the picture").click();
        assertThat(page.locator(".error[data-pointer='/tau']")).isVisible();
        assertAccessible("subjects, advanced fields and an error");
        button("Mask").first().click();
        assertAccessible("the mask");
        page.keyboard().press("Escape");
        choose("Where subjects come from", "Your library");
        assertAccessible("the empty library");
        for (String task : List.of("Repaint", "Extend")) {
            choose("What to make", task);
            assertAccessible(task + " without a picture");
            page.locator("#file").setInputFiles(EXAMPLES.resolve("dragon-scene.png"));
            assertThat(page.locator("#source-chosen")).not().isEmpty();
            assertAccessible(task);
            button("Start over").click();
        }
    }

    @Test
    void aPictureIsMadeByKeyboardAlone() {
        page.keyboard().press("Tab");
        assertThat(page.locator(".skip")).isFocused();
        button("Add teapot").focus();
        page.keyboard().press("Enter");
        assertThat(placed("teapot")).isVisible();
        page.locator(".skip").focus();
        page.keyboard().press("Enter");
        assertThat(field("Scene")).isFocused();
        page.keyboard().type("a field of snow");
        page.keyboard().press("Control+Enter");
        result();
        assertThat(page.locator("#said")).hasText("The picture is done.");
        assertAccessible("the picture");
        page.locator("#pictures .picture").first().focus();
        page.keyboard().press("Enter");
        assertAccessible("the picture's dialog");
    }

    @Test
    void aPhoneShowsEverythingWithoutScrollingSideways() {
        page.setViewportSize(360, 740);
        button("Add dragon").click();
        illustrate("phone");
        page.locator("#advanced summary").click();
        for (String task : List.of("New picture", "Repaint", "Extend")) {
            choose("What to make", task);
            assertThat(page.evaluate("document.documentElement.scrollWidth")).as(task).isEqualTo(360);
        }
        assertAccessible("on a phone");
        choose("What to make", "New picture");
        button("Mask").click();
        assertThat(page.locator("#mask-use")).isVisible();
        assertThat(page.locator("#masker").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")).isEqualTo(true);
    }

    @Test
    void aChosenThemeOutlivesAReload() {
        button("Dark colours").click();
        String dark = (String) page.evaluate("getComputedStyle(document.body).color");
        page.reload();
        assertThat(page.evaluate("getComputedStyle(document.body).color")).isEqualTo(dark);
        assertThat(button("Dark colours")).hasAttribute("aria-pressed", "true");
    }
}
