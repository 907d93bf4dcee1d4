package dev.likeness.model.t5;

import dev.likeness.model.ConfigJson;
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
            "scale_decoder_outputs", "task_specific_params", "tie_word_embeddings", "torch_dtype", "transformers_version",
            "use_cache");

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
}
