package dev.likeness.image;

import java.util.Arrays;

/**
 * Separable resampling. Rows are resampled as they are needed and only the few that one output row sees are held, so a
 * large photo costs little memory beside itself.
 */
final class Resampling {

    /** How far the sum of a pixel's weights may be from 1. */
    private static final float ROUNDING = 1e-5f;

    /**
     * What each output position sees of one input axis.
     *
     * @param first   index of the first input position seen, by output position
     * @param weights weights from there on, their sum 1, by output position
     */
    private record Taps(int[] first, float[][] weights) {

        static Taps of(int from, int to) {
            return to < from ? area(from, to) : bicubic(from, to);
        }

        /** Each output position is the mean of what it covers, parts of pixels by their part. */
        private static Taps area(int from, int to) {
            int[] first = new int[to];
            float[][] weights = new float[to][];
            for (int i = 0; i < to; i++) {
                // In units of 1/to of an input pixel everything is whole, so no rounding moves an edge.
                long start = (long) i * from;
                long end = start + from;
                first[i] = (int) (start / to);
                int last = (int) ((end - 1) / to);
                weights[i] = new float[last - first[i] + 1];
                for (int k = first[i]; k <= last; k++) {
                    long covered = Math.min(end, (k + 1L) * to) - Math.max(start, (long) k * to);
                    weights[i][k - first[i]] = (float) ((double) covered / from);
                }
            }
            return new Taps(first, weights);
        }

        /** Catmull-Rom: passes through the pixels and reproduces straight gradients; the edge pixel repeats outside. */
        private static Taps bicubic(int from, int to) {
            int[] first = new int[to];
            float[][] weights = new float[to][];
            for (int i = 0; i < to; i++) {
                double centre = (i + 0.5) * from / to - 0.5;
                int base = (int) Math.floor(centre) - 1;
                first[i] = Math.max(0, base);
                weights[i] = new float[Math.min(from - 1, base + 3) - first[i] + 1];
                for (int k = base; k <= base + 3; k++) {
                    int inside = Math.max(0, Math.min(from - 1, k));
                    weights[i][inside - first[i]] += (float) catmullRom(Math.abs(centre - k));
                }
            }
            return new Taps(first, weights);
        }

        private static double catmullRom(double distance) {
            double d = distance;
            return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
        }
    }

    private final Picture source;
    private final int channels;
    private final Taps across;
    private final float[][] held; // resampled rows by input row, a ring
    private final int[] heldRow;

    private Resampling(Picture source, int width, int ring) {
        this.source = source;
        channels = source.alpha == null ? 3 : 4;
        across = Taps.of(source.width, width);
        held = new float[ring][width * channels];
        heldRow = new int[ring];
        Arrays.fill(heldRow, -1);
    }

    static Picture resize(Picture source, int width, int height) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("a picture needs at least one pixel, not " + width + " x " + height);
        }
        Taps down = Taps.of(source.height, height);
        int ring = 0;
        for (float[] weights : down.weights) {
            ring = Math.max(ring, weights.length);
        }
        Resampling resampling = new Resampling(source, width, ring);
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        byte[] alpha = source.alpha == null ? null : new byte[width * height];
        float[] sum = new float[width * resampling.channels];
        for (int y = 0; y < height; y++) {
            Arrays.fill(sum, 0);
            for (int k = 0; k < down.weights[y].length; k++) {
                float weight = down.weights[y][k];
                float[] row = resampling.row(down.first[y] + k);
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += weight * row[i];
                }
            }
            resampling.store(sum, y * width, rgb, alpha);
        }
        return Picture.owning(width, height, rgb, alpha);
    }

    /** Coverages from 0 to 1, {@code height * width} of them row by row, at another size. */
    static float[] resize(float[] plane, int width, int height, int newWidth, int newHeight) {
        if (newWidth < 1 || newHeight < 1) {
            throw new IllegalArgumentException("a mask needs at least one pixel, not " + newWidth + " x " + newHeight);
        }
        Taps across = Taps.of(width, newWidth);
        Taps down = Taps.of(height, newHeight);
        float[] rows = new float[Math.multiplyExact(newWidth, height)];
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0; x < newWidth; x++, i++) {
                float[] weights = across.weights[x];
                for (int k = 0, from = y * width + across.first[x]; k < weights.length; k++, from++) {
                    rows[i] += weights[k] * plane[from];
                }
            }
        }
        float[] resized = new float[Math.multiplyExact(newWidth, newHeight)];
        for (int y = 0, i = 0; y < newHeight; y++) {
            float[] weights = down.weights[y];
            for (int x = 0; x < newWidth; x++, i++) {
                float sum = 0;
                for (int k = 0, from = down.first[y] * newWidth + x; k < weights.length; k++, from += newWidth) {
                    sum += weights[k] * rows[from];
                }
                resized[i] = sum > 1 - ROUNDING ? 1 : sum < ROUNDING ? 0 : sum; // what is all subject stays so
            }
        }
        return resized;
    }

    /** An input row at the new width: three colours 0 to 255, or three premultiplied colours and alpha. */
    private float[] row(int y) {
        int slot = y % held.length;
        if (heldRow[slot] != y) {
            heldRow[slot] = y;
            float[] line = line(y);
            float[] out = held[slot];
            for (int x = 0; x < across.first.length; x++) {
                float[] weights = across.weights[x];
                for (int c = 0; c < channels; c++) {
                    float sum = 0;
                    for (int k = 0, i = across.first[x] * channels + c; k < weights.length; k++, i += channels) {
                        sum += weights[k] * line[i];
                    }
                    out[x * channels + c] = sum;
                }
            }
        }
        return held[slot];
    }

    private float[] line(int y) {
        float[] line = new float[source.width * channels];
        for (int x = 0; x < source.width; x++) {
            int pixel = y * source.width + x;
            float share = channels == 3 ? 1 : (source.alpha[pixel] & 255) / 255f;
            for (int c = 0; c < 3; c++) {
                line[x * channels + c] = share * (source.rgb[3 * pixel + c] & 255);
            }
            if (channels == 4) {
                line[x * channels + 3] = share;
            }
        }
        return line;
    }

    private void store(float[] sum, int firstPixel, byte[] rgb, byte[] alpha) {
        for (int x = 0; x < sum.length / channels; x++) {
            float share = channels == 3 ? 1 : Math.max(0, Math.min(1, sum[4 * x + 3]));
            for (int c = 0; c < 3; c++) {
                float value = share == 0 ? 0 : sum[channels * x + c] / share;
                rgb[3 * (firstPixel + x) + c] = (byte) Math.max(0, Math.min(255, Math.round(value)));
            }
            if (channels == 4) {
                alpha[firstPixel + x] = (byte) Math.round(255 * share);
            }
        }
    }
}
