package dev.likeness.text;

import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The text encoders of a Stable Diffusion folder, as its public pipelines call them: one CLIP whose states after the final norm
 * are the text tokens (1.5, 2.1); or two whose states before their last layers stand side by side, with the second one's
 * projected vector of the whole prompt (SDXL). Padding is not masked.
 */
public final class ClipPrompts implements AutoCloseable {

    private static final String STEM = "model";

    /** Text tokens [B, L, d] and, of two encoders, pooled vectors [B, p], else null; owned by the scope they were made in. */
    public record Embedding(Tensor tokens, Tensor pooled) {}

    /** One CLIP and its projection [p, d], null where it has none. */
    public record Clip(ClipTextModel model, Tensor projection) {

        /** @param suffix of its folder's name: empty for the first, _2 for the second, which projects */
        public static Clip of(Path folder, String suffix, Weights weights) {
            ClipTextConfig config = config(folder, suffix);
            return new Clip(new ClipTextModel(config, weights), suffix.isEmpty() ? null
                    : weights.get("text_projection.weight", config.projectionDim(), config.hiddenSize()));
        }
    }

    /** One CLIP and its tokenizer. */
    private static final class Encoder implements AutoCloseable {
        private final Opened opened = new Opened();
        private final Tokenizer tokenizer;
        private final Clip clip;

        Encoder(Path folder, String suffix, DType dtype, Device device) {
            try {
                tokenizer = opened.add(Tokenizer.clip(folder.resolve("tokenizer" + suffix)), Tokenizer::close);
                clip = opened.add(Checkpoint.open(folder.resolve("text_encoder" + suffix), STEM, dtype, device),
                        Checkpoint::close).network(weights -> Clip.of(folder, suffix, weights), ClipTextModel.IGNORED_KEYS);
            } catch (RuntimeException e) {
                opened.close();
                throw e;
            }
        }

        ClipTextModel.Output encode(List<String> prompts) {
            int length = clip.model.config().maxPositionEmbeddings();
            return clip.model.forward(prompts.stream().map(prompt -> tokenizer.encode(prompt, length)).toArray(long[][]::new));
        }

        @Override
        public void close() {
            opened.close();
        }
    }

    private final Opened opened = new Opened();
    private final Encoder first;
    private final Encoder second; // null where there is one

    private ClipPrompts(Path folder, DType dtype, Device device) {
        boolean two = hasTwo(folder);
        try {
            first = opened.add(new Encoder(folder, "", dtype, device), Encoder::close);
            second = two ? opened.add(new Encoder(folder, "_2", dtype, device), Encoder::close) : null;
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** @throws dev.likeness.error.Refusal (model) when a file is missing or does not fit */
    public static ClipPrompts open(Path folder, DType dtype, Device device) {
        return new ClipPrompts(folder, dtype, device);
    }

    private static boolean hasTwo(Path folder) {
        return Files.isDirectory(folder.resolve("text_encoder_2"));
    }

    private static ClipTextConfig config(Path folder, String suffix) {
        return ClipTextConfig.read(folder.resolve("text_encoder" + suffix).resolve("config.json"));
    }

    /** Width d of the text tokens that a folder's encoders make; reads their configurations only. */
    public static int tokenWidth(Path folder) {
        return config(folder, "").hiddenSize() + (hasTwo(folder) ? config(folder, "_2").hiddenSize() : 0);
    }

    /** Width p of the pooled vectors, 0 for one encoder. */
    public static int pooledWidth(Path folder) {
        return hasTwo(folder) ? config(folder, "_2").projectionDim() : 0;
    }

    /** Encodes prompts; what is longer than the encoders' 77 positions is cut. */
    public Embedding encode(List<String> prompts) {
        try (Scope scope = Scope.open()) {
            ClipTextModel.Output states = first.encode(prompts);
            if (second == null) {
                return new Embedding(scope.keep(states.lastHiddenState()), null);
            }
            ClipTextModel.Output more = second.encode(prompts);
            return new Embedding(scope.keep(Ops.cat(-1, states.penultimate(), more.penultimate())),
                    scope.keep(Ops.linear(more.pooled(), second.clip.projection, null)));
        }
    }

    @Override
    public void close() {
        opened.close();
    }
}
