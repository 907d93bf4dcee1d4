package dev.likeness.text;

import dev.likeness.error.Refusal;
import dev.likeness.model.bert.BertConfig;
import dev.likeness.model.bert.BertModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Weights;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The text encoders of a HunyuanDiT folder, as HunyuanDiTPipeline calls them: BERT and mT5, whose texts do not see padding. */
public final class HunyuanPrompts implements AutoCloseable {

    private static final String STEM = "model";

    /**
     * Text tokens [B, L, d] and which of them are text: 1, or padding: 0 [B, L], float32; owned by the scope they were made in.
     */
    public record Tokens(Tensor tokens, Tensor mask) {}

    /** What the two encoders make of the same prompts. */
    public record Embedding(Tokens bert, Tokens t5) {}

    /** Token ids and, for each text, how many of them are no padding. */
    private record Ids(long[][] ids, int[] counts) {

        static Ids of(Tokenizer tokenizer, List<String> prompts, int length) {
            return new Ids(prompts.stream().map(prompt -> tokenizer.encode(prompt, length)).toArray(long[][]::new),
                    prompts.stream().mapToInt(prompt -> tokenizer.count(prompt, length)).toArray());
        }

        /** [B, L] with one number where there is text and another where padding is. */
        Tensor mask(float text, float padding) {
            int length = ids[0].length;
            float[] mask = new float[ids.length * length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = i % length < counts[i / length] ? text : padding;
            }
            return Tensors.of(mask, ids.length, length);
        }

        /** What is added to the scores of keys, [B, 1, 1, L]. */
        Tensor scores() {
            return mask(0, Float.NEGATIVE_INFINITY).unsqueeze(1).unsqueeze(1);
        }
    }

    private final Opened opened = new Opened();
    private final Tokenizer bertTokenizer;
    private final Tokenizer t5Tokenizer;
    private final BertModel bert;
    private final T5EncoderModel t5;

    private HunyuanPrompts(Path folder, DType dtype, Device device) {
        try {
            bertTokenizer = opened.add(Tokenizer.bert(folder.resolve("tokenizer")), Tokenizer::close);
            t5Tokenizer = opened.add(Tokenizer.t5(folder.resolve("tokenizer_2")), Tokenizer::close);
            bert = opened.add(Checkpoint.open(folder.resolve("text_encoder"), STEM, dtype, device), Checkpoint::close)
                    .network(weights -> bert(folder, weights), BertModel.IGNORED_KEYS);
            t5 = opened.add(Checkpoint.open(folder.resolve("text_encoder_2"), STEM, T5EncoderModel.dtype(dtype), device),
                    Checkpoint::close).network(weights -> t5(folder, weights), T5EncoderModel.IGNORED_KEYS);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** @throws Refusal (model) when a file is missing or does not fit */
    public static HunyuanPrompts open(Path folder, DType dtype, Device device) {
        return new HunyuanPrompts(folder, dtype, device);
    }

    /** BERT of a model's folder. */
    public static BertModel bert(Path folder, Weights weights) {
        return new BertModel(bertConfig(folder), weights);
    }

    /** mT5 of a model's folder. */
    public static T5EncoderModel t5(Path folder, Weights weights) {
        return new T5EncoderModel(t5Config(folder), weights);
    }

    private static BertConfig bertConfig(Path folder) {
        return BertConfig.read(folder.resolve("text_encoder/config.json"));
    }

    private static T5Config t5Config(Path folder) {
        return T5Config.read(folder.resolve("text_encoder_2/config.json"));
    }

    /** Width of a BERT token that a folder's encoder makes; reads its configuration only. */
    public static int bertWidth(Path folder) {
        return bertConfig(folder).hiddenSize();
    }

    /** Width of a T5 token. */
    public static int t5Width(Path folder) {
        return t5Config(folder).dModel();
    }

    /** The longest text that BERT has positions for. */
    public static int bertPositions(Path folder) {
        return bertConfig(folder).maxPositionEmbeddings();
    }

    /**
     * Encodes prompts; longer ones are cut.
     *
     * @param bertLength number of BERT tokens
     * @param t5Length number of T5 tokens
     */
    public Embedding encode(List<String> prompts, int bertLength, int t5Length) {
        try (Scope scope = Scope.open()) {
            Ids ofBert = Ids.of(bertTokenizer, prompts, bertLength);
            Ids ofT5 = Ids.of(t5Tokenizer, prompts, t5Length);
            Tensor bertTokens = bert.forward(ofBert.ids, ofBert.scores());
            Tensor t5Tokens = Tensors.like(t5.forward(ofT5.ids, ofT5.scores()), bertTokens);
            return new Embedding(
                    new Tokens(scope.keep(bertTokens), scope.keep(Tensors.onDeviceOf(ofBert.mask(1, 0), bertTokens))),
                    new Tokens(scope.keep(t5Tokens), scope.keep(Tensors.onDeviceOf(ofT5.mask(1, 0), t5Tokens))));
        }
    }

    @Override
    public void close() {
        opened.close();
    }
}
