package dev.likeness.image;

import dev.likeness.error.Refusal;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Where the subject is: a coverage from 0 (not subject, black) to 1 (subject, white) for each pixel. A pixel counts as
 * subject from {@link #SUBJECT} on. Immutable.
 */
public final class Mask {

    /** The coverage from which on a pixel counts as subject. */
    public static final float SUBJECT = 0.5f;

    private final int width;
    private final int height;
    private final float[] coverage;

    private Mask(float[] coverage, int width, int height) {
        this.width = width;
        this.height = height;
        this.coverage = coverage;
    }

    /**
     * @param coverage {@code height * width} values from 0 to 1, row by row
     * @throws IllegalArgumentException when length or values do not fit
     */
    public static Mask of(int width, int height, float[] coverage) {
        if (width < 1 || height < 1 || coverage.length != (long) width * height) {
            throw new IllegalArgumentException(
                    "%d x %d pixels do not fit %d coverages".formatted(width, height, coverage.length));
        }
        for (float value : coverage) {
            if (!(value >= 0 && value <= 1)) {
                throw new IllegalArgumentException("a coverage of " + value + " is outside 0 to 1");
            }
        }
        return new Mask(coverage.clone(), width, height);
    }

    /** Everything is subject. */
    public static Mask full(int width, int height) {
        float[] coverage = new float[Math.multiplyExact(width, height)];
        Arrays.fill(coverage, 1);
        return of(width, height, coverage);
    }

    /**
     * Reads a mask from the luminance of a picture file.
     *
     * @param invert whether black is the subject in this file
     * @throws Refusal (input) when the file cannot be read as a picture
     */
    public static Mask read(Path file, boolean invert) {
        return ofLuminance(Pictures.read(file), invert);
    }

    /** From luminance (Rec. 601, as most tools make grey); what is transparent is never subject. */
    public static Mask ofLuminance(Picture picture, boolean invert) {
        float[] coverage = new float[picture.width * picture.height];
        for (int i = 0; i < coverage.length; i++) {
            float light = picture.luminance(i) / 255;
            float opaque = picture.alpha == null ? 1 : (picture.alpha[i] & 255) / 255f;
            coverage[i] = opaque * (invert ? 1 - light : light);
        }
        return new Mask(coverage, picture.width, picture.height);
    }

    /**
     * From transparency: what is opaque is the subject.
     *
     * @param name how the picture is called in the refusal
     * @throws Refusal (input) when the picture has no transparent pixel
     */
    public static Mask ofAlpha(Picture picture, String name) {
        if (picture.alpha == null) {
            throw Refusal.input("%s has no transparent pixels that could tell the subject apart; give a mask with --mask FILE.",
                    name);
        }
        float[] coverage = new float[picture.alpha.length];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = (picture.alpha[i] & 255) / 255f;
        }
        return new Mask(coverage, picture.width, picture.height);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** A copy of the {@code height * width} coverages. */
    public float[] coverage() {
        return coverage.clone();
    }

    public float coverage(int x, int y) {
        return coverage[y * width + x];
    }

    public boolean isSubject(int x, int y) {
        return coverage(x, y) >= SUBJECT;
    }

    /** Whether no pixel counts as subject. */
    public boolean isEmpty() {
        return box().isEmpty();
    }

    /** The share of the area that is covered, 0 to 1. */
    public double fraction() {
        double sum = 0;
        for (float value : coverage) {
            sum += value;
        }
        return sum / coverage.length;
    }

    /**
     * How well two masks agree: pixels that are subject in both, as a share of those that are in either; 1 when neither
     * has any.
     *
     * @throws IllegalArgumentException when the sizes differ
     */
    public double iou(Mask other) {
        if (width != other.width || height != other.height) {
            throw new IllegalArgumentException("masks of %d x %d and %d x %d pixels cannot be compared".formatted(width,
                    height, other.width, other.height));
        }
        int both = 0;
        int either = 0;
        for (int i = 0; i < coverage.length; i++) {
            boolean here = coverage[i] >= SUBJECT;
            boolean there = other.coverage[i] >= SUBJECT;
            both += here && there ? 1 : 0;
            either += here || there ? 1 : 0;
        }
        return either == 0 ? 1 : (double) both / either;
    }

    /** The smallest box around all pixels that count as subject; empty when there are none. */
    public Optional<Box> box() {
        int left = width;
        int right = -1;
        int top = height;
        int bottom = -1;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                if (isSubject(x, y)) {
                    left = Math.min(left, x);
                    right = Math.max(right, x);
                    top = Math.min(top, y);
                    bottom = y;
                }
            }
        }
        return right < 0 ? Optional.empty() : Optional.of(new Box(left, top, right - left + 1, bottom - top + 1));
    }

    /**
     * @param maskName    how the mask is called in the refusal
     * @param pictureName how the picture is called there
     * @throws Refusal (input) when the mask is not of the picture's size
     */
    public void requireSizeOf(Picture picture, String maskName, String pictureName) {
        if (width != picture.width || height != picture.height) {
            throw Refusal.input("The mask %s is %d x %d pixels but the picture %s is %d x %d; make them the same size.",
                    maskName, width, height, pictureName, picture.width, picture.height);
        }
    }

    /** What is subject in both, each pixel the smaller coverage. */
    public Mask and(Mask other) {
        if (other.width != width || other.height != height) {
            throw new IllegalArgumentException(this + " and " + other + " differ in size");
        }
        float[] both = new float[coverage.length];
        for (int i = 0; i < both.length; i++) {
            both[i] = Math.min(coverage[i], other.coverage[i]);
        }
        return new Mask(both, width, height);
    }

    /** Subject and surroundings swapped. */
    public Mask invert() {
        float[] inverted = new float[coverage.length];
        for (int i = 0; i < inverted.length; i++) {
            inverted[i] = 1 - coverage[i];
        }
        return new Mask(inverted, width, height);
    }

    /** Each new pixel takes the old pixel under its centre, so no new coverages appear. */
    public Mask resizeNearest(int newWidth, int newHeight) {
        if (newWidth < 1 || newHeight < 1) {
            throw new IllegalArgumentException("a mask needs at least one pixel, not " + newWidth + " x " + newHeight);
        }
        float[] resized = new float[Math.multiplyExact(newWidth, newHeight)];
        for (int y = 0; y < newHeight; y++) {
            int row = (int) ((2L * y + 1) * height / (2L * newHeight));
            for (int x = 0; x < newWidth; x++) {
                int column = (int) ((2L * x + 1) * width / (2L * newWidth));
                resized[y * newWidth + x] = coverage[row * width + column];
            }
        }
        return new Mask(resized, newWidth, newHeight);
    }

    /**
     * Resampled as pictures are: the mean of the covered area where it shrinks, smooth (Catmull-Rom, cut off at 0 and 1)
     * where it grows, each axis for itself.
     */
    public Mask resize(int newWidth, int newHeight) {
        return newWidth == width && newHeight == height ? this
                : new Mask(Resampling.resize(coverage, width, height, newWidth, newHeight), newWidth, newHeight);
    }

    /** All subject where the coverage is at least {@code least}, nothing elsewhere. */
    public Mask threshold(float least) {
        float[] hard = new float[coverage.length];
        for (int i = 0; i < hard.length; i++) {
            hard[i] = coverage[i] >= least ? 1 : 0;
        }
        return new Mask(hard, width, height);
    }

    /** The largest part of the subject whose pixels touch each other by their sides; empty when there is no subject. */
    public Mask largestPart() {
        int[] part = new int[coverage.length];
        int[] waiting = new int[coverage.length];
        int best = 0;
        int most = 0;
        int parts = 0;
        for (int start = 0; start < part.length; start++) {
            if (part[start] == 0 && isSubject(start % width, start / width)) {
                int size = fill(part, start, ++parts, waiting);
                if (size > most) {
                    most = size;
                    best = parts;
                }
            }
        }
        return only(part, best);
    }

    /** The part of the subject that hangs together with a pixel over the sides of pixels; the pixel itself is in it at least. */
    public Mask partAt(int x, int y) {
        int[] part = new int[coverage.length];
        fill(part, y * width + x, 1, new int[coverage.length]);
        Mask found = only(part, 1);
        if (!isSubject(x, y)) {
            found.coverage[y * width + x] = 1;
        }
        return found;
    }

    /**
     * Gives a number to a pixel and to all of the subject that it touches.
     *
     * @param part numbers by pixel, 0 for none yet
     * @param waiting room for as many pixels as there are
     * @return how many pixels got it
     */
    private int fill(int[] part, int start, int number, int[] waiting) {
        int done = 0;
        int end = 0;
        waiting[end++] = start;
        part[start] = number;
        while (done < end) {
            int at = waiting[done++];
            int x = at % width;
            for (int next : new int[] {x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1, at - width, at + width}) {
                if (next >= 0 && next < part.length && part[next] == 0 && isSubject(next % width, next / width)) {
                    part[next] = number;
                    waiting[end++] = next;
                }
            }
        }
        return done;
    }

    /** What has that number; nothing where the number is 0. */
    private Mask only(int[] part, int number) {
        float[] kept = new float[coverage.length];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = number != 0 && part[i] == number ? coverage[i] : 0;
        }
        return new Mask(kept, width, height);
    }

    /** Moved right and down by whole pixels; what leaves is lost, what enters is not subject. */
    public Mask translate(int dx, int dy) {
        float[] moved = new float[coverage.length];
        int left = Math.max(0, dx);
        int count = Math.min(width, width + dx) - left;
        for (int y = Math.max(0, dy); y < Math.min(height, height + dy) && count > 0; y++) {
            System.arraycopy(coverage, (y - dy) * width + left - dx, moved, y * width + left, count);
        }
        return new Mask(moved, width, height);
    }

    /**
     * Grown: each pixel takes the largest coverage under the kernel.
     *
     * @param radius pixels from the kernel's centre to its edge, 0 or more; the paper's kernel of 5 px has radius 2
     */
    public Mask dilate(int radius) {
        return extreme(1, radius);
    }

    /** Shrunk: the surroundings grown. The canvas edge does not eat into the subject. */
    public Mask erode(int radius) {
        return extreme(-1, radius);
    }

    /**
     * Softened outwards: 1 on the subject, and outside it falling in a straight line to 0 at {@code radius} pixels from it.
     * Distances are those of walks in eight directions, less than 9 % longer than the straight ones.
     */
    public Mask feather(int radius) {
        float[] distance = new float[coverage.length];
        for (int i = 0; i < distance.length; i++) {
            distance[i] = isSubject(i % width, i / width) ? 0 : Float.MAX_VALUE;
        }
        float diagonal = (float) Math.sqrt(2);
        for (int i = 0; i < distance.length; i++) { // from above and the left
            relax(distance, i, -1, 0, 1);
            relax(distance, i, -1, -1, diagonal);
            relax(distance, i, 0, -1, 1);
            relax(distance, i, 1, -1, diagonal);
        }
        for (int i = distance.length - 1; i >= 0; i--) { // from below and the right
            relax(distance, i, 1, 0, 1);
            relax(distance, i, 1, 1, diagonal);
            relax(distance, i, 0, 1, 1);
            relax(distance, i, -1, 1, diagonal);
        }
        for (int i = 0; i < distance.length; i++) {
            distance[i] = distance[i] == 0 ? 1 : distance[i] >= radius ? 0 : 1 - distance[i] / radius;
        }
        return new Mask(distance, width, height);
    }

    private void relax(float[] distance, int at, int dx, int dy, float length) {
        int x = at % width + dx;
        int y = at / width + dy;
        if (x >= 0 && x < width && y >= 0 && y < height) {
            distance[at] = Math.min(distance[at], distance[y * width + x] + length);
        }
    }

    /** The largest coverage under the kernel (sign 1), or the smallest (sign -1). */
    private Mask extreme(int sign, int radius) {
        if (radius < 0) {
            throw new IllegalArgumentException("a radius of " + radius + " is negative");
        }
        float[] best = new float[coverage.length];
        Arrays.fill(best, Float.NEGATIVE_INFINITY);
        float[] line = new float[width];
        int reach = Math.min(radius, height - 1);
        for (int dy = -reach; dy <= reach; dy++) {
            int half = Math.min(width, radius);
            for (int y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
                slidingMaximum(sign, (y + dy) * width, half, line);
                for (int x = 0; x < width; x++) {
                    best[y * width + x] = Math.max(best[y * width + x], line[x]);
                }
            }
        }
        for (int i = 0; i < best.length; i++) {
            best[i] *= sign;
        }
        return new Mask(best, width, height);
    }

    /**
     * The maximum of one row's signed coverages over {@code half} pixels to either side of each pixel, in time that does
     * not depend on half.
     */
    private void slidingMaximum(int sign, int start, int half, float[] out) {
        int[] queue = new int[width]; // columns with falling values: the first holds the maximum of the window
        int head = 0;
        int tail = 0;
        for (int x = 0, next = 0; x < width; x++) {
            for (; next < width && next <= x + half; next++) {
                float value = sign * coverage[start + next];
                while (tail > head && sign * coverage[start + queue[tail - 1]] <= value) {
                    tail--;
                }
                queue[tail++] = next;
            }
            while (queue[head] < x - half) {
                head++;
            }
            out[x] = sign * coverage[start + queue[head]];
        }
    }

    /** White where the subject is, black elsewhere, grey between. */
    public Picture toPicture() {
        byte[] rgb = new byte[3 * coverage.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) Math.round(255 * coverage[i / 3]);
        }
        return Picture.owning(width, height, rgb, null);
    }

    /** Same size and same coverages. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Mask m && m.width == width && m.height == height
                && Arrays.equals(m.coverage, coverage);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(coverage);
    }

    @Override
    public String toString() {
        return "Mask[%d x %d, %.1f %% subject]".formatted(width, height, 100 * fraction());
    }
}
