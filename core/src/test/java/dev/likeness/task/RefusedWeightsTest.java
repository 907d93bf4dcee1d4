package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefusedWeightsTest {

    @TempDir
    Path folder;

    private void write(String family) throws IOException {
        switch (family) {
            case "flux" -> TinyModel.write(folder);
            case "hunyuan" -> TinyHunyuan.write(folder, false);
            default -> TinyStableDiffusion.write(folder, family);
        }
    }

    private static void addWeight(Path file) {
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> tensors = new TreeMap<>(SafetensorsFile.open(file).readAll());
            tensors.put("surprise.weight", Tensors.noise(1, 3));
            SafetensorsWriter.write(file, tensors, DType.FLOAT32);
        }
    }

    /** What has been loaded by then is freed, and a second try does not find the refused network. */
    private void assertRefusedTwice(String family) {
        if (family.equals("flux")) {
            try (FluxModel model = FluxModel.open(folder, Device.CPU, DType.FLOAT32)) {
                assertRefusedTwice(model::load);
            }
        } else {
            try (DiffusionModel model = DiffusionModel.open(folder, Device.CPU, DType.FLOAT32)) {
                assertRefusedTwice(model::load);
            }
        }
    }

    private static void assertRefusedTwice(Runnable load) {
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(load::run).isInstanceOf(Refusal.class).hasMessageContaining("surprise.weight");
        }
    }

    @ParameterizedTest
    @CsvSource({"flux, transformer/diffusion_pytorch_model", "flux, vae/diffusion_pytorch_model", "flux, text_encoder_2/model",
        "sd15, unet/diffusion_pytorch_model", "sd15, vae/diffusion_pytorch_model", "sdxl, text_encoder_2/model",
        "hunyuan, transformer/diffusion_pytorch_model", "hunyuan, text_encoder_2/model"})
    void aRefusedNetworkLeavesNothingBehind(String family, String weights) throws IOException {
        write(family);
        addWeight(folder.resolve(weights + ".safetensors"));
        assertRefusedTwice(family); // what stays for good is there now
        long before = Pointer.totalCount();
        assertRefusedTwice(family);
        assertThat(Pointer.totalCount()).isLessThanOrEqualTo(before);
    }
}
