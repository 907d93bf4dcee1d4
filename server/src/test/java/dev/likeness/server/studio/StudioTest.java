package dev.likeness.server.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.JSHandle;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Mouse;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.BoundingBox;
import com.microsoft.playwright.options.ReducedMotion;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A fresh page of a server with the embedded model; scripts must not fail on it. */
abstract class StudioTest {

    /** Time that a picture may take on a loaded machine; nothing waits longer than it has to. */
    static final double PATIENCE = 120_000;

    static final Path EXAMPLES = Path.of("..", "examples");

    /** With it, the pictures of the documentation are made anew. */
    private static final boolean FOR_DOCS = Boolean.getBoolean("likeness.docs.pictures");
    private static final Path DOCS = Path.of("..", "docs", "pictures");

    static {
        PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE);
    }

    private final List<String> faults = new ArrayList<>();

    TestServer server;
    Page page;

    /** The server of this test; by default one that all share. */
    TestServer start() {
        return TestServer.shared();
    }

    Browser.NewContextOptions options() {
        return new Browser.NewContextOptions().setViewportSize(1280, 800).setReducedMotion(ReducedMotion.REDUCE);
    }

    @BeforeEach
    void openStudio() {
        server = start();
        page = open(options());
        enter();
    }

    /** Waits until the page has heard from the server. */
    void enter() {
        assertThat(page.locator("#model")).not().isEmpty();
    }

    /** Another window, as another user's. */
    Page open(Browser.NewContextOptions options) {
        BrowserContext context = Chromium.browser().newContext(options);
        context.setDefaultTimeout(PATIENCE);
        Page opened = context.newPage();
        opened.onPageError(faults::add);
        opened.onConsoleMessage(message -> {
            if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
                faults.add(message.text());
            }
        });
        opened.navigate(server.address());
        return opened;
    }

    @AfterEach
    void closeStudio() {
        page.context().close();
        assertThat(faults).as("what the browser complained about").isEmpty();
    }

    Locator button(String name) {
        return button(page, name);
    }

    static Locator button(Page page, String name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    void choose(String group, String name) {
        page.getByRole(AriaRole.RADIOGROUP, new Page.GetByRoleOptions().setName(group)).getByText(name,
                new Locator.GetByTextOptions().setExact(true)).click();
    }

    /** Writes into a field behind "Advanced". */
    void set(String label, String value) {
        if (!page.locator("#advanced").evaluate("details => details.open").equals(true)) {
            page.locator("#advanced summary").click();
        }
        field(label).fill(value);
    }

    Locator field(String label) {
        return page.getByLabel(label, new Page.GetByLabelOptions().setExact(true));
    }

    /** Makes the picture, with the button of this name, and waits for it. */
    BufferedImage make(String name) {
        button(name).click();
        return result();
    }

    /** The picture on the canvas, once it is done. */
    BufferedImage result() {
        Locator made = page.locator(".result img");
        assertThat(made).isVisible();
        return picture(made.getAttribute("src"));
    }

    BufferedImage picture(String address) {
        return decode(page.request().get(server.address() + address.replaceFirst("^/", "")).body());
    }

    static BufferedImage decode(byte[] png) {
        try {
            return ImageIO.read(new ByteArrayInputStream(png));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps what the page shows as docs/pictures/studio-NAME.png, where that is asked for. */
    void illustrate(String name) {
        if (FOR_DOCS) {
            page.mouse().move(0, 0);
            page.evaluate("document.activeElement.blur(); document.getElementById('toast').hidden = true; scrollTo(0, 0)");
            page.screenshot(new Page.ScreenshotOptions().setPath(DOCS.resolve("studio-" + name + ".png")));
        }
    }

    /** Presses, moves and releases the pointer, by fractions of an element. */
    void drag(Locator element, double fromX, double fromY, double toX, double toY) {
        BoundingBox box = element.boundingBox();
        page.mouse().move(box.x + fromX * box.width, box.y + fromY * box.height);
        page.mouse().down();
        page.mouse().move(box.x + toX * box.width, box.y + toY * box.height, new Mouse.MoveOptions().setSteps(8));
        page.mouse().up();
    }

    /** Lets go of a file over the page. */
    static void drop(Page page, String name, byte[] file) {
        JSHandle data = page.evaluateHandle("""
                ({name, base64}) => {
                  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
                  const data = new DataTransfer();
                  data.items.add(new File([bytes], name, {type: "image/png"}));
                  return data;
                }""", Map.of("name", name, "base64", Base64.getEncoder().encodeToString(file)));
        page.locator("body").dispatchEvent("drop", Map.of("dataTransfer", data));
    }

    /** Where an element's middle is, in fractions of the canvas. */
    double[] middle(Locator placed) {
        BoundingBox box = placed.boundingBox();
        BoundingBox canvas = page.locator("#stage").boundingBox();
        return new double[] {(box.x + box.width / 2 - canvas.x) / canvas.width,
            (box.y + box.height / 2 - canvas.y) / canvas.height};
    }

    Locator placed(String name) {
        return page.getByRole(AriaRole.GROUP, new Page.GetByRoleOptions().setName(Pattern.compile("^" + name + ", middle")));
    }
}
