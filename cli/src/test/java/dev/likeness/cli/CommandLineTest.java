package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.PngText;
import dev.likeness.image.PngWriter;
import dev.likeness.metadata.Metadata;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The real command line on a tiny model: what it prints, what it writes, and that a picture can be made again from it. */
@Execution(ExecutionMode.CONCURRENT)
class CommandLineTest {

    /** The model's folder has the embedded one's name, so that replay needs not be told that it is another. */
    private static final String MODEL = "toybox";

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeModel() throws IOException {
        TinyModel.write(shared.resolve(MODEL));
        PngWriter.write(shared.resolve("subject.png"), TinyModel.subject(), Map.of());
    }

    private LikenessProcess.Result run(String... arguments) throws IOException, InterruptedException {
        return runIn(folder, arguments);
    }

    private static LikenessProcess.Result runIn(Path workingFolder, String... arguments)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--model=" + shared.resolve(MODEL));
        LikenessProcess.Result result = LikenessProcess.run(workingFolder, all);
        assertThat(result.exit()).as(result.err()).isZero();
        return result;
    }

    private Path subject() throws IOException {
        return Files.copy(shared.resolve("subject.png"), folder.resolve("my subject.png"));
    }

    @Test
    void jsonTellsWhatWasMadeAndHow() throws IOException, InterruptedException {
        LikenessProcess.Result result = run("personalize", "-p", "a fox", "-r", subject().toString(), "-o", "out.png",
                "--seed", "7", "-n", "2", "--tau", "0.5", "--tau-basis", "steps", "--layout", "0.75,0.5", "--threads", "1",
                "--json");
        JsonNode json = new ObjectMapper().readTree(result.out());
        assertThat(json.path("images")).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonNode image = json.path("images").path(i);
            assertThat(image.path("path").asText()).isEqualTo("out-" + (i + 1) + ".png");
            assertThat(folder.resolve(image.path("path").asText())).isRegularFile();
            assertThat(image.path("seed").asLong()).isEqualTo(7 + i);
            assertThat(image.path("width").asInt()).isEqualTo(TinyModel.SIDE);
            assertThat(image.path("height").asInt()).isEqualTo(TinyModel.SIDE);
        }
        assertThat(json.path("model").asText()).isEqualTo(MODEL);
        assertThat(json.path("evaluations").toString())
                .isEqualTo("{\"target\":8,\"unconditional\":8,\"reference\":2,\"inversion\":0}");
        assertThat(json.path("timings_ms").fieldNames()).toIterable()
                .containsExactly("load", "text", "encode", "denoise", "decode", "total");
        assertThat(json.path("peak_memory_bytes").asLong()).isGreaterThan(10_000_000);
        assertThat(json.path("parameters").fieldNames()).toIterable().containsExactlyInAnyOrder("prompt",
                "negative-prompt", "width", "height", "steps", "guidance-scale", "true-cfg-scale", "max-sequence-length",
                "dtype", "device", "threads", "memory", "reference", "layout", "inject", "tau", "tau-basis", "replace-at", "reference-noise",
                "positions", "perturb", "inversion", "token-mask", "seed");
        assertThat(json.at("/parameters/device").asText()).isEqualTo("cpu");
        assertThat(json.at("/parameters/threads").asInt()).isEqualTo(1);
        assertThat(result.err().lines()).contains("load ...", "text ...", "encode ...", "decode ...",
                "denoise: picture 2 of 2, step 4 of 4");
        assertThat(result.err()).doesNotContain("\r").doesNotContain("warning");
    }

    @Test
    void withoutJsonThePathsAreTold() throws IOException, InterruptedException {
        assertThat(run("generate", "-p", "a fox", "-o", "out.png", "--threads", "1").out()).isEqualTo("out.png\n");
    }

    @Test
    void theSameCommandGivesTheSameFileWithItsRecord() throws IOException, InterruptedException {
        for (String name : List.of("1.png", "2.png", "bare.png")) {
            List<String> arguments = new ArrayList<>(List.of("generate", "-p", "a fox, in snow", "-o", name, "--seed", "7",
                    "--threads", "1"));
            if (name.equals("bare.png")) {
                arguments.add("--no-metadata");
            }
            run(arguments.toArray(String[]::new));
        }
        assertThat(folder.resolve("2.png")).hasSameBinaryContentAs(folder.resolve("1.png"));
        ObjectNode record = Metadata.read(folder.resolve("1.png"));
        assertThat(record.path("task").asText()).isEqualTo("generate");
        assertThat(record.at("/parameters/prompt").asText()).isEqualTo("a fox, in snow");
        assertThat(record.at("/parameters/seed").asLong()).isEqualTo(7);
        assertThat(PngText.read(folder.resolve("1.png")).get("parameters")).isEqualTo(
                "a fox, in snow\nSteps: 4, Sampler: Euler, CFG scale: 2.0, Distilled CFG Scale: 0.0, Seed: 7, Size: 64x64, "
                        + "Model: toybox");
        assertThat(PngText.read(folder.resolve("bare.png"))).isEmpty();
        assertThat(Pictures.read(folder.resolve("bare.png"))).isEqualTo(Pictures.read(folder.resolve("1.png")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a \"fox\" in 'the' snow", "--steps=3", "-o = @@x", "@@fox, fox@snow", "狐 ❄ füchse", "", " two\nlines "})
    void replayMakesAGeneratedPictureAgain(String prompt) throws IOException, InterruptedException {
        run("generate", "--prompt=" + prompt, "--negative-prompt=" + prompt, "-o", "made.png", "--seed=-3", "--steps", "2",
                "--width", "80", "--threads", "1");
        assertThat(Metadata.read(folder.resolve("made.png")).at("/parameters/prompt").asText()).isEqualTo(prompt);
        run("replay", "made.png", "-o", "again.png");
        assertThat(folder.resolve("again.png")).hasSameBinaryContentAs(folder.resolve("made.png"));
    }

    @Test
    void singleFilesTakeTheFoldersPlaceAndReplayFindsThem() throws IOException, InterruptedException {
        Path weights = folder.resolve("files/own.safetensors");
        Files.createDirectories(weights.getParent());
        Files.copy(shared.resolve(MODEL + "/transformer/diffusion_pytorch_model.safetensors"), weights);
        run("generate", "-p", "a fox", "-o", "whole.png", "--seed", "3", "--no-metadata");
        run("generate", "-p", "a fox", "-o", "own.png", "--seed", "3", "--no-metadata", "--transformer",
                "files/own.safetensors");
        assertThat(folder.resolve("own.png")).hasSameBinaryContentAs(folder.resolve("whole.png"));
        run("generate", "-p", "a fox", "-o", "made.png", "--seed", "3", "--transformer", "files/own.safetensors");
        assertThat(Metadata.read(folder.resolve("made.png")).path("parameters").path("transformer").asText())
                .isEqualTo("files/own.safetensors");
        run("replay", "made.png", "-o", "again.png");
        assertThat(folder.resolve("again.png")).hasSameBinaryContentAs(folder.resolve("made.png"));
    }

    @Test
    void inspectTellsOfFoldersAndFiles() throws IOException, InterruptedException {
        LikenessProcess.Result told = LikenessProcess.run(folder,
                List.of("models", "inspect", shared.resolve(MODEL).toString(), "--json"));
        JsonNode json = new ObjectMapper().readTree(told.out());
        assertThat(json.path("architecture").asText()).isEqualTo("a model of FLUX.1's architecture");
        assertThat(json.path("loads").asBoolean()).isTrue();
        assertThat(json.path("networks")).hasSize(4);
        assertThat(json.at("/networks/0/types/F32").asInt()).isPositive();
        LikenessProcess.Result file = LikenessProcess.run(folder, List.of("models", "inspect",
                shared.resolve(MODEL + "/vae/diffusion_pytorch_model.safetensors").toString()));
        assertThat(file.exit()).isZero();
        assertThat(file.out()).startsWith("autoencoder").contains("parameters", "F32 x ");
    }

    @Test
    void aPromptMayBeginWithAnAtSign() throws IOException, InterruptedException {
        run("generate", "-p", "@@fox", "-o", "made.png", "--steps", "1", "--threads", "1");
        assertThat(Metadata.read(folder.resolve("made.png")).at("/parameters/prompt").asText()).isEqualTo("@@fox");
    }

    /** The second of two, made of a relative reference, replayed from elsewhere. */
    @Test
    void replayMakesAPersonalizedPictureAgainFromAnyWorkingFolder() throws IOException, InterruptedException {
        subject();
        Path pictures = Files.createDirectories(folder.resolve("new pictures"));
        Path elsewhere = Files.createDirectories(folder.resolve("else where"));
        run("personalize", "-p", "a \"fox\"", "-r", "my subject.png", "-o", "new pictures/made.png", "-n", "2", "--seed", "7",
                "--layout", "0.7,0.6", "--no-reference-noise", "--tau", "0.3", "--threads", "1");
        Path made = pictures.resolve("made-2.png");
        runIn(elsewhere, "replay", made.toString(), "-o", pictures.resolve("again.png").toString());
        assertThat(pictures.resolve("again.png")).hasSameBinaryContentAs(made);
        assertThat(Metadata.read(made).at("/parameters/reference").asText()).isEqualTo("../my subject.png");

        Files.delete(folder.resolve("my subject.png"));
        LikenessProcess.Result result =
                LikenessProcess.run(elsewhere, List.of("replay", made.toString(), "-o", "again.png"));
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.err()).contains("--reference").contains("my subject.png").contains("put the file back")
                .hasLineCount(1);
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void aMaskFileTellsTheSubjectOfAnOpaquePicture() throws IOException, InterruptedException {
        Picture subject = TinyModel.subject();
        // A cut-out's colours are carried on around it, so that there is no white rim.
        PngWriter.write(folder.resolve("opaque.png"), subject.spread(8).flatten(0xFFFFFF), Map.of());
        Mask mask = Mask.ofAlpha(subject, "subject");
        PngWriter.write(folder.resolve("mask.png"), mask.toPicture(), Map.of());
        PngWriter.write(folder.resolve("inverted.png"), mask.invert().toPicture(), Map.of());
        subject();
        run("personalize", "-p", "a fox", "-r", "my subject.png", "-o", "alpha.png", "--seed", "7", "--threads", "1");
        run("personalize", "-p", "a fox", "-r", "opaque.png", "--mask", "mask.png", "-o", "masked.png", "--seed", "7",
                "--threads", "1");
        run("personalize", "-p", "a fox", "-r", "opaque.png", "--mask", "inverted.png", "--mask-invert", "-o",
                "turned.png", "--seed", "7", "--threads", "1");
        Picture made = Pictures.read(folder.resolve("alpha.png"));
        assertThat(Pictures.read(folder.resolve("masked.png"))).isEqualTo(made);
        assertThat(Pictures.read(folder.resolve("turned.png"))).isEqualTo(made);
    }

    @Test
    void aMaskOfAnotherSizeButTheSameProportionsIsResizedWithAWarning() throws IOException, InterruptedException {
        subject();
        Mask mask = Mask.ofAlpha(TinyModel.subject(), "subject");
        PngWriter.write(folder.resolve("mask.png"), mask.toPicture(), Map.of());
        PngWriter.write(folder.resolve("large.png"), mask.resizeNearest(128, 128).toPicture(), Map.of());
        run("personalize", "-p", "a fox", "-r", "my subject.png", "--mask", "mask.png", "-o", "1.png", "--seed", "7", "--threads",
                "1");
        LikenessProcess.Result result = run("personalize", "-p", "a fox", "-r", "my subject.png", "--mask", "large.png", "-o",
                "2.png", "--seed", "7", "--threads", "1", "--json");
        assertThat(result.err().lines().filter(line -> line.contains("warning")))
                .containsExactly("likeness: warning: The mask large.png is 128 x 128 pixels and was resized to those of my "
                        + "subject.png, 64 x 64.");
        assertThat(new ObjectMapper().readTree(result.out()).path("warnings")).hasSize(1);
        assertThat(Pictures.read(folder.resolve("2.png"))).isEqualTo(Pictures.read(folder.resolve("1.png")));
    }
}
