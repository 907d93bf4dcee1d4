package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Where in a picture the model sees a word: the attention that image tokens pay to it. */
public final class WordAttention {

    /** Noise levels at which a picture is shown: below, the network needs no text; above, it hardly sees the picture. */
    private static final double[] SIGMAS = {0.3, 0.5, 0.7};

    private static final long MAX_SCORES = 16L << 20;
    private static final int SEED = 1;

    private WordAttention() {}

    /** Whether the word, or the words, stand in the prompt as the model reads it. */
    public static boolean names(FluxModel model, String prompt, String word, Sampling sampling) {
        return model.places(prompt, word, sampling).length > 0;
    }

    /**
     * Share of the attention of each image token, among all text and image tokens, that goes to the word: the mean over
     * heads, blocks and three noise levels. One network pass a level.
     *
     * @param picture of the canvas's size
     * @param prompt what the picture shows
     * @param word one or several words of the prompt
     * @return row-major, rows x columns of the canvas, each from 0 to 1
     * @throws Refusal (usage) when the prompt has not the word
     */
    public static float[] of(FluxModel model, Picture picture, String prompt, String word, Sampling sampling) {
        try (Scope scope = Scope.open()) {
            model.load();
            long[] places = model.places(prompt, word, sampling);
            if (places.length == 0) {
                throw Refusal.usage("'%s' is not in the prompt '%s' as a word of its own; write it as the prompt does.", word,
                        prompt);
            }
            Conditioning conditioning = Conditioning.of(model.text(prompt, sampling), model.noGuidance());
            Denoiser denoiser = new Denoiser(model.transformer(), conditioning, sampling.rows(), sampling.columns());
            Tensor clean = model.encode(picture);
            Tensor noise = model.noise(SEED, sampling);
            Recorder recorder = new Recorder(places, sampling.rows() * sampling.columns());
            for (double sigma : SIGMAS) {
                denoiser.velocity(clean.lerp(noise, new Scalar(sigma)), 0, sigma, recorder);
            }
            return recorder.mean();
        }
    }

    private static final class Recorder implements AttentionHook {
        private final long[] places;
        private final float[] sums;
        private int count;

        Recorder(long[] places, int imageTokens) {
            this.places = places;
            sums = new float[imageTokens];
        }

        @Override
        public void attention(Site site, Tensor q, Tensor k) {
            long chunk = Math.max(16, MAX_SCORES / (q.size(1) * k.size(2)));
            Tensor keys = k.transpose(-2, -1).mul(new Scalar(1 / Math.sqrt(q.size(3)))); // [1, H, D, L + N]
            Tensor index = Tensors.onDeviceOf(Tensors.of(places, places.length), q);
            for (long at = 0; at < site.imageTokens(); at += chunk) {
                try (Scope scope = Scope.open()) {
                    Tensor queries = q.narrow(2, site.textTokens() + at, Math.min(chunk, site.imageTokens() - at));
                    Tensor shares = Ops.softmax(queries.matmul(keys)); // [1, H, chunk, L + N]
                    float[] toWord = Tensors.floats(shares.index_select(3, index).sum(3).mean(1)); // [1, chunk]
                    for (int i = 0; i < toWord.length; i++) {
                        sums[(int) at + i] += toWord[i];
                    }
                }
            }
            count++;
        }

        float[] mean() {
            float[] mean = sums.clone();
            for (int i = 0; i < mean.length; i++) {
                mean[i] /= count;
            }
            return mean;
        }
    }
}
