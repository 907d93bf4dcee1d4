package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.latents.Packing;
import dev.likeness.latents.Pixels;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.TextEncoders;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Component;
import dev.likeness.weights.LoraFile;
import dev.likeness.weights.LoraWeights;
import dev.likeness.weights.ModelFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * A FLUX.1 model folder in diffusers layout, single files in place of some of its networks. Opening it reads the
 * configurations; each component's weights are mapped on first use. Several threads may use it at once.
 */
public final class FluxModel implements AutoCloseable {

    private static final int EMBEDDINGS = 8; // of prompts, 4 MB each with FLUX.1; more where they are encoded ahead

    private final ModelFiles files;
    private final List<LoraFile> loras;
    private final Device device;
    private final DType dtype;
    private final FluxConfig transformerConfig;
    private final AutoencoderKlConfig vaeConfig;
    private final SchedulerConfig schedulerConfig;
    private final ModelDefaults defaults;
    private final Memory memory;
    /** Of the last prompts. */
    private final Map<List<Object>, TextEncoders.Embedding> embeddings = new LinkedHashMap<>(16, 0.75f, true);
    private int embeddingsKept = EMBEDDINGS;
    private TextEncoders textEncoders;
    private Checkpoint transformerWeights;
    private LoraWeights transformerLoras;
    private FluxTransformer transformer;
    private Checkpoint vaeWeights;
    private AutoencoderKl vae;
    private LatentColours colours;
    private ReferenceCache cache = ReferenceCache.inMemory(ReferenceCache.MEMORY_BYTES);

    private FluxModel(ModelFiles files, List<LoraFile> loras, String pipeline, Device device, DType dtype, MemoryPlan plan) {
        this.files = files;
        this.loras = List.copyOf(loras);
        this.device = device;
        this.dtype = dtype;
        Path folder = files.folder();
        transformerConfig = FluxConfig.read(files);
        Path transformerPath = files.single().getOrDefault(Component.TRANSFORMER, folder);
        FluxVariant.of(transformerConfig, pipeline, transformerPath).requireSupported(transformerPath);
        vaeConfig = AutoencoderKlConfig.read(files);
        schedulerConfig = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
        defaults = ModelDefaults.read(folder, transformerConfig);
        if (transformerConfig.inChannels() != 4 * vaeConfig.latentChannels()) {
            throw Refusal.model("%s: transformer in_channels %d is not 4 x the vae's latent_channels %d; the components do "
                    + "not belong together.", folder, transformerConfig.inChannels(), vaeConfig.latentChannels());
        }
        int textWidth = T5Config.read(files).dModel();
        if (transformerConfig.jointAttentionDim() != textWidth) {
            throw Refusal.model("%s: transformer joint_attention_dim %d is not the T5 encoder's d_model %d; the components "
                    + "do not belong together.", folder, transformerConfig.jointAttentionDim(), textWidth);
        }
        int pooledWidth = ClipTextConfig.read(files).hiddenSize();
        if (transformerConfig.pooledProjectionDim() != pooledWidth) {
            throw Refusal.model("%s: transformer pooled_projection_dim %d is not the CLIP encoder's hidden_size %d; the "
                    + "components do not belong together.", folder, transformerConfig.pooledProjectionDim(), pooledWidth);
        }
        memory = Memory.of(plan, files, loras, transformerConfig, vaeConfig, defaults, device, dtype);
    }

    /**
     * @param dtype what the networks compute in
     * @throws Refusal (model) when the folder is missing, incomplete or holds another kind of model
     */
    public static FluxModel open(Path folder, Device device, DType dtype) {
        return open(ModelFiles.of(folder), device, dtype);
    }

    /**
     * @param dtype what the networks compute in
     * @throws Refusal (model) when the folder or a file is missing, incomplete or holds another kind of model
     */
    public static FluxModel open(ModelFiles files, Device device, DType dtype) {
        return open(files, List.of(), device, dtype, null);
    }

    /**
     * @param loras added to the transformer, one beside the other
     * @param dtype what the networks compute in
     * @param plan null for the first one that fits and changes no picture
     * @throws Refusal (model) when the folder or a file is missing, incomplete or holds another kind of model, (resources) when
     *     there is less memory than the plan takes
     */
    public static FluxModel open(ModelFiles files, List<LoraFile> loras, Device device, DType dtype, MemoryPlan plan) {
        return new FluxModel(files, loras, pipeline(files.folder()), device, dtype, plan);
    }

    /** The class that a FLUX.1 folder's model_index.json names. */
    static String pipeline(Path folder) {
        ModelIndex index = ModelIndex.read(folder);
        if (DiffusionModel.isPipeline(index.pipeline())) {
            throw Refusal.model("%s holds a %s, which generate and invert take, and personalize where it is HunyuanDiT; give "
                    + "other commands a FLUX.1 folder (FluxPipeline).", folder, index.kind());
        }
        if (!FluxVariant.isPipeline(index.pipeline())) {
            throw Refusal.model("%s holds a %s; only folders of FLUX.1 (FluxPipeline), Stable Diffusion and HunyuanDiT are "
                    + "supported.", folder, index.kind());
        }
        return index.pipeline();
    }

    public Path folder() {
        return files.folder();
    }

    /** The single files that take the place of the folder's networks. */
    public Map<Component, Path> singleFiles() {
        return files.single();
    }

    public Memory memory() {
        return memory;
    }

    public List<LoraFile> loras() {
        return loras;
    }

    /** The name of its folder, also where that was given as a dot. */
    public String name() {
        return String.valueOf(folder().toAbsolutePath().normalize().getFileName());
    }

    public ModelDefaults defaults() {
        return defaults;
    }

    public Device device() {
        return device;
    }

    public DType dtype() {
        return dtype;
    }

    /** Where tokens of references are kept for the next picture; in memory unless another one is {@linkplain #use used}. */
    ReferenceCache cache() {
        return cache;
    }

    /** Takes the cache over and closes it with the model. */
    public void use(ReferenceCache other) {
        cache.close();
        cache = other;
    }

    /**
     * A text that changes with the model's files, its element type and what else decides the bits of its results: each file
     * of the networks by name, size and time of change.
     */
    String fingerprint() {
        StringBuilder text = new StringBuilder(String.join(" ", device.name(), dtype.flag(), "" + Ops.threads(0), memory.plan().flag()));
        Path folder = files.folder();
        try (Stream<Path> inFolder = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : Stream.concat(inFolder.filter(Files::isRegularFile), files.single().values().stream()).sorted()
                    .toList()) {
                text.append('\n').append(file.startsWith(folder) ? folder.relativize(file) : file.toAbsolutePath()).append(' ')
                        .append(Files.size(file)).append(' ').append(Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS));
            }
            loras.forEach(lora -> text.append('\n').append(lora.scale()).append(' ').append(lora.sha256()));
        } catch (IOException | UncheckedIOException e) {
            throw Refusal.model("%s cannot be listed (%s); check its folder.", folder, e.getMessage(), e);
        }
        return text.toString();
    }

    /** Loads every network that stays now instead of on first use, the text encoders beside the others. */
    public synchronized void load() {
        if (!memory.plan().keepsText()) {
            vae();
            return;
        }
        CompletableFuture<TextEncoders> text = textEncoders != null ? CompletableFuture.completedFuture(textEncoders)
                : CompletableFuture.supplyAsync(() -> TextEncoders.open(files, dtype, device));
        try {
            transformer();
            vae();
        } finally { // also where a network is refused: what was opened is closed with the model
            textEncoders = join(text);
        }
    }

    private static TextEncoders join(CompletableFuture<TextEncoders> text) {
        try {
            return text.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof Refusal refusal ? refusal : e;
        }
    }

    /**
     * What computes prompts. Where it does not stay, it takes the transformer's place: all texts of a task must be encoded before
     * the transformer is asked for, which would else be closed while the task still holds it.
     */
    private synchronized TextEncoders textEncoders() {
        if (textEncoders == null) {
            if (!memory.plan().keepsText()) {
                closeTransformer();
            }
            textEncoders = TextEncoders.open(files, dtype, device);
        }
        return textEncoders;
    }

    synchronized FluxTransformer transformer() {
        if (transformer == null) {
            if (!memory.plan().keepsText()) {
                closeText();
            }
            try {
                transformerWeights = files.open(Component.TRANSFORMER, dtype, device).keep(memory.plan()::of);
                transformerLoras = new LoraWeights(transformerWeights, loras, dtype, device);
                transformer = new FluxTransformer(transformerConfig, transformerLoras);
                transformerWeights.finish();
                transformerLoras.finish();
            } catch (RuntimeException e) {
                closeTransformer();
                throw e;
            }
        }
        return transformer;
    }

    private synchronized AutoencoderKl vae() {
        if (vae == null) {
            vaeWeights = files.open(Component.VAE, dtype, device);
            vae = vaeWeights.network(weights -> new AutoencoderKl(vaeConfig, weights));
        }
        return vae;
    }

    /**
     * Encodes the texts of several pictures at once where text encoders do not stay, so that they are loaded once and not for each
     * picture. The texts are kept until others are encoded ahead.
     */
    synchronized void encodeAhead(List<String> prompts, Sampling sampling) {
        if (memory.plan().keepsText()) {
            return;
        }
        List<String> texts = Stream.concat(prompts.stream(), negative(sampling).stream()).distinct().toList();
        embeddingsKept = Math.max(EMBEDDINGS, texts.size());
        try (Scope scope = Scope.open()) {
            texts.forEach(text -> text(text, sampling));
        }
    }

    /** The negative prompt where guidance asks for it. */
    private static Optional<String> negative(Sampling sampling) {
        return sampling.trueCfgScale() > 1 ? Optional.of(sampling.negativePrompt()) : Optional.empty();
    }

    /** Text conditioning of a prompt, owned by the open scope. */
    synchronized Conditioning.Text text(String prompt, Sampling sampling) {
        List<Object> key = List.of(prompt, sampling.maxSequenceLength());
        TextEncoders.Embedding embedding = embeddings.get(key);
        if (embedding == null) {
            try (Scope scope = Scope.open()) {
                TextEncoders.Embedding made = textEncoders().encode(List.of(prompt), sampling.maxSequenceLength());
                embedding = new TextEncoders.Embedding(Scope.own(made.tokens()), Scope.own(made.pooled()));
            }
            embeddings.put(key, embedding);
            if (embeddings.size() > embeddingsKept) {
                release(embeddings.remove(embeddings.keySet().iterator().next()));
            }
        }
        // Handles of the caller's own: the others go when the prompt is forgotten.
        return new Conditioning.Text(embedding.tokens().alias(), embedding.pooled().alias());
    }

    private static void release(TextEncoders.Embedding embedding) {
        Scope.release(embedding.tokens());
        Scope.release(embedding.pooled());
    }

    /** Numbers of the T5 tokens that are the word's; empty when the prompt has it not. */
    long[] places(String prompt, String word, Sampling sampling) {
        return textEncoders().places(prompt, word, sampling.maxSequenceLength());
    }

    /** What steers the generated picture: the prompt, and the negative prompt where guidance asks for it. */
    Conditioning conditioning(String prompt, Sampling sampling) {
        Conditioning.Text negative = negative(sampling).map(words -> text(words, sampling)).orElse(null);
        return new Conditioning(text(prompt, sampling), negative, sampling.trueCfgScale(), guidance(sampling));
    }

    /** Distilled guidance, or null when the model embeds none. */
    Double guidance(Sampling sampling) {
        return transformerConfig.guidanceEmbeds() ? sampling.guidanceScale() : null;
    }

    /** Distilled guidance 1, which is none, for inversion; null when the model embeds none. */
    Double noGuidance() {
        return transformerConfig.guidanceEmbeds() ? 1.0 : null;
    }

    /** Noise levels of a run, {@code steps + 1} numbers. */
    double[] sigmas(Sampling sampling) {
        return FlowMatching.sigmas(schedulerConfig, sampling.steps(), sampling.rows() * sampling.columns());
    }

    /** Standard normal latent tokens [1, N, C], float32, the same that FluxPipeline draws from that seed on a CPU. */
    Tensor noise(long seed, Sampling sampling) {
        try (Scope scope = Scope.open()) {
            Tensor noise = Tensors.noise(seed, 1, vaeConfig.latentChannels(), 2L * sampling.rows(), 2L * sampling.columns());
            return scope.keep(Tensors.to(Packing.pack(noise), device, DType.FLOAT32));
        }
    }

    /** A picture of the canvas's size to clean latent tokens [1, N, C], float32. */
    Tensor encode(Picture picture) {
        try (Scope scope = Scope.open()) {
            Tensor pixels = Tensors.to(Pixels.of(picture), device, dtype);
            Tensor latents = Tensors.to(vae().encode(pixels), DType.FLOAT32);
            return scope.keep(Packing.pack(vae().normalise(latents)));
        }
    }

    /** Clean latent tokens [1, N, C] to a picture. */
    Picture decode(Tensor tokens, Sampling sampling) {
        try (Scope scope = Scope.open()) {
            Tensor latents = vae().denormalise(Packing.unpack(tokens, sampling.rows(), sampling.columns()));
            return Pixels.picture(vae().decode(Tensors.to(latents, device, dtype)));
        }
    }

    /** Clean latent tokens [1, N, C] to a small picture, a pixel for 8 x 8, without the decoder. */
    Picture preview(Tensor tokens, Sampling sampling) {
        return colours().of(tokens, sampling.rows(), sampling.columns());
    }

    private synchronized LatentColours colours() {
        if (colours == null) {
            colours = LatentColours.fit(this);
        }
        return colours;
    }

    @Override
    public void close() {
        cache.close();
        embeddings.values().forEach(FluxModel::release);
        embeddings.clear();
        closeText();
        closeTransformer();
        if (vaeWeights != null) {
            vaeWeights.close();
        }
    }

    /** Whether a network is in memory now. */
    synchronized boolean holds(Component network) {
        return switch (network) {
            case TRANSFORMER -> transformer != null;
            case VAE -> vae != null;
            case CLIP, T5 -> textEncoders != null;
        };
    }

    private synchronized void closeText() {
        if (textEncoders != null) {
            textEncoders.close();
            textEncoders = null;
        }
    }

    private synchronized void closeTransformer() {
        transformer = null;
        if (transformerLoras != null) {
            transformerLoras.close();
            transformerLoras = null;
        }
        if (transformerWeights != null) {
            transformerWeights.close();
            transformerWeights = null;
        }
    }
}
