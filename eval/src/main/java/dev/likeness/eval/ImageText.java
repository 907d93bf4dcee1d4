package dev.likeness.eval;

import dev.likeness.error.Refusal;
import dev.likeness.features.ClipEncoder;
import dev.likeness.features.DinoEncoder;
import dev.likeness.features.ImageEncoder;
import dev.likeness.features.Preprocessing;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.nio.file.Path;
import java.util.List;

/**
 * The scores that personalization is published with, each a cosine, so at most 1: CLIP-T, CLIP-I, DINO (DreamBooth, section
 * 4.1) and SegCLIP-I. They compare with published ones only when the networks are the same: CLIP ViT-B/32 or ViT-L/14, DINO
 * ViT-S/16, or what the publication names.
 */
public final class ImageText implements AutoCloseable {

    private static final int WHITE = 0xFFFFFF;

    private final ClipEncoder clip;
    private final ImageEncoder dino;

    /** A picture of a subject. @param mask where the subject is, or null when nobody knows */
    public record View(Picture picture, Mask mask) {

        public View {
            if (mask != null) {
                mask.requireSizeOf(picture, "of a subject", "that it belongs to");
            }
        }
    }

    /**
     * Vectors of a subject's references, made once for all pictures that are scored with them.
     *
     * @param cutOuts of CLIP, for those references that have a mask
     */
    public record References(List<float[]> clip, List<float[]> dino, List<float[]> cutOuts) {}

    /**
     * Scores of one picture; over several references their mean.
     *
     * @param clipText     CLIP-T: picture and prompt
     * @param clipImage    CLIP-I: picture and references
     * @param dino         picture and references
     * @param segClipImage SegCLIP-I: cut-outs of the picture and the references; NaN when one side has no mask
     */
    public record Scores(double clipText, double clipImage, double dino, double segClipImage) {}

    /** Takes the encoders over and closes them with itself. */
    public ImageText(ClipEncoder clip, ImageEncoder dino) {
        this.clip = clip;
        this.dino = dino;
    }

    /**
     * Opens encoders in float32. DINO sees pictures as {@link Preprocessing#DINO_SCORES} says, CLIP as its folder says.
     *
     * @param clip a folder such as openai/clip-vit-base-patch32
     * @param dino a folder such as facebook/dino-vits16 or facebook/dinov2-small
     * @throws Refusal (model) when a file is missing or does not fit
     */
    public static ImageText open(Path clip, Path dino, Device device) {
        ClipEncoder first = ClipEncoder.open(clip, DType.FLOAT32, device);
        try {
            return new ImageText(first, DinoEncoder.open(dino, Preprocessing.DINO_SCORES, DType.FLOAT32, device));
        } catch (RuntimeException e) {
            first.close();
            throw e;
        }
    }

    /** @throws Refusal (input) when a mask is empty */
    public References references(List<View> views) {
        if (views.isEmpty()) {
            throw new IllegalArgumentException("a score needs at least one reference");
        }
        return new References(views.stream().map(view -> clip.features(view.picture)).toList(),
                views.stream().map(view -> dino.features(view.picture)).toList(),
                views.stream().filter(view -> view.mask != null).map(view -> clip.features(cutOut(view))).toList());
    }

    /**
     * All scores of a picture.
     *
     * @param prompt what the picture was made from
     * @throws Refusal (input) when the picture's mask is empty
     */
    public Scores score(View view, String prompt, References references) {
        float[] features = clip.features(view.picture);
        double seg = view.mask == null || references.cutOuts.isEmpty() ? Double.NaN
                : mean(clip.features(cutOut(view)), references.cutOuts);
        return new Scores(cosine(features, clip.features(prompt)), mean(features, references.clip),
                mean(dino.features(view.picture), references.dino), seg);
    }

    /** CLIP-T: cosine of the picture's and the prompt's vectors. */
    public double clipText(Picture picture, String prompt) {
        return cosine(clip.features(picture), clip.features(prompt));
    }

    /** CLIP-I: cosine of two pictures' vectors. */
    public double clipImage(Picture a, Picture b) {
        return cosine(clip.features(a), clip.features(b));
    }

    /** DINO: cosine of two pictures' class tokens. */
    public double dino(Picture a, Picture b) {
        return cosine(dino.features(a), dino.features(b));
    }

    /** SegCLIP-I: CLIP-I of the two {@linkplain #cutOut cut-outs}. @throws Refusal (input) when a mask is empty */
    public double segClipImage(View a, View b) {
        return clipImage(cutOut(a), cutOut(b));
    }

    /**
     * What lies in the box of the subject's mask, everything else in it white, filled up with white to a square: CLIP sees the
     * middle square of a picture, and the ends of a long subject would not count.
     *
     * @throws Refusal (input) when the mask is empty
     */
    static Picture cutOut(View view) {
        Box box = view.mask.box().orElseThrow(() -> Refusal.input("The mask of a picture of %d x %d is empty, and without a "
                + "subject there is nothing to compare; find its mask another way.", view.mask.width(), view.mask.height()));
        Picture picture = view.picture.flatten(WHITE);
        Picture alone = Picture.filled(picture.width(), picture.height(), WHITE).under(picture, view.mask).crop(box);
        int edge = Math.max(box.width(), box.height());
        int left = (edge - box.width()) / 2;
        int top = (edge - box.height()) / 2;
        return alone.pad(left, top, edge - box.width() - left, edge - box.height() - top, WHITE);
    }

    /** Cosine of the angle between two vectors of the same length. */
    static double cosine(float[] a, float[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(aa * bb);
    }

    private static double mean(float[] features, List<float[]> others) {
        return others.stream().mapToDouble(other -> cosine(features, other)).average().orElseThrow();
    }

    @Override
    public void close() {
        clip.close();
        dino.close();
    }
}
