package dev.likeness.image;

import dev.likeness.error.Refusal;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;

/** The text chunks of a PNG file: tEXt, zTXt and iTXt. Pixels are skipped, not decoded. */
public final class PngText {

    /** Longer text, plain or decompressed, is refused: no honest record is near this size. */
    private static final int MAX_BYTES = 16 << 20;

    private PngText() {
    }

    /**
     * Keyword to text in file order; of two with one keyword, the first.
     *
     * @throws Refusal (input) when the file is missing, not a PNG, damaged or cut off
     */
    public static Map<String, String> read(Path file) {
        Pictures.requireFile(file);
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            if (!Arrays.equals(in.readNBytes(PngWriter.SIGNATURE.length), PngWriter.SIGNATURE)) {
                throw Refusal.input("%s is not a PNG file; only PNG files carry the record of a generation.", file);
            }
            return readChunks(in);
        } catch (IOException e) {
            throw Refusal.input("%s cannot be read as PNG (%s); it is damaged or cut off: export it again.", file,
                    e.getMessage() == null ? "the data ends early" : e.getMessage(), e);
        }
    }

    private static Map<String, String> readChunks(DataInputStream in) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        while (true) {
            int length = in.readInt();
            byte[] type = in.readNBytes(4);
            String name = new String(type, StandardCharsets.ISO_8859_1);
            if (length < 0) {
                throw new IOException("a chunk claims " + Integer.toUnsignedString(length) + " bytes");
            }
            if (name.equals("IEND")) {
                return texts;
            }
            if (!name.equals("tEXt") && !name.equals("zTXt") && !name.equals("iTXt")) {
                in.skipNBytes(length + 4L);
                continue;
            }
            if (length > MAX_BYTES) {
                throw new IOException("its text is too long");
            }
            byte[] data = in.readNBytes(length);
            CRC32 crc = new CRC32();
            crc.update(type);
            crc.update(data);
            if (data.length < length || in.readInt() != (int) crc.getValue()) {
                throw new IOException("the checksum of its text is wrong");
            }
            int end = indexOfZero(data, 0);
            texts.putIfAbsent(new String(data, 0, end, StandardCharsets.ISO_8859_1), text(name, data, end + 1));
        }
    }

    /** @param start index of the first byte after the keyword's zero */
    private static String text(String type, byte[] data, int start) throws IOException {
        if (type.equals("tEXt")) {
            return decode(data, start, false, StandardCharsets.ISO_8859_1);
        }
        if (type.equals("zTXt")) {
            return decode(data, start + 1, true, StandardCharsets.ISO_8859_1);
        }
        int language = indexOfZero(data, start + 2);
        int translated = indexOfZero(data, language + 1);
        return decode(data, translated + 1, data[start] == 1, StandardCharsets.UTF_8);
    }

    private static String decode(byte[] data, int start, boolean compressed, Charset charset) throws IOException {
        if (start > data.length) {
            throw new EOFException("a text chunk ends early");
        }
        if (!compressed) {
            return new String(data, start, data.length - start, charset);
        }
        try (InflaterInputStream in = new InflaterInputStream(
                new ByteArrayInputStream(data, start, data.length - start))) {
            byte[] inflated = in.readNBytes(MAX_BYTES + 1);
            if (inflated.length > MAX_BYTES) {
                throw new IOException("its text is too long");
            }
            return new String(inflated, charset);
        }
    }

    private static int indexOfZero(byte[] data, int from) throws IOException {
        for (int i = from; i < data.length; i++) {
            if (data[i] == 0) {
                return i;
            }
        }
        throw new EOFException("a text chunk ends early");
    }
}
