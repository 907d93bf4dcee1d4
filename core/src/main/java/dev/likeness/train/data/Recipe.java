package dev.likeness.train.data;

/**
 * What kind of pictures to draw.
 *
 * @param split        split that named subjects are drawn from
 * @param maxSubjects  only this many first subjects of the split are used, at least 1
 * @param genericShare share of subjects, 0 to 1, that are {@link Split#GENERIC} fillers instead of named ones
 * @param minScale     least length of a subject's longer side as a fraction of the picture's side
 * @param maxScale     greatest length of a subject's longer side as a fraction of the picture's side, up to 1
 * @param jitter       0 puts a single subject into the middle, 1 anywhere that fits
 * @param twoShare     share of pictures, 0 to 1, with two subjects side by side (these are drawn smaller)
 * @param emptyShare   share of pictures, 0 to 1, with no subject
 * @param style        wording of the captions
 */
public record Recipe(Split split, int maxSubjects, double genericShare, double minScale, double maxScale,
                     double jitter, double twoShare, double emptyShare, CaptionStyle style) {

    /** One large train subject near the middle: the quickest way to teach what subjects look like. */
    public static final Recipe LARGE_CENTRED =
            new Recipe(Split.TRAIN, Integer.MAX_VALUE, 0, 0.55, 0.85, 0.15, 0, 0.03, CaptionStyle.VARIED);

    /** Train subjects of any size anywhere, sometimes two or none. */
    public static final Recipe ANYWHERE =
            new Recipe(Split.TRAIN, Integer.MAX_VALUE, 0.1, 0.3, 0.7, 1, 0.15, 0.06, CaptionStyle.VARIED);

    /** This recipe with subjects of another split. */
    public Recipe withSplit(Split newSplit) {
        return new Recipe(newSplit, maxSubjects, genericShare, minScale, maxScale, jitter, twoShare, emptyShare, style);
    }

    /** This recipe with only the first subjects of the split. */
    public Recipe withMaxSubjects(int newMaxSubjects) {
        return new Recipe(split, newMaxSubjects, genericShare, minScale, maxScale, jitter, twoShare, emptyShare, style);
    }

    /** This recipe with another share of unnamed fillers, 0 to 1. */
    public Recipe withGenericShare(double newShare) {
        return new Recipe(split, maxSubjects, newShare, minScale, maxScale, jitter, twoShare, emptyShare, style);
    }

    /** This recipe with other subject sizes, as fractions of the picture's side. */
    public Recipe withScale(double newMinScale, double newMaxScale) {
        return new Recipe(split, maxSubjects, genericShare, newMinScale, newMaxScale, jitter, twoShare, emptyShare,
                style);
    }

    /** This recipe with other shares of pictures with two subjects and with none, each 0 to 1. */
    public Recipe withTwoAndEmpty(double newTwoShare, double newEmptyShare) {
        return new Recipe(split, maxSubjects, genericShare, minScale, maxScale, jitter, newTwoShare, newEmptyShare,
                style);
    }

    /** This recipe with another wording of captions. */
    public Recipe withStyle(CaptionStyle newStyle) {
        return new Recipe(split, maxSubjects, genericShare, minScale, maxScale, jitter, twoShare, emptyShare, newStyle);
    }
}
