package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.weights.Keeping;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What of a model stays in memory. The later a plan stands here, the less of the transformer does. */
public enum MemoryPlan {
    /** Every network. */
    RESIDENT,
    /**
     * The transformer without the layers of its modulation, a quarter of FLUX.1: they are read once for each prompt. Text
     * encoders and transformer are not in memory at the same time, here and in the plans below.
     */
    MODULATION_PRECOMPUTED,
    /** The transformer's blocks in eight bits; modulation as above. Pictures differ a little. */
    FP8,
    /** One layer of the transformer at a time, and the one that comes next. */
    STREAM;

    private static final Pattern MODULATION = Pattern.compile("(.+\\.)?norm(1|1_context|_out)?\\.linear|time_text_embed\\..+");
    private static final Pattern BLOCKS = Pattern.compile("(single_)?transformer_blocks\\..+");

    /** The name on the command line. */
    public String flag() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @return null for auto. @throws Refusal (usage) when the name is unknown */
    public static MemoryPlan ofFlag(String flag) {
        if (flag.equals("auto")) {
            return null;
        }
        return Arrays.stream(values()).filter(plan -> plan.flag().equals(flag)).findFirst()
                .orElseThrow(() -> Refusal.usage("--memory %s is unknown; use auto, %s.", flag,
                        Arrays.stream(values()).map(MemoryPlan::flag).collect(Collectors.joining(", "))));
    }

    /** How a linear layer of the transformer is kept. */
    Keeping of(String layer) {
        if (this == STREAM || this != RESIDENT && MODULATION.matcher(layer).matches()) {
            return Keeping.STREAM;
        }
        return this == FP8 && BLOCKS.matcher(layer).matches() ? Keeping.FLOAT8 : Keeping.MEMORY;
    }

    /** Whether text encoders stay while the transformer computes. */
    boolean keepsText() {
        return this == RESIDENT;
    }
}
