package dev.likeness.model.t5;

import dev.likeness.model.ConfigJson;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** config.json of a T5EncoderModel; the components are its keys. */
public record T5Config(
        int vocabSize,
        int dModel,
        int dKv,
        int dFf,
        int numLayers,
        int numHeads,
        Integer relativeAttentionNumBuckets,
        Integer relativeAttentionMaxDistance,
        Double layerNormEpsilon,
        String feedForwardProj) {

    private static final Set<String> UNUSED = Set.of("architectures", "classifier_dropout", "decoder_start_token_id",
            "dense_act_fn", "dropout_rate", "dtype", "eos_token_id", "initializer_factor", "is_decoder",
            "is_encoder_decoder", "is_gated_act", "model_type", "num_decoder_layers", "output_past", "pad_token_id",
            "scale_decoder_outputs", "task_specific_params", "tie_word_embeddings", "tokenizer_class", "torch_dtype",
            "transformers_version", "use_cache");

    public T5Config {
        relativeAttentionNumBuckets = relativeAttentionNumBuckets == null ? 32 : relativeAttentionNumBuckets;
        relativeAttentionMaxDistance = relativeAttentionMaxDistance == null ? 128 : relativeAttentionMaxDistance;
        layerNormEpsilon = layerNormEpsilon == null ? 1e-6 : layerNormEpsilon;
        feedForwardProj = feedForwardProj == null ? "relu" : feedForwardProj;
        if (!feedForwardProj.equals("gated-gelu") && !feedForwardProj.equals("relu")) {
            throw new IllegalArgumentException("feed_forward_proj must be gated-gelu or relu, it is " + feedForwardProj);
        }
    }

    public static T5Config read(Path file) {
        return ConfigJson.read(file, T5Config.class, UNUSED);
    }

    /**
     * The folder's config.json; for a single file what its shapes tell. The reach of the distances and the norms' epsilon
     * they do not tell: as in the folder's config.json where there is one, else as in T5 1.1.
     */
    public static T5Config read(ModelFiles files) {
        Path file = files.config(Component.T5);
        if (!files.single().containsKey(Component.T5)) {
            return read(file);
        }
        T5Config known = Files.exists(file) ? read(file) : null;
        Shapes shapes = files.shapes(Component.T5);
        String embedding = shapes.has(T5EncoderModel.SHARED) ? T5EncoderModel.SHARED : T5EncoderModel.TIED;
        String block = "encoder.block.0.layer.";
        String bias = block + "0.SelfAttention.relative_attention_bias.weight";
        boolean gated = shapes.has(block + "1.DenseReluDense.wi_0.weight");
        int heads = shapes.size(bias, 1);
        return new T5Config(shapes.size(embedding, 0), shapes.size(embedding, 1),
                shapes.size(block + "0.SelfAttention.q.weight", 0) / heads,
                shapes.size(block + "1.DenseReluDense." + (gated ? "wi_0.weight" : "wi.weight"), 0),
                shapes.count("encoder.block"),
                heads, shapes.size(bias, 0), known == null ? null : known.relativeAttentionMaxDistance(),
                known == null ? null : known.layerNormEpsilon(), gated ? "gated-gelu" : "relu");
    }
}
