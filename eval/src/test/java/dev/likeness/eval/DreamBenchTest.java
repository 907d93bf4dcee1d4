package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.eval.DreamBench.Choice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A data set in DreamBench's layout, written here. */
class DreamBenchTest {

    private static final String TEXT = """
            Classes

            subject_name,class
            bear_plushie,stuffed animal
            dog2,dog
            vase,vase

            Prompts

            Object Prompts

            prompt_list = [
            'a {0} {1} in the jungle'.format(unique_token, class_token),
            'a cube shaped {0} {1}'.format(unique_token, class_token)
            ]

            Live Subject Prompts

            prompt_list = [
            'a {0} {1} wearing a santa hat'.format(unique_token, class_token),
            'a red {0} {1}'.format(unique_token, class_token),
            'a wet {0} {1}'.format(unique_token, class_token)
            ]
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("prompts_and_classes.txt"), TEXT);
        Files.writeString(folder.resolve("references_and_licenses.txt"), "nobody's");
        for (String picture : List.of("dog2/02.jpg", "dog2/00.jpg", "dog2/01.JPG", "dog2/notes.txt", "bear_plushie/05.jpg")) {
            Files.createDirectories(folder.resolve(picture).getParent());
            Files.writeString(folder.resolve(picture), "");
        }
    }

    private void change(UnaryOperator<String> change) throws IOException {
        Files.writeString(folder.resolve("prompts_and_classes.txt"), change.apply(TEXT));
    }

    @Test
    void subjectsHaveTheirClassTheirPicturesAndThePromptsOfTheirKind() {
        DreamBench bench = DreamBench.read(folder);
        assertThat(bench.missing()).containsExactly("vase");
        DreamBench.Subject bear = bench.subjects().get(0);
        assertThat(bear).isEqualTo(new DreamBench.Subject("bear_plushie", "stuffed animal", false,
                List.of("a stuffed animal in the jungle", "a cube shaped stuffed animal"),
                List.of(folder.resolve("bear_plushie/05.jpg"))));
        DreamBench.Subject dog = bench.subjects().get(1);
        assertThat(dog.live()).isTrue();
        assertThat(dog.prompts()).containsExactly("a dog wearing a santa hat", "a red dog", "a wet dog");
        assertThat(dog.pictures()).extracting(path -> path.getFileName().toString())
                .containsExactly("00.jpg", "01.JPG", "02.jpg");
    }

    @Test
    void theFolderAboveIsFoundAsWell() throws IOException {
        Path above = Files.createDirectory(folder.resolve("dog2/above"));
        Files.createDirectories(above.resolve("dataset/dog2"));
        Files.writeString(above.resolve("dataset/dog2/00.jpg"), "");
        Files.writeString(above.resolve("dataset/prompts_and_classes.txt"), TEXT.replace("\n", "\r\n"));
        assertThat(DreamBench.read(above).subjects()).hasSize(1);
    }

    @Test
    void casesAreAllPromptsOfAllSubjectsWithTheChosenReferences() {
        DreamBench bench = DreamBench.read(folder);
        List<PromptCase> first = bench.cases(Choice.FIRST);
        assertThat(first).hasSize(5);
        assertThat(first.get(3)).isEqualTo(new PromptCase("dog2", "dog", 1, "a red dog",
                List.of(folder.resolve("dog2/00.jpg"))));
        assertThat(bench.cases(Choice.ALL).get(3).references()).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"dog2/02.jpg bear_plushie/05.jpg cat/09.jpg",
        "[{'image_paths':['./dreambooth/dataset/dog2/02.jpg']},{'image_paths':['./dreambooth/dataset/bear_plushie/05.jpg']}]"})
    void referencesAreChosenByAList(String text) throws IOException {
        Path list = folder.resolve("list.txt");
        Files.writeString(list, text.replace(' ', '\n').replace('\'', '"'));
        List<PromptCase> cases = DreamBench.read(folder).cases(Choice.listed(list));
        assertThat(cases.get(4).references()).containsExactly(folder.resolve("dog2/02.jpg"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"dog2/02.jpg | bear_plushie", "dog2/02.jpg bear_plushie/06.jpg | bear_plushie/06.jpg",
        "dog2/02.jpg dog2/00.jpg | 00.jpg"})
    void listsThatDoNotChooseAreRefused(String text, String named) throws IOException {
        Path list = folder.resolve("list.txt");
        Files.writeString(list, text.replace(' ', '\n'));
        assertThatThrownBy(() -> DreamBench.read(folder).cases(Choice.listed(list))).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(list.toString(), named);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"dog2,dog | dog2 | line 5", "dog2,dog | dog2, | line 5",
        "dog2,dog | ../dog,dog | line 5", "vase,vase | dog2,dog | twice", "subject_name,class | name,class | table",
        "dog2,dog | dog3,dog | dog2", "Object Prompts | Prompts | Object Prompts",
        "a red {0} {1} | a red {0} dog | line 21", "'a wet {0} {1}' | wet | line 22"})
    void whatIsWrongWithTheFileIsSaidInOneSentence(String from, String to, String named) throws IOException {
        change(text -> text.replace(from, to));
        assertThatThrownBy(() -> DreamBench.read(folder)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll("prompts_and_classes.txt", named)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aListThatIsCutOffIsRefused() throws IOException {
        change(text -> text.substring(0, text.lastIndexOf(']')));
        assertThatThrownBy(() -> DreamBench.read(folder)).isInstanceOf(Refusal.class)
                .hasMessageContaining("Live Subject Prompts");
    }

    @Test
    void missingPicturesAndFoldersAreRefused(@TempDir Path other) throws IOException {
        Files.delete(folder.resolve("bear_plushie/05.jpg"));
        assertThatThrownBy(() -> DreamBench.read(folder)).isInstanceOf(Refusal.class).hasMessageContaining("bear_plushie");
        assertThatThrownBy(() -> DreamBench.read(other)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(other.toString(), "prompts_and_classes.txt");
        Files.writeString(other.resolve("prompts_and_classes.txt"), TEXT);
        assertThatThrownBy(() -> DreamBench.read(other)).isInstanceOf(Refusal.class).hasMessageContaining("no folder");
    }
}
