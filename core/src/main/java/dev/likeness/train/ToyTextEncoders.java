package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/**
 * Toybox's text encoders, in the public layouts. They are built, not trained, and stay frozen, as FLUX keeps its own: a
 * text encoder that is trained along erases the identity of nouns, which look like noise until pictures depend on them
 * (docs/toybox-training.md).
 *
 * <p>CLIP's pooled vector is the mean of well-separated word vectors: one attention layer whose end token looks at content
 * words and hardly at others. T5's token is its own word vector with a share of its neighbours', because FLUX gives text
 * tokens no positions and word order would be lost.
 */
public final class ToyTextEncoders {

    /** Width of both encoders' outputs. */
    public static final int WIDTH = 192;

    private static final int CLIP_HEADS = 3;
    private static final int CLIP_LENGTH = 77;
    private static final int T5_HEADS = 4;
    private static final int BUCKETS = 32;
    private static final int MAX_DISTANCE = 128;
    /** Dimension of CLIP's word vectors that tells content words from others. */
    private static final int SALIENCE = 0;
    private static final float SALIENT = 3;
    /** How much more attention a content word gets: exp of this many. */
    private static final float CONTRAST = 5;
    /** Length of the attended mean against the end token's own vector. */
    private static final float CONTENT_GAIN = 4;
    /** Length of a neighbour's share against the word's own vector. */
    private static final float NEIGHBOUR_GAIN = 0.25f;
    private static final float FAR = -12;

    private ToyTextEncoders() {}

    /**
     * Writes tokenizer, tokenizer_2, text_encoder and text_encoder_2.
     *
     * @param words every word of the captions, lower-case letters only
     * @param functionWords those that name nothing to be seen
     */
    public static void write(Path modelFolder, List<String> words, Set<String> functionWords, long seed)
            throws IOException {
        writeClip(modelFolder, words, functionWords, new SplittableRandom(seed));
        writeT5(modelFolder, words, new SplittableRandom(seed + 1));
    }

    private static void writeClip(Path modelFolder, List<String> words, Set<String> functionWords,
            SplittableRandom random) throws IOException {
        Map<String, Integer> vocabulary =
                ToyTokenizers.writeClip(modelFolder.resolve("tokenizer"), words, CLIP_LENGTH);
        int d = WIDTH;
        int end = vocabulary.get(ToyTokenizers.CLIP_END);
        try (Scope scope = Scope.open()) {
            float[] embedding = normal(random, vocabulary.size() * d, 1);
            vocabulary.forEach((token, id) -> {
                String text = token.replace("</w>", "");
                boolean content = id < end - 1 && text.matches("[a-z0-9]+") && !functionWords.contains(text);
                embedding[id * d + SALIENCE] = content ? SALIENT : -SALIENT;
            });
            java.util.Arrays.fill(embedding, end * d, (end + 1) * d, 0);
            embedding[end * d + SALIENCE] = -SALIENT;

            int headWidth = d / CLIP_HEADS;
            float[] key = new float[d * d];
            float[] queryBias = new float[d];
            float[] value = new float[d * d];
            float[] out = new float[d * d];
            for (int head = 0; head < CLIP_HEADS; head++) {
                key[head * headWidth * d + SALIENCE] = 1;
                queryBias[head * headWidth] = (float) (CONTRAST * Math.sqrt(headWidth) / (2 * SALIENT));
            }
            for (int i = 0; i < d; i++) {
                value[i * d + i] = i == SALIENCE ? 0 : 1;
                out[i * d + i] = CONTENT_GAIN;
            }
            Map<String, Tensor> weights = new TreeMap<>();
            weights.put("text_model.embeddings.token_embedding.weight", Tensors.of(embedding, vocabulary.size(), d));
            weights.put("text_model.embeddings.position_embedding.weight", zeros(CLIP_LENGTH, d));
            String layer = "text_model.encoder.layers.0.";
            for (String norm : List.of(layer + "layer_norm1", layer + "layer_norm2", "text_model.final_layer_norm")) {
                weights.put(norm + ".weight", Tensors.full(1, DType.FLOAT32, Device.CPU, d));
                weights.put(norm + ".bias", zeros(d));
            }
            putLinear(weights, layer + "self_attn.q_proj", zeros(d, d), Tensors.of(queryBias, d));
            putLinear(weights, layer + "self_attn.k_proj", Tensors.of(key, d, d), zeros(d));
            putLinear(weights, layer + "self_attn.v_proj", Tensors.of(value, d, d), zeros(d));
            putLinear(weights, layer + "self_attn.out_proj", Tensors.of(out, d, d), zeros(d));
            putLinear(weights, layer + "mlp.fc1", zeros(d, d), zeros(d));
            putLinear(weights, layer + "mlp.fc2", zeros(d, d), zeros(d));

            ObjectNode config = new ObjectMapper().createObjectNode();
            config.withArray("architectures").add("CLIPTextModel");
            config.put("bos_token_id", end - 1).put("eos_token_id", end).put("hidden_act", "quick_gelu");
            config.put("hidden_size", d).put("intermediate_size", d).put("layer_norm_eps", 1e-5);
            config.put("max_position_embeddings", CLIP_LENGTH).put("model_type", "clip_text_model");
            config.put("num_attention_heads", CLIP_HEADS).put("num_hidden_layers", 1).put("pad_token_id", end);
            config.put("projection_dim", d).put("vocab_size", vocabulary.size());
            write(modelFolder.resolve("text_encoder"), config, weights);
        }
    }

    private static void writeT5(Path modelFolder, List<String> words, SplittableRandom random) throws IOException {
        Map<String, Integer> vocabulary = ToyTokenizers.writeT5(modelFolder.resolve("tokenizer_2"), words, 512);
        int d = WIDTH;
        int headWidth = d / T5_HEADS;
        try (Scope scope = Scope.open()) {
            // Two heads look at the one neighbour before and after, two at the next three on either side.
            float[] bias = new float[BUCKETS * T5_HEADS];
            for (int bucket = 0; bucket < BUCKETS; bucket++) {
                boolean after = bucket >= BUCKETS / 2;
                int distance = bucket % (BUCKETS / 2);
                for (int head = 0; head < T5_HEADS; head++) {
                    boolean side = after == (head % 2 == 1);
                    boolean reach = head < 2 ? distance == 1 : distance >= 2 && distance <= 4;
                    bias[bucket * T5_HEADS + head] = side && reach ? 0 : FAR;
                }
            }
            double scale = 1 / Math.sqrt(d);
            String block = "encoder.block.0.layer.";
            Map<String, Tensor> weights = new TreeMap<>();
            weights.put("shared.weight", Tensors.of(normal(random, vocabulary.size() * d, 1), vocabulary.size(), d));
            weights.put(block + "0.SelfAttention.relative_attention_bias.weight", Tensors.of(bias, BUCKETS, T5_HEADS));
            weights.put(block + "0.SelfAttention.q.weight", zeros(d, d));
            weights.put(block + "0.SelfAttention.k.weight", zeros(d, d));
            weights.put(block + "0.SelfAttention.v.weight", Tensors.of(normal(random, d * d, scale), d, d));
            weights.put(block + "0.SelfAttention.o.weight",
                    Tensors.of(normal(random, d * d, NEIGHBOUR_GAIN * Math.sqrt(T5_HEADS) * scale), d, d));
            weights.put(block + "0.layer_norm.weight", Tensors.full(1, DType.FLOAT32, Device.CPU, d));
            weights.put(block + "1.DenseReluDense.wi_0.weight", zeros(d, d));
            weights.put(block + "1.DenseReluDense.wi_1.weight", zeros(d, d));
            weights.put(block + "1.DenseReluDense.wo.weight", zeros(d, d));
            weights.put(block + "1.layer_norm.weight", Tensors.full(1, DType.FLOAT32, Device.CPU, d));
            weights.put("encoder.final_layer_norm.weight", Tensors.full(1, DType.FLOAT32, Device.CPU, d));

            ObjectNode config = new ObjectMapper().createObjectNode();
            config.withArray("architectures").add("T5EncoderModel");
            config.put("d_ff", d).put("d_kv", headWidth).put("d_model", d).put("decoder_start_token_id", 0);
            config.put("dense_act_fn", "gelu_new").put("dropout_rate", 0.0).put("eos_token_id", 1);
            config.put("feed_forward_proj", "gated-gelu").put("is_encoder_decoder", true).put("is_gated_act", true);
            config.put("layer_norm_epsilon", 1e-6).put("model_type", "t5").put("num_decoder_layers", 1);
            config.put("num_heads", T5_HEADS).put("num_layers", 1).put("pad_token_id", 0);
            config.put("relative_attention_max_distance", MAX_DISTANCE).put("relative_attention_num_buckets", BUCKETS);
            config.put("tie_word_embeddings", false).put("use_cache", false).put("vocab_size", vocabulary.size());
            write(modelFolder.resolve("text_encoder_2"), config, weights);
        }
    }

    private static void putLinear(Map<String, Tensor> weights, String name, Tensor weight, Tensor bias) {
        weights.put(name + ".weight", weight);
        weights.put(name + ".bias", bias);
    }

    private static Tensor zeros(long... shape) {
        return Tensors.zeros(DType.FLOAT32, Device.CPU, shape);
    }

    private static float[] normal(SplittableRandom random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    private static void write(Path folder, ObjectNode config, Map<String, Tensor> weights) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toPrettyString() + "\n");
        SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, DType.BFLOAT16);
    }
}
