package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Fills a hole of a picture, or draws what lies beyond its edges (paper, section 3.4): what is kept is a reference that
 * stays in its place.
 */
public final class Inpaint {

    private Inpaint() {}

    /**
     * A picture and what of it shall be new.
     *
     * @param hole white where it shall be new, of the picture's size
     * @param caption what the picture shows; may be empty
     * @param blend whether the kept pixels are put back over the decoded ones, and the result has the picture's size;
     *     otherwise it is the decoded canvas as it is
     * @param softEdge pixels of the picture around the hole over which new and kept ones mix
     */
    public record Edit(Picture picture, Mask hole, String caption, boolean blend, int softEdge) {

        private static final int MAX_SOFT_EDGE = 1024;

        public Edit {
            hole.requireSizeOf(picture, "of the hole", "to inpaint");
            if (hole.isEmpty()) {
                throw Refusal.input("The mask marks no pixel as hole; paint white what shall be new, or use --mask-invert when it "
                        + "is black there.");
            }
            if (softEdge < 0 || softEdge > MAX_SOFT_EDGE) {
                throw Refusal.usage("--soft-edge %d is out of range; use a number of pixels from 0 to %d.", softEdge,
                        MAX_SOFT_EDGE);
            }
        }

        /** Where a subject goes that shall stand in the hole: the middle of its largest part, and as much smaller as that is. */
        public Layout middle() {
            Box box = hole.largestPart().box().orElseThrow();
            double width = picture.width();
            double height = picture.height();
            double scale = Math.min(box.width() / width, box.height() / height);
            return new Layout((box.x() + box.width() / 2.0) / width, (box.y() + box.height() / 2.0) / height,
                    Math.max(Layout.MIN_SCALE, scale));
        }

        /**
         * The picture with free space around it.
         *
         * @param left pixels on that side, 0 or more, as are the others; not all 0
         */
        public static Edit outpaint(Picture picture, int left, int right, int up, int down, String caption, boolean blend,
                int softEdge) {
            if (Math.min(Math.min(left, right), Math.min(up, down)) < 0) {
                throw Refusal.usage("--left, --right, --up and --down count pixels to add; none of them can be negative.");
            }
            long width = (long) picture.width() + left + right;
            long height = (long) picture.height() + up + down;
            if (width == picture.width() && height == picture.height()) {
                throw Refusal.usage("Nothing is to be added to the picture; give --left, --right, --up or --down, or a greater "
                        + "--canvas.");
            }
            if (height > Pictures.MAX_PIXELS / width) {
                throw Refusal.usage("The extended picture would have %d x %d pixels, and at most %d megapixels can be held; add less.",
                        width, height, Pictures.MAX_PIXELS / 1_000_000);
            }
            Picture extended = picture.extend(left, up, right, down);
            float[] free = new float[extended.width() * extended.height()];
            Box kept = new Box(left, up, picture.width(), picture.height());
            for (int i = 0; i < free.length; i++) {
                free[i] = kept.contains(i % extended.width(), i / extended.width()) ? 0 : 1;
            }
            return new Edit(extended, Mask.of(extended.width(), extended.height(), free), caption, blend, softEdge);
        }
    }

    /**
     * @param subjects references to put into the hole; may be empty
     * @param sampling of the canvas that the picture is brought to
     * @throws Refusal (input) when the hole leaves no token of the canvas
     */
    public static Generation run(FluxModel model, String prompt, Edit edit, List<Subject> subjects, Injection injection,
            boolean strict, Sampling sampling, TaskListener listener) {
        int width = sampling.width();
        int height = sampling.height();
        Mask kept = edit.hole().resize(width, height).invert();
        TokenMask keptTokens = TokenMask.of(kept, TokenMask.Rule.WHOLE);
        if (keptTokens.isEmpty()) {
            throw Refusal.input("The hole leaves no block of 16 x 16 pixels of the %d x %d canvas untouched; make it smaller, or "
                    + "use generate.", width, height);
        }
        List<Subject> all = new ArrayList<>();
        all.add(new Subject(edit.picture().resize(width, height).flatten(0xFFFFFF), kept, edit.caption(), null, true));
        all.addAll(subjects);
        List<String> outside = subjects.isEmpty() ? List.of() : outside(all, keptTokens, injection, strict);
        Generation made = Personalize.run(model, prompt, all, injection, strict, sampling, listener);
        List<String> warnings = new ArrayList<>(made.warnings());
        warnings.addAll(outside);
        if (!edit.blend()) {
            return new Generation(made.images(), made.evaluations(), made.milliseconds(), warnings);
        }
        Mask fresh = edit.hole().feather(edit.softEdge());
        List<Generation.Image> blended = made.images().stream()
                .map(image -> new Generation.Image(blend(edit.picture(), image.picture(), fresh), image.seed())).toList();
        return new Generation(blended, made.evaluations(), made.milliseconds(), warnings);
    }

    /** Sentences on subjects of which the kept picture would cover something. @param all the kept picture first */
    private static List<String> outside(List<Subject> all, TokenMask kept, Injection injection, boolean strict) {
        List<String> sentences = new ArrayList<>();
        List<Placement> placements = Arrangement.of(all, injection, strict).placements();
        for (int i = 1; i < all.size(); i++) {
            long covered = Arrays.stream(placements.get(i).target()).filter(token -> kept.covered()[(int) token]).count();
            if (covered > 0) {
                sentences.add(String.format("%d of %d tokens of subject %d lie outside the hole, under what is kept.", covered,
                        placements.get(i).target().length, i));
            }
        }
        if (strict && !sentences.isEmpty()) {
            throw Refusal.usage("--strict: %s Make the hole larger.", sentences.get(0));
        }
        return sentences;
    }

    /** The kept picture with the new one where the mask is white, in the kept one's size. */
    private static Picture blend(Picture kept, Picture made, Mask fresh) {
        return kept.flatten(0xFFFFFF).under(made.resize(kept.width(), kept.height()), fresh);
    }
}
