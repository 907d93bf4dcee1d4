package dev.likeness.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.golden.Golden;
import dev.likeness.golden.SeededWeights;
import dev.likeness.model.bert.BertConfig;
import dev.likeness.model.bert.BertModel;
import dev.likeness.model.hunyuan.HunyuanDit2DConfig;
import dev.likeness.model.hunyuan.HunyuanDit2DModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The HunyuanDiT folder of golden/golden_hunyuan.py: its files, and the weights that are drawn from the script's seeds. */
public final class TinyHunyuan {

    private static final ObjectMapper JSON = new ObjectMapper();

    private TinyHunyuan() {}

    /** @param styled whether the transformer knows style and sizes, as up to version 1.1 */
    public static Path write(Path folder, boolean styled) throws IOException {
        Path golden = Golden.path("hunyuan-tiny/pipeline");
        try (Stream<Path> files = Files.walk(golden)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(golden.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.write(copy, Files.readAllBytes(file));
            }
        }
        edit(folder.resolve("transformer/config.json"), json -> json.put("use_style_cond_and_image_meta_size", styled));
        weights(folder, "transformer", "diffusion_pytorch_model", styled ? "hunyuan-styled" : "hunyuan-plain",
                (config, w) -> new HunyuanDit2DModel(HunyuanDit2DConfig.read(config), w));
        weights(folder, "text_encoder", "model", "hunyuan-bert", (config, w) -> new BertModel(BertConfig.read(config), w));
        weights(folder, "text_encoder_2", "model", "hunyuan-mt5", (config, w) -> new T5EncoderModel(T5Config.read(config), w));
        weights(folder, "vae", "diffusion_pytorch_model", "hunyuan-vae",
                (config, w) -> new AutoencoderKl(AutoencoderKlConfig.read(config), w));
        return folder;
    }

    /** Changes a JSON file. */
    public static void edit(Path file, Consumer<ObjectNode> change) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(file.toFile());
        change.accept(json);
        Files.writeString(file, json.toPrettyString());
    }

    private static void weights(Path folder, String component, String stem, String name,
            BiConsumer<Path, SeededWeights> network) {
        try (Scope scope = Scope.open()) {
            SeededWeights weights = new SeededWeights(name);
            network.accept(folder.resolve(component).resolve("config.json"), weights);
            weights.write(folder.resolve(component).resolve(stem + ".safetensors"));
        }
    }
}
