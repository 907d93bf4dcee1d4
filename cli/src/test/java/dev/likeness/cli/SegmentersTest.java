package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Subjects that are found by a box, a click or a network in a file, by real processes; no model is needed for it. */
@Execution(ExecutionMode.CONCURRENT)
class SegmentersTest {

    private static final int USAGE = 2;
    private static final int INPUT = 3;

    @TempDir
    Path folder;

    /** The subject of 32 x 32 pixels in the middle of a blue ground. */
    @BeforeEach
    void writePicture() throws IOException {
        Picture photo = TinyModel.subject().flatten(0x2060E0);
        PngWriter.write(folder.resolve("photo.png"), photo, Map.of());
        Files.writeString(folder.resolve("network.onnx"), "this is no network");
        Files.write(folder.resolve("empty.onnx"), new byte[0]);
    }

    private LikenessProcess.Result segment(String how) throws IOException, InterruptedException {
        return LikenessProcess.run(folder, List.of("segment", "-r", "photo.png", "--segment", how, "-o", "mask.png"));
    }

    /** Share of pixels in which two masks agree. */
    private static double agreement(Mask one, Mask other) {
        int same = 0;
        for (int y = 0; y < one.height(); y++) {
            for (int x = 0; x < one.width(); x++) {
                same += one.isSubject(x, y) == other.isSubject(x, y) ? 1 : 0;
            }
        }
        return (double) same / (one.width() * one.height());
    }

    @ParameterizedTest
    @ValueSource(strings = {"box:10,10,44,44", "click:34,30"})
    void theSubjectIsFound(String how) throws IOException, InterruptedException {
        LikenessProcess.Result result = segment(how);
        assertThat(result.exit()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo("mask.png\n");
        Mask mask = Mask.read(folder.resolve("mask.png"), false);
        assertThat(agreement(mask, Mask.ofAlpha(TinyModel.subject(), "subject"))).isGreaterThan(0.9);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "box:60,60,32,32; box",
        "box:200,200,10,10; box",
        "box:10,10,0,20; box",
        "click:64,10; click",
        "onnx:nowhere.onnx; nowhere.onnx",
        "onnx:network.onnx; network.onnx",
        "onnx:empty.onnx; empty.onnx",
        "file:nowhere.png; nowhere.png does not exist"})
    void isRefused(String how, String says) throws IOException, InterruptedException {
        LikenessProcess.Result result = segment(how);
        assertThat(result.err()).hasLineCount(1).startsWith("likeness: ").contains(says).doesNotContain("internal error");
        assertThat(result.exit()).as(result.err()).isIn(USAGE, INPUT);
        assertThat(folder.resolve("mask.png")).doesNotExist();
    }

    /** One sentence also where a picture is to be made, before a model is looked for. */
    @ParameterizedTest
    @ValueSource(strings = {"personalize", "reconstruct"})
    void aFileThatIsNoNetworkIsRefusedBeforeTheModelIsLookedFor(String command) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(command, "-r", "photo.png", "--segment", "onnx:network.onnx", "-o",
                "made.png", "--model", "absent"));
        if (command.equals("personalize")) {
            arguments.addAll(List.of("-p", "a fox"));
        }
        LikenessProcess.Result result = LikenessProcess.run(folder, arguments);
        assertThat(result.err()).hasLineCount(1).contains("network.onnx").doesNotContain("internal error");
        assertThat(result.exit()).as(result.err()).isEqualTo(INPUT);
        assertThat(folder.resolve("made.png")).doesNotExist();
    }
}
