package dev.likeness.task;

import dev.likeness.denoise.NoisePredictor;
import dev.likeness.error.Refusal;
import dev.likeness.model.bert.BertModel;
import dev.likeness.model.hunyuan.HunyuanDit2DConfig;
import dev.likeness.model.hunyuan.HunyuanDit2DModel;
import dev.likeness.model.hunyuan.HunyuanDit2DModel.Condition;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.reference.TokenMask;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.HunyuanPrompts;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * HunyuanDiT 1.0, 1.1 or 1.2: its transformer, BERT and mT5, as HunyuanDiTPipeline calls them without binning of resolutions.
 */
public final class HunyuanDitModel extends DiffusionModel {

    private static final int STEPS = 50;
    private static final double GUIDANCE = 5;
    private static final float ORIGINAL_SIDE = 1024; // of what the network is told that the picture was made from

    private final HunyuanDit2DConfig config;
    private final DiffusionDefaults defaults;
    private HunyuanPrompts text;
    private Checkpoint transformerWeights;
    private HunyuanDit2DModel transformer;

    HunyuanDitModel(Path folder, Device device, DType dtype) {
        super(folder, scheduler(folder), device, dtype);
        config = config(folder);
        requireLatents("transformer", config.inChannels());
        require("cross_attention_dim", config.crossAttentionDim(), "text_encoder's hidden_size", HunyuanPrompts.bertWidth(folder));
        require("cross_attention_dim_t5", config.crossAttentionDimT5(), "text_encoder_2's d_model",
                HunyuanPrompts.t5Width(folder));
        if (config.textLen() > HunyuanPrompts.bertPositions(folder)) {
            throw Refusal.model("%s: transformer text_len %d is more than the text_encoder's max_position_embeddings %d; the "
                    + "components do not belong together.", folder, config.textLen(), HunyuanPrompts.bertPositions(folder));
        }
        if (config.patchSize() * vaeConfig().pixelsPerLatent() != TokenMask.TOKEN) {
            throw Refusal.model("%s: a token is %d pixels wide, and only tokens of %d are supported.", folder,
                    config.patchSize() * vaeConfig().pixelsPerLatent(), TokenMask.TOKEN);
        }
        int side = config.sampleSize() / config.patchSize() * config.patchSize() * vaeConfig().pixelsPerLatent();
        defaults = DiffusionDefaults.read(folder, new DiffusionDefaults(side, side, STEPS, GUIDANCE));
    }

    static List<Part> parts(Path folder) {
        return List.of(
                Part.network("transformer", "transformer", weights -> new HunyuanDit2DModel(config(folder), weights)),
                vae(folder),
                Part.textEncoder("BERT text encoder", "text_encoder", weights -> HunyuanPrompts.bert(folder, weights),
                        BertModel.IGNORED_KEYS),
                Part.textEncoder("mT5 text encoder", "text_encoder_2", weights -> HunyuanPrompts.t5(folder, weights),
                        T5EncoderModel.IGNORED_KEYS));
    }

    /** By folder the files that a tokenizer needs where it has no tokenizer.json. */
    static Map<String, List<String>> tokenizers() {
        return Map.of("tokenizer", List.of("vocab.txt"), "tokenizer_2", List.of("spiece.model"));
    }

    /** The model's name, as far as its network's configuration tells. */
    static String title(Path folder) {
        return config(folder).useStyleCondAndImageMetaSize() ? "HunyuanDiT 1.0 or 1.1" : "HunyuanDiT 1.2";
    }

    private static HunyuanDit2DConfig config(Path folder) {
        return HunyuanDit2DConfig.read(folder.resolve("transformer/config.json"));
    }

    private void require(String key, int ofTransformer, String textKey, int ofText) {
        if (ofTransformer != ofText) {
            throw Refusal.model("%s: transformer %s %d is not the %s %d; the components do not belong together.", folder(), key,
                    ofTransformer, textKey, ofText);
        }
    }

    @Override
    public DiffusionDefaults defaults() {
        return defaults;
    }

    @Override
    synchronized void loadNetworks() {
        text();
        transformer();
    }

    private HunyuanPrompts text() {
        if (text == null) {
            text = HunyuanPrompts.open(folder(), dtype(), device());
        }
        return text;
    }

    /** The network, loaded on first use. */
    public synchronized HunyuanDit2DModel transformer() {
        if (transformer == null) {
            transformerWeights =
                    Checkpoint.open(folder().resolve("transformer"), "diffusion_pytorch_model", dtype(), device());
            transformer = transformerWeights.network(weights -> new HunyuanDit2DModel(config, weights));
        }
        return transformer;
    }

    /** What steers the network, owned by the open scope. @param negative as for {@link #predictor} */
    private synchronized Condition condition(String negative, String prompt, Sampling sampling) {
        List<String> prompts = negative == null ? List.of(prompt) : List.of(negative, prompt);
        try (Scope scope = Scope.open()) {
            HunyuanPrompts.Embedding embedding = text().encode(prompts, config.textLen(), config.textLenT5());
            Tensor sizes = config.useStyleCondAndImageMetaSize() ? sizes(prompts.size(), sampling) : null;
            Condition condition = transformer().condition(embedding.bert().tokens(), embedding.bert().mask(),
                    embedding.t5().tokens(), embedding.t5().mask(), sizes);
            return new Condition(scope.keep(condition.tokens()), scope.keep(condition.extra()));
        }
    }

    /** What the network shall know of the canvas: it is not cropped. @return [n, 6], float32 */
    private Tensor sizes(int rows, Sampling sampling) {
        return rows(rows, ORIGINAL_SIDE, ORIGINAL_SIDE, sampling.height(), sampling.width(), 0, 0);
    }

    @Override
    NoisePredictor predictor(String negative, String prompt, Sampling sampling) {
        HunyuanDit2DModel network = transformer();
        Condition condition = condition(negative, prompt, sampling);
        Tensor rotation = network.rotation(sampling.rows(), sampling.columns());
        long rows = condition.tokens().size(0);
        return (latents, timestep, step, hook) -> {
            try (Scope scope = Scope.open()) {
                HunyuanDit2DModel.Input input = new HunyuanDit2DModel.Input(Tensors.like(latents, condition.tokens()),
                        rows(rows, timestep).view(-1), condition, rotation);
                return scope.keep(Tensors.to(network.forward(input, step, hook), DType.FLOAT32));
            }
        };
    }

    @Override
    synchronized void closeNetworks() {
        if (text != null) {
            text.close();
        }
        if (transformerWeights != null) {
            transformerWeights.close();
        }
    }
}
