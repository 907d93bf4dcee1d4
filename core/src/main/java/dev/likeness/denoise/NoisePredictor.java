package dev.likeness.denoise;

import dev.likeness.model.SelfAttentionHook;
import org.bytedeco.pytorch.Tensor;

/**
 * A diffusion network with its conditions bound to it: all that {@link DiffusionSampler} knows of a model. The rows of a batch
 * are those of the conditions, for guidance the negative prompt first and the prompt second.
 */
@FunctionalInterface
public interface NoisePredictor {

    /**
     * One pass over all rows.
     *
     * @param latents [B, C, h, w], float32, a row for each condition
     * @param timestep of all rows, as in training
     * @param step 0-based number of the step, for the hook to know
     * @return what the network was trained to tell (noise, v or the image) [B, C, h, w], float32, owned by the open scope
     */
    Tensor predict(Tensor latents, int timestep, int step, SelfAttentionHook hook);
}
