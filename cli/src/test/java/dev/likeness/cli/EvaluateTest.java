package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Which flags evaluate takes, and what a folder of results holds fast. */
class EvaluateTest {

    private static final Path SUBJECTS = Path.of("../examples/subjects");
    private static final Path JUDGE = Path.of("../models/judge").toAbsolutePath();

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeModel() throws IOException {
        TinyModel.write(shared.resolve("model"));
    }

    private static EvaluateCommand parsed(String... arguments) {
        EvaluateCommand command = new EvaluateCommand();
        new CommandLine(command).parseArgs(arguments);
        return command;
    }

    @ParameterizedTest
    @CsvSource({"--method=all,model", "--only=fox,dreambench", "--subjects=x,edit", "--judge=x,inversion", "--data=x,toybox",
        "--clip=x,segmentation", "--dino=x,toybox", "--references=first,dreambench++"})
    void aFlagThatTheSuiteDoesNotReadIsRefused(String flag, String suite) {
        String name = flag.substring(0, flag.indexOf('='));
        assertThatThrownBy(() -> parsed("--suite=" + suite, flag, "--model=nowhere").call()).isInstanceOf(Refusal.class)
                .hasMessageStartingWith("--suite " + suite + " reads no " + name + ", which is for ")
                .extracting(e -> ((Refusal) e).kind()).isEqualTo(Refusal.Kind.USAGE);
    }

    @Test
    void flagsThatTheSuiteReadsAreTaken() {
        assertThatThrownBy(() -> parsed("--suite=toybox", "--method=tau", "--only=fox", "--subjects=x", "--judge=x",
                "--model=nowhere").call()).hasMessageContaining("nowhere").hasMessageNotContaining("reads no");
    }

    private static Map<String, String> settings(String... arguments) {
        EvaluateCommand command = parsed(arguments);
        command.modelOptions.model = shared.resolve("model");
        try (FluxModel model = command.modelOptions.open()) {
            return command.settings(model, command.suite.equals("dreambench") ? command.prompts() : List.of());
        }
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    @Test
    void thePlanThatChangesPicturesIsHeldFastAndNoOther() {
        assertThat(settings("--suite=edit", "--memory=fp8")).containsEntry("memory", "fp8");
        assertThat(settings("--suite=edit", "--memory=stream")).isEqualTo(settings("--suite=edit")).doesNotContainKey("memory");
    }

    @Test
    void theCutOutsAreHeldFast() throws IOException {
        write("fox.png", "one");
        String[] flags = {"--suite=toybox", "--judge=" + JUDGE, "--subjects=" + folder};
        Map<String, String> before = settings(flags);
        write("evaluation-toybox/results.csv", "what the suite does not read");
        assertThat(settings(flags)).isEqualTo(before);
        write("fox.png", "two");
        assertThat(settings(flags)).isNotEqualTo(before);
    }

    @Test
    void theSpritesAreHeldFast() throws IOException {
        write("fluent/assets/1f98a.webp", "one");
        Map<String, String> before = settings("--suite=inversion", "--data=" + folder);
        write("fluent/assets/1f98a.webp", "two");
        assertThat(settings("--suite=inversion", "--data=" + folder)).isNotEqualTo(before);
    }

    @Test
    void theBenchmarksPromptsAndPicturesAndTheChoiceAmongThemAreHeldFast() throws IOException {
        String text = """
                subject_name,class
                dog,dog

                Object Prompts
                prompt_list = [
                'a {0} {1} in the snow'.format(unique_token, class_token),
                ]
                Live Subject Prompts
                prompt_list = [
                'a wet {0} {1}'.format(unique_token, class_token),
                ]
                """;
        write("data/prompts_and_classes.txt", text);
        write("data/dog/00.jpg", "a dog");
        write("data/dog/01.jpg", "another");
        Path list = write("list.txt", "dog/00.jpg");
        String[] flags = {"--suite=dreambench", "--data=" + folder.resolve("data"), "--references=" + list,
            "--clip=" + write("clip/weights", "clip").getParent(), "--dino=" + write("dino/weights", "dino").getParent()};
        Map<String, String> before = settings(flags);
        Files.writeString(list, "dog/01.jpg");
        assertThat(settings(flags)).as("another reference").isNotEqualTo(before);
        Files.writeString(list, "# chosen\ndog/00.jpg");
        assertThat(settings(flags)).as("the same in other words").isEqualTo(before);
        write("data/prompts_and_classes.txt", text.replace("wet", "dry"));
        assertThat(settings(flags)).as("another prompt").isNotEqualTo(before);
        write("data/prompts_and_classes.txt", text);
        write("data/dog/00.jpg", "a cat");
        assertThat(settings(flags)).as("another picture").isNotEqualTo(before);
    }

    private LikenessProcess.Result evaluate(String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("evaluate", "--suite=toybox", "--model=" + shared.resolve("model"),
                "--judge=" + JUDGE, "--subjects=" + folder.resolve("subjects"), "--only=fox", "--cases=1", "--jobs=1",
                "-o", folder.resolve("out").toString()));
        arguments.addAll(List.of(more));
        return LikenessProcess.run(folder, arguments);
    }

    @Test
    void aRunGoesToItsEndIsTakenUpAgainAndRefusesWhatWouldChangeIt() throws IOException, InterruptedException {
        Path fox = Files.createDirectories(folder.resolve("subjects")).resolve("fox.png");
        Files.copy(SUBJECTS.resolve("fox.png"), fox);
        LikenessProcess.Result first = evaluate("--method=plain");
        assertThat(first.exit()).as(first.err()).isZero();
        assertThat(first.out()).contains("| plain generation | ");
        for (String name : List.of("report.html", "results.csv", "results.json", "grid.png", "pictures/reference")) {
            assertThat(folder.resolve("out").resolve(name)).exists();
        }
        Path lines = folder.resolve("out/results.jsonl");
        String whole = Files.readString(lines);
        byte[] table = Files.readAllBytes(folder.resolve("out/results.csv"));

        Files.writeString(lines, whole.substring(0, whole.length() - 5));
        LikenessProcess.Result again = evaluate("--method=plain");
        assertThat(again.exit()).as(again.err()).isZero();
        assertThat(lines).hasContent(whole);
        assertThat(folder.resolve("out/results.csv")).hasBinaryContent(table);

        assertRefused(evaluate("--method=plain", "--memory=fp8"), "memory");
        assertRefused(evaluate("--method=plain", "--threads=2"), "threads");
        Files.copy(SUBJECTS.resolve("crab.png"), fox, StandardCopyOption.REPLACE_EXISTING);
        assertRefused(evaluate("--method=plain"), "subjects-sha256");
        assertThat(lines).hasContent(whole);
    }

    private static void assertRefused(LikenessProcess.Result result, String setting) {
        assertThat(result.exit()).as(result.err()).isEqualTo(3);
        assertThat(result.err()).contains("holds results of " + setting);
    }
}
