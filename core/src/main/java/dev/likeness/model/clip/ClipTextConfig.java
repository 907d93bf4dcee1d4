package dev.likeness.model.clip;

import dev.likeness.model.ConfigJson;
import java.nio.file.Path;
import java.util.Set;

/**
 * config.json of a CLIPTextModel; the components are its keys.
 *
 * @param eosTokenId id that ends a text; 2 marks old files, in which the end is the greatest id of the sequence
 */
public record ClipTextConfig(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int maxPositionEmbeddings,
        String hiddenAct,
        Double layerNormEps,
        Integer eosTokenId) {

    private static final Set<String> UNUSED = Set.of("architectures", "attention_dropout", "bos_token_id", "dropout",
            "dtype", "initializer_factor", "initializer_range", "model_type", "pad_token_id", "projection_dim",
            "torch_dtype", "transformers_version");

    public ClipTextConfig {
        hiddenAct = hiddenAct == null ? "quick_gelu" : hiddenAct;
        layerNormEps = layerNormEps == null ? 1e-5 : layerNormEps;
        eosTokenId = eosTokenId == null ? 2 : eosTokenId;
        if (!hiddenAct.equals("quick_gelu") && !hiddenAct.equals("gelu")) {
            throw new IllegalArgumentException("hidden_act must be quick_gelu or gelu, it is " + hiddenAct);
        }
        if (numAttentionHeads < 1 || hiddenSize % numAttentionHeads != 0) {
            throw new IllegalArgumentException("num_attention_heads must divide hidden_size");
        }
    }

    public static ClipTextConfig read(Path file) {
        return ConfigJson.read(file, ClipTextConfig.class, UNUSED);
    }
}
