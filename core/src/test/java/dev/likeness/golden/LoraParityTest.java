package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.LoraFile;
import dev.likeness.weights.LoraWeights;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** LoRAs against diffusers with PEFT, and against weights into which they were merged (golden/golden_lora.py). */
class LoraParityTest {

    private static final String PEFT = "lora/peft.safetensors";
    private static final String KOHYA = "lora/kohya.safetensors";

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

    private static Tensor forward(String... loras) {
        Golden inputs = Golden.open("flux-transformer.safetensors");
        List<LoraFile> files = Arrays.stream(loras).map(LoraFile::of).toList();
        try (Checkpoint weights = Checkpoint.open(Golden.path("flux-tiny/transformer"), "diffusion_pytorch_model", DType.FLOAT32,
                Device.CPU); LoraWeights with = new LoraWeights(weights, files, DType.FLOAT32, Device.CPU)) {
            FluxTransformer transformer =
                    new FluxTransformer(FluxConfig.read(Golden.path("flux-tiny/transformer/config.json")), with);
            weights.finish();
            with.finish();
            return transformer.forward(new FluxTransformer.Input(inputs.get("hidden_states"), inputs.get("encoder_hidden_states"),
                    inputs.get("pooled_projections"), inputs.get("timestep"), inputs.get("guidance"),
                    transformer.rotation(7, 3, 5)), 0, AttentionHook.NONE);
        }
    }

    private static String golden(String name, String rest) {
        return Golden.path(name) + rest;
    }

    @ParameterizedTest
    @CsvSource({"peft, lora/peft.safetensors, ''", "peft_scaled, lora/peft.safetensors, :0.75",
            "kohya_scaled, lora/kohya.safetensors, :1.5"})
    void aLoraChangesTheVelocityAsThePublicLibraryHasIt(String expected, String file, String scale) {
        Golden.open("lora.safetensors").assertClose(forward(golden(file, scale)), expected, Golden.NETWORK);
    }

    @Test
    void severalLorasAddUpWhateverTheirKeys() {
        Tensor both = forward(golden(PEFT, ":0.75"), golden(KOHYA, ":1.5"));
        Golden.open("lora.safetensors").assertClose(both, "both", Golden.NETWORK);
    }

    /** Every other name that the same additions go by. */
    @ParameterizedTest
    @CsvSource({
        "'transformer\\.', '', ''",
        "'transformer\\.', 'base_model.model.', ''",
        "'lora_A', 'lora_A.default', 'lora_B>lora_B.default'",
        "'lora_A', 'lora_down', 'lora_B>lora_up'",
        "'lora_A', 'lora.down', 'lora_B>lora.up'"
    })
    void otherNamesOfTheSameLayersMeanTheSame(String from, String to, String also) {
        Path other = rewritten(PEFT, tensors -> {
            rename(tensors, from, to);
            if (!also.isEmpty()) {
                rename(tensors, also.split(">")[0], also.split(">")[1]);
            }
        });
        Golden.open("lora.safetensors").assertClose(forward(other.toString()), "peft", Golden.NETWORK);
    }

    @Test
    void blackForestLabsNamesWithDotsMeanTheSameAsKohyas() {
        Path other = rewritten(KOHYA, tensors -> {
            rename(tensors, "lora_unet_(double|single)_blocks_(\\d)_", "diffusion_model.$1_blocks.$2.");
            rename(tensors, "(img|txt)_(attn|mlp|mod)_", "$1_$2.");
            rename(tensors, "modulation_lin", "modulation.lin");
        });
        Golden.open("lora.safetensors").assertClose(forward(other + ":1.5"), "kohya_scaled", Golden.NETWORK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora_unet_double_blocks_0_img_attn_qkv.hada_w1_a", "lora_te1_text_model_encoder.lora_down.weight",
        "transformer.x_embedder.lora_magnitude_vector", "lora_unet_double_blocks_7_img_mlp_0.lora_down.weight",
        "lora_unet_double_blocks_0_img_attn_qkv.diff_b"})
    void whatIsNotUnderstoodIsRefusedByName(String key) {
        Path other = rewritten(KOHYA, tensors -> {
            tensors.put(key, Tensors.zeros(DType.FLOAT32, Device.CPU, 3, 48));
            if (key.endsWith("lora_down.weight")) {
                tensors.put(key.replace("down", "up"), Tensors.zeros(DType.FLOAT32, Device.CPU, 192, 3));
            }
        });
        assertThatThrownBy(() -> forward(other.toString())).isInstanceOf(Refusal.class)
                .hasMessageContaining(key.replaceAll("\\.lora_.*", "")).hasMessageContaining(other.toString());
    }

    @Test
    void aHalfOfALayerIsRefused() {
        Path other = rewritten(KOHYA, tensors -> tensors.remove("lora_unet_single_blocks_1_linear2.lora_up.weight"));
        assertThatThrownBy(() -> forward(other.toString())).isInstanceOf(Refusal.class)
                .hasMessageContaining("lora_unet_single_blocks_1_linear2.lora_down.weight").hasMessageContaining("counterpart");
    }

    @Test
    void aRefusedLoraLeavesNothingBehind() {
        Path other = rewritten(KOHYA, tensors -> tensors.put("lora_unet_single_blocks_1_linear2.alpha",
                Tensors.zeros(DType.FLOAT32, Device.CPU, 2)));
        List<LoraFile> files = List.of(LoraFile.of(golden(PEFT, "")), LoraFile.of(other.toString()));
        long before = 0;
        for (int i = 0; i < 2; i++) { // what stays for good is there after the first time
            before = Pointer.totalCount();
            assertThatThrownBy(() -> new LoraWeights(null, files, DType.FLOAT32, Device.CPU)).isInstanceOf(Refusal.class)
                    .hasMessageContaining("lora_unet_single_blocks_1_linear2.alpha");
        }
        assertThat(Pointer.totalCount()).isLessThanOrEqualTo(before);
    }

    @Test
    void aLoraOfAnotherWidthIsRefused() {
        Path other = rewritten(KOHYA, tensors -> tensors.put("lora_unet_double_blocks_0_img_mlp_0.lora_down.weight",
                Tensors.zeros(DType.FLOAT32, Device.CPU, 3, 40)));
        assertThatThrownBy(() -> forward(other.toString())).isInstanceOf(Refusal.class)
                .hasMessageContaining("lora_unet_double_blocks_0_img_mlp_0").hasMessageContaining("another model");
    }

    @ParameterizedTest
    @CsvSource({"':1000', out of range", "':1:0000000000000000000000000000000000000000000000000000000000000000', not the file"})
    void scalesOutOfRangeAndOtherFilesAreRefused(String rest, String sentence) {
        assertThatThrownBy(() -> LoraFile.of(golden(PEFT, rest))).isInstanceOf(Refusal.class).hasMessageContaining(sentence);
    }

    @Test
    void theRecordedFlagNamesTheSameFileAndScale() {
        LoraFile lora = LoraFile.of(golden(PEFT, ":-0.5"));
        assertThat(LoraFile.of(lora.flag(lora.path().toString()))).isEqualTo(lora);
    }

    private Path rewritten(String name, Consumer<Map<String, Tensor>> change) {
        SafetensorsFile.Content content = SafetensorsFile.read(Golden.path(name));
        Map<String, Tensor> tensors = new TreeMap<>(content.tensors());
        change.accept(tensors);
        Path file = folder.resolve("other.safetensors");
        SafetensorsWriter.write(file, tensors, DType.FLOAT32, content.header().metadata());
        return file;
    }

    private static void rename(Map<String, Tensor> tensors, String pattern, String replacement) {
        Map<String, Tensor> renamed = new TreeMap<>();
        tensors.forEach((name, tensor) -> renamed.put(Pattern.compile(pattern).matcher(name).replaceFirst(replacement), tensor));
        tensors.clear();
        tensors.putAll(renamed);
    }
}
