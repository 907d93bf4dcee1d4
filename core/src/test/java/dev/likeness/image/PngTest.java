package dev.likeness.image;

import dev.likeness.error.Refusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import javax.imageio.ImageIO;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class PngTest {

    private static final Map<String, String> TEXT = new LinkedHashMap<>();

    static {
        TEXT.put("parameters", "a fox\nNegative prompt: blur\nSteps: 28");
        TEXT.put("likeness", "{\"prompt\":\"Füchse, 狐, \uD83E\uDD8A, שועל\"}");
        TEXT.put("empty", "");
    }

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"1, 1, false", "1, 1, true", "3, 7, false", "64, 48, true", "257, 129, false"})
    void whatIsWrittenIsReadBack(int width, int height, boolean alpha) {
        Picture picture = TestPictures.varied(width, height, alpha, 5);
        Path file = folder.resolve("out.png");
        PngWriter.write(file, picture, TEXT);
        assertThat(Pictures.read(file)).isEqualTo(picture);
        assertThat(PngText.read(file)).containsExactlyEntriesOf(TEXT);
    }

    @Test
    void manyDataChunksAreOnePicture() {
        Picture noise = TestPictures.varied(400, 300, true, 6);
        Path file = folder.resolve("noise.png");
        PngWriter.write(file, noise, TEXT);
        assertThat(file.toFile().length()).isGreaterThan(1 << 17);
        assertThat(Pictures.read(file)).isEqualTo(noise);
    }

    @Test
    void theSameInputGivesTheSameBytes() throws IOException {
        Path first = folder.resolve("first.png");
        Path second = folder.resolve("second.png");
        PngWriter.write(first, TestPictures.varied(90, 70, false, 7), TEXT);
        PngWriter.write(second, TestPictures.varied(90, 70, false, 7), TEXT);
        assertThat(second).hasSameBinaryContentAs(first);
    }

    @Test
    void smoothPicturesAreFiltered() throws IOException {
        byte[] rgb = new byte[3 * 256 * 256];
        for (int i = 0; i < rgb.length; i++) {
            int x = i / 3 % 256;
            int y = i / 768;
            rgb[i] = (byte) ((x * 3 + y * 5 + x * y / 64) / (1 + i % 3));
        }
        Path file = folder.resolve("smooth.png");
        PngWriter.write(file, Picture.of(256, 256, rgb, null), Map.of());
        ByteArrayOutputStream unfiltered = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(unfiltered)) {
            out.write(rgb);
        }
        assertThat(file.toFile().length()).isLessThan(unfiltered.size() / 2);
        assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(256);
    }

    @Test
    void aFileIsReplacedWholeAndNothingElseIsLeft() throws IOException {
        Path file = folder.resolve("out.png");
        Files.writeString(file, "what was there before");
        PngWriter.write(file, Picture.filled(2, 2, 0xff0000), Map.of());
        assertThat(Pictures.read(file)).isEqualTo(Picture.filled(2, 2, 0xff0000));
        assertThat(names()).containsExactly("out.png");
    }

    @Test
    void aFailureLeavesTheOldFileAndNoNewOne() throws IOException {
        Path file = Files.writeString(folder.resolve("out.png"), "old");
        assertThatThrownBy(() -> OutputFile.write(file, out -> {
            out.write(1);
            throw new IOException("No space left on device");
        })).isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.RESOURCES))
                .hasMessageContaining("No space left on device");
        assertThat(file).hasContent("old");
        assertThat(names()).containsExactly("out.png");
    }

    @Test
    void anOutputThatCannotBeIsRefused() throws IOException {
        Path plain = Files.createFile(folder.resolve("plain"));
        assertRefused(folder.resolve("missing/out.png"), "create it first");
        assertRefused(plain.resolve("out.png"), "is not a folder");
        assertRefused(folder, "is a folder");
    }

    @Test
    void textThatPngCannotHoldIsAnError() {
        Picture picture = Picture.filled(1, 1, 0);
        Path file = folder.resolve("out.png");
        for (String keyword : new String[] {"", " a", "a ", "a\nb", "狐", "x".repeat(80)}) {
            assertThatIllegalArgumentException().isThrownBy(
                    () -> PngWriter.write(file, picture, Map.of(keyword, "text")));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> PngWriter.write(file, picture, Map.of("a", "b\0c")));
        assertThat(file).doesNotExist();
    }

    @Test
    void textOfOtherProgramsIsRead() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(PngWriter.SIGNATURE);
        chunk(out, "tEXt", latin("Title\0Caf\u00e9"));
        chunk(out, "tEXt", latin("Title\0second"));
        chunk(out, "zTXt", latin("Comment\0\0"), deflated(latin("\u00fcber")));
        chunk(out, "tIME", new byte[7]);
        chunk(out, "iTXt", latin("likeness\0\1\0en\0"), "Ähnlichkeit\0".getBytes(StandardCharsets.UTF_8),
                deflated("狐".getBytes(StandardCharsets.UTF_8)));
        chunk(out, "IEND");
        Path file = Files.write(folder.resolve("other.png"), bytes.toByteArray());
        assertThat(PngText.read(file)).containsExactly(Map.entry("Title", "Café"), Map.entry("Comment", "über"),
                Map.entry("likeness", "狐"));
    }

    @Test
    void damagedOrForeignFilesAreRefusedByTheTextReader() throws IOException {
        Path file = folder.resolve("out.png");
        PngWriter.write(file, TestPictures.varied(20, 20, false, 8), TEXT);
        byte[] whole = Files.readAllBytes(file);
        for (int part = 1; part < 20; part++) {
            Files.write(file, Arrays.copyOf(whole, whole.length * part / 20));
            assertTextRefused(file, "");
        }
        byte[] changed = whole.clone();
        changed[33 + 8 + 14] ^= 1;
        assertTextRefused(Files.write(file, changed), "checksum");
        assertTextRefused(Files.writeString(file, "GIF89a, not a PNG"), "not a PNG");
        assertTextRefused(folder.resolve("missing.png"), "does not exist");
        assertTextRefused(folder, "is a folder");
    }

    @Test
    void textThatInflatesWithoutEndIsRefused() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(PngWriter.SIGNATURE);
        chunk(out, "zTXt", latin("bomb\0\0"), deflated(new byte[17 << 20]));
        chunk(out, "IEND");
        assertTextRefused(Files.write(folder.resolve("bomb.png"), bytes.toByteArray()), "too long");
    }

    private static void assertRefused(Path file, String reason) {
        assertThatThrownBy(() -> PngWriter.write(file, Picture.filled(1, 1, 0), Map.of()))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining(file.toString()).hasMessageContaining(reason);
    }

    private static void assertTextRefused(Path file, String reason) {
        assertThatThrownBy(() -> PngText.read(file))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining(file.toString()).hasMessageContaining(reason);
    }

    private static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] deflated(byte[] data) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(bytes)) {
            out.write(data);
        }
        return bytes.toByteArray();
    }

    private static void chunk(DataOutputStream out, String type, byte[]... parts) throws IOException {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            data.write(part);
        }
        CRC32 crc = new CRC32();
        crc.update(latin(type));
        crc.update(data.toByteArray());
        out.writeInt(data.size());
        out.write(latin(type));
        out.write(data.toByteArray());
        out.writeInt((int) crc.getValue());
    }

    private String[] names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toArray(String[]::new);
        }
    }
}
