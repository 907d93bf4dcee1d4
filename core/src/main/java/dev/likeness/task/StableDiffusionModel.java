package dev.likeness.task;

import dev.likeness.denoise.NoisePredictor;
import dev.likeness.error.Refusal;
import dev.likeness.model.ConfigJson;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.unet.UNet2DConditionModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.ClipPrompts;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Stable Diffusion 1.5, 2.1 or SDXL: the U-Net and one CLIP or two, as StableDiffusionPipeline and -XLPipeline call them. */
public final class StableDiffusionModel extends DiffusionModel {

    private static final int STEPS = 50;
    private static final double GUIDANCE = 7.5;
    private static final double XL_GUIDANCE = 5;
    private static final int USUAL_SIDE = 64; // of latents
    private static final int STEPS_OFFSET = 1; // which StableDiffusionPipeline sets whatever the scheduler's file says

    private final boolean zerosForEmptyNegative;
    private final UNet2DConditionConfig unetConfig;
    private final DiffusionDefaults defaults;
    private ClipPrompts text;
    private Checkpoint unetWeights;
    private UNet2DConditionModel unet;

    StableDiffusionModel(Path folder, ModelIndex index, Device device, DType dtype) {
        super(folder, isXl(index) ? scheduler(folder) : scheduler(folder).withStepsOffset(STEPS_OFFSET), device, dtype);
        unetConfig = config(folder);
        requireLatents("unet", unetConfig.inChannels());
        require("cross_attention_dim", unetConfig.crossAttentionDim(), "hidden_size", ClipPrompts.tokenWidth(folder));
        require("pooled text's width", unetConfig.pooledWidth(), "projection_dim", ClipPrompts.pooledWidth(folder));
        zerosForEmptyNegative = unetConfig.pooledWidth() > 0 && index.forceZerosForEmptyPrompt();
        int side = latents(index) * vaeConfig().pixelsPerLatent();
        defaults = DiffusionDefaults.read(folder,
                new DiffusionDefaults(side, side, STEPS, unetConfig.pooledWidth() > 0 ? XL_GUIDANCE : GUIDANCE));
    }

    /** @param two whether there is a second text encoder, as in SDXL */
    static List<Part> parts(Path folder, boolean two) {
        Part first = Part.textEncoder("CLIP text encoder", "text_encoder", weights -> ClipPrompts.Clip.of(folder, "", weights),
                ClipTextModel.IGNORED_KEYS);
        Part second = Part.textEncoder("second CLIP text encoder", "text_encoder_2",
                weights -> ClipPrompts.Clip.of(folder, "_2", weights), ClipTextModel.IGNORED_KEYS);
        Part unet = Part.network("U-Net", "unet", weights -> new UNet2DConditionModel(config(folder), weights));
        return two ? List.of(unet, vae(folder), first, second) : List.of(unet, vae(folder), first);
    }

    /** By folder the files that a tokenizer needs where it has no tokenizer.json. */
    static Map<String, List<String>> tokenizers(boolean two) {
        List<String> files = List.of("vocab.json", "merges.txt");
        return two ? Map.of("tokenizer", files, "tokenizer_2", files) : Map.of("tokenizer", files);
    }

    /** The model's name, as far as its network's configuration tells. */
    static String title(Path folder) {
        UNet2DConditionConfig config = config(folder);
        if (config.pooledWidth() > 0) {
            return "Stable Diffusion XL";
        }
        return switch (config.crossAttentionDim()) {
            case 768 -> "Stable Diffusion 1";
            case 1024 -> "Stable Diffusion 2";
            default -> "a model of Stable Diffusion's architecture";
        };
    }

    private static UNet2DConditionConfig config(Path folder) {
        return UNet2DConditionConfig.read(unetJson(folder));
    }

    /** Side of the latents that it was trained at. StableDiffusionPipeline knows that old configurations say 32 and mean 64. */
    private int latents(ModelIndex index) {
        Integer size = unetConfig.sampleSize();
        boolean old = !isXl(index) && size != null && size < USUAL_SIDE
                && ConfigJson.text(unetJson(folder()), "_diffusers_version").matches("0\\.[0-8]\\..*");
        return size == null || size % 2 != 0 || old ? USUAL_SIDE : size;
    }

    private static Path unetJson(Path folder) {
        return folder.resolve("unet/config.json");
    }

    private void require(String key, int ofUnet, String textKey, int ofText) {
        if (ofUnet != ofText) {
            throw Refusal.model("%s: unet %s %d is not the text encoders' %s %d; the components do not belong together.",
                    folder(), key, ofUnet, textKey, ofText);
        }
    }

    @Override
    public DiffusionDefaults defaults() {
        return defaults;
    }

    @Override
    synchronized void loadNetworks() {
        text();
        unet();
    }

    private ClipPrompts text() {
        if (text == null) {
            text = ClipPrompts.open(folder(), dtype(), device());
        }
        return text;
    }

    /** The network, loaded on first use. */
    public synchronized UNet2DConditionModel unet() {
        if (unet == null) {
            unetWeights = Checkpoint.open(folder().resolve("unet"), "diffusion_pytorch_model", dtype(), device());
            unet = unetWeights.network(weights -> new UNet2DConditionModel(unetConfig, weights));
        }
        return unet;
    }

    /** Text conditioning, owned by the open scope. @param negative as for {@link #predictor} */
    synchronized ClipPrompts.Embedding text(String negative, String prompt) {
        try (Scope scope = Scope.open()) {
            ClipPrompts.Embedding made = text().encode(negative == null ? List.of(prompt) : List.of(negative, prompt));
            boolean zeros = negative != null && negative.isEmpty() && zerosForEmptyNegative;
            return new ClipPrompts.Embedding(scope.keep(zeros ? withoutFirst(made.tokens()) : made.tokens()),
                    made.pooled() == null ? null : scope.keep(zeros ? withoutFirst(made.pooled()) : made.pooled()));
        }
    }

    /** The first of two rows zero. */
    private static Tensor withoutFirst(Tensor rows) {
        Tensor last = rows.narrow(0, 1, 1);
        return Ops.cat(0, last.mul(new Scalar(0.0)), last);
    }

    /** What the network shall know of the canvas: it is neither scaled nor cropped. @return [n, 6], float32 */
    private Tensor timeIds(long rows, Sampling sampling) {
        return rows(rows, sampling.height(), sampling.width(), 0, 0, sampling.height(), sampling.width());
    }

    @Override
    NoisePredictor predictor(String negative, String prompt, Sampling sampling) {
        ClipPrompts.Embedding embedding = text(negative, prompt);
        long rows = embedding.tokens().size(0);
        Tensor timeIds = embedding.pooled() == null ? null : timeIds(rows, sampling);
        UNet2DConditionModel network = unet();
        return (latents, timestep, step, hook) -> {
            try (Scope scope = Scope.open()) {
                UNet2DConditionModel.Input input = new UNet2DConditionModel.Input(Tensors.like(latents, embedding.tokens()),
                        rows(rows, timestep).view(-1), embedding.tokens(), embedding.pooled(), timeIds);
                return scope.keep(Tensors.to(network.forward(input, step, hook), DType.FLOAT32));
            }
        };
    }

    @Override
    synchronized void closeNetworks() {
        if (text != null) {
            text.close();
        }
        if (unetWeights != null) {
            unetWeights.close();
        }
    }
}
