package dev.likeness.eval;

import dev.likeness.image.Picture;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Small pictures for looking at; measures are taken before. */
final class Jpeg {

    private static final float QUALITY = 0.88f;

    private Jpeg() {}

    /** Scaled down until no side is longer; a smaller one stays. */
    static Picture fit(Picture picture, int side) {
        double scale = Math.min(1, (double) side / Math.max(picture.width(), picture.height()));
        return scale == 1 ? picture : picture.resize((int) Math.max(1, Math.round(picture.width() * scale)),
                (int) Math.max(1, Math.round(picture.height() * scale)));
    }

    /** The file's bytes; transparency shows white. */
    static byte[] of(Picture picture) {
        Picture opaque = picture.flatten(0xFFFFFF);
        BufferedImage image = new BufferedImage(opaque.width(), opaque.height(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < opaque.height(); y++) {
            for (int x = 0; x < opaque.width(); x++) {
                image.setRGB(x, y, opaque.colour(x, y));
            }
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            how.setCompressionQuality(QUALITY);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), how);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
