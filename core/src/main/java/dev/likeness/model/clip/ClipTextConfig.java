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

    static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "attention_dropout", "dropout", "model_type",
            "projection_dim");

    public ClipTextConfig {
        hiddenAct = hiddenAct == null ? "quick_gelu" : hiddenAct;
        layerNormEps = layerNormEps == null ? 1e-5 : layerNormEps;
        eosTokenId = eosTokenId == null ? 2 : eosTokenId;
        ClipLayer.require(hiddenSize, numAttentionHeads, hiddenAct);
    }

    public static ClipTextConfig read(Path file) {
        return ConfigJson.read(file, ClipTextConfig.class, UNUSED);
    }
}
