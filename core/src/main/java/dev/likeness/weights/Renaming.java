package dev.likeness.weights;

import dev.likeness.error.Refusal;
import dev.likeness.weights.Piece.Rows;
import dev.likeness.weights.TensorFile.Entry;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * From the names that other projects give to weights to those of diffusers and transformers, in which the networks are
 * written. A key that is not known keeps its name, and is refused as one too many when the network stands.
 */
final class Renaming {

    /** Black Forest Labs' names (flux/model.py, modules/layers.py), which ComfyUI and GGUF files use too. */
    private static final Map<String, String> BFL_OUTSIDE = Map.of(
            "img_in", "x_embedder",
            "txt_in", "context_embedder",
            "time_in.in_layer", "time_text_embed.timestep_embedder.linear_1",
            "time_in.out_layer", "time_text_embed.timestep_embedder.linear_2",
            "guidance_in.in_layer", "time_text_embed.guidance_embedder.linear_1",
            "guidance_in.out_layer", "time_text_embed.guidance_embedder.linear_2",
            "vector_in.in_layer", "time_text_embed.text_embedder.linear_1",
            "vector_in.out_layer", "time_text_embed.text_embedder.linear_2",
            "final_layer.linear", "proj_out");
    private static final Map<String, String> BFL_DOUBLE = Map.ofEntries(
            Map.entry("img_mod.lin", "norm1.linear"),
            Map.entry("txt_mod.lin", "norm1_context.linear"),
            Map.entry("img_attn.norm.query_norm", "attn.norm_q"),
            Map.entry("img_attn.norm.key_norm", "attn.norm_k"),
            Map.entry("txt_attn.norm.query_norm", "attn.norm_added_q"),
            Map.entry("txt_attn.norm.key_norm", "attn.norm_added_k"),
            Map.entry("img_attn.proj", "attn.to_out.0"),
            Map.entry("txt_attn.proj", "attn.to_add_out"),
            Map.entry("img_mlp.0", "ff.net.0.proj"),
            Map.entry("img_mlp.2", "ff.net.2"),
            Map.entry("txt_mlp.0", "ff_context.net.0.proj"),
            Map.entry("txt_mlp.2", "ff_context.net.2"));
    private static final Map<String, String> BFL_SINGLE = Map.of(
            "modulation.lin", "norm.linear",
            "norm.query_norm", "attn.norm_q",
            "norm.key_norm", "attn.norm_k",
            "linear2", "proj_out");
    private static final String BFL_LAST_MODULATION = "final_layer.adaLN_modulation.1";
    private static final Pattern FLAT_BFL_BLOCK = Pattern.compile("(double|single)_blocks_(\\d{1,4})_(.+)");
    private static final Pattern BFL_BLOCK = Pattern.compile("(double|single)_blocks\\.(\\d{1,4})\\.(.+)");

    /** Names of the autoencoder in Latent Diffusion and Black Forest Labs' code (modules/autoencoder.py). */
    private static final Pattern LDM_LEVEL =
            Pattern.compile("(encoder|decoder)\\.(down|up)\\.(\\d{1,2})\\.(block\\.(\\d{1,2})|downsample|upsample)\\.(.+)");
    private static final Pattern LDM_MIDDLE = Pattern.compile("(encoder|decoder)\\.mid\\.(block_(\\d)|attn_1)\\.(.+)");
    private static final Map<String, String> LDM_ATTENTION =
            Map.of("norm", "group_norm", "q", "to_q", "k", "to_k", "v", "to_v", "proj_out", "to_out.0");

    /** llama.cpp's names of T5's encoder. */
    private static final Map<String, String> GGUF_T5_OUTSIDE =
            Map.of("token_embd", "shared", "enc.output_norm", "encoder.final_layer_norm");
    private static final Map<String, String> GGUF_T5_BLOCK = Map.ofEntries(
            Map.entry("attn_q", "layer.0.SelfAttention.q"),
            Map.entry("attn_k", "layer.0.SelfAttention.k"),
            Map.entry("attn_v", "layer.0.SelfAttention.v"),
            Map.entry("attn_o", "layer.0.SelfAttention.o"),
            Map.entry("attn_rel_b", "layer.0.SelfAttention.relative_attention_bias"),
            Map.entry("attn_norm", "layer.0.layer_norm"),
            Map.entry("ffn_gate", "layer.1.DenseReluDense.wi_0"),
            Map.entry("ffn_up", "layer.1.DenseReluDense.wi_1"),
            Map.entry("ffn_down", "layer.1.DenseReluDense.wo"),
            Map.entry("ffn_norm", "layer.1.layer_norm"));
    private static final Pattern GGUF_T5 = Pattern.compile("enc\\.blk\\.(\\d{1,4})\\.([a-z_]+)");

    private final Path path;
    private final Map<String, Entry> entries;
    private final Map<String, Piece> pieces = new LinkedHashMap<>();
    private final int lastLevel; // of the autoencoder's decoder

    private Renaming(Path path, Map<String, Entry> entries) {
        this.path = path;
        this.entries = entries;
        lastLevel = lastLevel(entries.keySet());
    }

    /**
     * @param entries a component's tensors by their names in the file, without its prefix
     * @return the component's weights by their names in the network
     */
    static Map<String, Piece> of(Component component, Path path, Map<String, Entry> entries) {
        Renaming renaming = new Renaming(path, entries);
        for (String key : entries.keySet()) {
            int dot = key.lastIndexOf('.');
            String module = dot < 0 ? key : key.substring(0, dot);
            String kind = dot < 0 ? "" : key.substring(dot + 1); // weight, bias or scale
            switch (component) {
                case TRANSFORMER -> renaming.bfl(key, module, kind);
                case VAE -> renaming.ldm(key, module, kind);
                case T5 -> renaming.ggufT5(key, module, kind);
                case CLIP -> renaming.keep(key);
            }
        }
        return renaming.pieces;
    }

    /** The name of one of the transformer's linear layers in Black Forest Labs' names, where that has underscores for dots. */
    static Optional<String> bflModule(String flat) {
        Matcher block = FLAT_BFL_BLOCK.matcher(flat);
        if (!block.matches()) {
            return Stream.concat(BFL_OUTSIDE.keySet().stream(), Stream.of(BFL_LAST_MODULATION))
                    .filter(name -> name.replace('.', '_').equals(flat)).findFirst();
        }
        Stream<String> inside = block.group(1).equals("double")
                ? Stream.concat(BFL_DOUBLE.keySet().stream(), Stream.of("img_attn.qkv", "txt_attn.qkv"))
                : Stream.concat(BFL_SINGLE.keySet().stream(), Stream.of("linear1"));
        return inside.filter(name -> name.replace('.', '_').equals(block.group(3))).findFirst()
                .map(name -> block.group(1) + "_blocks." + block.group(2) + '.' + name);
    }

    private void bfl(String key, String module, String kind) {
        String normKind = kind.equals("scale") ? "weight" : kind; // RMSNorm's weights
        Matcher block = BFL_BLOCK.matcher(module);
        if (block.matches()) {
            boolean isDouble = block.group(1).equals("double");
            String inside = block.group(3);
            String target = (isDouble ? "transformer_blocks." : "single_transformer_blocks.") + block.group(2) + '.';
            String name = (isDouble ? BFL_DOUBLE : BFL_SINGLE).get(inside);
            if (isDouble && inside.endsWith("_attn.qkv")) {
                boolean image = inside.startsWith("img");
                thirds(key, target + (image ? "attn.to_" : "attn.add_"), (image ? "." : "_proj.") + kind);
            } else if (!isDouble && inside.equals("linear1")) {
                queriesKeysValuesMlp(key, module, target, kind);
            } else if (name != null) {
                put(target + name + '.' + normKind, whole(key));
            } else {
                keep(key);
            }
        } else if (module.equals(BFL_LAST_MODULATION)) {
            // shift before scale there, scale before shift here
            Piece whole = whole(key);
            long half = requireRows(key, whole.shape()[0] % 2 == 0, whole.shape()[0] / 2);
            put("norm_out.linear." + kind, whole.rows(new Rows(half, half), new Rows(0, half)));
        } else if (BFL_OUTSIDE.containsKey(module)) {
            put(BFL_OUTSIDE.get(module) + '.' + kind, whole(key));
        } else {
            keep(key);
        }
    }

    /** Queries, keys and values that one linear layer computes, each named by its letter between two texts. */
    private void thirds(String key, String before, String behind) {
        Piece whole = whole(key);
        long third = requireRows(key, whole.shape()[0] % 3 == 0, whole.shape()[0] / 3);
        put(before + "q" + behind, whole.rows(new Rows(0, third)));
        put(before + "k" + behind, whole.rows(new Rows(third, third)));
        put(before + "v" + behind, whole.rows(new Rows(2 * third, third)));
    }

    /** A single-stream block's first layer: queries, keys, values and the MLP's input. */
    private void queriesKeysValuesMlp(String key, String module, String target, String kind) {
        Entry weight = entries.get(module + ".weight");
        if (weight == null || weight.shape().length != 2) {
            keep(key);
            return;
        }
        Piece whole = whole(key);
        long width = weight.shape()[1];
        long mlp = requireRows(key, whole.shape()[0] > 3 * width, whole.shape()[0] - 3 * width);
        put(target + "attn.to_q." + kind, whole.rows(new Rows(0, width)));
        put(target + "attn.to_k." + kind, whole.rows(new Rows(width, width)));
        put(target + "attn.to_v." + kind, whole.rows(new Rows(2 * width, width)));
        put(target + "proj_mlp." + kind, whole.rows(new Rows(3 * width, mlp)));
    }

    private void ldm(String key, String module, String kind) {
        Matcher level = LDM_LEVEL.matcher(key);
        Matcher middle = LDM_MIDDLE.matcher(module);
        if (level.matches()) {
            boolean down = level.group(2).equals("down");
            // The decoder's levels are counted from the picture there, in the order of computation here.
            int number = down ? Integer.parseInt(level.group(3)) : lastLevel - Integer.parseInt(level.group(3));
            String target = level.group(1) + (down ? ".down_blocks." : ".up_blocks.") + number + '.';
            if (level.group(5) != null) {
                put(target + "resnets." + level.group(5) + '.' + resnetPart(level.group(6)), whole(key));
            } else {
                put(target + (down ? "downsamplers.0." : "upsamplers.0.") + level.group(6), whole(key));
            }
        } else if (middle.matches()) {
            String target = middle.group(1) + ".mid_block.";
            if (middle.group(3) != null) {
                int number = Integer.parseInt(middle.group(3)) - 1;
                put(target + "resnets." + number + '.' + middle.group(4) + '.' + kind, whole(key));
            } else {
                Piece whole = whole(key);
                boolean convolution = whole.shape().length == 4 && whole.shape()[2] == 1 && whole.shape()[3] == 1;
                put(target + "attentions.0." + LDM_ATTENTION.getOrDefault(middle.group(4), middle.group(4)) + '.' + kind,
                        convolution ? whole.reshaped(whole.shape()[0], whole.shape()[1]) : whole);
            }
        } else if (module.equals("encoder.norm_out") || module.equals("decoder.norm_out")) {
            put(module.replace("norm_out", "conv_norm_out") + '.' + kind, whole(key));
        } else {
            keep(key);
        }
    }

    private static String resnetPart(String part) {
        return part.startsWith("nin_shortcut.") ? "conv_shortcut." + part.substring("nin_shortcut.".length()) : part;
    }

    private static int lastLevel(Set<String> keys) {
        return keys.stream().map(LDM_LEVEL::matcher).filter(m -> m.matches() && m.group(2).equals("up"))
                .mapToInt(m -> Integer.parseInt(m.group(3))).max().orElse(0);
    }

    private void ggufT5(String key, String module, String kind) {
        Matcher block = GGUF_T5.matcher(module);
        if (block.matches() && GGUF_T5_BLOCK.containsKey(block.group(2))) {
            put("encoder.block." + block.group(1) + '.' + GGUF_T5_BLOCK.get(block.group(2)) + '.' + kind, whole(key));
        } else if (GGUF_T5_OUTSIDE.containsKey(module)) {
            put(GGUF_T5_OUTSIDE.get(module) + '.' + kind, whole(key));
        } else {
            keep(key);
        }
    }

    private Piece whole(String key) {
        long[] shape = entries.get(key).shape();
        if (shape.length == 0) {
            requireRows(key, false, 0);
        }
        return Piece.whole(key, shape);
    }

    private void keep(String key) {
        put(key, Piece.whole(key, entries.get(key).shape()));
    }

    private void put(String name, Piece piece) {
        Piece other = pieces.put(name, piece);
        if (other != null) {
            throw Refusal.model("%s holds %s and %s, which are the same weight; take a file that holds one of them.", path,
                    TensorFile.shown(other.key()), TensorFile.shown(piece.key()));
        }
    }

    private long requireRows(String key, boolean fits, long rows) {
        if (!fits) {
            throw Refusal.model("%s: %s has the shape %s, which cannot be cut into the weights that it stands for; the "
                    + "file is damaged or of another kind of model.", path, TensorFile.shown(key),
                    java.util.Arrays.toString(entries.get(key).shape()));
        }
        return rows;
    }

}
