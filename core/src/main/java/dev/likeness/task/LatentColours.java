package dev.likeness.task;

import dev.likeness.image.Picture;
import dev.likeness.latents.Packing;
import dev.likeness.latents.Pixels;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;

/**
 * Colours of latents without the decoder: red, green and blue as affine functions of a latent's channels, fitted by least
 * squares to what the model's own encoder makes of coloured rectangles.
 */
final class LatentColours {

    private static final int CELL = 8; // pixels a side that one latent stands for
    private static final int SIDE = 256;
    private static final int RECTANGLES = 200;

    private final float[] map; // [C + 1, 3], the constants last
    private final int channels;

    private LatentColours(float[] map) {
        this.map = map;
        channels = map.length / 3 - 1;
    }

    static LatentColours fit(FluxModel model) {
        try (Scope scope = Scope.open()) {
            Picture seen = rectangles();
            int cells = SIDE / CELL;
            Tensor latents = rows(Tensors.to(model.encode(seen), Device.CPU, DType.FLOAT32), cells / 2, cells / 2);
            Tensor colours = Pixels.of(seen.resize(cells, cells)).reshape(3, cells * cells).transpose(0, 1); // [cells, 3]
            Tensor ones = Tensors.full(1, DType.FLOAT32, Device.CPU, cells * cells, 1);
            return new LatentColours(Tensors.floats(Ops.leastSquares(Ops.cat(1, latents, ones), colours)));
        }
    }

    /** A pixel for each latent. @param tokens [1, N, 4 C] */
    Picture of(Tensor tokens, int tokenRows, int tokenColumns) {
        try (Scope scope = Scope.open()) {
            Tensor latents = rows(Tensors.to(tokens, Device.CPU, DType.FLOAT32), tokenRows, tokenColumns); // [cells, C]
            Tensor slopes = Tensors.of(map, channels + 1, 3);
            Tensor colours = latents.matmul(slopes.narrow(0, 0, channels)).add(slopes.narrow(0, channels, 1)); // [cells, 3]
            return Pixels.picture(colours.transpose(0, 1).reshape(1, 3, 2 * tokenRows, 2 * tokenColumns));
        }
    }

    /** [1, N, 4 C] to [4 N, C], row by row of the picture. */
    private static Tensor rows(Tensor tokens, int tokenRows, int tokenColumns) {
        Tensor latents = Packing.unpack(tokens, tokenRows, tokenColumns); // [1, C, h, w]
        return latents.reshape(latents.size(1), latents.size(2) * latents.size(3)).transpose(0, 1);
    }

    private static Picture rectangles() {
        Random random = new Random(1);
        byte[] rgb = new byte[3 * SIDE * SIDE];
        for (int i = 0; i < RECTANGLES; i++) {
            int left = random.nextInt(SIDE);
            int top = random.nextInt(SIDE);
            int right = Math.min(SIDE, left + CELL + random.nextInt(SIDE / 4));
            int bottom = Math.min(SIDE, top + CELL + random.nextInt(SIDE / 4));
            int colour = random.nextInt(1 << 24);
            for (int y = top; y < bottom; y++) {
                for (int x = left; x < right; x++) {
                    int at = 3 * (y * SIDE + x);
                    rgb[at] = (byte) (colour >> 16);
                    rgb[at + 1] = (byte) (colour >> 8);
                    rgb[at + 2] = (byte) colour;
                }
            }
        }
        return Picture.of(SIDE, SIDE, rgb, null);
    }
}
