package dev.likeness.inject;

import dev.likeness.denoise.StepInjection;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The target regions start from their references' noise, moved along, instead of the picture's own. */
public record ReferenceNoise(List<Placed> references) implements StepInjection {

    @Override
    public Tensor latents(int step, double sigma, Tensor latents) {
        for (int i = 0; i < references.size() && step == 0; i++) {
            latents = references.get(i).putInto(latents, 0);
        }
        return latents;
    }
}
