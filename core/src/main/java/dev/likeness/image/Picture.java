package dev.likeness.image;

import java.util.Arrays;

/**
 * Pixels in sRGB, 8 bits a channel, with or without transparency. Immutable: arrays are copied on the way in and out.
 * Colours are not multiplied by their alpha.
 */
public final class Picture {

    final int width;
    final int height;
    final byte[] rgb;
    final byte[] alpha;

    /** Takes the arrays as they are; the caller gives them away. */
    private Picture(byte[] rgb, byte[] alpha, int width, int height) {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height
                || alpha != null && alpha.length != (long) width * height) {
            throw new IllegalArgumentException("%d x %d pixels do not fit %d colour and %s alpha bytes".formatted(
                    width, height, rgb.length, alpha == null ? "no" : alpha.length));
        }
        this.width = width;
        this.height = height;
        this.rgb = rgb;
        this.alpha = alpha;
    }

    /**
     * @param rgb   {@code height * width * 3} bytes, row by row, red green blue
     * @param alpha {@code height * width} bytes, 255 opaque; null when every pixel is opaque
     * @throws IllegalArgumentException when the lengths do not fit
     */
    public static Picture of(int width, int height, byte[] rgb, byte[] alpha) {
        return new Picture(rgb.clone(), alpha == null ? null : alpha.clone(), width, height);
    }

    /** For this package, which has just made the arrays and keeps no hold of them. */
    static Picture owning(int width, int height, byte[] rgb, byte[] alpha) {
        return new Picture(rgb, alpha, width, height);
    }

    /** One colour, {@code 0xRRGGBB}, everywhere. */
    public static Picture filled(int width, int height, int colour) {
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        for (int i = 0; i < rgb.length; i += 3) {
            put(rgb, i, colour);
        }
        return owning(width, height, rgb, null);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** A copy of the {@code height * width * 3} colour bytes. */
    public byte[] rgb() {
        return rgb.clone();
    }

    public boolean hasAlpha() {
        return alpha != null;
    }

    /** A copy of the {@code height * width} alpha bytes, or null when the picture is opaque. */
    public byte[] alpha() {
        return alpha == null ? null : alpha.clone();
    }

    /** The colour {@code 0xRRGGBB} at a pixel. */
    public int colour(int x, int y) {
        int i = 3 * (y * width + x);
        return (rgb[i] & 255) << 16 | (rgb[i + 1] & 255) << 8 | rgb[i + 2] & 255;
    }

    /** Luminance of a pixel (Rec. 601), 0 to 255. @param pixel row-major number */
    public float luminance(int pixel) {
        int sum = 299 * (rgb[3 * pixel] & 255) + 587 * (rgb[3 * pixel + 1] & 255) + 114 * (rgb[3 * pixel + 2] & 255);
        return sum / 1000f;
    }

    /**
     * Resampled to another size: the mean of the covered area where it shrinks, bicubic (Catmull-Rom) where it grows,
     * each axis for itself. Transparent pixels lend no colour to their neighbours.
     */
    public Picture resize(int newWidth, int newHeight) {
        return newWidth == width && newHeight == height ? this : Resampling.resize(this, newWidth, newHeight);
    }

    /** The part inside the box. @throws IllegalArgumentException when the box leaves the picture */
    public Picture crop(Box box) {
        if (box.x() < 0 || box.y() < 0 || box.x() + box.width() > width || box.y() + box.height() > height) {
            throw new IllegalArgumentException(box + " leaves the picture of " + width + " x " + height);
        }
        byte[] colours = new byte[3 * box.width() * box.height()];
        byte[] alphas = alpha == null ? null : new byte[box.width() * box.height()];
        for (int y = 0; y < box.height(); y++) {
            int from = (box.y() + y) * width + box.x();
            System.arraycopy(rgb, 3 * from, colours, 3 * y * box.width(), 3 * box.width());
            if (alphas != null) {
                System.arraycopy(alpha, from, alphas, y * box.width(), box.width());
            }
        }
        return owning(box.width(), box.height(), colours, alphas);
    }

    /**
     * The picture with a border of one opaque colour, {@code 0xRRGGBB}.
     *
     * @param left pixels added on that side, 0 or more, as are the others
     */
    public Picture pad(int left, int top, int right, int bottom, int colour) {
        if (Math.min(Math.min(left, right), Math.min(top, bottom)) < 0) {
            throw new IllegalArgumentException("a border cannot be negative; use crop");
        }
        Picture canvas = filled(left + width + right, top + height + bottom, colour);
        byte[] alphas = alpha == null ? null : new byte[canvas.width * canvas.height];
        if (alphas != null) {
            Arrays.fill(alphas, (byte) 255);
        }
        for (int y = 0; y < height; y++) {
            int to = (top + y) * canvas.width + left;
            System.arraycopy(rgb, 3 * y * width, canvas.rgb, 3 * to, 3 * width);
            if (alphas != null) {
                System.arraycopy(alpha, y * width, alphas, to, width);
            }
        }
        return owning(canvas.width, canvas.height, canvas.rgb, alphas);
    }

    /**
     * The picture with a border that repeats the pixel nearest to it.
     *
     * @param left pixels added on that side, 0 or more, as are the others
     */
    public Picture extend(int left, int top, int right, int bottom) {
        Picture canvas = pad(left, top, right, bottom, 0);
        for (int y = 0; y < canvas.height; y++) {
            int fromY = Math.min(height - 1, Math.max(0, y - top));
            for (int x = 0; x < canvas.width; x++) {
                int from = fromY * width + Math.min(width - 1, Math.max(0, x - left));
                int to = y * canvas.width + x;
                System.arraycopy(rgb, 3 * from, canvas.rgb, 3 * to, 3);
                if (alpha != null) {
                    canvas.alpha[to] = alpha[from];
                }
            }
        }
        return canvas;
    }

    /**
     * Another picture of the same size laid over this opaque one: all of it where the mask is white, none of it where it is
     * black.
     */
    public Picture under(Picture top, Mask mask) {
        if (alpha != null || top.width != width || top.height != height || mask.width() != width
                || mask.height() != height) {
            throw new IllegalArgumentException(this + " cannot lie under " + top + " by " + mask);
        }
        byte[] mixed = rgb.clone();
        for (int i = 0; i < mixed.length; i++) {
            int pixel = i / 3;
            float share = mask.coverage(pixel % width, pixel / width);
            mixed[i] = (byte) Math.round((rgb[i] & 255) + share * ((top.rgb[i] & 255) - (rgb[i] & 255)));
        }
        return owning(width, height, mixed, null);
    }

    /**
     * Transparent pixels near opaque ones take their colour and become opaque as well, less so the farther they are, none of it
     * from {@code radius} pixels on. So what later mixes neighbours at the rim finds the subject's colours there.
     */
    public Picture spread(int radius) {
        if (alpha == null) {
            return this;
        }
        int[] nearest = new int[width * height]; // opaque pixel that a pixel takes its colour from, -1 for none yet
        for (int i = 0; i < nearest.length; i++) {
            nearest[i] = (alpha[i] & 255) > 127 ? i : -1;
        }
        for (int i = 0; i < nearest.length; i++) { // from above and the left, then from below and the right
            takeNearer(nearest, i, -1, 0);
            takeNearer(nearest, i, -1, -1);
            takeNearer(nearest, i, 0, -1);
            takeNearer(nearest, i, 1, -1);
        }
        for (int i = nearest.length - 1; i >= 0; i--) {
            takeNearer(nearest, i, 1, 0);
            takeNearer(nearest, i, 1, 1);
            takeNearer(nearest, i, 0, 1);
            takeNearer(nearest, i, -1, 1);
        }
        byte[] colours = rgb.clone();
        byte[] alphas = alpha.clone();
        for (int i = 0; i < nearest.length; i++) {
            double distance = nearest[i] < 0 ? radius : Math.sqrt(squaredDistance(i, nearest[i]));
            if (nearest[i] != i && distance < radius) {
                System.arraycopy(rgb, 3 * nearest[i], colours, 3 * i, 3);
                alphas[i] = (byte) Math.max(alpha[i] & 255, Math.round(255 * (1 - distance / radius)));
            }
        }
        return owning(width, height, colours, alphas);
    }

    private void takeNearer(int[] nearest, int at, int dx, int dy) {
        int x = at % width + dx;
        int y = at / width + dy;
        int offered = x >= 0 && x < width && y >= 0 && y < height ? nearest[y * width + x] : -1;
        if (offered >= 0 && (nearest[at] < 0 || squaredDistance(at, offered) < squaredDistance(at, nearest[at]))) {
            nearest[at] = offered;
        }
    }

    private int squaredDistance(int a, int b) {
        int dx = a % width - b % width;
        int dy = a / width - b / width;
        return dx * dx + dy * dy;
    }

    /** The picture laid on an opaque background colour, {@code 0xRRGGBB}; itself when it is opaque. */
    public Picture flatten(int background) {
        if (alpha == null) {
            return this;
        }
        byte[] flat = new byte[rgb.length];
        for (int i = 0; i < alpha.length; i++) {
            int a = alpha[i] & 255;
            for (int c = 0; c < 3; c++) {
                int under = background >> 16 - 8 * c & 255;
                flat[3 * i + c] = (byte) (((rgb[3 * i + c] & 255) * a + under * (255 - a) + 127) / 255);
            }
        }
        return owning(width, height, flat, null);
    }

    private static void put(byte[] rgb, int i, int colour) {
        rgb[i] = (byte) (colour >> 16);
        rgb[i + 1] = (byte) (colour >> 8);
        rgb[i + 2] = (byte) colour;
    }

    /** Same size and same bytes. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Picture p && p.width == width && p.height == height && Arrays.equals(p.rgb, rgb)
                && Arrays.equals(p.alpha, alpha);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(rgb) + Arrays.hashCode(alpha);
    }

    @Override
    public String toString() {
        return "Picture[%d x %d%s]".formatted(width, height, alpha == null ? "" : " with alpha");
    }
}
