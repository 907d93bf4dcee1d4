package dev.likeness.model.bert;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** config.json of a BertModel; the components are its keys. */
public record BertConfig(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int maxPositionEmbeddings,
        Integer typeVocabSize,
        Double layerNormEps) {

    private static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "attention_probs_dropout_prob",
            "classifier_dropout", "directionality", "eos_token_id", "hidden_dropout_prob", "model_type", "output_past",
            "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
            "use_cache");
    private static final Map<String, String> FIXED =
            Map.of("hidden_act", "gelu", "position_embedding_type", "absolute", "is_decoder", "false");

    public BertConfig {
        typeVocabSize = typeVocabSize == null ? 2 : typeVocabSize;
        layerNormEps = layerNormEps == null ? 1e-12 : layerNormEps;
        if (numAttentionHeads < 1 || hiddenSize < 1 || hiddenSize % numAttentionHeads != 0) {
            throw new IllegalArgumentException("num_attention_heads must divide hidden_size");
        }
    }

    public static BertConfig read(Path file) {
        return ConfigJson.read(file, BertConfig.class, UNUSED, FIXED);
    }
}
