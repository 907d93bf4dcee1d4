package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.error.Refusal;
import dev.likeness.eval.Suite.Case;
import dev.likeness.eval.Suite.Outcome;
import dev.likeness.image.Picture;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The frame around suites, with a suite whose figures follow from names. */
class EvaluationTest {

    private static final Map<String, String> SETTINGS = Map.of("model", "none", "dtype", "float32");

    @TempDir
    Path folder;

    private final ConcurrentLinkedQueue<String> made = new ConcurrentLinkedQueue<>();
    private int failing = -1;
    private String third = "b<&>";
    private Runnable inCaseZero = () -> { };

    private final class Fake implements Suite {

        private final List<Case> cases = new ArrayList<>();

        Fake(int count) {
            for (int i = 0; i < count; i++) {
                int number = i;
                cases.add(new Cases.Simple("case-" + i, "subject-" + i % 3, List.of("plain", "a", third),
                        i == 0 ? List.of(1L, 2L) : List.of(1L), () -> Picture.filled(16, 16, number),
                                wanted -> run(number, wanted)));
            }
        }

        private List<Outcome> run(int number, Set<String> wanted) {
            if (number == failing) {
                throw Refusal.resources("Memory ran out.");
            }
            if (number == 0) {
                inCaseZero.run();
            }
            List<Outcome> outcomes = new ArrayList<>();
            for (long seed : cases.get(number).seeds()) {
                for (String method : wanted) {
                    made.add(number + method);
                    double value = Math.sin(number + 10 * method.length() + seed) / 3;
                    outcomes.add(new Outcome(method, seed, method.equals("plain") ? Map.of(Instrument.GHOST, value)
                            : Map.of(Instrument.IDENTITY_PSNR, method.length() + value, Instrument.GHOST, value),
                            Picture.filled(16, 16, 99 * number)));
                }
            }
            return outcomes;
        }

        @Override
        public String name() {
            return "fake";
        }

        @Override
        public List<String> notes() {
            return List.of("Nothing & nobody.");
        }

        @Override
        public List<Instrument> instruments() {
            return List.of(Instrument.IDENTITY_PSNR, Instrument.GHOST);
        }

        @Override
        public Map<String, String> methods() {
            Map<String, String> titles = new LinkedHashMap<>();
            List.of("plain", "a", third).forEach(name -> titles.put(name, "method " + name));
            return titles;
        }

        @Override
        public Set<String> controls() {
            return Set.of("plain");
        }

        @Override
        public List<Case> cases() {
            return cases;
        }

        @Override
        public List<Curve> curves() {
            return List.of(new Curve("a curve", "tau", Instrument.IDENTITY_PSNR,
                    Map.of("line", new TreeMap<>(Map.of(0.1, "a", 0.2, third)))));
        }
    }

    private Map<String, Map<Instrument, Summary>> run(Path to, int cases, int jobs) {
        return new Evaluation(new Fake(cases), to, SETTINGS).run(jobs, (done, of) -> {});
    }

    private static Map<String, String> files(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                if (!file.endsWith("results.jsonl")) { // its lines stand in the order in which cases came to an end
                    files.put(folder.relativize(file).toString(),
                            new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
                }
            }
        }
        return files;
    }

    @Test
    void theNumberOfJobsChangesNoByte() throws IOException {
        run(folder.resolve("one"), 7, 1);
        run(folder.resolve("three"), 7, 3);
        assertThat(files(folder.resolve("three"))).isEqualTo(files(folder.resolve("one")));
    }

    @Test
    void aRunThatWasKilledInTheMiddleOfALineGoesOnAndEndsAlike() throws IOException {
        run(folder.resolve("whole"), 4, 1);
        Path cut = folder.resolve("cut");
        run(cut, 4, 1);
        Path lines = cut.resolve("results.jsonl");
        String text = Files.readString(lines);
        Files.writeString(lines, text.substring(0, text.length() - 11));
        made.clear();
        run(cut, 4, 2);
        assertThat(made).as("made again").containsExactly("3b<&>");
        assertThat(files(cut)).isEqualTo(files(folder.resolve("whole")));
        assertThat(Files.readAllLines(lines)).hasSize(text.split("\n").length);
    }

    @Test
    void whatIsThereIsNotMadeAgainAndMoreCasesJoinIt() {
        run(folder, 2, 1);
        made.clear();
        run(folder, 3, 1);
        assertThat(made).containsExactlyInAnyOrder("2plain", "2a", "2b<&>");
    }

    @Test
    void aCaseThatFailsIsToldAndTheOthersAreKept() {
        failing = 1;
        assertThatThrownBy(() -> run(folder, 3, 1)).isInstanceOf(Refusal.class).hasMessage("Memory ran out.");
        failing = -1;
        made.clear();
        run(folder, 3, 1);
        assertThat(made).contains("1a").doesNotContain("0a");
    }

    @Test
    void aCaseThatFailsLetsThoseBesideItComeToTheirEnd() {
        inCaseZero = () -> await(new CountDownLatch(1), 500); // long enough for the failure to be noticed
        failing = 1;
        assertThatThrownBy(() -> run(folder, 2, 2)).hasMessage("Memory ran out.");
        failing = -1;
        made.clear();
        run(folder, 2, 1);
        assertThat(made).contains("1a").doesNotContain("0a");
    }

    @Test
    void anInterruptWaitsForWhatRunsAndIsToldAfterwards() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        inCaseZero = () -> {
            begun.countDown();
            await(goOn, 10_000);
        };
        List<Object> seen = new ArrayList<>();
        Thread running = new Thread(() -> {
            try {
                run(folder, 2, 1);
            } catch (Refusal e) {
                seen.add(e.getMessage());
            }
            seen.add(Thread.currentThread().isInterrupted());
        });
        running.start();
        begun.await();
        running.interrupt();
        running.join(200);
        assertThat(running.isAlive()).isTrue();
        goOn.countDown();
        running.join();
        assertThat(seen).containsExactly(
                "The evaluation was interrupted; start it again, and it goes on where it stopped.", true);
        made.clear();
        inCaseZero = () -> { };
        run(folder, 2, 1);
        assertThat(made).contains("1a").doesNotContain("0a");
    }

    private static void await(CountDownLatch latch, int milliseconds) {
        try {
            latch.await(milliseconds, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static List<Map<String, String>> otherSettings() {
        return List.of(Map.of("model", "none", "dtype", "bfloat16"), Map.of("dtype", "float32"),
                Map.of("model", "none", "dtype", "float32", "lora", "1"));
    }

    @ParameterizedTest
    @MethodSource("otherSettings")
    void resultsOfOtherSettingsAreRefused(Map<String, String> settings) {
        run(folder, 1, 1);
        assertThatThrownBy(() -> new Evaluation(new Fake(1), folder, settings).run(1, (done, of) -> {}))
                .isInstanceOf(Refusal.class).hasMessageContaining("; name another --output.");
    }

    @Test
    void theSettingThatDiffersIsNamed() {
        run(folder, 1, 1);
        assertThatThrownBy(() -> new Evaluation(new Fake(1), folder, otherSettings().get(0)).run(1, (done, of) -> {}))
                .hasMessageContaining("results of dtype float32, and this is bfloat16");
    }

    @ParameterizedTest
    @ValueSource(strings = {"no json\n", "{\"case\": \"case-0\"}\n",
        "{\"case\":\"c\",\"method\":\"a\",\"seed\":1,\"values\":{\"x\":1}}\n"})
    void aFileThatHoldsSomethingElseIsRefused(String line) throws IOException {
        run(folder, 1, 1);
        Files.writeString(folder.resolve("results.jsonl"), line, StandardOpenOption.APPEND);
        assertThatThrownBy(() -> run(folder, 1, 1)).isInstanceOf(Refusal.class).hasMessageContaining("no result");
    }

    /** Another line that is no line yet behind results of other settings, and a file of somebody else's without any. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"settings\":{\"model\":\"other\"}}\n{\"case\":", "a note", "{\"settings\":{\"model\":\"other"})
    void whatIsRefusedStaysAsItIs(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("results.jsonl"), text);
        assertThatThrownBy(() -> run(folder, 1, 1)).isInstanceOf(Refusal.class).hasMessageContaining("name another --output");
        assertThat(file).hasContent(text);
        Files.delete(file);
        run(folder, 1, 1); // nothing holds the folder any more
    }

    @Test
    void aRunThatWasKilledWithinACharacterOrInTheFirstLineGoesOn() throws IOException {
        run(folder.resolve("whole"), 1, 1);
        byte[] whole = Files.readAllBytes(folder.resolve("whole/results.jsonl"));
        run(folder, 1, 1);
        Path lines = folder.resolve("results.jsonl");
        Files.write(lines, new byte[] {'{', '"', (byte) 0xC3}, StandardOpenOption.APPEND);
        run(folder, 1, 1);
        assertThat(lines).hasBinaryContent(whole);
        Files.write(lines, Arrays.copyOf(whole, 20));
        run(folder, 1, 1);
        assertThat(lines).hasBinaryContent(whole);
    }

    @Test
    void aFolderThatIsInUseIsRefusedInThisProcessAndInAnother() throws IOException, InterruptedException {
        Path file = folder.resolve("results.jsonl");
        try (Results first = Results.open(file, SETTINGS)) {
            assertThat(otherProcess(file)).isEqualTo(IN_USE);
            assertThatThrownBy(() -> Results.open(file, SETTINGS)).isInstanceOf(Refusal.class)
                    .hasMessageContaining("being written by another evaluation");
        }
        assertThat(otherProcess(file)).isZero();
    }

    private static final int IN_USE = 3;

    private static int otherProcess(Path file) throws IOException, InterruptedException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Locked.class.getName(), file.toString()).inheritIO().start().waitFor();
    }

    /** Ends with {@link #IN_USE} when another process holds the file. */
    static final class Locked {
        public static void main(String[] args) throws IOException {
            try (FileChannel channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE)) {
                System.exit(channel.tryLock() == null ? IN_USE : 0);
            }
        }
    }

    @Test
    void theTableHoldsEveryPictureInTheListsOrder() throws IOException {
        run(folder, 2, 2);
        List<String> lines = Files.readAllLines(folder.resolve("results.csv"));
        assertThat(lines.get(0)).isEqualTo("case,subject,method,seed,identity-psnr,ghost");
        assertThat(lines.get(1)).isEqualTo("case-0,subject-0,plain,1,," + Math.sin(51) / 3);
        assertThat(lines).hasSize(1 + 3 * 3);
        assertThat(lines.get(9)).startsWith("case-1,subject-1,b<&>,1,");
    }

    @Test
    void namesThatWouldBreakTheTableAreQuoted() throws IOException {
        third = "mine, \"new\"-replace";
        run(folder, 1, 1);
        assertThat(Files.readAllLines(folder.resolve("results.csv")).get(5))
                .startsWith("case-0,subject-0,\"mine, \"\"new\"\"-replace\",1,");
    }

    @Test
    void theSummaryHoldsSettingsMeansAndIntervals() throws IOException {
        Summary summary = run(folder, 6, 1).get("a").get(Instrument.GHOST);
        JsonNode json = new ObjectMapper().readTree(folder.resolve("results.json").toFile());
        assertThat(json.at("/settings/dtype").asText()).isEqualTo("float32");
        assertThat(json.at("/settings/suite").asText()).isEqualTo("fake");
        assertThat(json.path("seeds")).hasToString("[1,2]");
        JsonNode ghost = json.at("/methods/a/ghost");
        assertThat(ghost.path("mean").asDouble()).isEqualTo(summary.mean());
        assertThat(ghost.path("subjects").asInt()).isEqualTo(3);
        assertThat(ghost.at("/interval_95/1").asDouble()).isEqualTo(summary.mean() + summary.margin());
        assertThat(json.at("/methods/plain").has("identity-psnr")).isFalse();
    }

    @Test
    void theReportNeedsNoOtherFileAndNoScript() throws IOException {
        run(folder, 3, 1);
        String html = Files.readString(folder.resolve("report.html"));
        assertThat(html).contains("Nothing &amp; nobody.", "method b&lt;&amp;&gt;", "data:image/jpeg;base64,",
                "data:image/png;base64,", "prefers-color-scheme: dark", "href=\"#identity-psnr\"", "id=\"identity-psnr\"")
                .doesNotContain("<script", "http://", "https://", "src=\"pictures");
    }

    @Test
    void theBestIsNoControlAndIsNoMatterOfGhosts() {
        Fake suite = new Fake(3);
        Map<String, Map<Instrument, Summary>> summaries = run(folder, 3, 1);
        assertThat(Report.best(suite, summaries, Instrument.IDENTITY_PSNR))
                .contains(summaries.get("b<&>").get(Instrument.IDENTITY_PSNR).mean());
        assertThat(Report.best(suite, summaries, Instrument.GHOST)).isEmpty();
    }

    @Test
    void theFingerprintFollowsWhatAModelIsMadeOf() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        String before = Evaluation.fingerprint(folder);
        Files.writeString(folder.resolve("README.md"), "text");
        assertThat(Evaluation.fingerprint(folder)).isEqualTo(before);
        Files.writeString(folder.resolve("config.json"), "{ }");
        assertThat(Evaluation.fingerprint(folder)).isNotEqualTo(before);
    }

    @Test
    void theFingerprintGoesThroughLinks() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model/vae")).getParent();
        Path weights = Files.writeString(model.resolve("vae/weights"), "1");
        Path linked = Files.createSymbolicLink(folder.resolve("linked"), model);
        Path partly = Files.createDirectories(folder.resolve("partly"));
        Files.createSymbolicLink(partly.resolve("vae"), model.resolve("vae"));
        String before = Evaluation.fingerprint(model);
        assertThat(Evaluation.fingerprint(linked)).isEqualTo(before);
        assertThat(Evaluation.fingerprint(partly)).isEqualTo(before);
        Files.writeString(weights, "2");
        assertThat(Evaluation.fingerprint(linked)).isNotEqualTo(before).isEqualTo(Evaluation.fingerprint(model));
        assertThat(Evaluation.fingerprint(partly)).isNotEqualTo(before);
    }

    @Test
    void aFolderThatLeadsBackToItselfIsRefused() throws IOException {
        Files.createSymbolicLink(folder.resolve("again"), folder);
        assertThatThrownBy(() -> Evaluation.fingerprint(folder)).isInstanceOf(Refusal.class).hasMessageContaining("cannot be read");
    }
}
