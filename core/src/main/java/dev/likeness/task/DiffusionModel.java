package dev.likeness.task;

import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.NoisePredictor;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.latents.Pixels;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.DiffusionConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * A folder in diffusers layout whose network was trained to tell noise from latents: scheduler, autoencoder, noise and pictures,
 * which are the same for all of them. A family extends it by its network and its text encoders: it reads their configurations
 * in its constructor, loads them in {@link #loadNetworks}, binds prompts to them in {@link #predictor}, and stands in
 * {@link #open}, {@link #isPipeline}, {@link #parts}, {@link #tokenizers} and {@link #title} under its pipeline's name.
 * {@link Generate} and {@link Invert} need no more.
 */
public abstract class DiffusionModel implements AutoCloseable {

    private static final String STABLE_DIFFUSION = "StableDiffusionPipeline";
    private static final String STABLE_DIFFUSION_XL = "StableDiffusionXLPipeline";
    private static final String HUNYUAN_DIT = "HunyuanDiTPipeline";

    private final ModelFiles files;
    private final Device device;
    private final DType dtype;
    private final DiffusionConfig diffusion;
    private final AutoencoderKlConfig vaeConfig;
    private Checkpoint vaeWeights;
    private AutoencoderKl vae;

    /** @param diffusion what its {@link #scheduler} says, as the family's public pipeline takes it */
    DiffusionModel(Path folder, DiffusionConfig diffusion, Device device, DType dtype) {
        files = ModelFiles.of(folder);
        this.diffusion = diffusion;
        this.device = device;
        this.dtype = dtype;
        vaeConfig = AutoencoderKlConfig.read(files);
    }

    /** Whether that class in a model_index.json is one that {@link #open} opens. */
    public static boolean isPipeline(String name) {
        return List.of(STABLE_DIFFUSION, STABLE_DIFFUSION_XL, HUNYUAN_DIT).contains(name);
    }

    /** Whether a folder holds such a model. @throws Refusal (model) when it tells nothing */
    public static boolean isIn(Path folder) {
        return isPipeline(ModelIndex.read(folder).pipeline());
    }

    /**
     * Reads the configurations; weights are loaded on first use.
     *
     * @param dtype what the networks compute in; the autoencoder in float32 where that is float16, which it overflows
     * @throws Refusal (model) when the folder is missing, incomplete or holds another kind of model
     */
    public static DiffusionModel open(Path folder, Device device, DType dtype) {
        ModelIndex index = ModelIndex.read(folder);
        return switch (index.pipeline()) {
            case STABLE_DIFFUSION, STABLE_DIFFUSION_XL -> new StableDiffusionModel(folder, index, device, dtype);
            case HUNYUAN_DIT -> new HunyuanDitModel(folder, device, dtype);
            default -> throw Refusal.model("%s holds a %s, not a Stable Diffusion or HunyuanDiT; point --model at a folder that "
                    + "does.", folder, index.kind());
        };
    }

    /** The networks of a folder whose index names such a {@linkplain #isPipeline pipeline}. */
    static List<Part> parts(Path folder, ModelIndex index) {
        return index.pipeline().equals(HUNYUAN_DIT) ? HunyuanDitModel.parts(folder)
                : StableDiffusionModel.parts(folder, isXl(index));
    }

    /** By folder the files that its tokenizers need where they have no tokenizer.json. */
    static Map<String, List<String>> tokenizers(ModelIndex index) {
        return index.pipeline().equals(HUNYUAN_DIT) ? HunyuanDitModel.tokenizers()
                : StableDiffusionModel.tokenizers(isXl(index));
    }

    /** The model's name. @throws Refusal (model) when its network's configuration is missing or unsupported */
    static String title(Path folder, ModelIndex index) {
        return index.pipeline().equals(HUNYUAN_DIT) ? HunyuanDitModel.title(folder) : StableDiffusionModel.title(folder);
    }

    static Part vae(Path folder) {
        return Part.network("autoencoder", "vae",
                weights -> new AutoencoderKl(AutoencoderKlConfig.read(folder.resolve("vae/config.json")), weights));
    }

    static boolean isXl(ModelIndex index) {
        return index.pipeline().equals(STABLE_DIFFUSION_XL);
    }

    static DiffusionConfig scheduler(Path folder) {
        return DiffusionConfig.read(folder.resolve("scheduler/scheduler_config.json"));
    }

    /** What suits the model. */
    public abstract DiffusionDefaults defaults();

    /** Loads the family's networks where they are not loaded. */
    abstract void loadNetworks();

    /** Frees them. */
    abstract void closeNetworks();

    /**
     * The network with prompts bound to it, its tensors owned by the open scope.
     *
     * @param negative null for a batch of one; else the first row's prompt, empty for none
     * @param prompt the last row's
     */
    abstract NoisePredictor predictor(String negative, String prompt, Sampling sampling);

    /** Loads every network now instead of on first use. */
    public void load() {
        loadNetworks();
        vae();
    }

    public Path folder() {
        return files.folder();
    }

    /** The name of its folder, also where that was given as a dot. */
    public String name() {
        return String.valueOf(folder().toAbsolutePath().normalize().getFileName());
    }

    public Device device() {
        return device;
    }

    public DType dtype() {
        return dtype;
    }

    /** The noise that it was trained with. */
    public DiffusionConfig diffusion() {
        return diffusion;
    }

    AutoencoderKlConfig vaeConfig() {
        return vaeConfig;
    }

    /** Refuses a network of other latents than the autoencoder's. @param channels that it takes and tells */
    void requireLatents(String network, int channels) {
        if (channels != vaeConfig.latentChannels()) {
            throw Refusal.model("%s: %s in_channels %d is not the vae's latent_channels %d; the components do not belong "
                    + "together, or the model takes further pictures, which is not supported.", folder(), network, channels,
                    vaeConfig.latentChannels());
        }
    }

    /** The same numbers in each of some rows, [count, n], float32. */
    Tensor rows(long count, float... row) {
        try (Scope scope = Scope.open()) {
            return scope.keep(Tensors.to(Ops.repeat(Tensors.of(row, 1, row.length), count, 1), device, DType.FLOAT32));
        }
    }

    /** Denoising led by a prompt, and away from the negative one where guidance asks for it; owned by the open scope. */
    public DiffusionSampler sampler(String prompt, Sampling sampling) {
        boolean guided = sampling.trueCfgScale() > 1;
        NoisePredictor predictor = predictor(guided ? sampling.negativePrompt() : null, prompt, sampling);
        return new DiffusionSampler(predictor, diffusion, sampling.trueCfgScale());
    }

    /** Denoising that follows a caption alone, without guidance; owned by the open scope. */
    public DiffusionSampler unguided(String caption, Sampling sampling) {
        return DiffusionSampler.of(predictor(null, caption, sampling), diffusion);
    }

    /** The steps of a run from noise to image. */
    public List<Diffusion.Step> steps(Diffusion.Sampler sampler, Sampling sampling) {
        if (sampling.steps() > diffusion.numTrainTimesteps()) {
            throw Refusal.usage("--steps %d is more than the %d timesteps of %s; use that many or fewer.", sampling.steps(),
                    diffusion.numTrainTimesteps(), name());
        }
        return Diffusion.steps(diffusion, sampler, sampling.steps());
    }

    /**
     * Standard normal latents [rows, C, h, w], float32, the same that the public pipeline draws from that seed on a CPU: the first
     * row it begins with, one more for each step of DDPM.
     */
    public Tensor noise(long seed, int rows, Sampling sampling) {
        try (Scope scope = Scope.open()) {
            int side = vaeConfig.pixelsPerLatent();
            Tensor noise = Tensors.noise(seed, rows, vaeConfig.latentChannels(), sampling.height() / side, sampling.width() / side);
            return scope.keep(Tensors.to(noise, device, DType.FLOAT32));
        }
    }

    /** A picture of the canvas's size to clean latents [1, C, h, w], float32. */
    public Tensor encode(Picture picture) {
        try (Scope scope = Scope.open()) {
            Tensor pixels = Tensors.to(Pixels.of(picture), device, vaeType());
            return scope.keep(vae().normalise(Tensors.to(vae().encode(pixels), DType.FLOAT32)));
        }
    }

    /** Clean latents [1, C, h, w] to a picture. */
    public Picture decode(Tensor latents) {
        try (Scope scope = Scope.open()) {
            return Pixels.picture(vae().decode(Tensors.to(vae().denormalise(latents), device, vaeType())));
        }
    }

    private DType vaeType() {
        return dtype == DType.FLOAT16 ? DType.FLOAT32 : dtype;
    }

    private synchronized AutoencoderKl vae() {
        if (vae == null) {
            vaeWeights = files.open(Component.VAE, vaeType(), device);
            vae = vaeWeights.network(weights -> new AutoencoderKl(vaeConfig, weights));
        }
        return vae;
    }

    @Override
    public void close() {
        closeNetworks();
        if (vaeWeights != null) {
            vaeWeights.close();
        }
    }
}
