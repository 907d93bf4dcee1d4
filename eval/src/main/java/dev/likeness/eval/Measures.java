package dev.likeness.eval;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.analysis.MaskedSsim;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;

/** Measures that need no network. Formulas and what each cannot tell: docs/evaluation.md. */
final class Measures {

    private static final double MAX_DB = 100; // equal pictures have no finite PSNR

    private Measures() {}

    /** {@link MaskedPsnr}, at most 100 dB. */
    static double psnr(Picture reference, Mask mask, Picture made, int right, int down) {
        return Math.min(MAX_DB, MaskedPsnr.of(reference, mask, made, right, down));
    }

    /**
     * By how many dB the reference's own old place is more like the subject than plain generation is there. Where the new
     * place covers the old one, nothing is counted.
     *
     * @param plain plain generation of the same seed
     * @return NaN when the new place covers all of the old one
     */
    static double ghost(Picture reference, Mask mask, Picture made, Picture plain, int right, int down) {
        Mask left = mask.and(mask.translate(right, down).invert());
        return psnr(reference, left, made, 0, 0) - psnr(reference, left, plain, 0, 0);
    }

    /** How unlike two pictures of one case are: 1 - SSIM over the mask, from 0 for equal ones to 2. */
    static double diversity(Picture one, Picture other, Mask where) {
        return 1 - MaskedSsim.of(one, where, other, 0, 0);
    }

    /**
     * Mean step of luminance between neighbouring pixels along a hole's edge, as a share of the same in the true picture: 1
     * is no seam, and a picture without any structure there has 0.
     *
     * @param band pixels to either side of the edge
     */
    static double seam(Picture truth, Picture made, Mask hole, int band) {
        Mask rim = hole.feather(band).threshold(0.01f).and(hole.invert().feather(band).threshold(0.01f));
        return step(made, rim) / step(truth, rim);
    }

    /** Mean absolute difference of luminance between each pixel of the mask and its right and lower neighbour. */
    private static double step(Picture picture, Mask mask) {
        double sum = 0;
        long count = 0;
        for (int y = 0; y + 1 < picture.height(); y++) {
            for (int x = 0; x + 1 < picture.width(); x++) {
                if (mask.isSubject(x, y)) {
                    int at = y * picture.width() + x;
                    float here = picture.luminance(at);
                    sum += Math.abs(here - picture.luminance(at + 1))
                            + Math.abs(here - picture.luminance(at + picture.width()));
                    count += 2;
                }
            }
        }
        return sum / count;
    }
}
