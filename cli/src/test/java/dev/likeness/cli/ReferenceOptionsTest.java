package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.reference.Layout;
import org.junit.jupiter.api.Test;

class ReferenceOptionsTest {

    @Test
    void subjectsShareAPlaceSideBySide() {
        Layout whole = new Layout(0.75, 0.25, 0.5);
        assertThat(ReferenceOptions.share(whole, 0, 1)).isEqualTo(whole);
        assertThat(ReferenceOptions.share(whole, 0, 2)).isEqualTo(new Layout(0.625, 0.25, 0.25));
        assertThat(ReferenceOptions.share(whole, 1, 2)).isEqualTo(new Layout(0.875, 0.25, 0.25));
    }

    /** A place may be smaller than the smallest size, at the edge of the canvas. */
    @Test
    void aShareIsAPlaceOnTheCanvas() {
        Layout corner = new Layout(0.001, 1, Layout.MIN_SCALE);
        assertThat(ReferenceOptions.share(corner, 0, 3)).isEqualTo(new Layout(0, 1, Layout.MIN_SCALE));
    }
}
