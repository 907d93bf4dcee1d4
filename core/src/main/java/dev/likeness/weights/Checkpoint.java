package dev.likeness.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * The weights of one component folder (such as {@code transformer/}), in one safetensors file or several with an index.
 * Every key is taken exactly once; {@link #finish} refuses what was left over. Closing frees the tensors.
 */
public final class Checkpoint implements Weights, AutoCloseable {

    private static final String PICKLED = "pytorch_model.bin"; // may run any code when it is read
    private static final Pattern SHARD = Pattern.compile("[^/\\\\\\p{Cntrl}]+\\.safetensors");

    private final Path source; // the single file, or the index of the shards
    private final DType dtype;
    private final Device device;
    private final Map<String, SafetensorsFile> files;
    private final Set<String> taken = new LinkedHashSet<>();
    private final List<Tensor> owned = new ArrayList<>();
    private final List<ByteBuffer> mapped = new ArrayList<>();

    private Checkpoint(Path source, Map<String, SafetensorsFile> files, DType dtype, Device device) {
        this.source = source;
        this.files = files;
        this.dtype = dtype;
        this.device = device;
    }

    /**
     * Opens {@code folder/stem.safetensors} or the shards of {@code folder/stem.safetensors.index.json}; reads headers only.
     *
     * @param stem {@code diffusion_pytorch_model} (diffusers) or {@code model} (transformers)
     * @param dtype what the tensors are converted to when taken
     * @throws Refusal (model) when a file is missing or damaged
     */
    public static Checkpoint open(Path folder, String stem, DType dtype, Device device) {
        Path single = folder.resolve(stem + ".safetensors");
        Path index = folder.resolve(stem + ".safetensors.index.json");
        Map<String, SafetensorsFile> files = new LinkedHashMap<>();
        if (Files.exists(single)) {
            SafetensorsFile file = SafetensorsFile.open(single);
            file.entries().keySet().forEach(name -> files.put(name, file));
        } else if (Files.exists(index)) {
            Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : weightMap(index).properties()) {
                String shardName = shardName(index, entry.getKey(), entry.getValue());
                SafetensorsFile shard =
                        shards.computeIfAbsent(shardName, name -> SafetensorsFile.open(folder.resolve(name)));
                if (!shard.entries().containsKey(entry.getKey())) {
                    throw Refusal.model("%s names %s in %s, which does not hold it; download the folder again.", index,
                            entry.getKey(), shardName);
                }
                files.put(entry.getKey(), shard);
            }
            requireNamed(index, shards.values(), files);
        } else if (Files.exists(folder.resolve(PICKLED))) {
            throw Refusal.model("%s holds its weights as %s only, and only safetensors files are read; write them once with "
                    + "transformers: AutoModel.from_pretrained(folder).save_pretrained(folder).", folder, PICKLED);
        } else {
            throw Refusal.model("%s holds neither %s nor its index; point --model at a complete model folder in diffusers "
                    + "layout.", folder, single.getFileName());
        }
        return new Checkpoint(Files.exists(single) ? single : index, files, dtype, device);
    }

    private static JsonNode weightMap(Path index) {
        try {
            JsonNode map = new ObjectMapper().readTree(index.toFile()).path("weight_map");
            if (!map.isObject() || map.isEmpty()) {
                throw Refusal.model("%s has no weight_map; download it again.", index);
            }
            return map;
        } catch (JsonProcessingException e) {
            throw Refusal.model("%s is not readable JSON (%s); download it again.", index, e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw Refusal.model("%s is not readable (%s); download it again.", index, e.getMessage(), e);
        }
    }

    /** An index must not lead out of its folder. */
    private static String shardName(Path index, String weight, JsonNode value) {
        if (!value.isTextual() || !SHARD.matcher(value.asText()).matches()) {
            throw Refusal.model("%s names %s as the place of %s, which is no safetensors file of the same folder; download the "
                    + "folder again.", index, value, weight);
        }
        return value.asText();
    }

    /** Refuses weights that stand in a shard and not under that shard in the index: they would be left out silently. */
    private static void requireNamed(Path index, Collection<SafetensorsFile> shards, Map<String, SafetensorsFile> files) {
        for (SafetensorsFile shard : shards) {
            for (String name : shard.entries().keySet()) {
                if (files.get(name) != shard) {
                    throw Refusal.model("%s holds %s, which %s does not name there; download the folder again.", shard.path(),
                            name, index.getFileName());
                }
            }
        }
    }

    @Override
    public Tensor get(String name, long... shape) {
        SafetensorsFile file = files.get(name);
        if (file == null) {
            throw Refusal.model("%s lacks the weight %s %s; the files and config.json do not belong together, or the "
                    + "folder is incomplete.", source, name, Arrays.toString(shape));
        }
        SafetensorsFile.Entry entry = file.entries().get(name);
        if (!Arrays.equals(entry.shape(), shape)) {
            throw Refusal.model("%s: weight %s has shape %s where config.json asks for %s; the files and config.json do not "
                    + "belong together.", file.path(), name, Arrays.toString(entry.shape()), Arrays.toString(shape));
        }
        if (!taken.add(name)) {
            throw new IllegalStateException("weight " + name + " was taken twice");
        }
        ByteBuffer bytes = file.map(name);
        try (Scope scope = Scope.open()) {
            Tensor view = Tensors.view(bytes, entry.dtype(), shape);
            Tensor tensor = Scope.own(Tensors.to(view, device, dtype));
            owned.add(tensor);
            if (entry.dtype() == dtype && device.isCpu()) {
                mapped.add(bytes); // no copy was made: the tensor still reads the mapping
            }
            Reference.reachabilityFence(bytes); // the view does not keep the mapping while it is copied
            return tensor;
        }
    }

    /** On a CPU the layers become one, in the layout that it multiplies fastest in. */
    @Override
    public Linear linear(List<String> names, long in, long out) {
        if (!Ops.packs(device, dtype)) {
            return Weights.super.linear(names, in, out);
        }
        int before = owned.size();
        int mappedBefore = mapped.size();
        try (Scope scope = Scope.open()) {
            Tensor[] weights = new Tensor[names.size()];
            Tensor[] biases = new Tensor[names.size()];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = get(names.get(i) + ".weight", out, in);
                biases[i] = get(names.get(i) + ".bias", out);
            }
            Tensor packed = Scope.own(Ops.pack(Ops.cat(0, weights)));
            Tensor bias = Scope.own(Ops.cat(0, biases));
            // What was packed is needed no more.
            owned.subList(before, owned.size()).forEach(Scope::release);
            owned.subList(before, owned.size()).clear();
            mapped.subList(mappedBefore, mapped.size()).clear();
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
    }

    @Override
    public boolean has(String name) {
        return files.containsKey(name);
    }

    /**
     * Refuses keys that no layer asked for; call it once the network stands.
     *
     * @param ignored keys that public files carry without use (buffers, tied copies)
     */
    public void finish(String... ignored) {
        Set<String> extra = new LinkedHashSet<>(files.keySet());
        extra.removeAll(taken);
        Arrays.asList(ignored).forEach(extra::remove);
        if (!extra.isEmpty()) {
            String first = extra.iterator().next();
            throw Refusal.model("%s holds %s, for which config.json has no place (%d such weights in all); the files and "
                    + "config.json do not belong together.", files.get(first).path(), first, extra.size());
        }
    }

    @Override
    public void close() {
        owned.forEach(Scope::release);
        owned.clear();
        mapped.clear();
    }
}
