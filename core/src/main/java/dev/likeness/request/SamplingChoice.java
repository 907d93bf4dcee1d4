package dev.likeness.request;

import static java.util.Objects.requireNonNullElse;

import dev.likeness.error.Refusal;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.DiffusionDefaults;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How pictures shall be sampled. What is null comes from the model's defaults; without a seed it is drawn.
 *
 * @param negativePrompt not null
 * @param count number of pictures
 */
public record SamplingChoice(Integer width, Integer height, Integer steps, Double guidanceScale, Double trueCfgScale,
        String negativePrompt, Integer maxSequenceLength, Long seed, int count) {

    private static final int CLIP_TOKENS = 77;

    /** @throws Refusal (usage) when what was given is out of range; no model is needed to tell */
    public void check() {
        new Sampling(requireNonNullElse(width, TokenMask.TOKEN), requireNonNullElse(height, TokenMask.TOKEN),
                requireNonNullElse(steps, 1), requireNonNullElse(guidanceScale, 0.0), requireNonNullElse(trueCfgScale, 1.0),
                negativePrompt, requireNonNullElse(maxSequenceLength, 2), 0, count);
    }

    public Sampling with(ModelDefaults defaults) {
        return with(defaults, defaults.width(), defaults.height());
    }

    /** For models that tell noise from latents; what is FLUX.1's alone must not have been given. */
    public Sampling with(DiffusionDefaults defaults) {
        if (guidanceScale != null) {
            throw Refusal.usage("--guidance-scale is guidance that was distilled into FLUX.1-dev; give this model "
                    + "--true-cfg-scale.");
        }
        if (maxSequenceLength != null) {
            throw Refusal.usage("--max-sequence-length is for FLUX.1, and this model's text has a length of its own; leave it out.");
        }
        return new Sampling(
                requireNonNullElse(width, defaults.width()), requireNonNullElse(height, defaults.height()),
                requireNonNullElse(steps, defaults.steps()), 0, requireNonNullElse(trueCfgScale, defaults.trueCfgScale()),
                negativePrompt, CLIP_TOKENS, effectiveSeed(), count);
    }

    /** Where the picture's size follows from another one. */
    public Sampling with(ModelDefaults defaults, int defaultWidth, int defaultHeight) {
        return new Sampling(
                requireNonNullElse(width, defaultWidth), requireNonNullElse(height, defaultHeight),
                requireNonNullElse(steps, defaults.steps()), requireNonNullElse(guidanceScale, defaults.guidanceScale()),
                requireNonNullElse(trueCfgScale, defaults.trueCfgScale()),
                negativePrompt, requireNonNullElse(maxSequenceLength, defaults.maxSequenceLength()),
                effectiveSeed(), count);
    }

    private long effectiveSeed() {
        return seed == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : seed;
    }
}
