package dev.likeness.image;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Pictures side by side with a line of text below each, for looking at them. */
public final class ContactSheet {

    private static final int GAP = 4;
    private static final int LINE = 18;

    private ContactSheet() {
    }

    /**
     * Row by row on white.
     *
     * @param pictures at least one, all of one size; transparency shows white
     * @param labels   one a picture; may be empty texts, and what is too long is cut off at the picture's edge
     * @param columns  pictures in a row, at least 1
     */
    public static Picture of(List<Picture> pictures, List<String> labels, int columns) {
        int width = pictures.get(0).width() + GAP;
        int height = pictures.get(0).height() + LINE;
        int rows = (pictures.size() + columns - 1) / columns;
        BufferedImage sheet = new BufferedImage(columns * width, rows * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        graphics.setColor(Color.BLACK);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, Math.max(8, Math.min(12, width / 16))));
        for (int i = 0; i < pictures.size(); i++) {
            Picture picture = pictures.get(i).flatten(0xFFFFFF);
            int left = i % columns * width;
            int top = i / columns * height;
            for (int y = 0; y < picture.height(); y++) {
                for (int x = 0; x < picture.width(); x++) {
                    sheet.setRGB(left + x, top + y, picture.colour(x, y));
                }
            }
            graphics.setClip(left, top, width - GAP, height);
            graphics.drawString(labels.get(i), left + 2, top + picture.height() + LINE - 5);
        }
        graphics.dispose();
        return Pictures.of(sheet);
    }
}
