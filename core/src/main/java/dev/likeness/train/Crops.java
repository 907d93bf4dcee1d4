package dev.likeness.train;

import dev.likeness.tensor.Tensors;
import dev.likeness.train.data.ToyPicture;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/** Pictures as tensors: pixels in [-1, 1]. */
final class Crops {

    private Crops() {}

    /** A square crop, 0 in {@code left} and {@code top} for the picture's own corner. */
    record Crop(ToyPicture picture, int left, int top, int side) {

        /** The whole picture. */
        static Crop whole(ToyPicture picture) {
            return new Crop(picture, 0, 0, picture.size());
        }

        /** A random crop; seven of ten lie around the first subject, whose pixels are the harder ones. */
        static Crop random(ToyPicture picture, int side, RandomGenerator random) {
            int room = picture.size() - side;
            if (picture.box() == null || random.nextInt(10) >= 7) {
                return new Crop(picture, random.nextInt(room + 1), random.nextInt(room + 1), side);
            }
            int x = picture.box().x - side / 2 + random.nextInt(picture.box().width + 1);
            int y = picture.box().y - side / 2 + random.nextInt(picture.box().height + 1);
            return new Crop(picture, clamp(x, room), clamp(y, room), side);
        }
    }

    private static int clamp(int value, int greatest) {
        return Math.max(0, Math.min(greatest, value));
    }

    /** [B, 3, side, side] float32. */
    static Tensor pixels(List<Crop> crops) {
        int side = crops.get(0).side();
        int plane = side * side;
        float[] values = new float[crops.size() * 3 * plane];
        for (int i = 0; i < crops.size(); i++) {
            Crop crop = crops.get(i);
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    int rgb = crop.picture().rgb()[(crop.top() + y) * crop.picture().size() + crop.left() + x];
                    int at = i * 3 * plane + y * side + x;
                    values[at] = (rgb >> 16 & 255) / 127.5f - 1;
                    values[at + plane] = (rgb >> 8 & 255) / 127.5f - 1;
                    values[at + 2 * plane] = (rgb & 255) / 127.5f - 1;
                }
            }
        }
        return Tensors.of(values, crops.size(), 3, side, side);
    }

    /** How much of each pixel belongs to a subject, [B, 1, side, side] float32 in [0, 1]. */
    static Tensor masks(List<Crop> crops) {
        int side = crops.get(0).side();
        float[] values = new float[crops.size() * side * side];
        for (int i = 0; i < crops.size(); i++) {
            Crop crop = crops.get(i);
            for (int y = 0; y < side; y++) {
                System.arraycopy(crop.picture().mask(), (crop.top() + y) * crop.picture().size() + crop.left(), values,
                        (i * side + y) * side, side);
            }
        }
        return Tensors.of(values, crops.size(), 1, side, side);
    }
}
