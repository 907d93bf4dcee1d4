package dev.likeness.weights;

import dev.likeness.error.Refusal;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Tells what a file holds by keys that nothing else has, so that a refusal can name it. */
public final class Recognition {

    /** @param name what it is @param fragments parts of keys, one of which is enough */
    private record Kind(String name, List<String> fragments) {
        Kind(String name, String... fragments) {
            this(name, List.of(fragments));
        }
    }

    private static final List<Kind> UNSUPPORTED = List.of(
            new Kind("a LoRA, which is no model by itself", ".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.",
                    ".lora.down."),
            new Kind("a ControlNet", "controlnet_x_embedder.", "controlnet_blocks.0.", "pos_embed_input."),
            new Kind("an image adapter (FLUX.1 Redux)", "redux_up."),
            new Kind("quantised by Nunchaku (SVDQuant)", ".wscales", ".qweight"),
            new Kind("quantised by bitsandbytes", ".quant_state.", ".quant_map", ".weight.absmax"),
            new Kind("quantised to four bits with two levels of scales (NVFP4)", ".weight_scale_2"),
            new Kind("FLUX.2", "double_stream_modulation_img."),
            new Kind("Chroma", "distilled_guidance_layer."),
            new Kind("HunyuanVideo", "individual_token_refiner.", "img_attn_qkv.", "context_embedder.token_refiner."),
            new Kind("Stable Diffusion 3", "joint_blocks.0.", "pos_embed.pos_embed"),
            new Kind("AuraFlow", "double_layers.0.", "joint_transformer_blocks.0."),
            new Kind("Qwen-Image", "txt_norm.weight"),
            new Kind("Z-Image or Lumina", "cap_embedder."),
            new Kind("PixArt or LTX-Video", "adaln_single.linear."),
            new Kind("Wan", "head.modulation", "condition_embedder.text_embedder."),
            new Kind("HunyuanDiT", "mlp_t5.0.", "text_embedding_padding"),
            new Kind("Stable Diffusion XL", "label_emb.0.0.", "add_embedding.linear_1."),
            new Kind("Stable Diffusion 1 or 2", "input_blocks.0.0.", "down_blocks.0.attentions.0.transformer_blocks."));

    private Recognition() {}

    /** What else than FLUX.1's networks the keys are, if it is known. */
    public static Optional<String> unsupported(Set<String> keys) {
        return UNSUPPORTED.stream()
                .filter(kind -> keys.stream().anyMatch(key -> kind.fragments().stream().anyMatch(key::contains)))
                .map(Kind::name).findFirst();
    }

    static void requireSupported(Path path, Set<String> keys) {
        unsupported(keys).ifPresent(name -> {
            throw Refusal.model("%s is %s, which is not supported; give the weights of FLUX.1 as safetensors or GGUF.", path,
                    name);
        });
    }
}
