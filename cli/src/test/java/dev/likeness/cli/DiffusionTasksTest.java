package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.image.PngText;
import dev.likeness.image.PngWriter;
import dev.likeness.task.TinyModel;
import dev.likeness.task.TinyStableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What models that tell noise from latents make by real processes, and what is not for them. */
@Execution(ExecutionMode.CONCURRENT)
class DiffusionTasksTest {

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyStableDiffusion.write(shared.resolve("sd15"), "sd15");
        TinyStableDiffusion.write(shared.resolve("sdxl"), "sdxl");
        TinyModel.write(shared.resolve("toybox"));
        PngWriter.write(shared.resolve("photo.png"), TinyModel.subject().flatten(0x40A0E0), Map.of());
    }

    private LikenessProcess.Result run(String model, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--model=" + shared.resolve(model), "-o", "made.png", "--threads=1", "--json"));
        return LikenessProcess.run(folder, all);
    }

    private JsonNode json(String model, String... arguments) throws IOException, InterruptedException {
        LikenessProcess.Result result = run(model, arguments);
        assertThat(result.exit()).as(result.err()).isZero();
        return new ObjectMapper().readTree(result.out());
    }

    private void assertMadeAgain(String model) throws IOException, InterruptedException {
        LikenessProcess.Result again =
                LikenessProcess.run(folder, List.of("replay", "made.png", "-o", "again.png", "--model=" + shared.resolve(model)));
        assertThat(again.exit()).as(again.err()).isZero();
        assertThat(folder.resolve("again.png")).hasSameBinaryContentAs(folder.resolve("made.png"));
    }

    @Test
    void inspectTellsOfTheirFolders() throws IOException, InterruptedException {
        LikenessProcess.Result told =
                LikenessProcess.run(folder, List.of("models", "inspect", shared.resolve("sdxl").toString(), "--json"));
        JsonNode json = new ObjectMapper().readTree(told.out());
        assertThat(json.path("architecture").asText()).isEqualTo("Stable Diffusion XL");
        assertThat(json.path("loads").asBoolean()).as(told.out()).isTrue();
        assertThat(json.path("parameters").asLong()).isPositive();
        assertThat(json.path("networks").findValuesAsText("network"))
                .containsExactly("U-Net", "autoencoder", "CLIP text encoder", "second CLIP text encoder");
    }

    @Test
    void generateTellsWhatItTookAndIsMadeAgain() throws IOException, InterruptedException {
        JsonNode json = json("sd15", "generate", "-p", "a red cat", "--negative-prompt", "a dog", "--steps", "3", "--sampler", "ddpm",
                "-H", "48", "--seed", "7");
        assertThat(json.path("evaluations").toString())
                .isEqualTo("{\"target\":3,\"unconditional\":3,\"reference\":0,\"inversion\":0}");
        assertThat(json.at("/images/0/width").asInt()).isEqualTo(64);
        assertThat(json.at("/images/0/height").asInt()).isEqualTo(48);
        assertThat(json.at("/parameters/true-cfg-scale").asDouble()).isEqualTo(7.5);
        assertThat(json.at("/parameters/sampler").asText()).isEqualTo("ddpm");
        assertThat(PngText.read(folder.resolve("made.png")).get("parameters")).contains("Sampler: DDPM", "CFG scale: 7.5");
        assertMadeAgain("sd15");
    }

    @Test
    void invertGoesUpAndDownByDdim() throws IOException, InterruptedException {
        JsonNode json = json("sdxl", "invert", "-r", shared.resolve("photo.png").toString(), "--reference-prompt", "a red cat",
                "--steps", "4");
        assertThat(json.at("/evaluations/inversion").asInt()).isEqualTo(8);
        assertThat(json.path("reconstruction_psnr_db").asDouble()).isBetween(3.0, 60.0);
        assertThat(json.at("/parameters/inversion").asText()).isEqualTo("ddim");
        assertMadeAgain("sdxl");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "sd15    | 4 | personalize -p fox -r subject.png | sd15 is a U-Net, FLUX.1 or HunyuanDiT",
        "sdxl    | 4 | personalize -p fox -r subject.png | sdxl is a U-Net, FLUX.1 or HunyuanDiT",
        "sd15    | 2 | generate -p fox --guidance-scale 3.5 | --guidance-scale, --true-cfg-scale",
        "sd15    | 2 | generate -p fox --max-sequence-length 64 | --max-sequence-length, leave it out",
        "sd15    | 2 | generate -p fox --memory stream  | --memory, FLUX.1, leave it out",
        "sd15    | 2 | generate -p fox --sampler euler  | --sampler, DDIM, DDPM, euler",
        "sd15    | 2 | invert -r photo.png --inversion flow | --inversion flow, --inversion ddim",
        "sd15    | 2 | invert -r photo.png --inversion ddim --gamma 0.5 | --gamma, rf-inversion",
        "toybox  | 2 | generate -p fox --sampler ddim   | --sampler, Stable Diffusion, leave it out",
        "toybox  | 2 | invert -r photo.png --inversion ddim | --inversion ddim, Stable Diffusion, exact, fireflow",
        "toybox  | 2 | invert -r photo.png --inversion none | expected one of exact, fireflow, ddim, none",
    })
    void whatDoesNotFitTheModelIsRefused(String model, int exit, String arguments, String says)
            throws IOException, InterruptedException {
        PngWriter.write(folder.resolve("photo.png"), TinyModel.subject().flatten(0x40A0E0), Map.of());
        PngWriter.write(folder.resolve("subject.png"), TinyModel.subject(), Map.of());
        LikenessProcess.Result result = run(model, arguments.split(" "));
        assertThat(result.exit()).as(result.err()).isEqualTo(exit);
        String sentence = result.err().lines().reduce((first, last) -> last).orElseThrow();
        assertThat(sentence).startsWith("likeness: ").contains(says.split(", "));
        assertThat(folder.resolve("made.png")).doesNotExist();
    }
}
