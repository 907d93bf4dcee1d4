package dev.likeness.segment;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.task.FluxModel;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.WordAttention;

/** Finds a subject by its word in the attention of the diffusion transformer itself: no other weights, no training. */
public final class AttentionSegmenter {

    private static final int LEVELS = 256;

    private AttentionSegmenter() {}

    /**
     * @param caption what the picture shows, with the word in it; without it, or empty, the picture is taken for "a WORD"
     * @param word the subject's, as the model knows it
     * @return of the picture's size
     */
    public static Mask segment(FluxModel model, Picture picture, String caption, String word) {
        ModelDefaults defaults = model.defaults();
        int[] canvas = ReferenceFit.canvas(picture, defaults);
        Sampling sampling = new Sampling(canvas[0], canvas[1], 1, 0, 1, "", defaults.maxSequenceLength(), 0, 1);
        String prompt = WordAttention.names(model, caption, word, sampling) ? caption : "a " + word;
        float[] heat = WordAttention.of(model, picture.flatten(0xFFFFFF).resize(canvas[0], canvas[1]), prompt, word, sampling);
        float least = Float.MAX_VALUE;
        float greatest = -Float.MAX_VALUE;
        for (float value : heat) {
            least = Math.min(least, value);
            greatest = Math.max(greatest, value);
        }
        if (!(greatest > least)) {
            throw Refusal.input("The model sees '%s' everywhere in the picture alike; use another word or another way of "
                    + "--segment.", word);
        }
        for (int i = 0; i < heat.length; i++) {
            heat[i] = (heat[i] - least) / (greatest - least);
        }
        double threshold = otsu(heat);
        Mask soft = Mask.of(sampling.columns(), sampling.rows(), heat).resize(picture.width(), picture.height());
        return soft.threshold((float) threshold);
    }

    /** The threshold that parts values from 0 to 1 into the two groups whose means differ most (Otsu, 1979). */
    static double otsu(float[] values) {
        double best = -1;
        double threshold = 0.5;
        for (int level = 1; level < LEVELS; level++) {
            double candidate = (double) level / LEVELS;
            double above = 0;
            double below = 0;
            int count = 0;
            for (float value : values) {
                if (value >= candidate) {
                    above += value;
                    count++;
                } else {
                    below += value;
                }
            }
            int rest = values.length - count;
            double difference = count == 0 || rest == 0 ? 0 : above / count - below / rest;
            double between = difference * difference * count * rest;
            if (between > best) {
                best = between;
                threshold = candidate;
            }
        }
        return threshold;
    }
}
