package dev.likeness.request;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import java.nio.file.Path;
import java.util.Collection;

/**
 * Brings masks to the size of their pictures.
 *
 * @param strict whether a mask of another size is refused, also one of the same proportions
 * @param warnings sentences on what was resized are added to it
 */
public record MaskReader(boolean strict, Collection<String> warnings) {

    private static final double SAME_PROPORTIONS = 0.02;

    /** @param file the picture's, for refusals */
    public Mask read(Path mask, boolean invert, Picture picture, Path file) {
        Mask read = inSizeOf(picture, Mask.read(mask, invert), mask, file);
        if (read.isEmpty()) {
            throw Refusal.input("The mask %s marks no pixel; paint white what it shall mark, or give it with --mask and "
                    + "--mask-invert when that is black in it.", mask);
        }
        return read;
    }

    /**
     * @param caption what the picture shows; may be empty
     * @param model null unless it {@linkplain Segmenter#needsModel is needed}
     */
    public Mask find(Segmentation how, Picture picture, Path file, String caption, FluxModel model) {
        return how instanceof Segmentation.File given ? read(given.path(), false, picture, file)
                : Segmenter.mask(how, picture, file.toString(), caption, model);
    }

    /** Resized with a warning where it has another size but the same proportions, and refused where these differ. */
    public Mask inSizeOf(Picture picture, Mask read, Path mask, Path file) {
        if (read.width() == picture.width() && read.height() == picture.height()) {
            return read;
        }
        double proportions = (double) read.width() / read.height() * picture.height() / picture.width();
        if (strict || Math.abs(proportions - 1) >= SAME_PROPORTIONS) {
            read.requireSizeOf(picture, mask.toString(), file.toString());
        }
        warnings.add("The mask %s is %d x %d pixels and was resized to those of %s, %d x %d.".formatted(mask, read.width(),
                read.height(), file, picture.width(), picture.height()));
        return read.resize(picture.width(), picture.height());
    }
}
