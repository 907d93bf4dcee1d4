package dev.likeness.image;

import dev.likeness.error.Refusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import javax.imageio.ImageIO;
import java.awt.Point;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class PicturesTest {

    @TempDir
    Path folder;

    /** Corner colours of the upright picture, 16 x 32: where each EXIF orientation must put what is stored. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void everyExifOrientationEndsUpright(int orientation) throws IOException {
        int red = 0xff0000;
        int green = 0x00ff00;
        int blue = 0x0000ff;
        int white = 0xffffff;
        // Top-left, top-right, bottom-left, bottom-right as a camera that is held so would store them.
        int[] stored = switch (orientation) {
            case 1 -> new int[] {red, green, blue, white};
            case 2 -> new int[] {green, red, white, blue};
            case 3 -> new int[] {white, blue, green, red};
            case 4 -> new int[] {blue, white, red, green};
            case 5 -> new int[] {red, blue, green, white};
            case 6 -> new int[] {green, white, red, blue};
            case 7 -> new int[] {white, green, blue, red};
            default -> new int[] {blue, red, white, green};
        };
        boolean lying = orientation > 4;
        Path file = folder.resolve("photo.jpg");
        Files.write(file, withExif(jpeg(quarters(lying ? 32 : 16, lying ? 16 : 32, stored)), orientation));

        Picture picture = Pictures.read(file);

        assertThat(picture.width()).isEqualTo(16);
        assertThat(picture.height()).isEqualTo(32);
        assertNear(picture.colour(2, 2), red);
        assertNear(picture.colour(13, 2), green);
        assertNear(picture.colour(2, 29), blue);
        assertNear(picture.colour(13, 29), white);
    }

    @Test
    void webPIsReadWithItsOrientation() throws IOException {
        Picture picture = Pictures.read(resource("orientation6.webp"));
        assertThat(picture.width()).isEqualTo(16);
        assertThat(picture.height()).isEqualTo(24);
        assertThat(picture.colour(8, 2)).isEqualTo(0xff0000);
        assertThat(picture.colour(8, 21)).isEqualTo(0x0000ff);
    }

    @Test
    void cmykJpegIsConverted() throws IOException {
        Picture picture = Pictures.read(resource("cmyk.jpg"));
        assertNear(picture.colour(2, 8), 0xff0000);
        assertNear(picture.colour(21, 8), 0x0000ff);
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "gif", "bmp", "tif"})
    void losslessFormatsKeepEveryPixel(String format) throws IOException {
        Picture picture = quarters(12, 8, 0x102030, 0xfe01a7, 0x000000, 0xffffff);
        Path file = folder.resolve("picture." + format);
        assertThat(ImageIO.write(image(picture), format, file.toFile())).isTrue();
        assertThat(Pictures.read(file)).isEqualTo(picture);
    }

    @ParameterizedTest
    @CsvSource({"8, false", "8, true", "16, false", "16, true"})
    void greyKeepsItsEncodedValues(int bits, boolean alpha) throws IOException {
        int type = bits == 8 ? DataBuffer.TYPE_BYTE : DataBuffer.TYPE_USHORT;
        int bands = alpha ? 2 : 1;
        int[] greys = {0, 1, 64, 128, 200, 255};
        WritableRaster raster = Raster.createInterleavedRaster(type, greys.length, 1, bands, new Point());
        for (int x = 0; x < greys.length; x++) {
            raster.setSample(x, 0, 0, bits == 8 ? greys[x] : greys[x] * 257);
            if (alpha) {
                raster.setSample(x, 0, 1, bits == 8 ? 128 : 128 * 257);
            }
        }
        ComponentColorModel model = new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_GRAY), alpha, false,
                alpha ? Transparency.TRANSLUCENT : Transparency.OPAQUE, type);
        Path file = folder.resolve("grey.png");
        ImageIO.write(new BufferedImage(model, raster, false, null), "png", file.toFile());

        Picture picture = Pictures.read(file);

        assertThat(picture.hasAlpha()).isEqualTo(alpha);
        for (int x = 0; x < greys.length; x++) {
            assertThat(picture.colour(x, 0)).isEqualTo(0x010101 * greys[x]);
            if (alpha) {
                assertThat(picture.alpha()[x]).isEqualTo((byte) 128);
            }
        }
    }

    @Test
    void aPaletteWithOneTransparentColourGivesAlpha() throws IOException {
        byte[] ramp = {0, (byte) 255};
        IndexColorModel palette = new IndexColorModel(1, 2, ramp, ramp, new byte[] {7, 7}, 0);
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
        image.getRaster().setSample(1, 0, 0, 1);
        Path file = folder.resolve("palette.png");
        ImageIO.write(image, "png", file.toFile());
        Picture picture = Pictures.read(file);
        assertThat(picture.alpha()).containsExactly(0, 255);
        assertThat(picture.colour(1, 0)).isEqualTo(0xffff07);
    }

    @Test
    void aColourProfileInsideAPngIsApplied() throws IOException {
        ICC_Profile profile = ICC_Profile.getInstance(ICC_Profile.getInstance(ColorSpace.CS_sRGB).getData());
        byte[] red = profile.getData(ICC_Profile.icSigRedColorantTag);
        profile.setData(ICC_Profile.icSigRedColorantTag, profile.getData(ICC_Profile.icSigGreenColorantTag));
        profile.setData(ICC_Profile.icSigGreenColorantTag, red);
        Path file = folder.resolve("profile.png");
        Files.write(file, withChunk(png(Picture.filled(3, 2, 0xfa640a)), "iCCP", iccp(profile.getData())));
        assertNear(Pictures.read(file).colour(1, 1), 0x64fa0a);
        Files.write(file, withChunk(png(Picture.filled(3, 2, 0xfa640a)), "iCCP", iccp(new byte[] {1, 2, 3})));
        assertThat(Pictures.read(file).colour(1, 1)).as("a damaged profile is ignored").isEqualTo(0xfa640a);
    }

    @Test
    void wideColourSpacesAreConvertedWithTheirAlpha() {
        ColorSpace linear = new ICC_ColorSpace(ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB));
        ComponentColorModel model = new ComponentColorModel(linear, true, false, Transparency.TRANSLUCENT,
                DataBuffer.TYPE_BYTE);
        WritableRaster raster = model.createCompatibleWritableRaster(1, 1);
        raster.setPixel(0, 0, new int[] {55, 55, 55, 100});
        Picture picture = Pictures.of(new BufferedImage(model, raster, false, null));
        assertNear(picture.colour(0, 0), 0x808080);
        assertThat(picture.alpha()).containsExactly(100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "gif", "bmp", "tif", "webp"})
    void aFileThatIsCutOffIsRefused(String format) throws IOException {
        byte[] whole;
        if (format.equals("webp")) {
            whole = Files.readAllBytes(resource("orientation6.webp"));
        } else {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image(TestPictures.varied(60, 40, false, 1)), format, out);
            whole = out.toByteArray();
        }
        Path file = folder.resolve("cut." + format);
        for (int part = 1; part < 20; part++) {
            Files.write(file, Arrays.copyOf(whole, whole.length * part / 20));
            assertRefused(file, "");
        }
    }

    @Test
    void whatIsNoPictureIsRefused() throws IOException {
        assertRefused(folder.resolve("missing.png"), "does not exist");
        assertRefused(folder, "is a folder");
        assertRefused(Files.createFile(folder.resolve("empty.png")), "is empty");
        assertRefused(Files.writeString(folder.resolve("notes.png"), "Dear diary, 100 % of it"), "not a picture");
    }

    @Test
    void anEnormousPictureIsRefusedBeforeItIsDecoded() throws IOException {
        byte[] small = png(Picture.filled(1, 1, 0));
        // Only the header claims the size; a decoder that began would find no such data.
        ByteBuffer.wrap(small).putInt(16, 100_000).putInt(20, 100_000);
        CRC32 crc = new CRC32();
        crc.update(small, 12, 17);
        ByteBuffer.wrap(small).putInt(29, (int) crc.getValue());
        Path file = Files.write(folder.resolve("huge.png"), small);
        assertRefused(file, "100000 x 100000 pixels; at most 64 megapixels");
    }

    private static void assertRefused(Path file, String reason) {
        assertThatThrownBy(() -> Pictures.read(file)).isInstanceOfSatisfying(Refusal.class,
                refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining(file.toString()).hasMessageContaining(reason);
    }

    private static void assertNear(int actual, int expected) {
        for (int shift = 0; shift <= 16; shift += 8) {
            assertThat(actual >> shift & 255).isCloseTo(expected >> shift & 255, within(12));
        }
    }

    /** Four quarters of one colour each, wide enough that JPEG's blocks keep them apart. */
    private static Picture quarters(int width, int height, int... colours) {
        Picture top = Picture.filled(width, height, colours[0]);
        byte[] rgb = top.rgb();
        for (int i = 0; i < width * height; i++) {
            int colour = colours[(i / width < height / 2 ? 0 : 2) + (i % width < width / 2 ? 0 : 1)];
            rgb[3 * i] = (byte) (colour >> 16);
            rgb[3 * i + 1] = (byte) (colour >> 8);
            rgb[3 * i + 2] = (byte) colour;
        }
        return Picture.of(width, height, rgb, null);
    }

    private static BufferedImage image(Picture picture) {
        BufferedImage image = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < picture.width() * picture.height(); i++) {
            int x = i % picture.width();
            int y = i / picture.width();
            image.setRGB(x, y, picture.colour(x, y));
        }
        return image;
    }

    private static byte[] jpeg(Picture picture) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image(picture), "jpg", out);
        return out.toByteArray();
    }

    private static byte[] png(Picture picture) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PngWriter.write(out, picture, Map.of());
        return out.toByteArray();
    }

    /** Puts an APP1 segment with one EXIF entry, the orientation, behind the start marker. */
    private static byte[] withExif(byte[] jpeg, int orientation) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(jpeg, 0, 2);
        out.writeShort(0xffe1);
        out.writeShort(2 + 6 + 8 + 2 + 12 + 4);
        out.write("Exif\0\0MM\0*".getBytes(StandardCharsets.ISO_8859_1));
        out.writeInt(8); // offset of the first directory
        out.writeShort(1); // entries
        out.writeShort(0x0112); // orientation
        out.writeShort(3); // SHORT
        out.writeInt(1); // values
        out.writeShort(orientation);
        out.writeShort(0);
        out.writeInt(0); // no further directory
        out.write(jpeg, 2, jpeg.length - 2);
        return bytes.toByteArray();
    }

    /** Puts a chunk behind the header of a PNG. */
    private static byte[] withChunk(byte[] png, String type, byte[] data) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(png, 0, 33);
        out.writeInt(data.length);
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data);
        out.write(name);
        out.write(data);
        out.writeInt((int) crc.getValue());
        out.write(png, 33, png.length - 33);
        return bytes.toByteArray();
    }

    private static byte[] iccp(byte[] profile) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write("named\0\0".getBytes(StandardCharsets.ISO_8859_1));
        try (DeflaterOutputStream deflate = new DeflaterOutputStream(bytes)) {
            deflate.write(profile);
        }
        return bytes.toByteArray();
    }

    private Path resource(String name) throws IOException {
        Path copy = folder.resolve(name);
        try (InputStream in = PicturesTest.class.getResourceAsStream(name)) {
            Files.copy(in, copy);
        }
        return copy;
    }
}
