package dev.likeness.analysis;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;

/** How alike two pictures are on the subject's pixels alone. */
public final class MaskedPsnr {

    private MaskedPsnr() {}

    /**
     * Peak signal-to-noise ratio in dB between the subject in the reference and the pixels at its new place, over the
     * pixels with mask of at least one half that stay on the canvas; infinite for equal pixels.
     *
     * @param mask the subject in the reference
     * @param right pixels that the subject was moved to the right, {@code down} likewise
     */
    public static double of(Picture reference, Mask mask, Picture made, int right, int down) {
        double sum = 0;
        long count = 0;
        byte[] a = reference.rgb();
        byte[] b = made.rgb();
        for (int y = 0; y < reference.height(); y++) {
            for (int x = 0; x < reference.width(); x++) {
                int toX = x + right;
                int toY = y + down;
                if (!mask.isSubject(x, y) || toX < 0 || toY < 0 || toX >= made.width() || toY >= made.height()) {
                    continue;
                }
                for (int c = 0; c < 3; c++) {
                    int from = a[3 * (y * reference.width() + x) + c] & 255;
                    int to = b[3 * (toY * made.width() + toX) + c] & 255;
                    sum += (from - to) * (from - to);
                }
                count += 3;
            }
        }
        return 10 * Math.log10(255.0 * 255.0 * count / sum);
    }
}
