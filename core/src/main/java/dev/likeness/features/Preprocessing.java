package dev.likeness.features;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Picture;
import dev.likeness.image.Pillow;
import dev.likeness.model.ConfigJson;
import dev.likeness.tensor.Tensors;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * From a picture to what a vision network is fed with, as the image processors of transformers do it with Pillow: resampled,
 * cut out, scaled, normalised.
 *
 * @param frame  what becomes of the picture's size
 * @param factor that the 8-bit values are multiplied by
 * @param mean   subtracted afterwards, red green blue
 * @param std    divided by at last
 */
public record Preprocessing(Frame frame, Pillow filter, double factor, List<Double> mean, List<Double> std) {

    private static final long MAX_PIXELS = 64_000_000;

    /**
     * What DINO's scores are published with, whatever the folder says: the shorter edge to 256 bicubically, then the middle
     * 224 x 224. DINO's folders in transformers' layout squeeze the picture to 224 x 224 bilinearly instead.
     */
    public static final Preprocessing DINO_SCORES = new Preprocessing(new Middle(256, 224, 224), Pillow.BICUBIC, 1 / 255.0,
            List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

    public Preprocessing {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if (mean.size() != 3 || std.size() != 3 || std.contains(0.0)) {
            throw new IllegalArgumentException("image_mean and image_std need three numbers each, image_std none of them 0");
        }
    }

    /** What becomes of a picture's size. */
    public sealed interface Frame permits Whole, Shortest, Middle {}

    /** The whole picture is squeezed to this size. */
    public record Whole(int width, int height) implements Frame {

        public Whole {
            requirePositive(width, height);
        }
    }

    /** The whole picture keeps its form; its shorter edge becomes this long, in pixels. */
    public record Shortest(int edge) implements Frame {

        public Shortest {
            requirePositive(edge);
        }
    }

    /** As {@link Shortest}, and the middle of that size is cut out, half pixels to the left and above. */
    public record Middle(int edge, int width, int height) implements Frame {

        public Middle {
            requirePositive(width, height);
            if (edge < width || edge < height) {
                throw new IllegalArgumentException("crop_size must not be greater than the shortest edge in size");
            }
        }
    }

    private static void requirePositive(int... lengths) {
        for (int length : lengths) {
            if (length < 1) {
                throw new IllegalArgumentException("size and crop_size must be at least 1 pixel");
            }
        }
    }

    /**
     * float32 pixels [1, 3, h, w]; alpha is dropped, as the public processors drop it.
     *
     * @throws Refusal (input) when the picture is so long that its shorter edge would reach the size only beyond all memory
     */
    public Tensor pixels(Picture picture) {
        Picture framed = framed(picture);
        int plane = framed.width() * framed.height();
        byte[] rgb = framed.rgb();
        float[] values = new float[3 * plane];
        for (int c = 0; c < 3; c++) {
            float subtracted = mean.get(c).floatValue();
            float divisor = std.get(c).floatValue();
            for (int i = 0; i < plane; i++) {
                values[c * plane + i] = ((float) ((rgb[3 * i + c] & 255) * factor) - subtracted) / divisor;
            }
        }
        return Tensors.of(values, 1, 3, framed.height(), framed.width());
    }

    /** The part of the picture that the network sees, at the size in which it sees it. */
    public Picture framed(Picture picture) {
        if (frame instanceof Whole whole) {
            return filter.resize(picture, whole.width, whole.height);
        }
        if (frame instanceof Shortest shortest) {
            return shortest(picture, shortest.edge);
        }
        Middle middle = (Middle) frame;
        Picture resized = shortest(picture, middle.edge);
        return resized.crop(new Box((resized.width() - middle.width) / 2, (resized.height() - middle.height) / 2,
                middle.width, middle.height));
    }

    private Picture shortest(Picture picture, int edge) {
        int shorter = Math.min(picture.width(), picture.height());
        int longer = Math.max(picture.width(), picture.height());
        long other = (long) ((double) ((long) edge * longer) / shorter); // rounded down
        if (edge * other > MAX_PIXELS) {
            throw Refusal.input("a picture of %d x %d is too long for a network that sees squares; crop it.", picture.width(),
                    picture.height());
        }
        return picture.width() <= picture.height() ? filter.resize(picture, edge, (int) other)
                : filter.resize(picture, (int) other, edge);
    }

    /**
     * Reads a preprocessor_config.json of a CLIP, BiT or ViT image processor, of any version of transformers.
     *
     * @throws Refusal (model) when it is missing, damaged, or says something that is not done here
     */
    public static Preprocessing read(Path file) {
        PreprocessorJson json = ConfigJson.read(file, PreprocessorJson.class, PreprocessorJson.UNUSED, PreprocessorJson.FIXED);
        try {
            return json.preprocessing();
        } catch (IllegalArgumentException e) {
            throw Refusal.model("%s is not supported: %s", file, e.getMessage(), e);
        }
    }
}
