package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Checkpoint.Contents;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Recognition;
import dev.likeness.weights.TensorFile;
import dev.likeness.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * What a model folder or file holds. Headers alone are read, so that a folder of 24 GB takes a moment.
 *
 * @param architecture the model's name, or what else it is
 * @param problem      the sentence with which it would be refused as a whole, or null
 * @param networks     the model's networks; of a file those that it holds, of a folder all
 * @param missingFiles small files that a folder needs and has not
 * @param licences     names of licence files beside the weights
 */
public record ModelReport(String architecture, String problem, List<Network> networks, List<String> missingFiles,
        List<String> licences) {

    private static final Map<String, List<String>> FLUX_TOKENIZERS =
            Map.of("tokenizer", List.of("vocab.json", "merges.txt"), "tokenizer_2", List.of("spiece.model"));

    /**
     * One network, built without memory over the names and shapes that are stored.
     *
     * @param name      what it is, in words
     * @param contents  null where nothing is stored
     * @param missing   weights that the network needs and are not there, by the network's names
     * @param extra     stored tensors that it has no place for
     * @param misshapen weights of another shape than the network's, with both
     * @param problem   the sentence with which it is refused before that, or null
     */
    public record Network(String name, Contents contents, List<String> missing, List<String> extra,
            List<String> misshapen, String problem) {

        public boolean isSound() {
            return problem == null && missing.isEmpty() && extra.isEmpty() && misshapen.isEmpty();
        }
    }

    /** Whether the model, or what there is of it, loads. */
    public boolean isSound() {
        return problem == null && missingFiles.isEmpty() && networks.stream().allMatch(Network::isSound);
    }

    public long parameters() {
        return networks.stream().filter(network -> network.contents() != null).mapToLong(n -> n.contents().parameters())
                .sum();
    }

    public long bytes() {
        return networks.stream().filter(network -> network.contents() != null).mapToLong(n -> n.contents().bytes()).sum();
    }

    /** @throws Refusal (model) when the path is neither a model folder nor a sound safetensors or GGUF file */
    public static ModelReport of(Path path) {
        return Files.isDirectory(path) ? ofFolder(path) : ofFile(path);
    }

    private static ModelReport ofFolder(Path folder) {
        String pipeline;
        try {
            ModelIndex index = ModelIndex.read(folder);
            if (DiffusionModel.isPipeline(index.pipeline())) {
                return ofDiffusionModel(folder, index);
            }
            pipeline = FluxModel.pipeline(folder);
        } catch (Refusal refusal) {
            return new ModelReport("unknown", refusal.getMessage(), List.of(), List.of(), licences(folder));
        }
        ModelFiles files = ModelFiles.of(folder);
        List<Network> networks = Arrays.stream(Component.values()).map(component -> network(files, component)).toList();
        return report(files, pipeline, folder, networks, missingFiles(folder, FLUX_TOKENIZERS));
    }

    private static ModelReport ofDiffusionModel(Path folder, ModelIndex index) {
        List<Network> networks = new ArrayList<>();
        for (Part part : DiffusionModel.parts(folder, index)) {
            Path own = folder.resolve(part.folder());
            networks.add(network(part.name(), own.resolve("config.json"),
                    () -> Checkpoint.open(own, part.stem(), DType.FLOAT32, Device.CPU), part.build(), part.ignored()));
        }
        String title = "unknown";
        String problem = null;
        try {
            title = DiffusionModel.title(folder, index);
            DiffusionModel.open(folder, Device.CPU, DType.FLOAT32).close();
        } catch (Refusal refusal) {
            problem = refusal.getMessage();
        }
        return new ModelReport(title, problem, networks, missingFiles(folder, DiffusionModel.tokenizers(index)),
                licences(folder));
    }

    private static ModelReport ofFile(Path path) {
        TensorFile file = TensorFile.open(path);
        Set<String> keys = file.entries().keySet();
        Path folder = path.toAbsolutePath().getParent();
        Optional<String> other = Recognition.unsupported(keys);
        List<Component> components = Arrays.stream(Component.values()).filter(component -> component.isIn(keys)).toList();
        if (other.isPresent() || components.isEmpty()) {
            String problem = path + (other.isPresent() ? " is " + other.get() : " holds none of FLUX.1's networks") + ".";
            Network all = new Network("all", Contents.of(file), List.of(), List.of(), List.of(), null);
            return new ModelReport(other.orElse("unknown"), problem, List.of(all), List.of(), licences(folder));
        }
        List<Network> networks = new ArrayList<>();
        ModelFiles files = ModelFiles.of(folder);
        for (Component component : components) {
            files = new ModelFiles(folder, Map.of(component, path));
            networks.add(network(files, component));
        }
        if (components.contains(Component.TRANSFORMER)) {
            return report(new ModelFiles(folder, Map.of(Component.TRANSFORMER, path)), "", path, networks, List.of());
        }
        return new ModelReport(components.get(0).network(), null, networks, List.of(), licences(folder));
    }

    /** Names the model by its transformer. */
    private static ModelReport report(ModelFiles files, String pipeline, Path path, List<Network> networks,
            List<String> missingFiles) {
        String title = "unknown";
        String problem = null;
        try {
            FluxVariant variant = FluxVariant.of(FluxConfig.read(files), pipeline, path);
            title = variant.title();
            variant.requireSupported(path);
        } catch (Refusal refusal) {
            problem = refusal.getMessage();
        }
        return new ModelReport(title, problem, networks, missingFiles, licences(files.folder()));
    }

    private static Network network(ModelFiles files, Component component) {
        Set<String> ignored = switch (component) {
            case CLIP -> Set.of(ClipTextModel.IGNORED_KEYS);
            case T5 -> Set.of(T5EncoderModel.IGNORED_KEYS);
            case TRANSFORMER, VAE -> Set.of();
        };
        Path config = files.single().getOrDefault(component, files.config(component));
        return network(component.network(), config, () -> files.open(component, DType.FLOAT32, Device.CPU),
                weights -> build(files, component, weights), ignored);
    }

    /** @param config the file that tells the network's sizes */
    private static Network network(String name, Path config, Supplier<Checkpoint> open, Consumer<Weights> build,
            Set<String> ignored) {
        try (Checkpoint checkpoint = open.get(); Scope scope = Scope.open()) {
            Contents contents = checkpoint.contents();
            Probe probe = new Probe(config, checkpoint.shapes());
            try {
                build.accept(probe);
            } catch (Refusal refusal) {
                return new Network(name, contents, List.of(), List.of(), List.of(), refusal.getMessage());
            }
            return new Network(name, contents, probe.missing, probe.extra(ignored), probe.misshapen, null);
        } catch (Refusal refusal) {
            return new Network(name, null, List.of(), List.of(), List.of(), refusal.getMessage());
        }
    }

    private static void build(ModelFiles files, Component component, Weights weights) {
        switch (component) {
            case TRANSFORMER -> new FluxTransformer(FluxConfig.read(files), weights);
            case VAE -> new AutoencoderKl(AutoencoderKlConfig.read(files), weights);
            case CLIP -> new ClipTextModel(ClipTextConfig.read(files), weights);
            case T5 -> new T5EncoderModel(T5Config.read(files), weights);
        }
    }

    /** Weights without memory, which notes what a network asks for. */
    private static final class Probe implements Weights {
        private static final int MOST_MISSING = 10_000; // more than any network has
        private static final int LONGEST_AXIS = 1 << 24; // longer than any has, and short enough for products of several

        private final Path config;
        private final Map<String, long[]> shapes;
        private final Set<String> taken = new LinkedHashSet<>();
        private final List<String> missing = new ArrayList<>();
        private final List<String> misshapen = new ArrayList<>();

        Probe(Path config, Map<String, long[]> shapes) {
            this.config = config;
            this.shapes = shapes;
        }

        @Override
        public Tensor get(String name, long... shape) {
            if (missing.size() > MOST_MISSING || Arrays.stream(shape).anyMatch(axis -> axis < 0 || axis > LONGEST_AXIS)) {
                throw Refusal.model("%s asks for the weight %s %s after %d others that are not there; it is damaged or belongs to "
                        + "another model.", config, name, Arrays.toString(shape), missing.size());
            }
            long[] stored = shapes.get(name);
            if (stored == null) {
                missing.add(name);
            } else if (!Arrays.equals(stored, shape)) {
                misshapen.add(name + " " + Arrays.toString(stored) + " instead of " + Arrays.toString(shape));
            }
            taken.add(name);
            return Tensors.meta(shape);
        }

        @Override
        public boolean has(String name) {
            return shapes.containsKey(name);
        }

        List<String> extra(Set<String> ignored) {
            Set<String> extra = new LinkedHashSet<>(shapes.keySet());
            extra.removeAll(taken);
            extra.removeAll(ignored);
            return List.copyOf(extra);
        }
    }

    /** @param tokenizers by folder the files that one needs where it has no tokenizer.json */
    private static List<String> missingFiles(Path folder, Map<String, List<String>> tokenizers) {
        List<String> needed = new ArrayList<>(List.of("scheduler/scheduler_config.json"));
        new TreeMap<>(tokenizers).forEach((tokenizer, files) -> {
            if (!Files.exists(folder.resolve(tokenizer).resolve("tokenizer.json"))) {
                files.forEach(file -> needed.add(tokenizer + '/' + file));
            }
        });
        needed.removeIf(name -> Files.exists(folder.resolve(name)));
        return needed;
    }

    private static List<String> licences(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.matches("(?i)(licen[cs]e|copying).*")).sorted().toList();
        } catch (IOException e) {
            throw Refusal.model("%s cannot be listed (%s); check its folder.", folder, e.getMessage(), e);
        }
    }
}
