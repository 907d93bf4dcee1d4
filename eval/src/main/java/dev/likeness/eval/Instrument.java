package dev.likeness.eval;

import java.util.Locale;

/** What is measured of a picture. Formulas stand in docs/evaluation.md, under the same names. */
public enum Instrument {
    IDENTITY_PSNR("identity PSNR", "dB", 2, Better.MORE, "PSNR of colours between the reference's subject and the pixels "
            + "at its new place, over its mask.", "that a subject which is turned or lit otherwise is the same; a "
            + "copy is best."),
    IDENTITY_SSIM("identity SSIM", "", 3, Better.MORE, "Structural similarity of luminance there, windows of 7 x 7; 1 for "
            + "equal.", "the same, and colours."),
    SIMILARITY("learned similarity", "", 3, Better.MORE, "Cosine of the judge's identity vectors of the reference's "
            + "subject and of the box at its new place; 1 for equal.", "what the judge, trained on toys, does not tell "
            + "apart; the background in the box counts a little."),
    GHOST("ghost", "dB", 2, Better.NEITHER, "By how much the reference's own old place, but for the new one, is more like "
            + "the subject than plain generation is; 0 is no ghost.", "ghosts fainter than some tenths of a dB."),
    SCENE_KEPT("scene as in plain", "dB", 2, Better.MORE, "PSNR against plain generation of the same seed, outside the "
            + "new place; at most 100.", "whether a change is for the better: a shadow costs as much as a smear."),
    SCENE_TOP1("scene top-1", "%", 0, Better.MORE, "Share of pictures in which the judge finds the prompt's scene first.",
            "whether the scene is a good one."),
    PROMPT_MARGIN("prompt margin", "%", 1, Better.MORE, "By how much the model's own prediction of the picture outside "
            + "the new place is worse under the best of the other scenes' prompts.", "anything but the scene; the model "
            + "judges itself."),
    DIVERSITY_INSIDE("diversity inside", "", 3, Better.NEITHER, "1 - SSIM between two seeds of a case, over the subject's "
            + "new place; 0 for equal.", "whether what differs is good: noise is diverse."),
    DIVERSITY_OUTSIDE("diversity outside", "", 3, Better.NEITHER, "The same outside that place.", "the same."),
    SUBJECT_TOP1("subject top-1", "%", 0, Better.MORE, "Share of pictures in which the judge finds the prompt's noun "
            + "first (of two nouns, one of them).", "whether a person would know it: a blob of the right colours "
            + "may do."),
    SUBJECT_TOP5("subject top-5", "%", 0, Better.MORE, "Share of pictures in which the judge finds each noun of the "
            + "prompt among its first five.", "two subjects from one that has something of both."),
    PLACEMENT("placement", "%", 0, Better.MORE, "Share of pictures that obey the words for place or size: the judge's "
            + "centre of the noun lies on that side, or that of the one noun left of the other's; of a small and a large "
            + "one from one seed, the mask that the model's attention gives the noun is larger in the latter.",
            "obedience from chance where the subject is missing: that is 50 %."),
    RECONSTRUCTION("reconstruction", "dB", 2, Better.MORE, "PSNR of the picture that comes back from noise.",
            "whether what is lost is seen."),
    EVALUATIONS("evaluations", "", 0, Better.LESS, "Network passes of batch one.", "how long they take."),
    MASK_IOU("mask IoU", "", 3, Better.MORE, "Intersection over union with the true mask.",
            "whether the rim or a part is wrong."),
    KEPT("kept part", "dB", 2, Better.MORE, "PSNR of the canvas as decoded against the picture, outside the hole, before "
            + "blending.", "how well the new part meets it."),
    SEAM("seam", "", 2, Better.LESS, "Mean step between neighbouring pixels in a band of 8 around the hole's edge, as a "
            + "share of the same in the true picture; 1 is no seam.", "a smooth fill of the wrong thing from a right one."),
    RIM_SHARPNESS("rim sharpness", "", 2, Better.NEITHER, "Mean length of the gradient of luminance within 4 pixels of the "
            + "subject's rim, as a share of the reference's there; less than 1 is blurred.", "false edges and noise from true edges."),
    RIM_KEPT("edges kept", "", 3, Better.MORE, "Share of the reference's gradients within 4 pixels of the subject's rim that the "
            + "picture has in their places and directions; 1 for equal, near 0 for unrelated.", "an edge that is moved by a few "
            + "pixels from one that is gone."),
    SUBJECT_SHARPNESS("inner sharpness", "", 2, Better.NEITHER, "Mean length of the gradient of luminance inside the subject, 4 "
            + "pixels from its rim and more, as a share of the reference's there.", "false edges and noise from true edges."),
    CLIP_T("CLIP-T", "", 3, Better.MORE, "Cosine of CLIP's vectors of picture and prompt.", "what CLIP does not know."),
    CLIP_I("CLIP-I", "", 3, Better.MORE, "Cosine of CLIP's vectors of picture and reference, the mean over references.",
            "a like background from a like subject."),
    DINO("DINO", "", 3, Better.MORE, "Cosine of DINO's class tokens of picture and reference, the mean over references.",
            "the same."),
    SEG_CLIP_I("SegCLIP-I", "", 3, Better.MORE, "CLIP-I of the cut-outs.", "a wrong mask from a wrong subject.");

    /** Which way is good. */
    public enum Better { MORE, LESS, NEITHER }

    private final String title;
    private final String unit;
    private final int digits;
    private final Better better;
    private final String definition;
    private final String limits;

    Instrument(String title, String unit, int digits, Better better, String definition, String limits) {
        this.title = title;
        this.unit = unit;
        this.digits = digits;
        this.better = better;
        this.definition = definition;
        this.limits = limits;
    }

    /** Its name in files: {@code identity-psnr}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Its heading: {@code identity PSNR}. */
    public String title() {
        return title;
    }

    public Better better() {
        return better;
    }

    public String definition() {
        return definition;
    }

    /** What it cannot tell, as the end of a sentence that begins so. */
    public String limits() {
        return limits;
    }

    /** Its heading with its unit: {@code identity PSNR, dB}. */
    public String heading() {
        return unit.isEmpty() ? title : title + ", " + unit;
    }

    /** A value in the unit that tables show: shares as percent. */
    double shown(double value) {
        return unit.equals("%") ? 100 * value : value;
    }

    /** A value as tables show it, without its unit. */
    String number(double value) {
        return String.format(Locale.ROOT, "%." + digits + "f", shown(value));
    }

    /** A value with its unit. */
    public String text(double value) {
        return unit.isEmpty() ? number(value) : number(value) + " " + unit;
    }

    static Instrument of(String id) {
        return valueOf(id.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
