package dev.likeness.latents;

import dev.likeness.image.Picture;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** Pictures to tensors and back: pixels in [-1, 1], [1, 3, h, w]. */
public final class Pixels {

    private Pixels() {}

    /** float32; alpha is ignored. */
    public static Tensor of(Picture picture) {
        int plane = picture.width() * picture.height();
        byte[] rgb = picture.rgb();
        float[] values = new float[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                values[c * plane + i] = (rgb[3 * i + c] & 255) / 127.5f - 1;
            }
        }
        return Tensors.of(values, 1, 3, picture.height(), picture.width());
    }

    /** Rounds to 8 bits; values outside [-1, 1] are clipped. */
    public static Picture picture(Tensor pixels) {
        int height = (int) pixels.size(2);
        int width = (int) pixels.size(3);
        int plane = width * height;
        float[] values = Tensors.floats(pixels);
        byte[] rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                float value = Math.max(0, Math.min(1, values[c * plane + i] / 2 + 0.5f));
                rgb[3 * i + c] = (byte) Math.round(value * 255);
            }
        }
        return Picture.of(width, height, rgb, null);
    }
}
