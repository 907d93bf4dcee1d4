package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.TestPictures;
import dev.likeness.reference.SubjectLibrary.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubjectLibraryTest {

    private static final Picture PICTURE = TestPictures.varied(20, 12, true, 3);

    @TempDir
    Path folder;

    private SubjectLibrary library;

    @BeforeEach
    void openLibrary() {
        library = new SubjectLibrary(folder.resolve("data/subjects"));
    }

    private Path file(String path) {
        return folder.resolve("data/subjects").resolve(path);
    }

    private static Mask mask() {
        float[] coverage = new float[20 * 12];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = i % 256 / 255f;
        }
        return Mask.of(20, 12, coverage);
    }

    private Entry add(String name) {
        return library.add(name, PICTURE, mask(), null, "alpha");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(file(""))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatIsAddedIsFound() throws IOException {
        Entry added = library.add("robot", PICTURE, mask(), "ein Füchslein 🦊, \"rot\"", "box:1,2,3,4");
        assertThat(library.get("robot")).isEqualTo(added);
        assertThat(new SubjectLibrary(file("")).list().subjects()).containsExactly(added);
        assertThat(added.prompt()).isEqualTo("ein Füchslein 🦊, \"rot\"");
        assertThat(added.segment()).isEqualTo("box:1,2,3,4");
        assertThat(added.added()).isBetween(Instant.now().minus(Duration.ofMinutes(5)), Instant.now());
        assertThat(Pictures.read(added.reference())).isEqualTo(PICTURE);
        assertThat(Mask.read(added.mask(), false)).isEqualTo(mask());
        assertThat(files()).containsExactly("robot");
    }

    @Test
    void theNounIsTheNameUnlessOneIsGiven() {
        assertThat(add("red-tea_pot2").prompt()).isEqualTo("red tea pot2");
        assertThat(library.add("cup", PICTURE, mask(), " ", "").prompt()).isEqualTo("cup");
    }

    @Test
    void theListIsSortedAndEmptyWithoutALibrary() {
        assertThat(library.list()).isEqualTo(new SubjectLibrary.Listing(List.of(), new TreeMap<>()));
        List.of("cup", "a-2", "robot", "a", "a1").forEach(this::add);
        assertThat(library.list().subjects()).extracting(Entry::name).containsExactly("a", "a-2", "a1", "cup", "robot");
    }

    @Test
    void aNameIsTakenUntilItIsRemoved() throws IOException {
        add("robot");
        assertRefused(Refusal.Kind.USAGE, () -> add("robot"), "@robot", "remove it first, or use another name");
        library.remove("robot");
        assertRefused(Refusal.Kind.USAGE, () -> library.get("robot"), "There is no subject @robot");
        assertRefused(Refusal.Kind.USAGE, () -> library.remove("robot"), "There is no subject @robot");
        assertThat(files()).isEmpty();
        add("robot");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Robot", "2robot", "-a", "_a", "a b", "a/b", "..", ".", "../robot", "a.png", "röbot", "a\0", "a\n",
        "/etc", "@robot", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    void otherNamesAreRefusedBeforeAnyFileIsTouched(String name) {
        String remedy = "use 1 to 64 lower-case letters";
        assertRefused(Refusal.Kind.USAGE, () -> add(name), remedy);
        assertRefused(Refusal.Kind.USAGE, () -> library.get(name), remedy);
        assertRefused(Refusal.Kind.USAGE, () -> library.remove(name), remedy);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theLongestNameIsTaken() {
        assertThat(add("a".repeat(64)).name()).hasSize(64);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"robt | did you mean @robot or @robots?", "rob | did you mean @robot or @robots?",
        "teapott | did you mean @teapot?", "zebra | add it to the library first"})
    void anUnknownNameIsAnsweredWithTheNearest(String name, String remedy) {
        List.of("robots", "robot", "teapot").forEach(this::add);
        assertRefused(Refusal.Kind.USAGE, () -> library.get(name), "@" + name + " in " + file(""), remedy);
    }

    @Test
    void aMaskThatDoesNotFitIsRefused() {
        Mask empty = Mask.of(20, 12, new float[240]);
        assertRefused(Refusal.Kind.INPUT, () -> library.add("robot", PICTURE, empty, null, ""), "@robot marks no pixel");
        Mask small = Mask.of(1, 1, new float[] {1});
        assertRefused(Refusal.Kind.INPUT, () -> library.add("robot", PICTURE, small, null, ""), "of @robot is 1 x 1");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void ofManyWhoAddOneNameAtOnceOneSucceeds() throws Exception {
        int threads = 8;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            for (int round = 0; round < 5; round++) {
                String name = "robot" + round;
                CyclicBarrier start = new CyclicBarrier(threads);
                Callable<Boolean> adding = () -> {
                    start.await();
                    try {
                        add(name);
                        return true;
                    } catch (Refusal e) {
                        assertThat(e).hasMessageContaining("@" + name + " in").hasMessageContaining("already");
                        return false;
                    }
                };
                List<Future<Boolean>> results = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    results.add(pool.submit(adding));
                }
                int succeeded = 0;
                for (Future<Boolean> result : results) {
                    succeeded += result.get() ? 1 : 0;
                }
                assertThat(succeeded).isEqualTo(1);
                assertThat(library.get(name).name()).isEqualTo(name);
            }
            assertThat(files()).containsExactly("robot0", "robot1", "robot2", "robot3", "robot4");
        } finally {
            pool.shutdown();
        }
    }

    @Test
    void whatACrashLeftOverIsNoSubject() throws IOException {
        add("robot");
        Files.createDirectory(file(".likeness-0b4d"));
        Files.writeString(file(".likeness-0b4d/subject.json"), "{");
        Files.writeString(file("notes.txt"), "not a folder");
        assertThat(library.list().subjects()).extracting(Entry::name).containsExactly("robot");
        assertThat(library.list().broken()).isEmpty();
    }

    @Test
    void oneBrokenSubjectDoesNotHideTheOthers() throws IOException {
        List.of("bare", "cup", "robot").forEach(this::add);
        Files.delete(file("bare/mask.png"));
        Files.writeString(file("robot/subject.json"), "{\n\"version\": }");
        Files.createDirectory(file("My Robot"));
        Files.createDirectory(file("empty"));
        SubjectLibrary.Listing listing = library.list();
        assertThat(listing.subjects()).extracting(Entry::name).containsExactly("cup");
        assertThat(listing.broken()).containsOnlyKeys("My Robot", "bare", "empty", "robot");
        assertThat(listing.broken().get("bare")).contains("@bare", "mask.png is missing; remove it and add it again");
        assertThat(listing.broken().get("robot")).contains("subject.json, line 2, column ", "/version");
        assertThat(listing.broken().get("My Robot")).contains("rename it");
        assertRefused(Refusal.Kind.INPUT, () -> library.get("robot"), "subject.json");
        assertRefused(Refusal.Kind.USAGE, () -> add("empty"), "already");
        List.of("robot", "bare", "empty").forEach(library::remove);
        assertThat(library.list().broken()).containsOnlyKeys("My Robot");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"version\" : 1 | \"version\" : 2 | /version: only version 1",
        "\"version\" : 1 | \"version\" : null | /version: only version 1",
        "\"version\" : 1, | `` | version is missing; remove @robot and add it again",
        "\"name\" : \"robot\" | \"name\" : \"cup\" | /name: the name is not that of the folder",
        "\"added\" : \"2 | \"added\" : \"x2 | is not a time; write one such as",
        "\"prompt\" : \"robot\" | \"prompt\" : 3 | /prompt: 3 is not a text",
        "\"prompt\" : \"robot\" | \"prompt\" : \"\" | /prompt: the text is empty",
        "\"version\" : 1 | \"version\" : 1, \"colour\": 3 | \"colour\" is not a known field",
    })
    void aDescriptionThatIsNotOursIsRefusedWithItsLine(String before, String after, String reason) throws IOException {
        add("robot");
        Path description = file("robot/subject.json");
        String text = Files.readString(description);
        assertThat(text).contains(before);
        Files.writeString(description, text.replace(before, after));
        assertRefused(Refusal.Kind.INPUT, () -> library.get("robot"), description + ", line ", reason);
    }

    @Test
    void removingFollowsNoLink() throws IOException {
        add("robot");
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("precious"), "mine");
        Files.createSymbolicLink(file("robot/link"), elsewhere);
        Files.createSymbolicLink(file("linked"), elsewhere);
        library.remove("robot");
        library.remove("linked");
        assertThat(files()).isEmpty();
        assertThat(elsewhere.resolve("precious")).exists();
    }

    @Test
    void aFileInTheLibrarysPlaceIsRefused() throws IOException {
        SubjectLibrary blocked = new SubjectLibrary(Files.createFile(folder.resolve("file")));
        assertRefused(Refusal.Kind.INPUT, () -> blocked.add("robot", PICTURE, mask(), null, ""), "is not a folder; set");
        assertRefused(Refusal.Kind.INPUT, blocked::list, "is not a folder; set");
        SubjectLibrary below = new SubjectLibrary(folder.resolve("file/subjects"));
        assertRefused(Refusal.Kind.INPUT, () -> below.add("robot", PICTURE, mask(), null, ""), "cannot be created",
                "set LIKENESS_SUBJECTS");
    }

    @Test
    void aLibraryThatMayOnlyBeReadIsRefused() throws IOException {
        add("robot");
        assertThat(file("").toFile().setWritable(false)).isTrue();
        try {
            assumeThat(Files.isWritable(file(""))).as("root may write everywhere").isFalse();
            assertRefused(Refusal.Kind.INPUT, () -> add("cup"), "is not writable; set LIKENESS_SUBJECTS");
            assertRefused(Refusal.Kind.INPUT, () -> library.remove("robot"), "permission denied", "check the permissions");
            assertThat(library.list().subjects()).hasSize(1);
        } finally {
            file("").toFile().setWritable(true);
        }
    }

    @Test
    void theDefaultFolderFollowsTheEnvironment() {
        Path home = Path.of("/home/someone");
        Path usual = Path.of("/home/someone/.local/share/likeness/subjects");
        assertThat(SubjectLibrary.defaultFolder(Map.of(), home)).isEqualTo(usual);
        assertThat(SubjectLibrary.defaultFolder(Map.of("LIKENESS_SUBJECTS", "", "XDG_DATA_HOME", ""), home)).isEqualTo(usual);
        assertThat(SubjectLibrary.defaultFolder(Map.of("XDG_DATA_HOME", "relative"), home)).isEqualTo(usual);
        Map<String, String> data = Map.of("XDG_DATA_HOME", "/data");
        assertThat(SubjectLibrary.defaultFolder(data, home)).isEqualTo(Path.of("/data/likeness/subjects"));
        Map<String, String> both = Map.of("XDG_DATA_HOME", "/data", "LIKENESS_SUBJECTS", "toys");
        assertThat(SubjectLibrary.defaultFolder(both, home)).isEqualTo(Path.of("toys"));
    }

    private static void assertRefused(Refusal.Kind kind, ThrowingCallable action, String... reasons) {
        assertThatThrownBy(action).isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(kind))
                .hasMessageContainingAll(reasons).message().hasLineCount(1);
    }
}
