package dev.likeness.train.data;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Stands in for the npm packages: simple shapes under the names of the real sprites. */
public final class SyntheticSprites {

    private SyntheticSprites() {
    }

    /** A folder with a red square, 40 x 40 of 64 x 64 pixels, for every curated subject. */
    public static void writeAll(Path folder) throws IOException {
        byte[] square = square(Color.RED);
        for (Subject subject : Subjects.all()) {
            write(folder, subject.codepoints(), square);
        }
    }

    static void write(Path folder, String codepoints, byte[] picture) throws IOException {
        Path assets = Files.createDirectories(folder.resolve("fluent").resolve("assets"));
        // Readers go by content, not by the name's ending: PNG does as well here.
        Files.write(assets.resolve(codepoints + ".webp"), picture);
    }

    static byte[] square(Color colour) throws IOException {
        return picture(colour, 40, 40);
    }

    static byte[] picture(Color colour, int width, int height) throws IOException {
        BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_ARGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(colour);
        graphics.fillRect(4, 20, width, height);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(image, "png", bytes);
        return bytes.toByteArray();
    }

    static void writeList(Path folder, String json) throws IOException {
        Files.writeString(Files.createDirectories(folder.resolve("emoji")).resolve("emoji.json"), json);
    }
}
