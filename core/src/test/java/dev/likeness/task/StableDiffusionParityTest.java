package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.StepListener;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.image.Picture;
import dev.likeness.schedule.Diffusion;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * From prompt and seed to picture against the public StableDiffusionPipeline and StableDiffusionXLPipeline, and up and down by
 * DDIM against DDIMInverseScheduler and DDIMScheduler (golden/golden_diffusion.py).
 */
class StableDiffusionParityTest {

    /** Steps of random networks enlarge what the rounding of single steps differs by. */
    private static final double RUN = 3 * Golden.NETWORK;

    @TempDir
    static Path folders;

    @TempDir
    Path folder;

    private record Run(String name, String family, Sampler sampler, String prompt, Sampling sampling) {
        static Run of(JsonNode json) {
            Sampling sampling = new Sampling(json.path("width").asInt(), json.path("height").asInt(),
                    json.path("steps").asInt(), 0, json.path("guidance").asDouble(), json.path("negative_prompt").asText(""), 77,
                    json.path("seed").asLong(), 1);
            return new Run(json.path("name").asText(), json.path("family").asText(),
                    Sampler.valueOf(json.path("sampler").asText().toUpperCase(Locale.ROOT)), json.path("prompt").asText(), sampling);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Run> runs() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("diffusion.json").toFile()).path("runs");
        List<Run> runs = StreamSupport.stream(json.spliterator(), false).map(Run::of).toList();
        assertThat(runs).hasSize(8);
        return runs.stream();
    }

    @BeforeAll
    static void write() throws IOException {
        for (String family : List.of("sd15", "sd21", "sdxl")) {
            TinyStableDiffusion.write(folders.resolve(family), family);
        }
    }

    private static DiffusionModel open(Path model) {
        return DiffusionModel.open(model, Device.CPU, DType.FLOAT32);
    }

    @ParameterizedTest
    @MethodSource("runs")
    void latentsAfterEachStep(Run run) {
        try (Scope scope = Scope.open(); DiffusionModel model = open(folders.resolve(run.family()))) {
            Golden golden = Golden.open("diffusion.safetensors");
            Sampling sampling = run.sampling();
            List<Tensor> kept = new ArrayList<>();
            Tensor noise = model.noise(sampling.seed(), 1 + sampling.steps(), sampling);
            model.sampler(run.prompt(), sampling).run(noise.narrow(0, 0, 1), run.sampler(), model.steps(run.sampler(), sampling),
                    noise.narrow(0, 1, sampling.steps()), DiffusionSampler.NO_HOOKS,
                    (step, steps, sigma, latents, clean) -> kept.add(Scope.own(latents)));
            assertThat(kept).hasSize(sampling.steps());
            for (int i = 0; i < kept.size(); i++) {
                golden.assertClose(kept.get(i), run.name() + ".step" + (i + 1), RUN);
            }
        }
    }

    @Test
    void promptAndSeedToPicture() throws IOException {
        Run run = runs().filter(each -> each.name().equals("guided")).findFirst().orElseThrow();
        try (Scope scope = Scope.open(); DiffusionModel model = open(folders.resolve(run.family()))) {
            Generation generation = Generate.run(model, run.prompt(), run.sampler(), run.sampling(), TaskListener.NONE);
            Picture picture = generation.images().get(0).picture();
            float[] expected = Tensors.floats(Golden.open("diffusion.safetensors").get("guided.image")); // [1, h, w, 3], 0 to 1
            byte[] rgb = picture.rgb();
            assertThat(rgb).hasSameSizeAs(expected);
            assertThat(picture.width()).isEqualTo(run.sampling().width());
            for (int i = 0; i < rgb.length; i++) {
                assertThat((double) Math.abs((rgb[i] & 255) - 255 * expected[i])).as("level %d", i).isLessThan(0.5 + 0.05);
            }
            assertThat(generation.evaluations().target()).isEqualTo(2);
            assertThat(generation.evaluations().unconditional()).isEqualTo(2);
        }
    }

    /** A run of several is those of its seeds alone, with fresh noise at each step too. */
    @Test
    void seedsCountOn() {
        Sampling two = new Sampling(32, 32, 2, 0, 1, "", 77, 5, 2);
        Sampling second = new Sampling(32, 32, 2, 0, 1, "", 77, 6, 1);
        try (DiffusionModel model = open(folders.resolve("sd15"))) {
            byte[] counted = Generate.run(model, "", Sampler.DDPM, two, TaskListener.NONE).images().get(1).picture().rgb();
            byte[] alone = Generate.run(model, "", Sampler.DDPM, second, TaskListener.NONE).images().get(0).picture().rgb();
            assertThat(counted).isEqualTo(alone);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sd21"})
    void upToNoiseAndDownAgain(String family) {
        try (Scope scope = Scope.open(); DiffusionModel model = open(folders.resolve(family))) {
            Golden golden = Golden.open("diffusion.safetensors");
            Sampling sampling = new Sampling(48, 32, 4, 0, 1, "", 77, 0, 1);
            List<Diffusion.Step> down = model.steps(Sampler.DDIM, sampling);
            DiffusionSampler denoiser = model.unguided("a red cat", sampling);
            Tensor noise = denoiser.run(golden.get("inversion.clean"), Sampler.DDIM, Diffusion.inverse(down), null,
                    DiffusionSampler.NO_HOOKS, StepListener.NONE);
            golden.assertClose(noise, "inversion." + family + ".up", RUN);
            Tensor back = denoiser.run(noise, Sampler.DDIM, down, null, DiffusionSampler.NO_HOOKS, StepListener.NONE);
            golden.assertClose(back, "inversion." + family + ".down", 3 * RUN);
        }
    }

    @Test
    void defaultsAreThoseOfThePublicPipelinesAndOfTheFolder() throws IOException {
        try (DiffusionModel old = open(folders.resolve("sd15")); DiffusionModel xl = open(folders.resolve("sdxl"))) {
            assertThat(old.defaults()).isEqualTo(new DiffusionDefaults(64, 64, 50, 7.5));
            assertThat(xl.defaults()).isEqualTo(new DiffusionDefaults(64, 64, 50, 5));
        }
        TinyStableDiffusion.write(folder, "sd15");
        Files.writeString(folder.resolve("likeness.json"), "{\"width\": 32, \"height\": 48, \"steps\": 9, \"true_cfg_scale\": 1}");
        try (DiffusionModel model = open(folder)) {
            assertThat(model.defaults()).isEqualTo(new DiffusionDefaults(32, 48, 9, 1));
        }
    }

    /** StableDiffusionPipeline corrects both; the XL one takes what the file says. */
    @ParameterizedTest
    @CsvSource({"sd15, 1, 512", "sd21, 1, 512", "sdxl, 0, 64"})
    void configurationsOlderThanTheirPipelineAreCorrected(String family, int offset, int side) throws IOException {
        TinyStableDiffusion.write(folder, family);
        TinyHunyuan.edit(folder.resolve("scheduler/scheduler_config.json"), json -> json.remove("steps_offset"));
        try (DiffusionModel model = open(folder)) {
            assertThat(model.diffusion().stepsOffset()).isEqualTo(offset);
            assertThat(model.defaults().width()).isEqualTo(64);
        }
        TinyHunyuan.edit(folder.resolve("unet/config.json"), json -> json.put("_diffusers_version", "0.8.1"));
        try (DiffusionModel model = open(folder)) {
            assertThat(model.defaults().width()).isEqualTo(side);
        }
    }

    /** Folders as they were published first: no scale of the latents, files of half precision. */
    @Test
    void oldFoldersAndVariantsLoad() throws IOException {
        TinyStableDiffusion.write(folder, "sd15");
        Path config = folder.resolve("vae/config.json");
        Files.writeString(config, Files.readString(config).replaceAll("\"scaling_factor\": 0.18215,", ""));
        for (String part : List.of("vae", "unet")) {
            Path file = folder.resolve(part);
            Files.move(file.resolve("diffusion_pytorch_model.safetensors"), file.resolve("diffusion_pytorch_model.fp16.safetensors"));
        }
        Sampling sampling = new Sampling(32, 32, 1, 0, 1, "", 77, 5, 1);
        try (DiffusionModel model = open(folder); DiffusionModel usual = open(folders.resolve("sd15"))) {
            assertThat(Generate.run(model, "", Sampler.DDIM, sampling, TaskListener.NONE).images().get(0).picture().rgb())
                    .isEqualTo(Generate.run(usual, "", Sampler.DDIM, sampling, TaskListener.NONE).images().get(0).picture().rgb());
        }
    }

    @ParameterizedTest
    @CsvSource({"unet/config.json, \"in_channels\": 4, \"in_channels\": 9, in_channels 9",
        "unet/config.json, \"cross_attention_dim\": 20, \"cross_attention_dim\": 24, cross_attention_dim 24",
        "unet/config.json, \"class_embed_type\": null, \"class_embed_type\": \"timestep\", class_embed_type",
        "unet/config.json, \"mid_block_type\": \"UNetMidBlock2DCrossAttn\", \"mid_block_type\": null, mid_block_type is null",
        "model_index.json, StableDiffusionPipeline, AudioLDMPipeline, AudioLDMPipeline"})
    void foldersThatDoNotFitAreRefused(String file, String from, String to, String named) throws IOException {
        TinyStableDiffusion.write(folder, "sd15");
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(from);
        Files.writeString(folder.resolve(file), text.replace(from, to));
        assertThatThrownBy(() -> open(folder)).isInstanceOf(Refusal.class).hasMessageContaining(named);
    }

    @Test
    void fluxTasksSendToWhatDrawsWithIt() {
        assertThatThrownBy(() -> FluxModel.open(folders.resolve("sd15"), Device.CPU, DType.FLOAT32)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll("StableDiffusionPipeline", "generate", "invert", "FLUX.1");
    }
}
