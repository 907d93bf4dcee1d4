package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.image.Mask;
import dev.likeness.image.PngWriter;
import dev.likeness.task.TinyHunyuan;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tasks that a HunyuanDiT folder serves, by real processes on a tiny one. */
class HunyuanTest {

    @TempDir
    static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyHunyuan.write(folder.resolve("hunyuan"), false);
        PngWriter.write(folder.resolve("subject.png"), TinyModel.subject(), Map.of());
        PngWriter.write(folder.resolve("mask.png"), Mask.ofAlpha(TinyModel.subject(), "").toPicture(), Map.of());
    }

    private static LikenessProcess.Result run(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--model=" + folder.resolve("hunyuan"));
        return LikenessProcess.run(folder, all);
    }

    private static JsonNode json(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--seed=7", "--threads=1", "--dtype=float32", "--steps=4", "-W", "64", "-H", "48", "--json"));
        LikenessProcess.Result result = run(all.toArray(String[]::new));
        assertThat(result.exit()).as(result.err()).isZero();
        return new ObjectMapper().readTree(result.out());
    }

    @Test
    void generateDrawsAndInvertTellsWhatIsKept() throws IOException, InterruptedException {
        JsonNode drawn = json("generate", "-p", "a red cat", "-o", "drawn.png");
        assertThat(drawn.path("evaluations").path("target").asInt()).isEqualTo(4);
        assertThat(drawn.path("evaluations").path("unconditional").asInt()).isEqualTo(4); // guidance of the public pipeline
        JsonNode inverted = json("invert", "-r", "subject.png", "-o", "inverted.png");
        assertThat(inverted.path("evaluations").path("inversion").asInt()).isEqualTo(8);
        assertThat(inverted.path("reconstruction_psnr_db").isNumber()).isTrue();
    }

    @Test
    void personalizePutsTheSubjectInAndReplayDoesItAgain() throws IOException, InterruptedException {
        JsonNode made = json("personalize", "-p", "a cat in the snow", "-r", "subject.png", "--mask", "mask.png",
                "--layout", "0.6,0.5", "--tau", "0.5", "-o", "made.png");
        assertThat(made.path("evaluations").path("reference").asInt()).isEqualTo(2);
        assertThat(made.path("evaluations").path("inversion").asInt()).isEqualTo(4);
        assertThat(made.path("parameters").path("replace-at").asText()).isEqualTo("attention");
        LikenessProcess.Result again = run("replay", "made.png", "-o", "again.png");
        assertThat(again.exit()).as(again.err()).isZero();
        assertThat(folder.resolve("again.png")).hasSameBinaryContentAs(folder.resolve("made.png"));
    }

    @Test
    void thePapersMethodLetsTheReferenceJoinAfterTau() throws IOException, InterruptedException {
        JsonNode made = json("personalize", "-p", "a cat in the snow", "-r", "subject.png", "--mask", "mask.png", "--method", "paper",
                "-o", "paper.png");
        assertThat(made.path("parameters").path("inject").asText()).isEqualTo("replace+mma");
        assertThat(made.path("evaluations").path("reference").asInt()).isEqualTo(4);
    }

    @Test
    void whatHunyuanDoesNotDoIsRefused() throws IOException, InterruptedException {
        String[][] refused = {{"--inversion", "exact"}, {"--inject", "replace+concat"}, {"--replace-at", "hidden"},
            {"--guidance-scale", "3"}};
        for (String[] flag : refused) {
            LikenessProcess.Result result = run("personalize", "-p", "a cat", "-r", "subject.png", "-o", "no.png", flag[0], flag[1]);
            assertThat(result.exit()).as("%s: %s", flag[0], result.err()).isEqualTo(2);
            assertThat(result.err()).contains(flag[0]);
        }
    }
}
