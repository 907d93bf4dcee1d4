package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
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

/** Subjects under names, from {@code subject add} to {@code @name} in prompts, by real processes on a tiny model. */
@Execution(ExecutionMode.CONCURRENT)
class LibraryTest {

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeModel() throws IOException {
        TinyModel.write(shared.resolve("toybox"));
        PngWriter.write(shared.resolve("subject.png"), TinyModel.subject(), Map.of());
    }

    private LikenessProcess.Result run(String... arguments) throws IOException, InterruptedException {
        LikenessProcess.Result result = LikenessProcess.run(folder, List.of(arguments));
        assertThat(result.exit()).as(result.err()).isZero();
        return result;
    }

    /** A picture of seed 7. */
    private Picture draw(String output, String command, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(command, "-o", output, "--seed=7", "--threads=1", model()));
        all.addAll(List.of(arguments));
        run(all.toArray(String[]::new));
        return Pictures.read(folder.resolve(output));
    }

    private static String model() {
        return "--model=" + shared.resolve("toybox");
    }

    private static String subject() {
        return shared.resolve("subject.png").toString();
    }

    /** Without --library in the folder that the environment names. */
    @Test
    void aSubjectIsAddedListedShownAndRemoved() throws IOException, InterruptedException {
        Mask mask = Mask.ofAlpha(TinyModel.subject(), "subject").invert();
        PngWriter.write(folder.resolve("mask.png"), mask.resizeNearest(128, 128).toPicture(), Map.of());
        assertThat(run("subject", "list").out()).isEmpty();
        Path robot = folder.resolve(LikenessProcess.SUBJECTS).resolve("robot");
        assertThat(run("subject", "add", "robot", "-r", subject(), "-p", "a fox").out()).isEqualTo(robot + "\n");
        assertThat(run("subject", "add", "red-house", "-r", subject(), "--mask", "mask.png", "--mask-invert").err())
                .contains("warning: The mask mask.png is 128 x 128 pixels and was resized").hasLineCount(1);
        assertThat(run("subject", "list").out()).isEqualTo("@red-house\tred house\n@robot\ta fox\n");

        JsonNode all = new ObjectMapper().readTree(run("subject", "list", "--json").out());
        JsonNode shown = new ObjectMapper().readTree(run("subject", "show", "robot").out());
        assertThat(all).hasSize(2);
        assertThat(all.get(1)).isEqualTo(shown);
        assertThat(shown.fieldNames()).toIterable().containsExactly("name", "prompt", "reference", "mask", "segment", "added");
        assertThat(shown.path("name").asText()).isEqualTo("robot");
        assertThat(shown.path("prompt").asText()).isEqualTo("a fox");
        assertThat(shown.path("segment").asText()).isEqualTo("alpha");
        assertThat(Pictures.read(Path.of(shown.path("reference").asText()))).isEqualTo(TinyModel.subject());
        assertThat(all.get(0).path("segment").asText()).isEqualTo("file:mask.png");
        assertThat(Mask.read(Path.of(all.get(0).path("mask").asText()), false).box())
                .isEqualTo(Mask.ofAlpha(TinyModel.subject(), "subject").box());

        assertThat(run("subject", "remove", "robot").out()).isEmpty();
        assertThat(run("subject", "list").out()).isEqualTo("@red-house\tred house\n");
        assertThat(robot).doesNotExist();
    }

    /** As a mention, as a reference and as a file it is the same subject. */
    @Test
    void aMentionPutsTheSubjectIntoThePicture() throws IOException, InterruptedException {
        run("subject", "add", "robot", "-r", subject(), "-p", "fox", "--library", "my subjects");
        Picture plain = draw("plain.png", "generate", "-p", "a fox in snow");
        Picture mentioned = draw("mentioned.png", "generate", "-p", "a @robot in snow", "--library", "my subjects", "--json");
        assertThat(draw("given.png", "personalize", "-p", "a fox in snow", "-r", "@robot", "--library", "my subjects"))
                .isEqualTo(mentioned).isNotEqualTo(plain);
        assertThat(draw("file.png", "personalize", "-p", "a fox in snow", "-r", subject(), "--reference-prompt", "fox"))
                .isEqualTo(mentioned);

        JsonNode record = Metadata.read(folder.resolve("mentioned.png"));
        assertThat(record.path("task").asText()).isEqualTo("personalize");
        assertThat(record.at("/parameters/prompt").asText()).isEqualTo("a @robot in snow");
        assertThat(record.at("/parameters/library").asText()).isEqualTo("my subjects");
    }

    @Test
    void picturesWithSubjectsOfALibraryAreMadeAgainFromAnyWorkingFolder() throws IOException, InterruptedException {
        run("subject", "add", "robot", "-r", subject(), "-p", "fox", "--library", "lib");
        run("subject", "add", "teapot", "-r", subject(), "-p", "house", "--library", "lib");
        draw("two.png", "compose", "-p", "@robot in @teapot", "--library", "lib");
        draw("moved.png", "generate", "-p", "a @robot", "--library", "lib", "-W", "80");
        draw("same.png", "reconstruct", "-r", "@robot", "--library", "lib");
        Path elsewhere = Files.createDirectories(folder.resolve("else where"));
        for (String name : List.of("two.png", "moved.png", "same.png")) {
            Path again = folder.resolve("again.png");
            LikenessProcess.Result result = LikenessProcess.run(elsewhere,
                    List.of("replay", folder.resolve(name).toString(), "-o", again.toString(), model()));
            assertThat(result.exit()).as(result.err()).isZero();
            assertThat(again).hasSameBinaryContentAs(folder.resolve(name));
        }
    }
}
