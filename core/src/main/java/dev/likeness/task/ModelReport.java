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
import dev.likeness.weights.Shapes;
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
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * What a model folder or file holds. Headers alone are read, so that a folder of 24 GB takes a moment.
 *
 * @param architecture the model's name, or what else it is
 * @param problem      the sentence with which it would be refused as a whole, or null
 * @param networks     what there is of FLUX.1's networks; of a file those that it holds, of a folder all
 * @param missingFiles small files that a folder needs and has not
 * @param licences     names of licence files beside the weights
 */
public record ModelReport(String architecture, String problem, List<Network> networks, List<String> missingFiles,
        List<String> licences) {

    /**
     * One network, built without memory over the names and shapes that are stored.
     *
     * @param contents  null where nothing is stored
     * @param missing   weights that the network needs and are not there, by the network's names
     * @param extra     stored tensors that it has no place for
     * @param misshapen weights of another shape than the network's, with both
     * @param problem   the sentence with which it is refused before that, or null
     */
    public record Network(Component component, Contents contents, List<String> missing, List<String> extra,
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
            pipeline = FluxModel.pipeline(folder);
        } catch (Refusal refusal) {
            return new ModelReport("unknown", refusal.getMessage(), List.of(), List.of(), licences(folder));
        }
        ModelFiles files = ModelFiles.of(folder);
        List<Network> networks = Arrays.stream(Component.values()).map(component -> network(files, component)).toList();
        return report(files, pipeline, folder, networks, missingFiles(folder));
    }

    private static ModelReport ofFile(Path path) {
        TensorFile file = TensorFile.open(path);
        Set<String> keys = file.entries().keySet();
        Path folder = path.toAbsolutePath().getParent();
        Optional<String> other = Recognition.unsupported(keys);
        List<Component> components = Arrays.stream(Component.values()).filter(component -> component.isIn(keys)).toList();
        if (other.isPresent() || components.isEmpty()) {
            String problem = path + (other.isPresent() ? " is " + other.get() : " holds none of FLUX.1's networks") + ".";
            Network all = new Network(null, Contents.of(file), List.of(), List.of(), List.of(), null);
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
        try (Checkpoint checkpoint = files.open(component, DType.FLOAT32, Device.CPU); Scope scope = Scope.open()) {
            Contents contents = checkpoint.contents();
            Probe probe = new Probe(files.shapes(component));
            try {
                build(files, component, probe);
            } catch (Refusal refusal) {
                return new Network(component, contents, List.of(), List.of(), List.of(), refusal.getMessage());
            }
            return new Network(component, contents, probe.missing, probe.extra(component), probe.misshapen, null);
        } catch (Refusal refusal) {
            return new Network(component, null, List.of(), List.of(), List.of(), refusal.getMessage());
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
        private final Shapes shapes;
        private final Set<String> taken = new LinkedHashSet<>();
        private final List<String> missing = new ArrayList<>();
        private final List<String> misshapen = new ArrayList<>();

        Probe(Shapes shapes) {
            this.shapes = shapes;
        }

        @Override
        public Tensor get(String name, long... shape) {
            long[] stored = shapes.byName().get(name);
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
            return shapes.has(name);
        }

        List<String> extra(Component component) {
            Set<String> extra = new LinkedHashSet<>(shapes.byName().keySet());
            extra.removeAll(taken);
            extra.removeAll(switch (component) {
                case CLIP -> Set.of(ClipTextModel.IGNORED_KEYS);
                case T5 -> Set.of(T5EncoderModel.IGNORED_KEYS);
                case TRANSFORMER, VAE -> Set.<String>of();
            });
            return List.copyOf(extra);
        }
    }

    private static List<String> missingFiles(Path folder) {
        List<String> needed = new ArrayList<>(List.of("scheduler/scheduler_config.json", "tokenizer_2/tokenizer.json"));
        if (!Files.exists(folder.resolve("tokenizer/tokenizer.json"))) {
            needed.addAll(List.of("tokenizer/vocab.json", "tokenizer/merges.txt"));
        }
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
