package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** One network out of a file that people have. */
class SingleFileTest {

    @TempDir
    Path folder;

    private Scope scope;

    @BeforeEach
    void open() {
        scope = Scope.open();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private Path write(Map<String, Tensor> tensors) {
        Path path = folder.resolve("some.safetensors");
        SafetensorsWriter.write(path, tensors, DType.FLOAT32);
        return path;
    }

    private Path write(String... keys) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String key : keys) {
            tensors.put(key, Tensors.of(new float[] {key.hashCode()}, 1));
        }
        return write(tensors);
    }

    private static Checkpoint open(Path file, Component component) {
        return Checkpoint.open(file, component, DType.FLOAT32, Device.CPU);
    }

    private static void assertRefused(Runnable action, String... parts) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(Refusal.class, refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.MODEL))
                .hasMessageContainingAll(parts).hasMessageMatching("[^\\n]+\\.");
    }

    @ParameterizedTest
    @CsvSource({"TRANSFORMER, model.diffusion_model., double_blocks.0.img_attn.qkv.weight",
        "TRANSFORMER, diffusion_model., transformer_blocks.0.attn.to_q.weight", "VAE, vae., decoder.conv_in.weight",
        "VAE, first_stage_model., decoder.conv_in.weight",
        "T5, text_encoders.t5xxl.transformer., encoder.block.0.layer.0.SelfAttention.q.weight",
        "CLIP, text_encoders.clip_l.transformer., text_model.embeddings.token_embedding.weight"})
    void aNetworkIsTakenOutOfAFileOfSeveralByItsPrefix(Component component, String prefix, String marker) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put(prefix + marker, Tensors.noise(1, 6, 2));
        tensors.put(prefix + "own.weight", Tensors.noise(2, 3));
        tensors.put("elsewhere." + marker, Tensors.noise(3, 3));
        try (Checkpoint checkpoint = open(write(tensors), component)) {
            assertThat(checkpoint.has("own.weight")).isTrue();
            assertThat(checkpoint.shapes().keySet()).noneMatch(name -> name.contains("elsewhere")
                    || name.startsWith(prefix));
            assertThat(Tensors.floats(checkpoint.get("own.weight", 3)))
                    .isEqualTo(Tensors.floats(tensors.get(prefix + "own.weight")));
        }
    }

    @ParameterizedTest
    @EnumSource(Component.class)
    void aFileWithoutTheNetworkIsRefusedByTheFlagThatNamedIt(Component component) {
        Path path = write("some.weight");
        assertRefused(() -> open(path, component), path.toString(), component.network(), component.flag());
    }

    @ParameterizedTest
    @CsvSource({"FLUX.2, double_stream_modulation_img.lin.weight", "FLUX.2, double_stream_modulation_img.linear.weight",
        "Chroma, distilled_guidance_layer.in_proj.weight", "HunyuanVideo, double_blocks.0.img_attn_qkv.weight",
        "Stable Diffusion 3, model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight",
        "Stable Diffusion XL, model.diffusion_model.label_emb.0.0.weight",
        "Stable Diffusion XL, add_embedding.linear_1.weight",
        "Stable Diffusion 1 or 2, model.diffusion_model.input_blocks.0.0.weight", "Qwen-Image, txt_norm.weight",
        "LoRA, transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight",
        "LoRA, lora_unet_double_blocks_0.lora_down.weight",
        "ControlNet, controlnet_x_embedder.weight", "Nunchaku, transformer_blocks.0.qkv_proj.wscales",
        "bitsandbytes, double_blocks.0.img_attn.qkv.weight.quant_map", "NVFP4, double_blocks.0.img_attn.qkv.weight_scale_2",
        "Redux, redux_up.weight", "Wan, head.modulation", "AuraFlow, double_layers.0.attn.w1k.weight"})
    void whatIsNotSupportedIsNamed(String name, String key) {
        // FLUX.1's own keys beside it do not make it FLUX.1
        Path path = write(key, "double_blocks.0.img_attn.qkv.weight");
        assertRefused(() -> open(path, Component.TRANSFORMER), path.toString(), name, "not supported");
    }

    @ParameterizedTest
    @CsvSource({"flux-dev", "flux-schnell", "flux-vae", "t5-xxl", "clip-l"})
    void flux1IsTakenForNothingElse(String name) {
        assertThat(Recognition.unsupported(Golden.shapes("manifests/" + name + ".tsv").keySet())).isEmpty();
        if (!name.equals("clip-l")) {
            assertThat(Recognition.unsupported(Golden.shapes("weights/manifests/" + name + ".tsv").keySet())).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"manifests/flux-dev, TRANSFORMER", "weights/manifests/flux-dev, TRANSFORMER", "manifests/flux-vae, VAE",
        "weights/manifests/flux-vae, VAE", "manifests/t5-xxl, T5", "weights/manifests/t5-xxl, T5", "manifests/clip-l, CLIP"})
    void theRealFilesAreToldApart(String manifest, Component component) {
        Set<String> keys = Golden.shapes(manifest + ".tsv").keySet();
        for (Component other : Component.values()) {
            assertThat(other.isIn(keys)).as(other.name()).isEqualTo(other == component);
        }
    }

    @Test
    void scalesForRowsAreRefused() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("double_blocks.0.img_attn.qkv.weight", Tensors.noise(1, 6, 2));
        tensors.put("double_blocks.0.img_attn.qkv.scale_weight", Tensors.noise(2, 6, 1));
        Path path = write(tensors);
        assertRefused(() -> open(path, Component.TRANSFORMER), path.toString(), "double_blocks.0.img_attn.qkv.scale_weight",
                "[6, 1]");
    }

    @Test
    void aScaleWithoutItsWeightIsRefused() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("double_blocks.0.img_attn.qkv.weight", Tensors.noise(1, 6, 2));
        tensors.put("text_encoders.t5xxl.transformer.shared.scale_weight", Tensors.noise(2, 1)); // for another network to refuse
        Path path = write(tensors);
        open(path, Component.TRANSFORMER).close();
        tensors.put("double_blocks.1.img_attn.qkv.scale_weight", Tensors.noise(2, 1));
        write(tensors);
        assertRefused(() -> open(path, Component.TRANSFORMER), path.toString(), "double_blocks.1.img_attn.qkv.scale_weight");
    }

    @Test
    void keysThatNoNameIsKnownForAreExtra() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("double_blocks.0.img_attn.qkv.weight", Tensors.noise(1, 6, 2));
        tensors.put("double_blocks.0.surprise.weight", Tensors.noise(2, 2));
        Path path = write(tensors);
        try (Checkpoint checkpoint = open(path, Component.TRANSFORMER)) {
            for (String part : new String[] {"q", "k", "v"}) {
                checkpoint.get("transformer_blocks.0.attn.to_" + part + ".weight", 2, 2);
            }
            assertRefused(checkpoint::finish, path.toString(), "double_blocks.0.surprise.weight", "1 such");
        }
    }

    @Test
    void contentsCountWhatIsStoredOnce() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("double_blocks.0.img_attn.qkv.weight", Tensors.noise(1, 6, 2));
        tensors.put("double_blocks.0.img_attn.qkv.bias", Tensors.noise(1, 6));
        tensors.put("scaled_fp8", Tensors.noise(1, 2));
        try (Checkpoint checkpoint = open(write(tensors), Component.TRANSFORMER)) {
            Checkpoint.Contents contents = checkpoint.contents();
            assertThat(contents.parameters()).isEqualTo(18);
            assertThat(contents.bytes()).isEqualTo(72);
            assertThat(contents.encodings()).containsExactly(Map.entry(Encoding.F32, 2));
        }
    }
}
