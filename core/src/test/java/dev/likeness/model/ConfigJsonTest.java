package dev.likeness.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.model.clip.ClipConfig;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.dino.Dinov2Config;
import dev.likeness.model.dino.VitConfig;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.vae.AutoencoderKlConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A config.json that says something we would not compute must not load silently. */
class ConfigJsonTest {

    @TempDir
    Path folder;

    private static Object read(String kind, Path file) {
        Function<Path, Object> reader = switch (kind) {
            case "flux-dev" -> FluxConfig::read;
            case "flux-vae" -> AutoencoderKlConfig::read;
            case "clip-l" -> ClipTextConfig::read;
            case "t5-xxl" -> T5Config::read;
            case "clip-vit-large-patch14" -> ClipConfig::read;
            case "dino-vits16" -> VitConfig::read;
            case "dinov2-small" -> Dinov2Config::read;
            default -> throw new IllegalArgumentException(kind);
        };
        return reader.apply(file);
    }

    /** The real file with one key changed. */
    private Path changed(String kind, String key, String value) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = (ObjectNode) mapper.readTree(Golden.path("manifests/" + kind + ".config.json").toFile());
        json.set(key, mapper.readTree(value));
        Path file = folder.resolve("config.json");
        Files.writeString(file, json.toString());
        return file;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "flux-dev | patch_size | 2", "flux-dev | rope_theta | 100", "flux-dev | axes_dims_rope | [16,56,50]",
        "flux-dev | num_attention_heads | 0", "flux-vae | act_fn | \"relu\"", "flux-vae | latents_mean | [0.5]",
        "flux-vae | down_block_types | [\"DownEncoderBlock2D\",\"AttnDownEncoderBlock2D\"]",
        "flux-vae | norm_num_groups | 30",
        "clip-l | hidden_act | \"relu\"", "clip-l | num_attention_heads | 7", "t5-xxl | feed_forward_proj | \"gated-silu\"",
        "t5-xxl | something_new | true", "clip-vit-large-patch14 | something_new | true",
        "clip-vit-large-patch14 | vision_config_dict | {\"hidden_act\":\"relu\",\"patch_size\":14}",
        "dino-vits16 | hidden_act | \"relu\"", "dino-vits16 | num_attention_heads | 7", "dino-vits16 | patch_size | 0",
        "dinov2-small | use_swiglu_ffn | true", "dinov2-small | model_type | \"dinov2_with_registers\""})
    void unsupportedValuesAreRefusedWithFileAndKey(String kind, String key, String value) throws IOException {
        Path file = changed(kind, key, value);
        String named = key.equals("vision_config_dict") ? "hidden_act" : key;
        assertThatThrownBy(() -> read(kind, file)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), named);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"flux-vae | act_fn | \"silu\"", "flux-vae | latents_mean | null",
        "flux-vae | sample_size | 512", "clip-l | dropout | 0.1", "flux-dev | _name_or_path | \"somewhere\"",
        "clip-vit-large-patch14 | text_config_dict | null", "clip-vit-large-patch14 | vision_config_dict | {}",
        "dinov2-small | drop_path_rate | 0.1"})
    void valuesWithoutEffectAreRead(String kind, String key, String value) throws IOException {
        Object unchanged = read(kind, Golden.path("manifests/" + kind + ".config.json"));
        assertThat(read(kind, changed(kind, key, value))).isEqualTo(unchanged);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "null", "3", "{", "{\"num_layers\": \"many\"}"})
    void filesThatAreNoConfigurationAreRefused(String text) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, text);
        assertThatThrownBy(() -> FluxConfig.read(file)).isInstanceOf(Refusal.class).hasMessageContaining(file.toString());
    }

    @Test
    void aFileLongerThanAnyModelsIsRefusedUnread() throws IOException {
        Path file = folder.resolve("config.json");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 30);
        }
        assertThatThrownBy(() -> T5Config.read(file)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), String.valueOf(1L << 30));
    }

    @Test
    void missingFileIsRefused() {
        Path file = folder.resolve("config.json");
        assertThatThrownBy(() -> T5Config.read(file)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), "does not exist");
    }
}
