package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model whose networks come from single files is the same model. */
class SingleFilesTest {

    @TempDir
    Path folder;

    private Path whole;
    private Path rest; // the same folder without its networks' weights
    private final Map<Component, Path> single = new EnumMap<>(Component.class);

    @BeforeEach
    void write() throws IOException {
        whole = TinyModel.write(folder.resolve("whole"));
        rest = TinyModel.write(folder.resolve("rest"));
        for (Component component : Component.values()) {
            Path inside = rest.resolve(component.folder());
            Path weights = inside.resolve((inside.endsWith("transformer") || inside.endsWith("vae")
                    ? "diffusion_pytorch_model" : "model")
                    + ".safetensors");
            single.put(component, Files.move(weights, folder.resolve(component + ".safetensors")));
        }
    }

    private static Picture draw(ModelFiles files) {
        try (FluxModel model = FluxModel.open(files, Device.CPU, DType.FLOAT32)) {
            Sampling sampling = new Sampling(TinyModel.SIDE, TinyModel.SIDE, TinyModel.STEPS, 0, 2, "", 8, 5, 1);
            return Generate.run(model, "a fox in the snow", sampling, TaskListener.NONE).images().get(0).picture();
        }
    }

    @Test
    void itDrawsTheSamePicture() {
        assertThat(draw(new ModelFiles(rest, single))).isEqualTo(draw(ModelFiles.of(whole)));
    }

    @Test
    void whatIsInNoFileComesFromTheFolder() {
        assertThat(draw(new ModelFiles(whole, Map.of(Component.VAE, single.get(Component.VAE)))))
                .isEqualTo(draw(ModelFiles.of(whole)));
        single.remove(Component.T5);
        assertThatThrownBy(() -> draw(new ModelFiles(rest, single))).isInstanceOf(Refusal.class)
                .hasMessageContaining(rest.resolve("text_encoder_2").toString());
    }

    @Test
    void theReferenceCacheTellsSingleFilesApart() throws IOException {
        try (FluxModel one = FluxModel.open(new ModelFiles(rest, single), Device.CPU, DType.FLOAT32)) {
            String before = one.fingerprint();
            Files.setLastModifiedTime(single.get(Component.TRANSFORMER), FileTime.fromMillis(1));
            assertThat(one.fingerprint()).isNotEqualTo(before);
        }
    }

    @Test
    void theReferenceCacheTellsModelsApartThatAreLinks() throws IOException {
        Path linked = Files.createSymbolicLink(folder.resolve("linked"), whole);
        Path partly = TinyModel.write(folder.resolve("partly"));
        Files.move(partly.resolve("vae"), folder.resolve("vae"));
        Files.createSymbolicLink(partly.resolve("vae"), folder.resolve("vae"));
        try (FluxModel one = FluxModel.open(linked, Device.CPU, DType.FLOAT32);
                FluxModel other = FluxModel.open(partly, Device.CPU, DType.FLOAT32)) {
            String before = one.fingerprint();
            String otherBefore = other.fingerprint();
            Files.setLastModifiedTime(whole.resolve("vae/config.json"), FileTime.fromMillis(1));
            Files.setLastModifiedTime(folder.resolve("vae/config.json"), FileTime.fromMillis(1));
            assertThat(one.fingerprint()).isNotEqualTo(before);
            assertThat(other.fingerprint()).isNotEqualTo(otherBefore);
        }
    }

    @Test
    void networksThatDoNotBelongTogetherAreRefused() {
        assertThatThrownBy(() -> draw(new ModelFiles(whole, Map.of(Component.T5, Golden.path("weights/t5.gguf")))))
                .isInstanceOf(Refusal.class).hasMessageContainingAll("joint_attention_dim", "d_model");
        assertThatThrownBy(() -> draw(new ModelFiles(whole, Map.of(Component.VAE,
                Golden.path("weights/vae.ldm.safetensors")))))
                .isInstanceOf(Refusal.class).hasMessageContaining("vae.ldm.safetensors");
    }
}
