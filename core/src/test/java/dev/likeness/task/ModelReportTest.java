package dev.likeness.task;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.task.ModelReport.Network;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.weights.Component;
import dev.likeness.weights.Encoding;
import dev.likeness.weights.ModelFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reports on files with the real files' names, shapes and sizes, and nothing in them: they take no room on the disk. */
class ModelReportTest {

    private static final long DEV = 11_901_408_320L;
    private static final long SCHNELL = 11_891_178_560L;

    @TempDir
    Path folder;

    private static void write(Path path, Map<String, long[]> shapes) throws IOException {
        ObjectNode header = new ObjectMapper().createObjectNode();
        long at = 0;
        for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
            long end = at + 2 * Arrays.stream(entry.getValue()).reduce(1, (a, b) -> a * b);
            ObjectNode place = header.putObject(entry.getKey()).put("dtype", "BF16");
            Arrays.stream(entry.getValue()).forEach(place.putArray("shape")::add);
            place.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        Files.createDirectories(path.getParent());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
            file.write(json);
            file.setLength(8 + json.length + at);
        }
    }

    private Path file(String name, Map<String, long[]> shapes) throws IOException {
        Path path = folder.resolve(name);
        write(path, shapes);
        return path;
    }

    private static Map<String, long[]> bfl(String name) {
        return Golden.shapes("weights/manifests/" + name + ".tsv");
    }

    /** A whole model folder; the shapes of one network may be others. */
    private Path modelFolder(String pipeline, String transformer) throws IOException {
        return modelFolder(pipeline, Map.of("transformer/diffusion_pytorch_model", transformer,
                "vae/diffusion_pytorch_model", "flux-vae", "text_encoder/model", "clip-l", "text_encoder_2/model", "t5-xxl"),
                "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer_2/spiece.model");
    }

    /** A whole folder of Stable Diffusion or HunyuanDiT. */
    private Path diffusionFolder(String family) throws IOException {
        String clip = family.equals("sd21") ? "sd21-text" : "clip-l";
        Map<String, String> parts = new LinkedHashMap<>(Map.of("vae/diffusion_pytorch_model", "sdxl-vae"));
        List<String> files = new ArrayList<>(List.of("tokenizer/vocab.json", "tokenizer/merges.txt"));
        switch (family) {
            case "sd15", "sd21" -> parts.putAll(Map.of("unet/diffusion_pytorch_model", family + "-unet",
                    "text_encoder/model", clip));
            case "sdxl" -> {
                parts.putAll(Map.of("unet/diffusion_pytorch_model", "sdxl-unet", "text_encoder/model", clip,
                        "text_encoder_2/model", "sdxl-text-2"));
                files.addAll(List.of("tokenizer_2/vocab.json", "tokenizer_2/merges.txt"));
            }
            default -> {
                parts.putAll(Map.of("transformer/diffusion_pytorch_model", family, "text_encoder/model", "hunyuan-bert",
                        "text_encoder_2/model", "mt5-xl"));
                files = List.of("tokenizer/vocab.txt", "tokenizer_2/spiece.model");
            }
        }
        String pipeline = family.startsWith("hunyuan") ? "HunyuanDiTPipeline" : family.equals("sdxl") ? "StableDiffusionXLPipeline"
                : "StableDiffusionPipeline";
        return modelFolder(pipeline, parts, files.toArray(String[]::new));
    }

    private Path modelFolder(String pipeline, Map<String, String> parts, String... files) throws IOException {
        for (Map.Entry<String, String> part : parts.entrySet()) {
            Path weights = folder.resolve(part.getKey() + ".safetensors");
            write(weights, Golden.shapes("manifests/" + part.getValue() + ".tsv"));
            Files.copy(Golden.path("manifests/" + part.getValue() + ".config.json"), weights.resolveSibling("config.json"));
        }
        List<String> small = new ArrayList<>(List.of(files));
        small.add("scheduler/scheduler_config.json");
        for (String name : small) {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.writeString(folder.resolve(name), "{}");
        }
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"" + pipeline + "\"}");
        return folder;
    }

    @ParameterizedTest
    @CsvSource({"flux1-dev.safetensors, flux-dev, FLUX.1-dev, 11901408320", "flux1-schnell.safetensors, flux-schnell, "
            + "FLUX.1-schnell, 11891178560", "flux1-krea-dev.safetensors, flux-dev, FLUX.1-Krea-dev, 11901408320",
        "flux1-dev-kontext.safetensors, flux-dev, FLUX.1-Kontext-dev, 11901408320",
        "ae.safetensors, flux-vae, autoencoder, 83819683", "t5xxl.safetensors, t5-xxl, T5 text encoder, 4762310656"})
    void filesAreNamedCountedAndSound(String file, String manifest, String architecture,
            long parameters) throws IOException {
        ModelReport report = ModelReport.of(file(file, bfl(manifest)));
        assertThat(report.architecture()).isEqualTo(architecture);
        assertThat(report.isSound()).isTrue();
        assertThat(report.parameters()).isEqualTo(parameters);
        assertThat(report.bytes()).isEqualTo(2 * parameters);
        assertThat(report.networks()).hasSize(1);
        assertThat(report.networks().get(0).contents().encodings())
                .containsExactly(Map.entry(Encoding.BF16, bfl(manifest).size()));
    }

    @Test
    void shapesTellTheConfigurationsOfTheRealFiles() throws IOException {
        Map<Component, Path> files = Map.of(Component.TRANSFORMER, file("dev.safetensors", bfl("flux-dev")), Component.VAE,
                file("ae.safetensors", bfl("flux-vae")), Component.T5, file("t5.safetensors", bfl("t5-xxl")), Component.CLIP,
                file("clip.safetensors", Golden.shapes("manifests/clip-l.tsv")));
        ModelFiles model = new ModelFiles(folder, files);
        Path manifests = Golden.path("manifests");
        assertThat(FluxConfig.read(model)).isEqualTo(FluxConfig.read(manifests.resolve("flux-dev.config.json")))
                .extracting(FluxConfig::guidanceEmbeds).isEqualTo(true);
        assertThat(AutoencoderKlConfig.read(model))
                .isEqualTo(AutoencoderKlConfig.read(manifests.resolve("flux-vae.config.json")));
        assertThat(T5Config.read(model)).isEqualTo(T5Config.read(manifests.resolve("t5-xxl.config.json")));
        assertThat(ClipTextConfig.read(model)).isEqualTo(ClipTextConfig.read(manifests.resolve("clip-l.config.json")));
    }

    @ParameterizedTest
    @CsvSource({"384, FLUX.1-Fill-dev, mask", "128, FLUX.1-Canny-dev or FLUX.1-Depth-dev, control"})
    void furtherChannelsAreNamedAndDoNotLoad(long channels, String architecture, String reason) throws IOException {
        Map<String, long[]> shapes = bfl("flux-dev");
        shapes.put("img_in.weight", new long[] {3072, channels});
        Path path = file("some.safetensors", shapes);
        ModelReport report = ModelReport.of(path);
        assertThat(report.architecture()).isEqualTo(architecture);
        assertThat(report.isSound()).isFalse();
        assertThat(report.problem()).contains(path.toString(), reason, "not supported");
        modelFolder("FluxPipeline", "flux-dev");
        assertThatThrownBy(() -> FluxModel.open(new ModelFiles(folder, Map.of(Component.TRANSFORMER, path)), Device.CPU,
                DType.BFLOAT16)).isInstanceOf(Refusal.class).hasMessage(report.problem());
    }

    @Test
    void whatIsMissingExtraAndMisshapenIsListed() throws IOException {
        Map<String, long[]> shapes = bfl("flux-dev");
        shapes.remove("double_blocks.3.img_attn.qkv.bias");
        shapes.put("double_blocks.4.txt_mlp.0.bias", new long[] {7});
        shapes.put("surprise.weight", new long[] {2});
        ModelReport report = ModelReport.of(file("broken.safetensors", shapes));
        Network network = report.networks().get(0);
        assertThat(report.isSound()).isFalse();
        assertThat(report.architecture()).isEqualTo("FLUX.1-dev");
        assertThat(network.missing()).containsExactlyInAnyOrder("transformer_blocks.3.attn.to_q.bias",
                "transformer_blocks.3.attn.to_k.bias", "transformer_blocks.3.attn.to_v.bias");
        assertThat(network.extra()).containsExactly("surprise.weight");
        assertThat(network.misshapen())
                .containsExactly("transformer_blocks.4.ff_context.net.0.proj.bias [7] instead of [12288]");
    }

    @ParameterizedTest
    @CsvSource({"FluxPipeline, flux-dev, FLUX.1-dev", "FluxKontextPipeline, flux-dev, FLUX.1-Kontext-dev",
        "FluxPipeline, flux-schnell, FLUX.1-schnell"})
    void foldersAreNamedAndSound(String pipeline, String transformer, String architecture) throws IOException {
        modelFolder(pipeline, transformer);
        Files.writeString(folder.resolve("LICENSE.md"), "terms");
        ModelReport report = ModelReport.of(folder);
        assertThat(report.architecture()).isEqualTo(architecture);
        assertThat(report.licences()).containsExactly("LICENSE.md");
        assertThat(report.networks()).extracting(Network::name)
                .containsExactly("transformer", "autoencoder", "CLIP text encoder", "T5 text encoder");
        assertThat(report.isSound()).isTrue();
        assertThat(report.parameters()).isEqualTo((transformer.equals("flux-dev") ? DEV : SCHNELL) + 83_819_683 + 123_060_480
                + 4_762_310_656L);
    }

    @Test
    void partsThatAFolderLacksAreListed() throws IOException {
        modelFolder("FluxPipeline", "flux-dev");
        Files.delete(folder.resolve("tokenizer/merges.txt"));
        Files.delete(folder.resolve("scheduler/scheduler_config.json"));
        Files.delete(folder.resolve("vae/diffusion_pytorch_model.safetensors"));
        ModelReport report = ModelReport.of(folder);
        assertThat(report.isSound()).isFalse();
        assertThat(report.missingFiles()).containsExactly("scheduler/scheduler_config.json", "tokenizer/merges.txt");
        assertThat(report.networks()).filteredOn(network -> !network.isSound()).singleElement().satisfies(network -> {
            assertThat(network.name()).isEqualTo("autoencoder");
            assertThat(network.problem()).contains("diffusion_pytorch_model.safetensors");
        });
    }

    @Test
    void otherModelsAreNamed() throws IOException {
        ModelReport sdxl = ModelReport.of(file("sdxl.safetensors", Map.of("model.diffusion_model.label_emb.0.0.weight",
                new long[] {4})));
        assertThat(sdxl.architecture()).isEqualTo("Stable Diffusion XL");
        assertThat(sdxl.isSound()).isFalse();
        assertThat(sdxl.parameters()).isEqualTo(4);
        assertThat(ModelReport.of(file("what.safetensors", Map.of("a", new long[] {4}))).problem())
                .contains("what.safetensors");
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"StableDiffusion3Pipeline\"}");
        assertThat(ModelReport.of(folder).problem()).contains("StableDiffusion3Pipeline");
    }

    /** Parameters are those of ManifestTest, the autoencoder's 83,653,863 among them. */
    @ParameterizedTest
    @CsvSource({"sd15, Stable Diffusion 1, U-Net autoencoder CLIP, 859520964, 123060480, 0",
        "sd21, Stable Diffusion 2, U-Net autoencoder CLIP, 865910724, 340387840, 0",
        "sdxl, Stable Diffusion XL, U-Net autoencoder CLIP second CLIP, 2567463684, 123060480, 694659840",
        "hunyuan-dit-1.2, HunyuanDiT 1.2, transformer autoencoder BERT mT5, 1499952032, 352035840, 1669958656",
        "hunyuan-dit-1.1, HunyuanDiT 1.0 or 1.1, transformer autoencoder BERT mT5, 1516534048, 352035840, 1669958656"})
    void foldersOfDiffusionModelsAreNamedCountedAndSound(String family, String architecture, String networks, long network,
            long text, long secondText) throws IOException {
        ModelReport report = ModelReport.of(diffusionFolder(family));
        assertThat(report.problem()).isNull();
        assertThat(report.networks()).allSatisfy(one -> assertThat(one.isSound()).as("%s", one).isTrue());
        assertThat(report.isSound()).isTrue();
        assertThat(report.architecture()).isEqualTo(architecture);
        assertThat(report.networks().stream().map(one -> one.name().replace(" text encoder", "")).collect(joining(" ")))
                .isEqualTo(networks);
        assertThat(report.parameters()).isEqualTo(network + 83_653_863 + text + secondText);
    }

    @Test
    void partsThatAFolderOfADiffusionModelLacksAreListed() throws IOException {
        Path encoder = diffusionFolder("hunyuan-dit-1.2").resolve("text_encoder_2");
        Files.delete(folder.resolve("tokenizer_2/spiece.model"));
        Files.delete(encoder.resolve("model.safetensors"));
        Files.writeString(encoder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"shared.weight\": \"model-00001-of-00002.safetensors\"}}");
        ModelReport report = ModelReport.of(folder);
        assertThat(report.isSound()).isFalse();
        assertThat(report.problem()).isNull();
        assertThat(report.missingFiles()).containsExactly("tokenizer_2/spiece.model");
        assertThat(report.networks()).filteredOn(network -> !network.isSound()).singleElement().satisfies(network -> {
            assertThat(network.name()).isEqualTo("mT5 text encoder");
            assertThat(network.problem()).contains("model-00001-of-00002.safetensors", "does not exist");
        });
    }

    /** What counts and sizes ask for is built without memory, but not without end. */
    @ParameterizedTest
    @CsvSource({"flux, transformer, num_layers, 2147483647", "flux, text_encoder_2, num_layers, 2147483647",
        "sdxl, unet, layers_per_block, 2147483646", "sdxl, unet, transformer_layers_per_block, 2147483647",
        "sdxl, vae, layers_per_block, 2147483646", "sdxl, text_encoder, num_hidden_layers, 2147483647",
        "hunyuan-dit-1.2, transformer, num_layers, 2147483646", "hunyuan-dit-1.2, text_encoder, num_hidden_layers, 2147483647",
        "hunyuan-dit-1.2, text_encoder_2, d_ff, 2147483647", "flux, transformer, joint_attention_dim, 2147483647"})
    void configurationsBeyondAllModelsAreRefused(String family, String network, String key, int value) throws IOException {
        if (family.equals("flux")) {
            modelFolder("FluxPipeline", "flux-dev");
        } else {
            diffusionFolder(family);
        }
        Path config = folder.resolve(network).resolve("config.json");
        TinyHunyuan.edit(config, json -> json.put(key, value));
        assertThat(ModelReport.of(folder).networks()).filteredOn(one -> !one.isSound()).singleElement()
                .satisfies(one -> assertThat(one.problem()).startsWith(config.toString()));
    }

    @Test
    void networksThatDoNotBelongTogetherAndBrokenConfigurationsAreTold() throws IOException {
        diffusionFolder("sdxl");
        Files.copy(Golden.path("manifests/sd15-unet.config.json"), folder.resolve("unet/config.json"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(folder.resolve("vae/config.json"), "{}");
        ModelReport report = ModelReport.of(folder);
        assertThat(report.problem()).contains("vae");
        assertThat(report.networks().get(0).misshapen()).isNotEmpty();
        assertThat(report.networks().get(1).problem()).contains(folder.resolve("vae/config.json").toString());
        assertThat(report.networks().get(2).isSound()).isTrue();
    }

    @Test
    void anIndexThatIsNoModelsIsRefusedInOneLine() throws IOException {
        Path index = folder.resolve("model_index.json");
        Files.writeString(index, "{\"_class_name\": \"Some\\nPipeline\"}");
        assertThat(ModelReport.of(folder).problem()).contains("Some?Pipeline");
        try (RandomAccessFile sparse = new RandomAccessFile(index.toFile(), "rw")) {
            sparse.setLength(1L << 30);
        }
        assertThat(ModelReport.of(folder).problem()).contains(index.toString(), String.valueOf(1L << 30));
    }

    @ParameterizedTest
    @CsvSource({"toybox, Toybox", "toybox-unet, a model of Stable Diffusion's architecture"})
    void ourOwnModelsAreNamed(String name, String architecture) {
        ModelReport report = ModelReport.of(Path.of("..", "models", name));
        assertThat(report.architecture()).isEqualTo(architecture);
        assertThat(report.isSound()).as("%s", report).isTrue();
        assertThat(report.parameters()).isPositive();
    }
}
