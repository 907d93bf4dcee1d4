package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.weights.Component;
import dev.likeness.weights.LoraFile;
import dev.likeness.weights.LoraWeights;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A plan, and the memory that a run with it takes of the device at most: resident memory on a CPU.
 *
 * @param bytes for the model's usual canvas; what is kept of references comes on top
 * @param available bytes that the system can give; {@link Long#MAX_VALUE} where it does not tell
 */
public record Memory(MemoryPlan plan, long bytes, long available) {

    private static final long BASE = 700L << 20; // Java, libtorch and their code
    private static final long SCORES = 256L << 20; // attention's
    private static final int ROWS = 2; // a picture and its negative prompt, or a reference
    private static final double SHARE = 0.95; // of what is available
    private static final double GIGA = 1e9;

    /** Sizes of what a model is made of. */
    private record Model(ModelFiles files, List<LoraFile> loras, FluxConfig transformer, AutoencoderKlConfig vae,
            ModelDefaults defaults, DType dtype) {

        private long bytes(Component component) {
            return dtype.bytes() * files.shapes(component).byName().values().stream().mapToLong(Shapes::elements).sum();
        }

        /** What the transformer takes of memory: what stays, and the most that comes and goes with one layer. */
        private long transformer(MemoryPlan plan) {
            long kept = LoraWeights.bytes(loras, dtype);
            long passing = 0;
            for (Map.Entry<String, long[]> weight : files.shapes(Component.TRANSFORMER).byName().entrySet()) {
                long elements = Shapes.elements(weight.getValue());
                String name = weight.getKey();
                boolean matrix = weight.getValue().length == 2 && name.endsWith(".weight");
                if (!matrix) {
                    kept += elements * dtype.bytes();
                    continue;
                }
                switch (plan.of(name.substring(0, name.length() - ".weight".length()))) {
                    case MEMORY -> {
                        kept += elements * dtype.bytes();
                        passing = Math.max(passing, 6 * elements * dtype.bytes()); // three such are packed as one
                    }
                    case FLOAT8 -> {
                        kept += elements;
                        passing = Math.max(passing, elements * (3L * DType.FLOAT32.bytes() + dtype.bytes()));
                    }
                    case STREAM -> passing = Math.max(passing, 3 * elements * Math.max(2, dtype.bytes())); // as stored, as used, the next
                }
            }
            return kept + passing;
        }

        private long atMost(MemoryPlan plan) {
            long text = bytes(Component.T5) + bytes(Component.CLIP);
            long vae = bytes(Component.VAE);
            long pixels = (long) defaults.width() * defaults.height();
            long tokens = pixels / 256 + defaults.maxSequenceLength();
            long attending = 32L * tokens * transformer.width() * ROWS * dtype.bytes() + SCORES;
            long decoding = 6L * pixels * this.vae.blockOutChannels().get(0) * dtype.bytes();
            long computing = transformer(plan) + Math.max(attending, decoding);
            return BASE + vae + (plan.keepsText() ? text + computing : Math.max(text, computing));
        }
    }

    /**
     * @param wanted null for the first one that fits and changes no picture
     * @throws Refusal (resources) when the plan does not fit, or none does
     */
    static Memory of(MemoryPlan wanted, ModelFiles files, List<LoraFile> loras, FluxConfig transformer, AutoencoderKlConfig vae,
            ModelDefaults defaults, Device device, DType dtype) {
        Model model = new Model(files, loras, transformer, vae, defaults, dtype);
        long available = device.freeBytes();
        List<MemoryPlan> candidates = wanted != null ? List.of(wanted)
                : List.of(MemoryPlan.RESIDENT, MemoryPlan.MODULATION_PRECOMPUTED, MemoryPlan.STREAM);
        if (!complete(files)) {
            return new Memory(candidates.get(0), 0, available); // what is missing is told when it is loaded
        }
        for (MemoryPlan plan : candidates) {
            long bytes = model.atMost(plan);
            if (bytes <= SHARE * available) {
                return new Memory(plan, bytes, available);
            }
        }
        String free = String.format(Locale.ROOT, "%.1f GB are free", available / GIGA);
        long least = model.atMost(MemoryPlan.STREAM);
        if (wanted == null || wanted == MemoryPlan.STREAM) {
            throw Refusal.resources("%s takes at least %.1f GB of memory (--memory stream) and %s; free some, or take files of "
                    + "smaller text encoders.", files.folder(), least / GIGA, free);
        }
        MemoryPlan fitting = Stream.of(MemoryPlan.values()).filter(plan -> model.atMost(plan) <= SHARE * available).findFirst()
                .orElse(null);
        throw Refusal.resources("--memory %s takes up to %.1f GB and %s; %s.", wanted.flag(), model.atMost(wanted) / GIGA, free,
                fitting == null ? String.format(Locale.ROOT, "no plan fits, and stream takes %.1f GB", least / GIGA)
                        : String.format(Locale.ROOT, "use --memory %s, which takes %.1f GB", fitting.flag(), model.atMost(fitting) / GIGA));
    }

    private static boolean complete(ModelFiles files) {
        try {
            Stream.of(Component.TRANSFORMER, Component.VAE, Component.CLIP, Component.T5).forEach(files::shapes);
            return true;
        } catch (Refusal e) {
            return false;
        }
    }

    /** In words. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "memory: %s, at most %.1f GB", plan.flag(), bytes / GIGA)
                + (available == Long.MAX_VALUE ? "" : String.format(Locale.ROOT, " of %.1f GB that are free", available / GIGA));
    }
}
