package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.eval.Analysed;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.task.TinyModel;
import dev.likeness.task.TinyStableDiffusion;
import dev.likeness.tensor.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The analyses by real processes on a tiny transformer and a tiny U-Net. */
class AnalyzeTest {

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeModels() throws IOException {
        TinyModel.write(shared.resolve("dit"));
        TinyStableDiffusion.write(shared.resolve("unet"), "sd15");
    }

    private LikenessProcess.Result run(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("analyze"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--subjects=" + Path.of("../examples/subjects").toAbsolutePath(), "--size=64", "--steps=2",
                "--threads=1"));
        return LikenessProcess.run(folder, all);
    }

    private LikenessProcess.Result done(String... arguments) throws IOException, InterruptedException {
        LikenessProcess.Result result = run(arguments);
        assertThat(result.exit()).as(result.err()).isZero();
        return result;
    }

    @Test
    void positionsTellsOfEachModelAndOfTheirRatio() throws IOException, InterruptedException {
        String dit = "--model=" + shared.resolve("dit");
        String unet = "--model=" + shared.resolve("unet");
        JsonNode json = new ObjectMapper().readTree(done("positions", dit, unet, "--samples=2", "--json").out());

        assertThat(json.path("models")).hasSize(2);
        double[] means = new double[2];
        for (int i = 0; i < 2; i++) {
            JsonNode model = json.path("models").path(i);
            JsonNode same = model.path("same_position");
            means[i] = same.path("mean").asDouble();
            assertThat(means[i]).isGreaterThan(0).isLessThan(1);
            assertThat(same.path("standard_deviation").isNumber()).isTrue();
            assertThat(same.path("by_layer")).hasSameSizeAs(model.path("layers"));
            assertThat(same.path("by_step")).hasSize(2);
            assertThat(same.path("by_layer_and_step")).hasSameSizeAs(model.path("layers"));
            assertThat(model.path("same_position_among_reference").path("mean").asDouble()).isGreaterThan(means[i]);
        }
        JsonNode layer = json.path("models").path(0).path("layers").path(0);
        assertThat(layer.path("tokens").asInt()).isEqualTo(16);
        assertThat(layer.path("keys").asInt()).as("text, picture and reference").isEqualTo(8 + 16 + 16);
        JsonNode ofUnet = json.path("models").path(1).path("layers");
        ofUnet.forEach(one -> assertThat(one.path("keys").asInt()).isEqualTo(2 * one.path("tokens").asInt()));
        assertThat(json.path("models").path(1).path("kind").asText()).isEqualTo("U-Net");
        assertThat(json.path("ratio").path("same_position").path("of_means").asDouble()).isEqualTo(means[0] / means[1]);
        assertThat(json.path("ratio").path("same_position").path("interval_95")).hasSize(2);
    }

    @Test
    void oneSampleHasARatioAndNoInterval() throws IOException, InterruptedException {
        String[] both = {"positions", "--model=" + shared.resolve("dit"), "--model=" + shared.resolve("unet"), "--samples=1", "--dtype=auto",
            "--json"};
        JsonNode json = new ObjectMapper().readTree(done(both).out());
        assertThat(json.path("dtype").asText()).isIn("float32", "bfloat16");
        JsonNode ratio = json.path("ratio").path("same_position");
        assertThat(ratio.path("of_means").asDouble()).isPositive();
        assertThat(ratio.path("standard_error").isNull()).isTrue();
        assertThat(ratio.path("interval_95")).hasToString("[null,null]");
        assertThat(done(Arrays.copyOf(both, 5)).out()).containsPattern("same position: ratio [0-9.]+\n");
    }

    @Test
    void attentionDrawsARowForEachPlaceAndAColumnForEachWay() throws IOException, InterruptedException {
        done("attention", "--model=" + shared.resolve("dit"), "--query=0.2,0.3", "--query=0.7,0.8", "-o", "dit");
        Picture figure = Pictures.read(folder.resolve("dit/attention.png"));
        assertThat(figure.width()).isGreaterThan(4 * 256).isLessThan(5 * 256);
        assertThat(figure.height()).isGreaterThan(3 * 256).isLessThan(4 * 256);
        String html = Files.readString(folder.resolve("dit/report.html"));
        assertThat(html).contains("positions keep", "positions zero", "positions shift", "place 0.20,0.30")
                .doesNotContain("src=\"http").doesNotContain("<script");

        done("attention", "--model=" + shared.resolve("unet"), "--query=0.2,0.3", "-o", "unet");
        assertThat(Pictures.read(folder.resolve("unet/attention.png")).width()).as("it has no positions to give")
                .isGreaterThan(2 * 256).isLessThan(3 * 256);
    }

    @Test
    void reconstructionPutsModelsSideBySide() throws IOException, InterruptedException {
        done("reconstruction", "--model=" + shared.resolve("dit"), "--model=" + shared.resolve("unet"), "--samples=2", "-o", "out");
        JsonNode methods = new ObjectMapper().readTree(folder.resolve("out/results.json").toFile()).path("methods");
        assertThat(methods).hasSize(4);
        for (String method : List.of("dit-replace", "unet-replace")) {
            for (String measure : List.of("identity-psnr", "identity-ssim", "rim-sharpness", "rim-kept", "subject-sharpness")) {
                assertThat(methods.path(method).path(measure).path("mean").isNumber()).as(method + " " + measure).isTrue();
            }
        }
        assertThat(methods.path("unet-replace").path("identity-psnr").path("mean").asDouble()).as("tokens that are put in are seen")
                .isNotEqualTo(methods.path("unet-plain").path("identity-psnr").path("mean").asDouble());
        assertThat(folder.resolve("out/grid.png")).exists();
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("token replacement").doesNotContain("<script");
    }

    @Test
    void aFolderOfReconstructionsHoldsFastWhatDecidesItsDigits() throws IOException {
        Path cutOut = Files.writeString(folder.resolve("fox.png"), "one");
        Map<String, String> before = settings("--threads=1");
        assertThat(before).containsEntry("device", "cpu").containsEntry("threads", "1");
        assertThat(settings("--threads=2")).isNotEqualTo(before);
        Files.writeString(cutOut, "two");
        assertThat(settings("--threads=1")).isNotEqualTo(before);
    }

    private Map<String, String> settings(String threads) {
        AnalyzeCommand.OfReconstruction command = new AnalyzeCommand.OfReconstruction();
        new CommandLine(command).parseArgs("--model=" + shared.resolve("dit"), "--subjects=" + folder, "--device=cpu", threads);
        try (Analysed model = command.options.open(shared.resolve("dit"))) {
            return command.settings(List.of(model));
        } finally {
            Ops.threads(1);
        }
    }

    @Test
    void modelsOfDifferentSizesAreNotCompared() throws IOException, InterruptedException {
        for (String analysis : List.of("positions", "reconstruction")) {
            LikenessProcess.Result result = LikenessProcess.run(folder, List.of("analyze", analysis, "--samples=1", "--steps=1",
                    "--model=" + shared.resolve("dit"), "--model=" + shared.resolve("unet"),
                    "--subjects=" + Path.of("../examples/subjects").toAbsolutePath()));
            assertThat(result.exit()).as(analysis).isEqualTo(2);
            assertThat(result.err()).contains("different sizes", "--size");
        }
    }

    @Test
    void whatCannotBeAnalysedIsRefused() throws IOException, InterruptedException {
        LikenessProcess.Result place = run("attention", "--model=" + shared.resolve("dit"), "--query=here");
        assertThat(place.exit()).isEqualTo(2);
        assertThat(place.err()).contains("--query here");
        LikenessProcess.Result none = run("positions", "--model=" + shared.resolve("dit"), "--samples=0");
        assertThat(none.exit()).isEqualTo(2);
        assertThat(none.err()).contains("--samples 0");
        LikenessProcess.Result noneOfThem = run("attention", "--model=" + shared.resolve("dit"), "--sample=0");
        assertThat(noneOfThem.exit()).isEqualTo(2);
        assertThat(noneOfThem.err()).contains("--sample 0");
        LikenessProcess.Result two = run("attention", "--model=nowhere", "--model=neither");
        assertThat(two.exit()).isEqualTo(2);
        assertThat(two.err()).contains("analyze attention", "one --model");
        Files.createDirectories(folder.resolve("empty"));
        assertThat(run("positions", "--model=empty", "--samples=1").exit()).isEqualTo(4);
    }
}
