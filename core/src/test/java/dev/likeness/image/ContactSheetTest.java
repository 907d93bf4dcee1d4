package dev.likeness.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ContactSheetTest {

    private static final int SIDE = 32;

    @Test
    void picturesStandRowByRowWithRoomForTheirLabels() {
        List<Picture> pictures = List.of(Picture.filled(SIDE, SIDE, 0x110000), Picture.filled(SIDE, SIDE, 0x002200),
                Picture.filled(SIDE, SIDE, 0x000033));
        Picture sheet = ContactSheet.of(pictures, List.of("one", "two", "a label that is much longer than its picture"), 2);

        int rowHeight = sheet.height() / 2;
        int columnWidth = sheet.width() / 2;
        assertThat(rowHeight).isGreaterThan(SIDE);
        assertThat(sheet.colour(0, 0)).isEqualTo(0x110000);
        assertThat(sheet.colour(columnWidth, 0)).isEqualTo(0x002200);
        assertThat(sheet.colour(SIDE - 1, rowHeight + SIDE - 1)).isEqualTo(0x000033);
        for (int y = 0; y < sheet.height(); y++) {
            assertThat(sheet.colour(columnWidth - 1, y)).as("gap beside the label, row %d", y).isEqualTo(0xFFFFFF);
        }
    }
}
