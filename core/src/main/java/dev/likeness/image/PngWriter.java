package dev.likeness.image;

import dev.likeness.error.Refusal;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * PNG files (ISO/IEC 15948) with text. The same picture and text give the same bytes, in one version of Java; ImageIO's
 * writer promises neither that nor text beyond Latin-1.
 */
public final class PngWriter {

    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private static final int COMPRESSION = 6;
    private static final int DATA_CHUNK = 1 << 16;
    private static final int FILTERS = 5;

    private PngWriter() {
    }

    /**
     * Writes 8-bit RGB, or RGBA when the picture has alpha. The file appears whole or not at all.
     *
     * @param text keyword (1 to 79 letters of Latin-1) to text (any Unicode but NUL), in the order in which they are
     *             written, each as an uncompressed iTXt chunk before the pixels
     * @throws Refusal                  (input) when the folder is missing or not writable; (resources) when the disk fails
     * @throws IllegalArgumentException when a keyword or text does not fit PNG's rules
     */
    public static void write(Path file, Picture picture, Map<String, String> text) {
        text.forEach(PngWriter::requireFits);
        OutputFile.write(file, out -> write(out, picture, text));
    }

    /** The same to a stream, which stays open. */
    public static void write(OutputStream out, Picture picture, Map<String, String> text) throws IOException {
        text.forEach(PngWriter::requireFits);
        DataOutputStream file = new DataOutputStream(out);
        file.write(SIGNATURE);
        writeChunk(file, "IHDR", header(picture), 13);
        for (Map.Entry<String, String> entry : text.entrySet()) {
            byte[] chunk = internationalText(entry.getKey(), entry.getValue());
            writeChunk(file, "iTXt", chunk, chunk.length);
        }
        Deflater deflater = new Deflater(COMPRESSION);
        try (DeflaterOutputStream pixels = new DeflaterOutputStream(new DataChunks(file), deflater)) {
            writeRows(picture, pixels);
        } finally {
            deflater.end();
        }
        writeChunk(file, "IEND", new byte[0], 0);
        file.flush();
    }

    /** A file's bytes, without text. */
    public static byte[] bytes(Picture picture) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            write(out, picture, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return out.toByteArray();
    }

    private static void requireFits(String keyword, String text) {
        if (!keyword.matches("[\\x21-\\x7e\\xa1-\\xff]([\\x20-\\x7e\\xa1-\\xff]{0,77}[\\x21-\\x7e\\xa1-\\xff])?")) {
            throw new IllegalArgumentException("'" + keyword + "' is not a PNG keyword");
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the PNG text '" + keyword + "' contains a NUL character");
        }
    }

    private static byte[] header(Picture picture) {
        ByteBuffer header = ByteBuffer.allocate(13);
        header.putInt(picture.width).putInt(picture.height);
        // Depth 8, colour type, deflate, adaptive filters, no interlace.
        return header.put(new byte[] {8, (byte) (picture.alpha == null ? 2 : 6), 0, 0, 0}).array();
    }

    /** Keyword, 0, not compressed, method 0, no language, 0, no translated keyword, 0, UTF-8 text. */
    private static byte[] internationalText(String keyword, String text) {
        byte[] name = keyword.getBytes(StandardCharsets.ISO_8859_1);
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(name.length + 5 + utf8.length).put(name).put(new byte[5]).put(utf8).array();
    }

    private static void writeChunk(DataOutputStream out, String type, byte[] data, int length) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data, 0, length);
        out.writeInt(length);
        out.write(name);
        out.write(data, 0, length);
        out.writeInt((int) crc.getValue());
    }

    /** Each row with the filter whose differences are smallest, the heuristic of the PNG specification (12.8). */
    private static void writeRows(Picture picture, OutputStream out) throws IOException {
        int step = picture.alpha == null ? 3 : 4;
        int length = step * picture.width;
        byte[] above = new byte[length];
        byte[] row = new byte[length];
        byte[][] filtered = new byte[FILTERS][length];
        for (int y = 0; y < picture.height; y++) {
            gather(picture, y, row);
            int best = 0;
            long least = Long.MAX_VALUE;
            for (int filter = 0; filter < FILTERS; filter++) {
                long sum = filter(filter, row, above, step, filtered[filter]);
                if (sum < least) {
                    least = sum;
                    best = filter;
                }
            }
            out.write(best);
            out.write(filtered[best]);
            byte[] done = above;
            above = row;
            row = done;
        }
    }

    private static void gather(Picture picture, int y, byte[] row) {
        if (picture.alpha == null) {
            System.arraycopy(picture.rgb, y * row.length, row, 0, row.length);
            return;
        }
        for (int x = 0; x < picture.width; x++) {
            int pixel = y * picture.width + x;
            System.arraycopy(picture.rgb, 3 * pixel, row, 4 * x, 3);
            row[4 * x + 3] = picture.alpha[pixel];
        }
    }

    /** Filters a row (specification 9.2) and returns the sum of the absolute differences. */
    private static long filter(int type, byte[] row, byte[] above, int step, byte[] out) {
        long sum = 0;
        for (int i = 0; i < row.length; i++) {
            int left = i < step ? 0 : row[i - step] & 255;
            int up = above[i] & 255;
            int predicted = switch (type) {
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                case 4 -> paeth(left, up, i < step ? 0 : above[i - step] & 255);
                default -> 0;
            };
            out[i] = (byte) (row[i] - predicted);
            sum += Math.abs(out[i]);
        }
        return sum;
    }

    private static int paeth(int left, int up, int corner) {
        int toLeft = Math.abs(up - corner);
        int toUp = Math.abs(left - corner);
        int toCorner = Math.abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    /** Cuts the compressed stream into IDAT chunks. */
    private static final class DataChunks extends OutputStream {

        private final DataOutputStream file;
        private final byte[] chunk = new byte[DATA_CHUNK];
        private int filled;

        DataChunks(DataOutputStream file) {
            this.file = file;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            for (int done = 0; done < length; ) {
                int part = Math.min(length - done, chunk.length - filled);
                System.arraycopy(bytes, offset + done, chunk, filled, part);
                done += part;
                filled += part;
                if (filled == chunk.length) {
                    writeFilled();
                }
            }
        }

        private void writeFilled() throws IOException {
            writeChunk(file, "IDAT", chunk, filled);
            filled = 0;
        }

        @Override
        public void close() throws IOException {
            if (filled > 0) {
                writeFilled();
            }
        }
    }
}
