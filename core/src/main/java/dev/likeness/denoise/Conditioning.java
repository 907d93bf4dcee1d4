package dev.likeness.denoise;

import org.bytedeco.pytorch.Tensor;

/**
 * What a denoising run is steered by.
 *
 * @param text tokens and pooled vector of the prompt
 * @param negative the same of the negative prompt; null for one pass a step
 * @param trueCfgScale weight of classifier-free guidance: negative + scale (prompt - negative); unused without negative
 * @param guidanceScale distilled guidance; null exactly when the model has no guidance embedding
 */
public record Conditioning(Text text, Text negative, double trueCfgScale, Double guidanceScale) {

    /** Text tokens [B, L, d] and pooled vectors [B, p]; B is 1 where there is a negative prompt. */
    public record Text(Tensor tokens, Tensor pooled) {}

    /** One pass a step with this text. */
    public static Conditioning of(Text text, Double guidanceScale) {
        return new Conditioning(text, null, 1, guidanceScale);
    }
}
