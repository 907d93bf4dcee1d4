package dev.likeness.image;

import java.util.Random;

/** Pictures that tests share. */
public final class TestPictures {

    private TestPictures() {
    }

    /** Smooth in red and green, noisy in blue, the same for the same seed. */
    public static Picture varied(int width, int height, boolean alpha, long seed) {
        Random random = new Random(seed);
        byte[] rgb = new byte[3 * width * height];
        byte[] alphas = alpha ? new byte[width * height] : null;
        for (int i = 0; i < width * height; i++) {
            rgb[3 * i] = (byte) (255 * (i % width) / width);
            rgb[3 * i + 1] = (byte) (255 * (i / width) / height);
            rgb[3 * i + 2] = (byte) random.nextInt();
            if (alpha) {
                alphas[i] = (byte) random.nextInt();
            }
        }
        return Picture.of(width, height, rgb, alphas);
    }
}
