package dev.likeness.image;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.exif.ExifIFD0Directory;
import dev.likeness.error.Refusal;

import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;

/** Reads picture files: PNG, JPEG, WebP, TIFF, GIF and BMP, of any depth and colour space, upright. */
public final class Pictures {

    /** The largest picture that is read, in pixels. */
    public static final long MAX_PIXELS = 64_000_000;

    private static final String FORMATS = "PNG, JPEG, WebP, TIFF, GIF or BMP";

    private Pictures() {
    }

    /**
     * Decodes a file to sRGB, turned as its EXIF orientation says. Of an animation or a stack of pages, the first.
     *
     * @throws Refusal (input) when the file is missing, a folder, not a picture, damaged, cut off, or larger than
     *                 {@link #MAX_PIXELS}; (resources) when it does not fit into memory
     */
    public static Picture read(Path file) {
        return read(file, MAX_PIXELS);
    }

    /** The same with another bound, which is held against the file's header before a pixel is decoded. */
    public static Picture read(Path file, long maxPixels) {
        requireFile(file);
        try (ImageInputStream stream = new FileImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
            if (!readers.hasNext()) {
                throw Refusal.input("%s is not a picture in a known format; convert it to %s.", file, FORMATS);
            }
            requireWholeWebp(stream);
            ImageReader reader = readers.next();
            try {
                return decode(file, maxPixels, reader, stream);
            } finally {
                reader.dispose();
            }
        } catch (OutOfMemoryError e) {
            throw Refusal.resources("%s does not fit into memory; scale it down, or give Java more with "
                    + "LIKENESS_JAVA_OPTS=-Xmx2g.", file, e);
        } catch (IOException | RuntimeException e) {
            // Decoders meet damaged files with all kinds of exceptions, index errors included.
            if (e instanceof Refusal refusal) {
                throw refusal;
            }
            throw Refusal.input("%s cannot be decoded (%s); it is damaged or cut off: export it again.", file,
                    reason(e), e);
        }
    }

    private static Picture decode(Path file, long maxPixels, ImageReader reader, ImageInputStream stream) throws IOException {
        boolean[] cutOff = {false};
        reader.addIIOReadWarningListener((source, warning) -> {
            // The JPEG decoder fills what is missing with grey and merely warns.
            String text = warning.toLowerCase(Locale.ROOT);
            cutOff[0] |= text.contains("premature") || text.contains("truncated");
        });
        reader.setInput(stream, true, false);
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if (width < 1 || height < 1) {
            throw Refusal.input("%s holds no pixels (%d x %d); use another picture.", file, width, height);
        }
        if ((long) width * height > maxPixels) {
            throw Refusal.input("%s is %d x %d pixels; at most %d megapixels are read: scale it down first.", file,
                    width, height, maxPixels / 1_000_000);
        }
        BufferedImage image = PngProfile.apply(reader, reader.read(0));
        if (cutOff[0]) {
            throw new EOFException();
        }
        return Orientation.ofExif(orientation(file)).apply(of(image));
    }

    /** The WebP decoder takes missing data for zeros and says nothing; the container's length tells. */
    private static void requireWholeWebp(ImageInputStream stream) throws IOException {
        byte[] head = new byte[8];
        stream.seek(0);
        stream.readFully(head);
        if (new String(head, 0, 4, StandardCharsets.ISO_8859_1).equals("RIFF")) {
            long claimed = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(4) & 0xffffffffL;
            if (stream.length() < claimed + head.length) {
                throw new EOFException();
            }
        }
        stream.seek(0);
    }

    static void requireFile(Path file) {
        if (Files.isDirectory(file)) {
            throw Refusal.input("%s is a folder; name a picture file (%s).", file, FORMATS);
        }
        if (!Files.exists(file)) {
            throw Refusal.input("%s does not exist; check the path.", file);
        }
        if (!Files.isReadable(file)) {
            throw Refusal.input("%s cannot be read; check its permissions.", file);
        }
        if (file.toFile().length() == 0 && Files.isRegularFile(file)) {
            throw Refusal.input("%s is empty (0 bytes); copy or export it again.", file);
        }
    }

    private static String reason(Throwable e) {
        if (e instanceof EOFException) {
            return "the data ends early";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
    }

    private static int orientation(Path file) throws IOException {
        try {
            ExifIFD0Directory exif = ImageMetadataReader.readMetadata(file.toFile())
                    .getFirstDirectoryOfType(ExifIFD0Directory.class);
            Integer value = exif == null ? null : exif.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
            return value == null ? 1 : value;
        } catch (ImageProcessingException e) {
            // The pixels have been decoded; damaged metadata only means that no orientation is known.
            return 1;
        }
    }

    /** Converts an image of any colour model to sRGB with straight alpha; alpha that is opaque throughout is dropped. */
    public static Picture of(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] rgb = new byte[3 * width * height];
        byte[] alpha = image.getColorModel().hasAlpha() ? new byte[width * height] : null;
        if (image.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY) {
            copyGrey(image, rgb, alpha);
        } else {
            copyColours(inSrgb(image), rgb, alpha);
        }
        return Picture.owning(width, height, rgb, isOpaque(alpha) ? null : alpha);
    }

    /** Java takes grey samples for linear light and would brighten them; in files they are encoded like sRGB's. */
    private static void copyGrey(BufferedImage image, byte[] rgb, byte[] alpha) {
        ColorModel model = image.getColorModel();
        Raster raster = image.getRaster();
        int width = image.getWidth();
        int bands = raster.getNumBands();
        double[] samples = new double[width * bands];
        double white = sampleMaximum(model, 0);
        double opaque = alpha == null ? 1 : sampleMaximum(model, bands - 1);
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, samples);
            for (int x = 0; x < width; x++) {
                int pixel = y * width + x;
                double share = alpha == null ? 1 : samples[x * bands + bands - 1] / opaque;
                double grey = samples[x * bands] / white;
                if (model.isAlphaPremultiplied() && share > 0) {
                    grey /= share;
                }
                rgb[3 * pixel] = rgb[3 * pixel + 1] = rgb[3 * pixel + 2] = toByte(grey);
                if (alpha != null) {
                    alpha[pixel] = toByte(share);
                }
            }
        }
    }

    /** What stands for 1 in a band; floating-point samples are 1 themselves. */
    private static double sampleMaximum(ColorModel model, int band) {
        return switch (model.getTransferType()) {
            case DataBuffer.TYPE_FLOAT, DataBuffer.TYPE_DOUBLE -> 1;
            default -> Math.pow(2, model.getComponentSize(band)) - 1;
        };
    }

    private static byte toByte(double share) {
        return (byte) Math.round(255 * Math.max(0, Math.min(1, share)));
    }

    private static BufferedImage inSrgb(BufferedImage image) {
        if (image.getColorModel().getColorSpace().isCS_sRGB()) {
            return image;
        }
        // Pixel by pixel through an ICC profile takes minutes for a photo; this converts whole rows.
        int type = image.getColorModel().hasAlpha() ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB;
        BufferedImage converted = new BufferedImage(image.getWidth(), image.getHeight(), type);
        return new ColorConvertOp(null).filter(image, converted);
    }

    private static void copyColours(BufferedImage image, byte[] rgb, byte[] alpha) {
        int width = image.getWidth();
        int[] row = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int pixel = y * width + x;
                rgb[3 * pixel] = (byte) (row[x] >> 16);
                rgb[3 * pixel + 1] = (byte) (row[x] >> 8);
                rgb[3 * pixel + 2] = (byte) row[x];
                if (alpha != null) {
                    alpha[pixel] = (byte) (row[x] >>> 24);
                }
            }
        }
    }

    private static boolean isOpaque(byte[] alpha) {
        if (alpha != null) {
            for (byte a : alpha) {
                if (a != -1) {
                    return false;
                }
            }
        }
        return true;
    }
}
