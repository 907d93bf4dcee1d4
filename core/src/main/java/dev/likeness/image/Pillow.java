package dev.likeness.image;

/**
 * Resampling as Pillow's {@code Image.resize} does it, to the bit: what the public preprocessors of CLIP and DINO feed their
 * networks with. Across first, then down, rounded to 8 bits in between (Pillow 13 turns the order round where much more of the
 * height goes than of the width; scores were published before); where a picture shrinks the filter widens. Pictures are
 * otherwise resampled by {@link Picture#resize}.
 */
public enum Pillow {
    BILINEAR(1) {
        @Override
        double weight(double distance) {
            return distance < 1 ? 1 - distance : 0;
        }
    },
    BICUBIC(2) {
        @Override
        double weight(double distance) {
            double d = distance;
            return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? -0.5 * (((d - 5) * d + 8) * d - 4) : 0;
        }
    };

    private static final int PRECISION_BITS = 22; // of the weights, which are whole numbers there

    private final double support; // pixels to either side that have weight when nothing shrinks

    Pillow(double support) {
        this.support = support;
    }

    abstract double weight(double distance);

    /** Weights of the input pixels from {@code first} on, by output pixel. */
    private record Taps(int[] first, int[][] weights) {}

    /** The picture at another size; its alpha is dropped, as {@code convert("RGB")} drops it. */
    public Picture resize(Picture picture, int width, int height) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("a picture needs at least one pixel, not " + width + " x " + height);
        }
        byte[] rgb = picture.rgb;
        if (width != picture.width) {
            rgb = across(rgb, picture.width, picture.height, width);
        }
        if (height != picture.height) {
            rgb = down(rgb, width, picture.height, height);
        }
        return Picture.owning(width, height, rgb == picture.rgb ? rgb.clone() : rgb, null);
    }

    private byte[] across(byte[] rgb, int from, int rows, int to) {
        Taps taps = taps(from, to);
        byte[] out = new byte[Math.multiplyExact(3, Math.multiplyExact(to, rows))];
        for (int y = 0, i = 0; y < rows; y++) {
            for (int x = 0; x < to; x++) {
                int at = 3 * (y * from + taps.first[x]);
                for (int c = 0; c < 3; c++) {
                    out[i++] = sum(rgb, at + c, 3, taps.weights[x]);
                }
            }
        }
        return out;
    }

    private byte[] down(byte[] rgb, int columns, int from, int to) {
        Taps taps = taps(from, to);
        int stride = 3 * columns;
        byte[] out = new byte[Math.multiplyExact(stride, to)];
        for (int y = 0, i = 0; y < to; y++) {
            for (int x = 0; x < stride; x++) {
                out[i++] = sum(rgb, taps.first[y] * stride + x, stride, taps.weights[y]);
            }
        }
        return out;
    }

    private static byte sum(byte[] values, int at, int stride, int[] weights) {
        int sum = 1 << PRECISION_BITS - 1;
        for (int k = 0, i = at; k < weights.length; k++, i += stride) {
            sum += (values[i] & 255) * weights[k];
        }
        return (byte) Math.max(0, Math.min(255, sum >> PRECISION_BITS));
    }

    private Taps taps(int from, int to) {
        double scale = (double) from / to;
        double stretch = Math.max(1, scale);
        double reach = support * stretch;
        int[] first = new int[to];
        int[][] weights = new int[to][];
        for (int i = 0; i < to; i++) {
            double centre = (i + 0.5) * scale;
            first[i] = Math.max(0, (int) (centre - reach + 0.5));
            double[] exact = new double[Math.min(from, (int) (centre + reach + 0.5)) - first[i]];
            double sum = 0;
            for (int k = 0; k < exact.length; k++) {
                exact[k] = weight(Math.abs((k + first[i] - centre + 0.5) * (1 / stretch)));
                sum += exact[k];
            }
            weights[i] = new int[exact.length];
            for (int k = 0; k < exact.length; k++) {
                double whole = exact[k] / sum * (1 << PRECISION_BITS);
                weights[i][k] = (int) (whole < 0 ? whole - 0.5 : whole + 0.5);
            }
        }
        return new Taps(first, weights);
    }
}
