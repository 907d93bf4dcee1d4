package dev.likeness.text;

import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The two text encoders of a FLUX.1 folder: T5 gives a vector per token, CLIP one vector for the whole prompt. As in
 * FluxPipeline, padding is not masked.
 */
public final class TextEncoders implements AutoCloseable {

    /** Text tokens [B, L, d] and pooled vectors [B, p], owned by the scope in which they were made. */
    public record Embedding(Tensor tokens, Tensor pooled) {}

    private final Opened opened = new Opened();
    private final Tokenizer clipTokenizer;
    private final Tokenizer t5Tokenizer;
    private final ClipTextModel clip;
    private final T5EncoderModel t5;

    private TextEncoders(ModelFiles files, DType dtype, Device device) {
        ClipTextConfig clipConfig = ClipTextConfig.read(files);
        T5Config t5Config = T5Config.read(files);
        try {
            clipTokenizer = opened.add(Tokenizer.clip(files.folder().resolve("tokenizer")), Tokenizer::close);
            t5Tokenizer = opened.add(Tokenizer.t5(files.folder().resolve("tokenizer_2")), Tokenizer::close);
            clip = opened.add(files.open(Component.CLIP, dtype, device), Checkpoint::close)
                    .network(weights -> new ClipTextModel(clipConfig, weights), ClipTextModel.IGNORED_KEYS);
            t5 = opened.add(files.open(Component.T5, T5EncoderModel.dtype(dtype), device), Checkpoint::close)
                    .network(weights -> new T5EncoderModel(t5Config, weights), T5EncoderModel.IGNORED_KEYS);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** @throws dev.likeness.error.Refusal (model) when a file is missing or does not fit */
    public static TextEncoders open(ModelFiles files, DType dtype, Device device) {
        return new TextEncoders(files, dtype, device);
    }

    /**
     * Encodes prompts.
     *
     * @param maxSequenceLength L, the number of T5 tokens; longer prompts are cut
     */
    public Embedding encode(List<String> prompts, int maxSequenceLength) {
        try (Scope scope = Scope.open()) {
            int clipLength = clip.config().maxPositionEmbeddings();
            long[][] clipIds = prompts.stream().map(p -> clipTokenizer.encode(p, clipLength)).toArray(long[][]::new);
            long[][] t5Ids = prompts.stream().map(p -> t5Tokenizer.encode(p, maxSequenceLength)).toArray(long[][]::new);
            Tensor pooled = clip.forward(clipIds).pooled();
            return new Embedding(scope.keep(Tensors.like(t5.forward(t5Ids), pooled)), scope.keep(pooled));
        }
    }

    /**
     * Which of a prompt's T5 tokens are the word's, wherever it stands in it.
     *
     * @return numbers from 0 to {@code maxSequenceLength - 1}; empty when the word is not in what is left of the prompt
     */
    public long[] places(String prompt, String word, int maxSequenceLength) {
        long[] ids = t5Tokenizer.encode(prompt, maxSequenceLength);
        long end = t5Tokenizer.encode("", maxSequenceLength)[0];
        long[] wanted = Arrays.stream(t5Tokenizer.encode(word, maxSequenceLength)).takeWhile(id -> id != end).toArray();
        return IntStream.rangeClosed(0, ids.length - wanted.length)
                .filter(at -> wanted.length > 0 && Arrays.equals(ids, at, at + wanted.length, wanted, 0, wanted.length))
                .flatMap(at -> IntStream.range(at, at + wanted.length)).asLongStream().distinct().toArray();
    }

    @Override
    public void close() {
        opened.close();
    }
}
