package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.reference.Layout;
import dev.likeness.reference.TokenMask;

/** Brings a reference of any size onto the canvas. */
public final class ReferenceFit {

    /** What stands behind transparent references and beside narrow ones. */
    private static final int WHITE = 0xFFFFFF;

    private static final int BLACK = 0;

    private ReferenceFit() {}

    /**
     * Scales picture and mask together to fit the canvas, keeps their proportions, and centres them on white.
     *
     * @throws Refusal (input) when sizes of picture and mask differ or the mask covers no token of the canvas
     */
    public static Personalize.Subject fit(Picture picture, Mask mask, int width, int height, String caption,
            Layout layout) {
        mask.requireSizeOf(picture, "of the subject", "of the reference");
        double scale = Math.min((double) width / picture.width(), (double) height / picture.height());
        int w = Math.max(1, Math.min(width, (int) Math.round(picture.width() * scale)));
        int h = Math.max(1, Math.min(height, (int) Math.round(picture.height() * scale)));
        int left = (width - w) / 2;
        int top = (height - h) / 2;
        Picture fitted = picture.resize(w, h).flatten(WHITE).pad(left, top, width - w - left, height - h - top, WHITE);
        Mask fittedMask = Mask.ofLuminance(
                mask.toPicture().resize(w, h).pad(left, top, width - w - left, height - h - top, BLACK), false);
        if (TokenMask.of(fittedMask, TokenMask.MIN_SHARE).isEmpty()) {
            throw Refusal.input("The subject of the reference is too small: on a canvas of %d x %d it covers no block of 16 x 16 "
                    + "pixels; crop the reference closer to it, or mark all of it in the mask.", width, height);
        }
        return new Personalize.Subject(fitted, fittedMask, caption, layout);
    }
}
