package dev.likeness.request;

import static java.util.Objects.requireNonNullElse;

import dev.likeness.reference.TokenMask;
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

    /** @throws dev.likeness.error.Refusal (usage) when what was given is out of range; no model is needed to tell */
    public void check() {
        new Sampling(requireNonNullElse(width, TokenMask.TOKEN), requireNonNullElse(height, TokenMask.TOKEN),
                requireNonNullElse(steps, 1), requireNonNullElse(guidanceScale, 0.0), requireNonNullElse(trueCfgScale, 1.0),
                negativePrompt, requireNonNullElse(maxSequenceLength, 2), 0, count);
    }

    public Sampling with(ModelDefaults defaults) {
        return with(defaults, defaults.width(), defaults.height());
    }

    /** Where the picture's size follows from another one. */
    public Sampling with(ModelDefaults defaults, int defaultWidth, int defaultHeight) {
        return new Sampling(
                requireNonNullElse(width, defaultWidth), requireNonNullElse(height, defaultHeight),
                requireNonNullElse(steps, defaults.steps()), requireNonNullElse(guidanceScale, defaults.guidanceScale()),
                requireNonNullElse(trueCfgScale, defaults.trueCfgScale()),
                negativePrompt, requireNonNullElse(maxSequenceLength, defaults.maxSequenceLength()),
                seed == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : seed,
                count);
    }
}
