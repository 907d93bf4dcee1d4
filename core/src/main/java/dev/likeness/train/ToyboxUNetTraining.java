package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.schedule.DiffusionConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.text.ClipPrompts;
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.ToyboxData;
import dev.likeness.weights.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Consumer;

/**
 * The whole recipe of Toybox-UNet: a small U-Net on the data, the autoencoder and the CLIP encoder of Toybox, and the model
 * folder in the layout of Stable Diffusion. Goes on where it was stopped.
 */
public final class ToyboxUNetTraining {

    private static final int LATENT_CHANNELS = 16;
    /** Transformers on the grids of half and of a quarter of the latents' size: 16 x 16 and 8 x 8 at 256 px. */
    private static final UNet2DConditionConfig UNET = new UNet2DConditionConfig(32, LATENT_CHANNELS, LATENT_CHANNELS,
            List.of("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), List.of("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            List.of(48, 64, 72), 1, ToyTextEncoders.WIDTH, List.of(4), List.of(1), 8, 1e-5, true, false, null, null,
            null);
    /** What Toybox lends, folder by folder. */
    private static final List<String> TAKEN = List.of("vae", "text_encoder", "tokenizer");

    private final Path dataFolder;
    private final Path workFolder;
    private final Path modelFolder;
    private final Consumer<String> log;

    /**
     * @param dataFolder the unpacked npm packages, see {@link dev.likeness.train.data.NpmPackages}
     * @param workFolder checkpoint and samples
     * @param modelFolder where the model folder is written
     */
    public ToyboxUNetTraining(Path dataFolder, Path workFolder, Path modelFolder, Consumer<String> log) {
        this.dataFolder = dataFolder;
        this.workFolder = workFolder;
        this.modelFolder = modelFolder;
        this.log = log;
    }

    /**
     * Takes autoencoder and text encoder from Toybox, trains the U-Net and writes the model folder.
     *
     * @param toybox Toybox's model folder
     * @param largeUntil update until which subjects are large and in the middle, at 128 x 128
     * @param anywhereUntil update until which they stand anywhere, at 128 x 128
     * @param until update at which training ends, the rest at 256 x 256
     * @param subjects number of named training subjects, the most common first
     */
    public void train(Path toybox, long largeUntil, long anywhereUntil, long until, int subjects) throws IOException {
        Files.createDirectories(workFolder);
        take(toybox);
        writeSettings();
        ToyboxData data = ToyboxData.load(dataFolder);
        AutoencoderKlConfig vaeConfig = AutoencoderKlConfig.read(modelFolder.resolve("vae/config.json"));
        try (Checkpoint vaeWeights = Checkpoint.open(modelFolder.resolve("vae"), "diffusion_pytorch_model", DType.BFLOAT16,
                        Device.CPU);
                ClipPrompts text = ClipPrompts.open(modelFolder, DType.BFLOAT16, Device.CPU)) {
            Recipe large = Recipe.LARGE_CENTRED.withMaxSubjects(Math.min(ToyboxTraining.FIRST_SUBJECTS, subjects));
            Recipe anywhere = Recipe.ANYWHERE.withMaxSubjects(subjects).withScale(0.42, 0.85);
            UNetTraining training = new UNetTraining(data, new AutoencoderKl(vaeConfig, vaeWeights),
                    captions -> text.encode(captions).tokens(), UNET,
                    workFolder.resolve("unet-state.safetensors"), List.of(
                            new UNetTraining.Stage(largeUntil, 128, 48, 1, large),
                            new UNetTraining.Stage(anywhereUntil, 128, 48, 1, anywhere),
                            new UNetTraining.Stage(until, 256, 16, 1.5, anywhere)), 1e-3);
            training.run(log, () -> export(training));
        }
    }

    /** Copies: git keeps equal files once. */
    private void take(Path toybox) throws IOException {
        if (!Files.isDirectory(toybox.resolve("vae"))) {
            throw Refusal.model("--toybox %s holds no vae; give Toybox's model folder, whose autoencoder and text encoder the U-Net "
                    + "takes.", toybox);
        }
        for (String name : TAKEN) {
            Files.createDirectories(modelFolder.resolve(name));
            try (var files = Files.list(toybox.resolve(name))) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.copy(file, modelFolder.resolve(name).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        // Pipelines of Stable Diffusion pass shift_factor over; without it all of them see the latents that it was trained on.
        Path vae = modelFolder.resolve("vae/config.json");
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = (ObjectNode) mapper.readTree(vae.toFile());
        Files.writeString(vae, json.putNull("shift_factor").toPrettyString() + "\n");
    }

    private void writeSettings() throws IOException {
        Files.writeString(modelFolder.resolve("model_index.json"), """
                {
                  "_class_name": "StableDiffusionPipeline",
                  "_diffusers_version": "0.32.0",
                  "feature_extractor": [null, null],
                  "image_encoder": [null, null],
                  "requires_safety_checker": false,
                  "safety_checker": [null, null],
                  "scheduler": ["diffusers", "DDIMScheduler"],
                  "text_encoder": ["transformers", "CLIPTextModel"],
                  "tokenizer": ["transformers", "CLIPTokenizer"],
                  "unet": ["diffusers", "UNet2DConditionModel"],
                  "vae": ["diffusers", "AutoencoderKL"]
                }
                """);
        DiffusionConfig noise = UNetTraining.DIFFUSION;
        Path scheduler = Files.createDirectories(modelFolder.resolve("scheduler"));
        Files.writeString(scheduler.resolve("scheduler_config.json"), """
                {
                  "_class_name": "DDIMScheduler",
                  "_diffusers_version": "0.32.0",
                  "beta_end": %s,
                  "beta_schedule": "%s",
                  "beta_start": %s,
                  "clip_sample": false,
                  "num_train_timesteps": %d,
                  "prediction_type": "%s",
                  "set_alpha_to_one": %s,
                  "steps_offset": %d,
                  "timestep_spacing": "%s"
                }
                """.formatted(noise.betaEnd(), noise.betaSchedule(), noise.betaStart(), noise.numTrainTimesteps(),
                noise.predictionType(), noise.setAlphaToOne(), noise.stepsOffset(), noise.timestepSpacing()));
        Files.writeString(modelFolder.resolve("likeness.json"), """
                {
                  "width": 256,
                  "height": 256,
                  "steps": 25,
                  "true_cfg_scale": 3
                }
                """);
        Path unet = Files.createDirectories(modelFolder.resolve("unet"));
        Files.writeString(unet.resolve("config.json"), config(UNET));
    }

    private static String config(UNet2DConditionConfig config) {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = mapper.createObjectNode();
        json.put("_class_name", "UNet2DConditionModel").put("_diffusers_version", "0.32.0");
        json.put("act_fn", "silu").put("attention_head_dim", config.attentionHeadDim().get(0));
        json.set("block_out_channels", mapper.valueToTree(config.blockOutChannels()));
        json.put("cross_attention_dim", config.crossAttentionDim());
        json.set("down_block_types", mapper.valueToTree(config.downBlockTypes()));
        json.put("flip_sin_to_cos", true).put("freq_shift", 0).put("in_channels", config.inChannels());
        json.put("layers_per_block", config.layersPerBlock()).put("norm_eps", config.normEps());
        json.put("norm_num_groups", config.normNumGroups()).put("out_channels", config.outChannels());
        json.put("sample_size", config.sampleSize());
        json.set("up_block_types", mapper.valueToTree(config.upBlockTypes()));
        json.put("use_linear_projection", config.useLinearProjection());
        return json.toPrettyString() + "\n";
    }

    private void export(UNetTraining training) {
        try {
            training.weights().write(modelFolder.resolve("unet/diffusion_pytorch_model.safetensors"), 5);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
