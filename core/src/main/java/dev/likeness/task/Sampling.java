package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.reference.TokenMask;

/**
 * How pictures are sampled.
 *
 * @param width pixels, a multiple of 16
 * @param height pixels, a multiple of 16
 * @param steps denoising steps, 1 to 1000
 * @param guidanceScale distilled guidance, ignored by models without it
 * @param trueCfgScale classifier-free guidance, 1 for none
 * @param negativePrompt what guidance leads away from; the empty prompt by default
 * @param maxSequenceLength text tokens given to the transformer, 2 to 512; longer prompts are cut
 * @param seed of the first picture; the next ones count on
 * @param count number of pictures, 1 to 1000
 */
public record Sampling(int width, int height, int steps, double guidanceScale, double trueCfgScale,
        String negativePrompt, int maxSequenceLength, long seed, int count) {

    /** The longest side of a canvas, in pixels. */
    public static final int MAX_SIDE = 4096;

    public Sampling {
        checkSide("--width", width);
        checkSide("--height", height);
        checkRange("--steps", steps, 1, 1000);
        checkRange("--num-images", count, 1, 1000);
        checkRange("--max-sequence-length", maxSequenceLength, 2, 512);
        if (!(guidanceScale >= 0 && guidanceScale <= 100)) {
            throw Refusal.usage("--guidance-scale %s is out of range; use a number from 0 to 100.", guidanceScale);
        }
        if (!(trueCfgScale >= 1 && trueCfgScale <= 100)) {
            throw Refusal.usage("--true-cfg-scale %s is out of range; use a number from 1 (none) to 100.", trueCfgScale);
        }
    }

    private static void checkSide(String flag, int side) {
        int token = TokenMask.TOKEN;
        if (side < token || side > MAX_SIDE || side % token != 0) {
            int below = Math.max(token, Math.min(MAX_SIDE, side / token * token));
            int above = Math.max(token, Math.min(MAX_SIDE, below + token));
            throw Refusal.usage("%s %d is not a multiple of 16 from 16 to %d; the nearest valid sizes are %d and %d.", flag,
                    side, MAX_SIDE, below == above ? below - token : below, above);
        }
    }

    private static void checkRange(String flag, int value, int least, int greatest) {
        if (value < least || value > greatest) {
            throw Refusal.usage("%s %d is out of range; use a whole number from %d to %d.", flag, value, least, greatest);
        }
    }

    /** Token rows of the canvas. */
    public int rows() {
        return height / TokenMask.TOKEN;
    }

    /** Token columns of the canvas. */
    public int columns() {
        return width / TokenMask.TOKEN;
    }
}
