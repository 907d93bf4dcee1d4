package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.text.TextEncoders;
import dev.likeness.train.data.Captions;
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.ToyboxData;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The whole recipe of Toybox: autoencoder, text encoders, transformer, and the model folder in diffusers layout. Every part
 * goes on where it was stopped; what is finished is not done again.
 */
public final class ToyboxTraining {

    /** Text tokens that the transformer sees. */
    public static final int MAX_SEQUENCE_LENGTH = 24;

    private static final List<Integer> VAE_WIDTHS = List.of(16, 32, 64, 128);
    /** Named subjects of the first stage: few, so that the words' meaning is learnt soon. */
    static final int FIRST_SUBJECTS = 40;
    private static final long TEXT_SEED = 20_000;
    private static final String GUIDANCE = "3";
    private static final FluxConfig TRANSFORMER = new FluxConfig(64, null, 2, 5, 64, 4, ToyTextEncoders.WIDTH,
            ToyTextEncoders.WIDTH, false, List.of(16, 24, 24), null);

    private final Path dataFolder;
    private final Path workFolder;
    private final Path modelFolder;
    private final Consumer<String> log;

    /**
     * @param dataFolder the unpacked npm packages, see {@link dev.likeness.train.data.NpmPackages}
     * @param workFolder checkpoints and samples
     * @param modelFolder where the model folder is written
     */
    public ToyboxTraining(Path dataFolder, Path workFolder, Path modelFolder, Consumer<String> log) {
        this.dataFolder = dataFolder;
        this.workFolder = workFolder;
        this.modelFolder = modelFolder;
        this.log = log;
    }

    /**
     * Updates of each part.
     *
     * @param vaeSteps of the autoencoder
     * @param from update at which the transformer of the model folder stands, to go on from it when the work folder holds no
     *     state; 0 to begin with nothing
     * @param largeUntil update until which subjects are large and in the middle, at 128 x 128
     * @param anywhereUntil update until which they stand anywhere, at 128 x 128
     * @param until update at which training ends, the rest at 256 x 256
     * @param distilled updates of the distillation of guidance that follows
     * @param subjects number of named training subjects, the most common first
     */
    public record Plan(int vaeSteps, long from, long largeUntil, long anywhereUntil, long until, long distilled, int subjects) {}

    /** Trains the autoencoder and writes {@code vae/}. */
    public void trainVae(Plan plan) throws IOException {
        Files.createDirectories(workFolder);
        AutoencoderKlConfig config = VaeTraining.toyboxConfig(VAE_WIDTHS);
        VaeTraining training = new VaeTraining(ToyboxData.load(dataFolder), config, workFolder, plan.vaeSteps());
        training.run(log);
        training.export(modelFolder);
    }

    /** Builds the text encoders, trains the transformer, distils its guidance and writes the rest of the model folder. */
    public void trainTransformer(Plan plan) throws IOException {
        Files.createDirectories(workFolder);
        writeIndex();
        // A resumed run keeps the encoders that it began with, whatever has become of the list of words since.
        if (!Files.exists(modelFolder.resolve("text_encoder_2"))) {
            ToyTextEncoders.write(modelFolder, Captions.words(), Captions.functionWords(), TEXT_SEED);
        }
        ToyboxData data = ToyboxData.load(dataFolder);
        AutoencoderKlConfig vaeConfig = AutoencoderKlConfig.read(modelFolder.resolve("vae/config.json"));
        try (Checkpoint vaeWeights = Checkpoint.open(modelFolder.resolve("vae"), "diffusion_pytorch_model",
                        DType.BFLOAT16, Device.CPU);
                TextEncoders text = TextEncoders.open(ModelFiles.of(modelFolder), DType.BFLOAT16, Device.CPU)) {
            AutoencoderKl vae = new AutoencoderKl(vaeConfig, vaeWeights);
            FluxTraining.Captioner captioner = new CachedCaptions(text, MAX_SEQUENCE_LENGTH);
            Recipe large = Recipe.LARGE_CENTRED.withMaxSubjects(Math.min(FIRST_SUBJECTS, plan.subjects()));
            Recipe anywhere = Recipe.ANYWHERE.withMaxSubjects(plan.subjects()).withScale(0.42, 0.85);
            FluxTraining training = new FluxTraining(data, vae, captioner, TRANSFORMER,
                    workFolder.resolve("transformer-state.safetensors"), List.of(
                            new FluxTraining.Stage(plan.largeUntil(), 128, 48, 2, large),
                            new FluxTraining.Stage(plan.anywhereUntil(), 128, 48, 2, anywhere),
                            new FluxTraining.Stage(plan.until(), 256, 16, 4, anywhere)), 1e-3);
            if (plan.from() > 0) {
                training.startFrom(modelFolder.resolve("transformer/diffusion_pytorch_model.safetensors"), plan.from());
            }
            training.run(log, () -> export(training));
            FluxTraining distillation = training.distillation(workFolder.resolve("distilled-state.safetensors"),
                    List.of(new FluxTraining.Stage(plan.distilled(), 256, 16, 4, anywhere)), 3e-4);
            distillation.run(log, () -> export(distillation));
        }
    }

    /** Writes {@code transformer/} with the averaged weights, and the defaults that suit it. */
    private void export(FluxTraining training) {
        try {
            Path folder = Files.createDirectories(modelFolder.resolve("transformer"));
            FluxConfig config = training.config();
            Files.writeString(modelFolder.resolve("likeness.json"), defaults(config.guidanceEmbeds()));
            ObjectMapper mapper = new ObjectMapper();
            ObjectNode json = mapper.createObjectNode();
            json.put("_class_name", "FluxTransformer2DModel").put("_diffusers_version", "0.32.0");
            json.put("attention_head_dim", config.attentionHeadDim());
            json.set("axes_dims_rope", mapper.valueToTree(config.axesDimsRope()));
            json.put("guidance_embeds", config.guidanceEmbeds()).put("in_channels", config.inChannels());
            json.put("joint_attention_dim", config.jointAttentionDim());
            json.put("num_attention_heads", config.numAttentionHeads()).put("num_layers", config.numLayers());
            json.put("num_single_layers", config.numSingleLayers()).putNull("out_channels").put("patch_size", 1);
            json.put("pooled_projection_dim", config.pooledProjectionDim());
            Files.writeString(folder.resolve("config.json"), json.toPrettyString() + "\n");
            training.weights().write(folder.resolve("diffusion_pytorch_model.safetensors"), 5);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Writes model_index.json and the scheduler's configuration, unless they are there. */
    private void writeIndex() throws IOException {
        Files.createDirectories(modelFolder.resolve("scheduler"));
        writeIfAbsent("model_index.json", """
                {
                  "_class_name": "FluxPipeline",
                  "_diffusers_version": "0.32.0",
                  "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
                  "text_encoder": ["transformers", "CLIPTextModel"],
                  "text_encoder_2": ["transformers", "T5EncoderModel"],
                  "tokenizer": ["transformers", "CLIPTokenizer"],
                  "tokenizer_2": ["transformers", "PreTrainedTokenizerFast"],
                  "transformer": ["diffusers", "FluxTransformer2DModel"],
                  "vae": ["diffusers", "AutoencoderKL"]
                }
                """);
        writeIfAbsent("scheduler/scheduler_config.json", """
                {
                  "_class_name": "FlowMatchEulerDiscreteScheduler",
                  "_diffusers_version": "0.32.0",
                  "base_image_seq_len": 256,
                  "base_shift": 0.5,
                  "max_image_seq_len": 4096,
                  "max_shift": 1.15,
                  "num_train_timesteps": 1000,
                  "shift": 3.0,
                  "use_dynamic_shifting": true
                }
                """);
    }

    private static String defaults(boolean guidanceEmbedded) {
        return """
                {
                  "width": 256,
                  "height": 256,
                  "steps": 28,
                  "guidance_scale": %s,
                  "true_cfg_scale": %s,
                  "max_sequence_length": 24,
                  "tau": 0.2,
                  "replace_at": "LATENT",
                  "reference_noise": true,
                  "perturb": false,
                  "inpaint_tau": 0.1,
                  "outpaint_tau": 0.1
                }
                """.formatted(guidanceEmbedded ? GUIDANCE : "0", guidanceEmbedded ? "1" : GUIDANCE);
    }

    private void writeIfAbsent(String name, String text) throws IOException {
        if (!Files.exists(modelFolder.resolve(name))) {
            Files.writeString(modelFolder.resolve(name), text);
        }
    }
}
