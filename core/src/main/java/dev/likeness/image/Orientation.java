package dev.likeness.image;

/**
 * How the stored pixels must be turned to stand upright.
 *
 * @param transpose swap rows and columns first
 * @param mirror    then mirror left and right
 * @param flip      and top and bottom
 */
record Orientation(boolean transpose, boolean mirror, boolean flip) {

    /** EXIF 2.32, tag 0x0112: 1 to 8; anything else is taken for 1, as viewers do. */
    static Orientation ofExif(int value) {
        return switch (value) {
            case 2 -> new Orientation(false, true, false);
            case 3 -> new Orientation(false, true, true);
            case 4 -> new Orientation(false, false, true);
            case 5 -> new Orientation(true, false, false);
            case 6 -> new Orientation(true, true, false);
            case 7 -> new Orientation(true, true, true);
            case 8 -> new Orientation(true, false, true);
            default -> new Orientation(false, false, false);
        };
    }

    Picture apply(Picture stored) {
        if (!transpose && !mirror && !flip) {
            return stored;
        }
        int width = transpose ? stored.height : stored.width;
        int height = transpose ? stored.width : stored.height;
        byte[] rgb = new byte[stored.rgb.length];
        byte[] alpha = stored.alpha == null ? null : new byte[stored.alpha.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int column = mirror ? width - 1 - x : x;
                int row = flip ? height - 1 - y : y;
                int from = transpose ? column * stored.width + row : row * stored.width + column;
                int to = y * width + x;
                rgb[3 * to] = stored.rgb[3 * from];
                rgb[3 * to + 1] = stored.rgb[3 * from + 1];
                rgb[3 * to + 2] = stored.rgb[3 * from + 2];
                if (alpha != null) {
                    alpha[to] = stored.alpha[from];
                }
            }
        }
        return Picture.owning(width, height, rgb, alpha);
    }
}
