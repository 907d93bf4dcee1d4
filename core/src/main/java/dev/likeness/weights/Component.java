package dev.likeness.weights;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The networks of a FLUX.1 model, and where their weights stand in folders and files. */
public enum Component {
    TRANSFORMER("transformer", "transformer", "diffusion_pytorch_model", "--transformer",
            List.of("", "model.diffusion_model.", "diffusion_model."),
            List.of("transformer_blocks.0.attn.to_q.weight", "double_blocks.0.img_attn.qkv.weight")),
    VAE("autoencoder", "vae", "diffusion_pytorch_model", "--vae", List.of("", "vae.", "first_stage_model."),
            List.of("decoder.conv_in.weight")),
    CLIP("CLIP text encoder", "text_encoder", "model", "--clip-l", List.of("", "text_encoders.clip_l.transformer."),
            List.of("text_model.embeddings.token_embedding.weight")),
    T5("T5 text encoder", "text_encoder_2", "model", "--t5", List.of("", "text_encoders.t5xxl.transformer."),
            List.of("encoder.block.0.layer.0.SelfAttention.q.weight", "enc.blk.0.attn_q.weight"));

    private final String network;
    private final String folder;
    private final String stem;
    private final String flag;
    private final List<String> prefixes;
    private final List<String> markers;

    Component(String network, String folder, String stem, String flag, List<String> prefixes, List<String> markers) {
        this.network = network;
        this.folder = folder;
        this.stem = stem;
        this.flag = flag;
        this.prefixes = prefixes;
        this.markers = markers;
    }

    /** What it is, in words. */
    public String network() {
        return network;
    }

    /** Its folder in a model folder. */
    public String folder() {
        return folder;
    }

    /** Begin of its weights' file names in that folder. */
    String stem() {
        return stem;
    }

    /** The command line's flag for a file of its own. */
    public String flag() {
        return flag;
    }

    /** Whether a file with these keys holds it. */
    public boolean isIn(Set<String> keys) {
        return prefixIn(keys).isPresent();
    }

    /** What stands before its keys in a file, where the file holds it: files of several networks set them apart so. */
    Optional<String> prefixIn(Set<String> keys) {
        return prefixes.stream().filter(prefix -> markers.stream().anyMatch(marker -> keys.contains(prefix + marker)))
                .findFirst();
    }

    /** Whether a key is of another network that the same file holds apart by its prefix. */
    boolean isOthers(String key) {
        return Arrays.stream(values()).filter(other -> other != this).flatMap(other -> other.prefixes.stream())
                .anyMatch(prefix -> !prefix.isEmpty() && key.startsWith(prefix));
    }
}
