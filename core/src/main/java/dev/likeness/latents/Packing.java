package dev.likeness.latents;

import org.bytedeco.pytorch.Tensor;

/** Latents to image tokens and back: 2x2 patches of the latent become one token (FluxPipeline._pack_latents). */
public final class Packing {

    private Packing() {}

    /** [B, C, h, w] to [B, (h/2)*(w/2), 4C]; h and w are even. Channels vary slowest inside a token. */
    public static Tensor pack(Tensor latents) {
        long b = latents.size(0);
        long c = latents.size(1);
        long h = latents.size(2);
        long w = latents.size(3);
        return latents.reshape(b, c, h / 2, 2, w / 2, 2)
                .permute(0, 2, 4, 1, 3, 5) // [B, h/2, w/2, C, 2, 2]
                .reshape(b, h / 2 * (w / 2), 4 * c);
    }

    /** [B, rows * columns, 4C] to [B, C, 2 rows, 2 columns]. */
    public static Tensor unpack(Tensor tokens, long rows, long columns) {
        long b = tokens.size(0);
        long c = tokens.size(2) / 4;
        return tokens.reshape(b, rows, columns, c, 2, 2)
                .permute(0, 3, 1, 4, 2, 5) // [B, C, rows, 2, columns, 2]
                .reshape(b, c, 2 * rows, 2 * columns);
    }
}
