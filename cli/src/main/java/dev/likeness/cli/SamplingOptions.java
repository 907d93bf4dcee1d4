package dev.likeness.cli;

import dev.likeness.request.SamplingChoice;
import dev.likeness.task.DiffusionDefaults;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import picocli.CommandLine.Option;

/** How pictures are sampled; what is not given comes from the model's defaults. */
final class SamplingOptions {

    @Option(names = "--negative-prompt", defaultValue = "", paramLabel = "TEXT",
            description = "what true guidance leads away from (default: the empty prompt)")
    String negativePrompt;

    @Option(names = {"-W", "--width"}, paramLabel = "PX", description = "multiple of 16")
    Integer width;

    @Option(names = {"-H", "--height"}, paramLabel = "PX", description = "multiple of 16")
    Integer height;

    @Option(names = "--steps", paramLabel = "N", description = "denoising steps")
    Integer steps;

    @Option(names = "--guidance-scale", paramLabel = "X",
            description = "distilled guidance (FLUX.1-dev); models without it ignore it")
    Double guidanceScale;

    @Option(names = "--true-cfg-scale", paramLabel = "X",
            description = "classifier-free guidance; above 1 it takes two passes a step")
    Double trueCfgScale;

    @Option(names = "--max-sequence-length", paramLabel = "N",
            description = "text tokens given to the transformer; longer prompts are cut")
    Integer maxSequenceLength;

    @Option(names = {"-s", "--seed"}, paramLabel = "N", description = "seed of the first picture (default: random)")
    Long seed;

    @Option(names = {"-n", "--num-images"}, defaultValue = "1", paramLabel = "N",
            description = "number of pictures; seeds count on (default: ${DEFAULT-VALUE})")
    int count;

    SamplingChoice choice() {
        return new SamplingChoice(width, height, steps, guidanceScale, trueCfgScale, negativePrompt, maxSequenceLength, seed,
                count);
    }

    /** Refuses what was given and is out of range, before a model is looked for. */
    void check() {
        choice().check();
    }

    Sampling with(ModelDefaults defaults) {
        return choice().with(defaults);
    }

    Sampling with(DiffusionDefaults defaults) {
        return choice().with(defaults);
    }

    static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
