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
import dev.likeness.weights.TensorFile.Entry;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Low-rank additions to the transformer's linear layers (arXiv 2106.09685): y + up (down x), scaled by alpha / rank. Reads the
 * keys of diffusers and PEFT ({@code transformer.*.lora_A.weight}), of Kohya's scripts ({@code lora_unet_double_blocks_0_*},
 * {@code lora_down}, {@code alpha}) and those in Black Forest Labs' names, whose layers may be several of this network's.
 */
final class Lora implements AutoCloseable {

    private static final Pattern MATRIX =
            Pattern.compile("(.+)\\.(?:lora_(A|B|down|up)|lora\\.(down|up))(?:\\.[^.]+)?\\.weight");
    private static final Pattern ALPHA = Pattern.compile("(.+)\\.alpha");
    private static final List<String> PREFIXES = List.of("base_model.model.", "model.diffusion_model.", "diffusion_model.",
            "transformer.");
    private static final List<String> FLAT_PREFIXES = List.of("lora_unet_", "lora_transformer_");
    private static final Pattern TEXT_ENCODER = Pattern.compile("(text_encoder|lora_te)\\d?(_\\d)?[._].*");

    /** A layer's addition: down [r, in], up [out, r] with every factor in it. */
    record Addition(String key, Tensor down, Tensor up) {}

    /** A layer of the file under its name there. */
    private static final class Stored {
        private String down;
        private String up;
        private String alpha;
    }

    private final Path path;
    private final Map<String, Addition> additions = new TreeMap<>(); // by the layer's name, with underscores for dots

    private Lora(Path path) {
        this.path = path;
    }

    /** @throws Refusal (model) when the file is damaged, or holds anything that is not understood */
    static Lora read(LoraFile lora, DType dtype, Device device) {
        Path path = lora.path();
        TensorFile file = TensorFile.open(path);
        Map<String, Stored> layers = layers(path, file);
        Lora read = new Lora(path);
        Double usualAlpha = usualAlpha(path, file);
        try {
            for (Map.Entry<String, Piece> target : targets(path, file, layers).entrySet()) {
                Stored stored = layers.get(withoutKind(target.getValue().key()));
                try (Scope scope = Scope.open()) {
                    Tensor down = number(file, stored.down, device);
                    Tensor up = number(file, stored.up, device);
                    Double alpha = stored.alpha == null ? usualAlpha : Double.valueOf(alpha(path, file, stored.alpha));
                    double factor = lora.scale() * (alpha == null ? 1 : alpha / down.size(0));
                    Tensor[] rows = target.getValue().rows().stream().map(range -> up.narrow(0, range.first(), range.count()))
                            .toArray(Tensor[]::new);
                    Tensor scaled = Ops.cat(0, rows).mul(new Scalar(factor));
                    read.additions.put(flat(withoutKind(target.getKey())), new Addition(stored.up,
                            Scope.own(Tensors.to(down, dtype).clone()), Scope.own(Tensors.to(scaled, dtype))));
                }
            }
        } catch (RuntimeException e) {
            read.close();
            throw e;
        }
        return read;
    }

    /** The bytes that the additions take once they are read; reads the header only. @throws Refusal (model) as {@link #read} does */
    static long bytes(LoraFile lora, DType dtype) {
        TensorFile file = TensorFile.open(lora.path());
        Map<String, Stored> layers = layers(lora.path(), file);
        return dtype.bytes() * targets(lora.path(), file, layers).values().stream().mapToLong(target -> {
            long rank = file.entries().get(layers.get(withoutKind(target.key())).down).shape()[0];
            return rank * (target.shape()[0] + target.shape()[1]);
        }).sum();
    }

    /** By the network's names the parts of the file's layers, which are cut as the weights that they are added to. */
    private static Map<String, Piece> targets(Path path, TensorFile file, Map<String, Stored> layers) {
        Map<String, Entry> shapes = new LinkedHashMap<>();
        for (Map.Entry<String, Stored> layer : layers.entrySet()) {
            Stored stored = layer.getValue();
            if (stored.down == null || stored.up == null) {
                String half = stored.down != null ? stored.down : stored.up != null ? stored.up : stored.alpha;
                throw Refusal.model("%s holds %s without its counterpart; the file is incomplete, download it again.", path,
                        TensorFile.shown(half));
            }
            long[] down = file.entries().get(stored.down).shape();
            long[] up = file.entries().get(stored.up).shape();
            if (down.length != 2 || up.length != 2 || down[0] != up[1] || down[0] < 1) {
                throw Refusal.model("%s: %s %s and %s %s are no low-rank addition to a linear layer; the file is for another kind "
                        + "of model, or damaged.", path, TensorFile.shown(stored.down), Arrays.toString(down),
                        TensorFile.shown(stored.up), Arrays.toString(up));
            }
            shapes.put(layer.getKey() + ".weight", new Entry(Encoding.F32, new long[] {up[0], down[1]}, 0, 0));
        }
        return Renaming.of(Component.TRANSFORMER, path, shapes);
    }

    private static Map<String, Stored> layers(Path path, TensorFile file) {
        Map<String, Stored> layers = new LinkedHashMap<>();
        for (String key : file.entries().keySet()) {
            if (TEXT_ENCODER.matcher(key).matches()) {
                throw Refusal.model("%s holds %s for a text encoder, and only additions to the transformer are applied; take a file "
                        + "without those.", path, TensorFile.shown(key));
            }
            Matcher matrix = MATRIX.matcher(key);
            Matcher alpha = ALPHA.matcher(key);
            if (matrix.matches()) {
                Stored stored = layers.computeIfAbsent(layer(matrix.group(1)), name -> new Stored());
                String which = matrix.group(2) == null ? matrix.group(3) : matrix.group(2);
                boolean down = which.equals("A") || which.equals("down");
                if ((down ? stored.down : stored.up) != null) {
                    throw Refusal.model("%s holds %s and %s for one layer; the file is damaged.", path,
                            TensorFile.shown(down ? stored.down : stored.up), TensorFile.shown(key));
                }
                if (down) {
                    stored.down = key;
                } else {
                    stored.up = key;
                }
            } else if (alpha.matches()) {
                layers.computeIfAbsent(layer(alpha.group(1)), name -> new Stored()).alpha = key;
            } else {
                throw Refusal.model("%s holds %s, which belongs to no kind of LoRA that is read; it takes lora_A and lora_B, or "
                        + "lora_down, lora_up and alpha.", path, TensorFile.shown(key));
            }
        }
        if (layers.isEmpty()) {
            throw Refusal.model("%s holds nothing; give a LoRA file of FLUX.1's transformer.", path);
        }
        return layers;
    }

    /** A layer's name without what stands before the network's own names, with dots where Black Forest Labs has them. */
    private static String layer(String module) {
        for (String prefix : FLAT_PREFIXES) {
            if (module.startsWith(prefix)) {
                String name = module.substring(prefix.length());
                return Renaming.bflModule(name).orElse(name);
            }
        }
        String name = module;
        for (String prefix : PREFIXES) {
            name = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        }
        return name;
    }

    /** The alpha of all layers that diffusers writes into the header; null when there is none. */
    private static Double usualAlpha(Path path, TensorFile file) {
        String text = file.metadata().get("lora_adapter_metadata");
        if (text == null) {
            return null;
        }
        try {
            JsonNode json = new ObjectMapper().readTree(text);
            for (String refused : List.of("use_rslora", "use_dora", "alpha_pattern", "rank_pattern")) {
                JsonNode value = json.path("transformer." + refused);
                if (value.asBoolean() || value.isContainerNode() && !value.isEmpty()) {
                    throw Refusal.model("%s was made with %s, which is not supported; fuse it with diffusers.", path, refused);
                }
            }
            JsonNode alpha = json.path("transformer.lora_alpha");
            return alpha.isNumber() ? Double.valueOf(alpha.asDouble()) : null;
        } catch (JsonProcessingException e) {
            throw Refusal.model("%s: its lora_adapter_metadata is not readable JSON (%s); download it again.", path,
                    e.getOriginalMessage(), e);
        }
    }

    private static double alpha(Path path, TensorFile file, String key) {
        if (Arrays.stream(file.entries().get(key).shape()).anyMatch(axis -> axis != 1)) {
            throw Refusal.model("%s: %s is not one number; the file is damaged.", path, TensorFile.shown(key));
        }
        return Tensors.item(number(file, key, Device.CPU).view(-1));
    }

    /** In float32, owned by the open scope. */
    private static Tensor number(TensorFile file, String key, Device device) {
        StoredWeight.Read read = StoredWeight.whole(file, key).read(DType.FLOAT32, device);
        Tensor number = read.mapped() == null ? read.tensor() : read.tensor().clone();
        Reference.reachabilityFence(read); // a view does not keep its mapping
        return number;
    }

    private static String withoutKind(String key) {
        return key.substring(0, key.length() - ".weight".length());
    }

    private static String flat(String name) {
        return name.replace('.', '_');
    }

    /** The addition to a layer [out, in], which must fit it; taken out of what is left. */
    Optional<Addition> take(String name, long in, long out) {
        Addition addition = additions.get(flat(name));
        if (addition == null) {
            return Optional.empty();
        }
        if (addition.down.size(1) != in || addition.up.size(0) != out) {
            throw Refusal.model("%s: %s is made for a layer [%d, %d], and %s of the model is [%d, %d]; the LoRA is for another "
                    + "model.", path, TensorFile.shown(addition.key), addition.up.size(0), addition.down.size(1), name, out, in);
        }
        additions.remove(flat(name));
        return Optional.of(addition);
    }

    /** Refuses what no layer took. */
    void finish() {
        if (!additions.isEmpty()) {
            throw Refusal.model("%s holds %s, for which the model has no layer (%d such in all); the LoRA is for another model.",
                    path, TensorFile.shown(additions.values().iterator().next().key), additions.size());
        }
    }

    static void release(Addition addition) {
        Scope.release(addition.down);
        Scope.release(addition.up);
    }

    @Override
    public void close() {
        additions.values().forEach(Lora::release);
        additions.clear();
    }
}
