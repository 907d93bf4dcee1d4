package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A data set in DreamBench++'s layout, written here. */
class DreamBenchPlusTest {

    @TempDir
    Path folder;

    @BeforeEach
    void write() throws IOException {
        write("images/object/00.jpg", "");
        write("captions/object/00.txt", "Teapot\nA photo of a teapot.\n\nA teapot on the moon. \n");
        write("images/live_subject/animal/01.jpg", "");
        write("captions/live_subject/animal/01.txt", "kitten\nA kitten in the snow.");
    }

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void everyPictureHasASubjectAndPrompts() {
        DreamBenchPlus bench = DreamBenchPlus.read(folder);
        assertThat(bench.subjects()).containsExactly(
                new DreamBenchPlus.Subject("live_subject/animal/01", "animal", "kitten", List.of("A kitten in the snow."),
                        folder.resolve("images/live_subject/animal/01.jpg")),
                new DreamBenchPlus.Subject("object/00", "object", "Teapot",
                        List.of("A photo of a teapot.", "A teapot on the moon."), folder.resolve("images/object/00.jpg")));
        assertThat(bench.cases()).hasSize(3).last().isEqualTo(new PromptCase("object/00", "Teapot", 1, "A teapot on the moon.",
                List.of(folder.resolve("images/object/00.jpg"))));
    }

    @Test
    void picturesWithoutCaptionsAndCaptionsWithoutPicturesAreRefused() throws IOException {
        write("captions/style/00.txt", "ink\nA house in ink.");
        assertThatThrownBy(() -> DreamBenchPlus.read(folder)).isInstanceOf(Refusal.class)
                .hasMessageContaining("3 captions for 2 pictures");
        write("images/style/02.jpg", "");
        assertThatThrownBy(() -> DreamBenchPlus.read(folder)).isInstanceOf(Refusal.class).hasMessageContaining("02.txt");
    }

    @Test
    void aSubjectWithoutPromptsIsRefused() throws IOException {
        write("captions/object/00.txt", "Teapot\n\n");
        assertThatThrownBy(() -> DreamBenchPlus.read(folder)).isInstanceOf(Refusal.class).hasMessageContaining("00.txt");
    }

    @Test
    void anotherFolderIsRefused(@TempDir Path other) {
        assertThatThrownBy(() -> DreamBenchPlus.read(other)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(other.toString(), "images");
    }
}
