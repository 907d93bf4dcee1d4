package dev.likeness.weights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.TensorFile.Entry;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * The weights of one network: of a component folder (such as {@code transformer/}), in one safetensors file or several with
 * an index, or of a single file, which may be GGUF, may hold other networks too and may have other projects' names. Every
 * key is taken exactly once; {@link #finish} refuses what was left over. Closing frees the tensors, which nothing may use any more.
 */
public final class Checkpoint implements Weights, AutoCloseable {

    private static final String PICKLED = "pytorch_model.bin"; // may run any code when it is read
    private static final String HALF = ".fp16"; // what the public library calls a variant
    private static final Pattern SHARD = Pattern.compile("[^/\\\\\\p{Cntrl}]{1,200}\\.safetensors");

    /** What ComfyUI's float8 files hold beside the weights: marks, and scales of the layers' inputs, for sums in float8. */
    private static final Pattern BESIDE = Pattern.compile("scaled_fp8|.*\\.(scale_input|input_scale|comfy_quant)");
    private static final Pattern SCALE = Pattern.compile("(.*)\\.(?:scale_weight|weight_scale)");

    private final Path source; // the single file, or the index of the shards
    private final DType dtype;
    private final Device device;
    private final Map<String, StoredWeight> weights;
    private final Set<String> taken = new LinkedHashSet<>();
    private final List<Tensor> owned = new ArrayList<>();
    private final List<ByteBuffer> mapped = new ArrayList<>();
    private final List<Float8Linear> layers = new ArrayList<>();
    private Function<String, Keeping> keeping = name -> Keeping.MEMORY;
    private ReadAhead readAhead; // null while nothing is streamed

    private Checkpoint(Path source, Map<String, StoredWeight> weights, DType dtype, Device device) {
        this.source = source;
        this.weights = weights;
        this.dtype = dtype;
        this.device = device;
    }

    /**
     * Opens {@code folder/stem.safetensors} or the shards of {@code folder/stem.safetensors.index.json}, or where neither is there
     * {@code folder/stem.fp16.safetensors}; reads headers only.
     *
     * @param stem {@code diffusion_pytorch_model} (diffusers) or {@code model} (transformers)
     * @param dtype what the tensors are converted to when taken
     * @throws Refusal (model) when a file is missing or damaged
     */
    public static Checkpoint open(Path folder, String stem, DType dtype, Device device) {
        Path single = folder.resolve(stem + ".safetensors");
        Path index = folder.resolve(stem + ".safetensors.index.json");
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        if (Files.exists(single)) {
            SafetensorsFile file = SafetensorsFile.open(single);
            file.entries().keySet().forEach(name -> weights.put(name, StoredWeight.whole(file, name)));
        } else if (Files.exists(index)) {
            Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : weightMap(index).properties()) {
                String shardName = shardName(index, entry.getKey(), entry.getValue());
                SafetensorsFile shard =
                        shards.computeIfAbsent(shardName, name -> SafetensorsFile.open(folder.resolve(name)));
                if (!shard.entries().containsKey(entry.getKey())) {
                    throw Refusal.model("%s names %s in %s, which does not hold it; download the folder again.", index,
                            TensorFile.shown(entry.getKey()), shardName);
                }
                weights.put(entry.getKey(), StoredWeight.whole(shard, entry.getKey()));
            }
            requireNamed(index, shards.values(), weights);
        } else if (Files.exists(folder.resolve(stem + HALF + ".safetensors"))) {
            return open(folder, stem + HALF, dtype, device);
        } else if (Files.exists(folder.resolve(PICKLED))) {
            throw Refusal.model("%s holds its weights as %s only, and only safetensors files are read; write them once with "
                    + "transformers: AutoModel.from_pretrained(folder).save_pretrained(folder).", folder, PICKLED);
        } else {
            throw Refusal.model("%s holds neither %s nor its index; point --model at a complete model folder in diffusers "
                    + "layout.", folder, single.getFileName());
        }
        return new Checkpoint(Files.exists(single) ? single : index, weights, dtype, device);
    }

    /**
     * Opens one network's part of a safetensors or GGUF file; reads its header only.
     *
     * @param dtype what the tensors are converted to when taken
     * @throws Refusal (model) when the file is missing, damaged or holds something else
     */
    public static Checkpoint open(Path file, Component component, DType dtype, Device device) {
        TensorFile opened = TensorFile.open(file);
        Set<String> keys = opened.entries().keySet();
        Recognition.requireSupported(file, keys);
        String prefix = component.prefixIn(keys).orElseThrow(() ->
                Refusal.model("%s holds no %s of FLUX.1; give %s a file that does.",
                file, component.network(), component.flag()));
        Map<String, Entry> own = new LinkedHashMap<>();
        Map<String, String> scales = new LinkedHashMap<>(); // key of a weight to key of its scale
        for (Map.Entry<String, Entry> entry : opened.entries().entrySet()) {
            if (!entry.getKey().startsWith(prefix) || prefix.isEmpty() && component.isOthers(entry.getKey())) {
                continue;
            }
            String name = entry.getKey().substring(prefix.length());
            Matcher scale = SCALE.matcher(name);
            if (scale.matches()) {
                requireOneNumber(file, entry.getKey(), entry.getValue());
                scales.put(scale.group(1) + ".weight", entry.getKey());
            } else if (!BESIDE.matcher(name).matches()) {
                own.put(name, entry.getValue());
            }
        }
        scales.forEach((weight, scale) -> {
            if (!own.containsKey(weight)) {
                throw Refusal.model("%s holds the scale %s and not its weight; the file is incomplete, download it again.", file,
                        TensorFile.shown(scale));
            }
        });
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        Renaming.of(component, file, own).forEach((name, piece) -> weights.put(name,
                new StoredWeight(opened, piece.of(prefix + piece.key()), scales.get(piece.key()))));
        return new Checkpoint(file, weights, dtype, device);
    }

    private static void requireOneNumber(Path file, String key, Entry entry) {
        if (Arrays.stream(entry.shape()).anyMatch(axis -> axis != 1) || !entry.encoding().isFloatingPoint()
                || entry.encoding().isBlocks()) {
            throw Refusal.model("%s: %s has the shape %s in %s, and only scales that are one number for a whole tensor are "
                    + "read; take a file with one scale a tensor, or a GGUF file.", file, TensorFile.shown(key),
                    Arrays.toString(entry.shape()), entry.encoding());
        }
    }

    private static JsonNode weightMap(Path index) {
        JsonNode map = JsonFile.read(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw Refusal.model("%s has no weight_map; download it again.", index);
        }
        return map;
    }

    /** An index must not lead out of its folder. */
    private static String shardName(Path index, String weight, JsonNode value) {
        if (!value.isTextual() || !SHARD.matcher(value.asText()).matches()) {
            throw Refusal.model("%s names %s as the place of %s, which is no safetensors file of the same folder; download the "
                    + "folder again.", index, TensorFile.shown(value.toString()), TensorFile.shown(weight));
        }
        return value.asText();
    }

    /** Refuses weights that stand in a shard and not under that shard in the index: they would be left out silently. */
    private static void requireNamed(Path index, Collection<SafetensorsFile> shards,
            Map<String, StoredWeight> weights) {
        for (SafetensorsFile shard : shards) {
            for (String name : shard.entries().keySet()) {
                StoredWeight named = weights.get(name);
                if (named == null || named.file() != shard) {
                    throw Refusal.model("%s holds %s, which %s does not name there; download the folder again.", shard.path(),
                            TensorFile.shown(name), index.getFileName());
                }
            }
        }
    }

    /** Says how linear layers are kept that are taken from now on, by their names; all of them in memory otherwise. */
    public Checkpoint keep(Function<String, Keeping> layers) {
        keeping = layers;
        return this;
    }

    @Override
    public Tensor get(String name, long... shape) {
        StoredWeight weight = take(name, shape);
        try (Scope scope = Scope.open()) {
            StoredWeight.Read read = weight.read(dtype, device);
            owned.add(Scope.own(read.tensor()));
            if (read.mapped() != null) {
                mapped.add(read.mapped());
            }
            return read.tensor();
        }
    }

    private StoredWeight take(String name, long... shape) {
        StoredWeight weight = weights.get(name);
        if (weight == null) {
            throw Refusal.model("%s lacks the weight %s %s; the files and config.json do not belong together, or the "
                    + "folder is incomplete.", source, name, Arrays.toString(shape));
        }
        if (!Arrays.equals(weight.piece().shape(), shape)) {
            throw Refusal.model("%s: weight %s has shape %s where config.json asks for %s; the files and config.json do not "
                    + "belong together.", weight.file().path(), name, Arrays.toString(weight.piece().shape()),
                    Arrays.toString(shape));
        }
        if (!taken.add(name)) {
            throw new IllegalStateException("weight " + name + " was taken twice");
        }
        return weight;
    }

    @Override
    public Linear linear(List<String> names, long in, long out) {
        Keeping kept = keeping.apply(names.get(0));
        if (kept == Keeping.MEMORY) {
            return Ops.packs(device, dtype) ? packed(names, in, out) : Weights.super.linear(names, in, out);
        }
        return Linear.sideBySide(names.stream().map(name -> {
            StoredWeight weight = take(name + ".weight", out, in);
            Tensor bias = get(name + ".bias", out);
            return kept == Keeping.STREAM ? new StreamedLinear(weight, bias, dtype, device, readAhead()) : float8(weight, bias);
        }).toList());
    }

    private ReadAhead readAhead() {
        readAhead = readAhead == null ? new ReadAhead() : readAhead;
        return readAhead;
    }

    private Linear float8(StoredWeight weight, Tensor bias) {
        StoredWeight.Read read;
        Float8Linear layer;
        try (Scope scope = Scope.open()) {
            read = weight.read(dtype, device);
            layer = new Float8Linear(read.tensor(), bias);
        }
        read.end();
        layers.add(layer);
        return layer;
    }

    /** On a CPU the layers become one, in the layout that it multiplies fastest in. */
    private Linear packed(List<String> names, long in, long out) {
        List<StoredWeight.Read> used = new ArrayList<>();
        Tensor packed;
        Tensor bias;
        try (Scope scope = Scope.open()) {
            Tensor[] weights = new Tensor[names.size()];
            Tensor[] biases = new Tensor[names.size()];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = read(names.get(i) + ".weight", used, out, in);
                biases[i] = read(names.get(i) + ".bias", used, out);
            }
            packed = Scope.own(Ops.pack(weights.length == 1 ? weights[0] : Ops.cat(0, weights)));
            bias = Scope.own(Ops.cat(0, biases)); // of one, too: it must outlive the file's mapping
        }
        used.forEach(StoredWeight.Read::end);
        owned.addAll(List.of(packed, bias));
        return new Linear() {
            @Override
            public Tensor forward(Tensor x) {
                return Ops.packedLinear(x, packed, bias, false);
            }

            @Override
            public Tensor forwardGelu(Tensor x) {
                return Ops.packedLinear(x, packed, bias, true);
            }
        };
    }

    /** A weight for the open scope alone, which is for the caller to end. */
    private Tensor read(String name, List<StoredWeight.Read> used, long... shape) {
        StoredWeight.Read read = take(name, shape).read(dtype, device);
        used.add(read);
        return read.tensor();
    }

    @Override
    public boolean has(String name) {
        return weights.containsKey(name);
    }

    /** The shape of every weight by its name in the network. */
    public Map<String, long[]> shapes() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        weights.forEach((name, weight) -> shapes.put(name, weight.piece().shape()));
        return shapes;
    }

    /**
     * What is stored, without what stands beside the weights.
     *
     * @param files      in which it lies
     * @param bytes      that the stored tensors take
     * @param parameters how many numbers they are
     * @param encodings  how many tensors are stored in each encoding
     */
    public record Contents(Set<Path> files, long bytes, long parameters, Map<Encoding, Integer> encodings) {

        private static Contents of(Map<Path, Map<String, Entry>> stored) {
            long bytes = 0;
            long parameters = 0;
            Map<Encoding, Integer> encodings = new EnumMap<>(Encoding.class);
            for (Map<String, Entry> entries : stored.values()) {
                for (Entry entry : entries.values()) {
                    bytes += entry.end() - entry.begin();
                    parameters += entry.elements();
                    encodings.merge(entry.encoding(), 1, Integer::sum);
                }
            }
            return new Contents(stored.keySet(), bytes, parameters, encodings);
        }

        /** Everything in a file, whatever it is. */
        public static Contents of(TensorFile file) {
            return of(Map.of(file.path(), file.entries()));
        }
    }

    public Contents contents() {
        Map<Path, Map<String, Entry>> stored = new LinkedHashMap<>();
        for (StoredWeight weight : weights.values()) {
            String key = weight.piece().key();
            stored.computeIfAbsent(weight.file().path(), path -> new LinkedHashMap<>())
                    .put(key, weight.file().entries().get(key));
        }
        return Contents.of(stored);
    }

    /**
     * The network that a constructor makes of these weights, which are closed where it is refused.
     *
     * @param ignored as for {@link #finish}
     */
    public <T> T network(Function<Weights, T> constructor, String... ignored) {
        try {
            T network = constructor.apply(this);
            finish(ignored);
            return network;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Refuses keys that no layer asked for; call it once the network stands.
     *
     * @param ignored keys that public files carry without use (buffers, tied copies)
     */
    public void finish(String... ignored) {
        Set<String> extra = new LinkedHashSet<>(weights.keySet());
        extra.removeAll(taken);
        Arrays.asList(ignored).forEach(extra::remove);
        if (!extra.isEmpty()) {
            String first = extra.iterator().next();
            throw Refusal.model("%s holds %s, for which config.json has no place (%d such weights in all); the files and "
                    + "config.json do not belong together.", weights.get(first).file().path(), TensorFile.shown(first),
                    extra.size());
        }
    }

    @Override
    public void close() {
        if (readAhead != null) {
            readAhead.close();
        }
        layers.forEach(Float8Linear::close);
        layers.clear();
        owned.forEach(Scope::release);
        owned.clear();
        mapped.forEach(Mapping::end);
        mapped.clear();
    }
}
