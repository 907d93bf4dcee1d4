package dev.likeness.segment;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.task.FluxModel;

/** A subject's mask, in whichever way is asked for. */
public final class Segmenter {

    private Segmenter() {}

    /** Whether {@link #mask} needs a model for it. */
    public static boolean needsModel(Segmentation how) {
        return how instanceof Segmentation.Attention;
    }

    /**
     * @param name how the picture is called in refusals
     * @param caption what the picture shows; may be empty
     * @param model null unless it {@linkplain #needsModel is needed}
     * @return of the picture's size
     * @throws dev.likeness.error.Refusal when there is no subject to be found that way
     */
    public static Mask mask(Segmentation how, Picture picture, String name, String caption, FluxModel model) {
        Mask found = find(how, picture, name, caption, model);
        if (found.isEmpty()) {
            throw how instanceof Segmentation.Alpha
                    ? Refusal.input("%s is transparent everywhere; give a picture of which the subject is opaque.", name)
                    : Refusal.input("--segment %s finds no subject in %s; try another way.", how.flag(), name);
        }
        return found;
    }

    private static Mask find(Segmentation how, Picture picture, String name, String caption, FluxModel model) {
        if (how instanceof Segmentation.Attention attention) {
            return AttentionSegmenter.segment(model, picture, caption, attention.word());
        }
        if (how instanceof Segmentation.InBox box) {
            return GrabCut.box(picture, box.box());
        }
        if (how instanceof Segmentation.Click click) {
            return GrabCut.click(picture, click.x(), click.y());
        }
        if (how instanceof Segmentation.Onnx onnx) {
            return OnnxSegmenter.segment(onnx.path(), picture, onnx.options());
        }
        if (how instanceof Segmentation.File file) {
            Mask mask = Mask.read(file.path(), false);
            mask.requireSizeOf(picture, file.path().toString(), name);
            return mask;
        }
        return Mask.ofAlpha(picture, name);
    }
}
