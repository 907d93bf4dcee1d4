package dev.likeness.analysis;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;

/** How alike the structure of two pictures is on the subject's pixels alone. */
public final class MaskedSsim {

    private static final int REACH = 3; // windows of 7 x 7
    private static final double C1 = 0.01 * 0.01 * 255 * 255;
    private static final double C2 = 0.03 * 0.03 * 255 * 255;

    private MaskedSsim() {}

    /**
     * Structural similarity of luminance (Wang et al., 2004, windows of 7 x 7 with equal weights, cut at the canvas's edge):
     * the mean over the subject's pixels that stay on the canvas, from -1 to 1; 1 for equal pictures.
     *
     * @param mask the subject in the reference
     * @param right pixels that the subject was moved to the right, {@code down} likewise
     */
    public static double of(Picture reference, Mask mask, Picture made, int right, int down) {
        double[] a = luminance(reference);
        double[] b = luminance(made);
        double sum = 0;
        long count = 0;
        for (int y = 0; y < reference.height(); y++) {
            for (int x = 0; x < reference.width(); x++) {
                int toX = x + right;
                int toY = y + down;
                if (mask.isSubject(x, y) && toX >= 0 && toY >= 0 && toX < made.width() && toY < made.height()) {
                    sum += at(a, reference, x, y, b, made, right, down);
                    count++;
                }
            }
        }
        return sum / count;
    }

    private static double at(double[] a, Picture reference, int x, int y, double[] b, Picture made, int right, int down) {
        double sa = 0;
        double sb = 0;
        double saa = 0;
        double sbb = 0;
        double sab = 0;
        int n = 0;
        for (int v = y - REACH; v <= y + REACH; v++) {
            for (int u = x - REACH; u <= x + REACH; u++) {
                int toU = u + right;
                int toV = v + down;
                if (u >= 0 && v >= 0 && u < reference.width() && v < reference.height() && toU >= 0 && toV >= 0
                        && toU < made.width() && toV < made.height()) {
                    double p = a[v * reference.width() + u];
                    double q = b[toV * made.width() + toU];
                    sa += p;
                    sb += q;
                    saa += p * p;
                    sbb += q * q;
                    sab += p * q;
                    n++;
                }
            }
        }
        double ma = sa / n;
        double mb = sb / n;
        double va = saa / n - ma * ma;
        double vb = sbb / n - mb * mb;
        double cov = sab / n - ma * mb;
        return (2 * ma * mb + C1) * (2 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
    }

    private static double[] luminance(Picture picture) {
        double[] grey = new double[picture.width() * picture.height()];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = picture.luminance(i);
        }
        return grey;
    }
}
