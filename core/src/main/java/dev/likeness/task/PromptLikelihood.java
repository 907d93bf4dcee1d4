package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.image.Picture;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Which prompt the model itself finds in a picture: the one under which it predicts the picture's noise best, the idea of
 * diffusion classifiers (arXiv 2303.16203).
 */
public final class PromptLikelihood {

    private static final double[] SIGMAS = {0.5, 0.7};
    private static final int SEED = 2;

    private PromptLikelihood() {}

    /**
     * Mean squared error of the velocity under each prompt, with the same noise; one network pass a prompt and noise level.
     *
     * @param picture of the canvas's size
     * @param counted which tokens of the canvas count, row-major
     */
    public static double[] errors(FluxModel model, Picture picture, List<String> prompts, boolean[] counted,
            Sampling sampling) {
        double[] errors = new double[prompts.size()];
        try (Scope scope = Scope.open()) {
            model.load();
            Tensor clean = model.encode(picture);
            Tensor noise = model.noise(SEED, sampling);
            Tensor velocity = noise.sub(clean);
            List<Conditioning.Text> texts = prompts.stream().map(prompt -> model.text(prompt, sampling)).toList();
            for (int i = 0; i < errors.length; i++) {
                try (Scope each = Scope.open()) {
                    Denoiser denoiser = new Denoiser(model.transformer(),
                            Conditioning.of(texts.get(i), model.noGuidance()), sampling.rows(), sampling.columns());
                    for (double sigma : SIGMAS) {
                        Tensor predicted =
                                denoiser.velocity(clean.lerp(noise, new Scalar(sigma)), 0, sigma, AttentionHook.NONE);
                        float[] byToken = Tensors.floats(predicted.sub(velocity).square().mean(2)); // [1, N]
                        for (int token = 0; token < counted.length; token++) {
                            errors[i] += counted[token] ? byToken[token] : 0;
                        }
                    }
                }
            }
        }
        return errors;
    }
}
