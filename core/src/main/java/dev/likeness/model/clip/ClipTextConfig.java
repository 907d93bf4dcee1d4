package dev.likeness.model.clip;

import dev.likeness.error.Refusal;
import dev.likeness.model.ConfigJson;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * config.json of a CLIPTextModel; the components are its keys.
 *
 * @param projectionDim width of the pooled vector where the network has a projection; 512 where it is not told
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
        Integer eosTokenId,
        Integer projectionDim) {

    private static final int CLIP_L_HEAD = 64;
    private static final int PUBLIC_PROJECTION = 512;

    static final Set<String> UNUSED = ConfigJson.and(ConfigJson.PRETRAINED, "attention_dropout", "dropout", "model_type");

    public ClipTextConfig {
        hiddenAct = hiddenAct == null ? "quick_gelu" : hiddenAct;
        layerNormEps = layerNormEps == null ? 1e-5 : layerNormEps;
        eosTokenId = eosTokenId == null ? 2 : eosTokenId;
        projectionDim = projectionDim == null ? PUBLIC_PROJECTION : projectionDim;
        ClipLayer.require(hiddenSize, numAttentionHeads, hiddenAct);
    }

    public static ClipTextConfig read(Path file) {
        return ConfigJson.read(file, ClipTextConfig.class, UNUSED);
    }

    /**
     * The folder's config.json; for a single file what its shapes tell. The number of heads, the activation, the norms'
     * epsilon and the end token they do not tell: as in the folder's config.json where there is one, else as in CLIP-L.
     */
    public static ClipTextConfig read(ModelFiles files) {
        Path file = files.config(Component.CLIP);
        if (!files.single().containsKey(Component.CLIP)) {
            return read(file);
        }
        ClipTextConfig known = Files.exists(file) ? read(file) : null;
        Shapes shapes = files.shapes(Component.CLIP);
        String tokens = "text_model.embeddings.token_embedding.weight";
        int width = shapes.size(tokens, 1);
        int heads = known == null ? width / CLIP_L_HEAD : known.numAttentionHeads();
        if (heads < 1 || width % heads != 0) {
            throw Refusal.model("%s has a width of %d, which does not divide into %d heads; put the encoder's config.json "
                    + "into the folder text_encoder of --model.", shapes.source(), width, heads);
        }
        return new ClipTextConfig(shapes.size(tokens, 0), width,
                shapes.size("text_model.encoder.layers.0.mlp.fc1.weight", 0), shapes.count("text_model.encoder.layers"),
                heads,
                shapes.size("text_model.embeddings.position_embedding.weight", 0), known == null ? null : known.hiddenAct(),
                known == null ? null : known.layerNormEps(), known == null ? null : known.eosTokenId(),
                known == null ? width : known.projectionDim()); // CLIP-L's is as wide as its states
    }
}
