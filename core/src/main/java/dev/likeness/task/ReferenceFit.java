package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.TokenMask;

/** Brings a reference of any size onto the canvas. */
public final class ReferenceFit {

    /** What stands behind transparent references and beside narrow ones. */
    private static final int WHITE = 0xFFFFFF;

    private static final int BLACK = 0;

    /** Pixels around a cut-out that carry its colours on, so that tokens at its rim carry no white along: half a token. */
    private static final int RIM = 8;

    private ReferenceFit() {}

    /**
     * Scales picture and mask together to fit the canvas, keeps their proportions, and centres them on white. A scale of the
     * layout applies on top, so that the subject's tokens stay on the grid; what then is larger than the canvas is cut
     * around the subject.
     *
     * @throws Refusal (input) when sizes of picture and mask differ or the mask covers no token of the canvas
     */
    public static Subject fit(Picture picture, Mask mask, int width, int height, String caption, Layout layout) {
        double scale = Math.min((double) width / picture.width(), (double) height / picture.height());
        return place(picture, mask, width, height, layout == null ? scale : scale * layout.scale(), caption, layout, false);
    }

    /** Scales picture and mask together until they cover the canvas and cuts what hangs over. */
    public static Subject scene(Picture picture, Mask mask, int width, int height, String caption) {
        double scale = Math.max((double) width / picture.width(), (double) height / picture.height());
        return place(picture, mask, width, height, scale, caption, null, true);
    }

    /**
     * The canvas for a picture: its proportions, the area that the model draws by default, in whole tokens.
     *
     * @return width and height in pixels, multiples of 16
     */
    public static int[] canvas(Picture picture, ModelDefaults defaults) {
        double area = (double) defaults.width() * defaults.height();
        double scale = Math.min(Math.sqrt(area / ((double) picture.width() * picture.height())),
                (double) Sampling.MAX_SIDE / Math.max(picture.width(), picture.height()));
        return new int[] {tokens(picture.width() * scale), tokens(picture.height() * scale)};
    }

    private static int tokens(double pixels) {
        return (int) Math.max(1, Math.round(pixels / TokenMask.TOKEN)) * TokenMask.TOKEN;
    }

    private static Subject place(Picture picture, Mask mask, int width, int height, double scale, String caption,
            Layout layout, boolean scene) {
        mask.requireSizeOf(picture, "of the subject", "of the reference");
        long wide = Math.max(1, Math.round(picture.width() * scale));
        long high = Math.max(1, Math.round(picture.height() * scale));
        if (wide * high > Pictures.MAX_PIXELS) {
            throw scene
                    ? Refusal.input("A scene of %d x %d pixels covers the canvas only when it is enlarged to %d x %d, which is more "
                            + "than can be held; crop it nearer to the canvas's proportions.", picture.width(), picture.height(),
                            wide, high)
                    : Refusal.usage("--layout %s makes the reference %d x %d pixels, which is more than can be held; give a "
                            + "smaller scale.", layout.flag(), wide, high);
        }
        int w = (int) wide;
        int h = (int) high;
        Picture resized = picture.resize(w, h).spread(RIM).flatten(WHITE);
        Mask resizedMask = mask.resize(w, h);
        Box box = resizedMask.box().orElse(new Box(0, 0, w, h));
        int left = offset(w, width, box.x() + box.width() / 2);
        int top = offset(h, height, box.y() + box.height() / 2);
        Mask fittedMask = Mask.ofLuminance(onCanvas(resizedMask.toPicture(), left, top, width, height, BLACK), false);
        if (TokenMask.of(fittedMask, TokenMask.Rule.QUARTER).isEmpty()) {
            throw Refusal.input("The subject of the reference is too small: on a canvas of %d x %d it covers no block of 16 x 16 "
                    + "pixels; crop the reference closer to it, mark all of it in the mask, or give a greater scale.", width,
                    height);
        }
        return new Subject(onCanvas(resized, left, top, width, height, WHITE), fittedMask, caption, layout, scene, cut(resizedMask, fittedMask));
    }

    /** Share of the mask's area that is not on the canvas. */
    private static double cut(Mask whole, Mask onCanvas) {
        double all = whole.fraction() * whole.width() * whole.height();
        double seen = onCanvas.fraction() * onCanvas.width() * onCanvas.height();
        return Math.max(0, 1 - seen / all);
    }

    /** Where the picture begins on the canvas: in the middle; where it is longer, with its subject as near to there as it can. */
    private static int offset(int length, int canvas, int middle) {
        return length <= canvas ? (canvas - length) / 2 : Math.min(0, Math.max(canvas - length, canvas / 2 - middle));
    }

    private static Picture onCanvas(Picture picture, int left, int top, int width, int height, int colour) {
        int x = Math.max(0, -left);
        int y = Math.max(0, -top);
        int w = Math.min(picture.width() - x, width - Math.max(0, left));
        int h = Math.min(picture.height() - y, height - Math.max(0, top));
        int padLeft = Math.max(0, left);
        int padTop = Math.max(0, top);
        return picture.crop(new Box(x, y, w, h)).pad(padLeft, padTop, width - w - padLeft, height - h - padTop, colour);
    }
}
