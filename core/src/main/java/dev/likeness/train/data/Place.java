package dev.likeness.train.data;

/**
 * Where a subject stands in a picture.
 *
 * @param centreX centre as a fraction of the picture's side, 0 (left) to 1
 * @param centreY centre as a fraction of the picture's side, 0 (top) to 1
 * @param scale   longer side of the subject as a fraction of the picture's side, above 0
 * @param flipped whether it is mirrored left to right
 */
public record Place(double centreX, double centreY, double scale, boolean flipped) {

    /** Large and in the middle. */
    public static final Place CENTRE = new Place(0.5, 0.5, 0.7, false);
}
