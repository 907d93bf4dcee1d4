package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.reference.LayoutFile.Entry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayoutFileTest {

    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("layout.json"), text);
    }

    @Test
    void everyFieldIsRead() throws IOException {
        Path file = file("""
                {"$schema": "layout.schema.json", "subjects": [
                  {"reference": "robot.png", "mask": "masks/robot.png", "mask_invert": true, "prompt": "ein Füchslein 🦊",
                   "x": 0.3, "y": 1, "scale": 0.5},
                  {"reference": "../cup.png", "segment": "box:1,2,3,4", "x": 0, "y": 0.25, "scene": false},
                  {"reference": "@tea-pot_2"},
                  {"reference": "/pictures/beach.png", "prompt": "", "scene": true}
                ]}
                """);
        assertThat(LayoutFile.read(file)).usingRecursiveFieldByFieldElementComparatorIgnoringFields("json").containsExactly(
                new Entry(folder.resolve("robot.png").toString(), folder.resolve("masks/robot.png"), true, null, "ein Füchslein 🦊",
                        new Layout(0.3, 1, 0.5), false, null),
                new Entry(folder.resolve("../cup.png").toString(), null, false, "box:1,2,3,4", null, new Layout(0, 0.25), false, null),
                new Entry("@tea-pot_2", null, false, null, null, null, false, null),
                new Entry("/pictures/beach.png", null, false, null, "", null, true, null));
    }

    /** What only others know to be wrong is told as what is wrong here. */
    @Test
    void othersRefuseWithThePlaceInTheFile() throws IOException {
        Entry entry = LayoutFile.read(file("{\"subjects\": [\n {\"reference\": \"a.png\", \"segment\": \"file:%s\\n\"}]}")).get(0);
        Refusal refusal = entry.refusal("segment", entry.segment() + " is wrong; correct it.");
        assertThat(refusal.kind()).isEqualTo(Refusal.Kind.INPUT);
        assertThat(refusal).hasMessage(
                folder.resolve("layout.json") + ", line 2, column 36, /subjects/0/segment: file:%s? is wrong; correct it.");
        assertThat(entry.resolve(Path.of("m.png"))).isEqualTo(folder.resolve("m.png"));
        assertThat(entry.refusal("segment", "x".repeat(10_000)).getMessage().length()).isLessThan(1000);
    }

    @Test
    void aPathIsNeverTakenForAName() throws IOException {
        Path file = Files.createDirectory(folder.resolve("@home")).resolve("layout.json");
        Files.writeString(file, "{\"subjects\": [{\"reference\": \"cup.png\"}, {\"reference\": \"./@cup.png\"}]}");
        Path relative = Path.of("").toAbsolutePath().relativize(file);
        assertThat(LayoutFile.read(file)).extracting(Entry::fromLibrary).containsExactly(false, false);
        assertThat(LayoutFile.read(relative)).extracting(Entry::fromLibrary).containsExactly(false, false);
    }

    @Test
    void theMarkThatSomeEditorsPutBeforeUtf8IsSkipped() throws IOException {
        assertThat(LayoutFile.read(file("\uFEFF{\"subjects\": [{\"reference\": \"a.png\"}]}"))).hasSize(1);
    }

    /** One mistake on the third line of a file that is sound otherwise; § marks the place that is told. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"reference\": \"a.png\", \"x\": §1.4, \"y\": 0.5} | /subjects/1/x | 1.4 is out of range; write a number from 0 to 1",
        "{\"reference\": \"a.png\", \"x\": 0, \"y\": §-1} | /subjects/1/y | -1 is out of range",
        "{\"reference\": \"a.png\", \"x\": 0, \"y\": 0, \"scale\": §9} | /subjects/1/scale | a number from 0.05 to 8",
        "{\"reference\": \"a.png\", \"x\": 0, \"y\": §1e999} | /subjects/1/y | out of range",
        "{\"reference\": \"a.png\", \"x\": §\"0.5\", \"y\": 0} | /subjects/1/x | \"0.5\" is not a number; write one from 0 to 1",
        "{\"reference\": \"a.png\", \"x\": §null, \"y\": 0} | /subjects/1/x | null is not a number",
        "{\"reference\": \"a.png\", \"x\": §0.5} | /subjects/1/x | x stands without y",
        "{\"reference\": \"a.png\", \"y\": §0.5} | /subjects/1/y | y stands without x",
        "{\"reference\": \"a.png\", \"scale\": §2} | /subjects/1/scale | scale stands without x and y",
        "§{\"prompt\": \"a robot\"} | /subjects/1: | reference is missing; add the path of a picture",
        "{\"reference\": §\"\"} | /subjects/1/reference | empty",
        "{\"reference\": §3} | /subjects/1/reference | 3 is not a text",
        "{\"reference\": §\"@Robot\"} | /subjects/1/reference | \"@Robot\" is not a name of the library",
        "{\"reference\": §\"@a/../b\"} | /subjects/1/reference | not a name",
        "{\"reference\": §\"a\\u0000b\"} | /subjects/1/reference | \"a?b\" cannot be a path",
        "{\"reference\": \"a.png\", \"postion\": §1} | /subjects/1/postion | \"postion\" is not a known field; use reference, mask,",
        "{\"reference\": \"a.png\", \"a/b~\\n\": §1} | /subjects/1/a~1b~0?: | is not a known field",
        "{\"reference\": \"a.png\", \"mask\": §[\"m.png\"]} | /subjects/1/mask | a list is not a text",
        "{\"reference\": \"a.png\", \"mask\": \"m.png\", \"segment\": §\"s\"} | /subjects/1/segment | remove one of the two",
        "{\"reference\": \"a.png\", \"mask_invert\": §true} | /subjects/1/mask_invert | add mask",
        "{\"reference\": \"a.png\", \"mask_invert\": §\"yes\"} | /subjects/1/mask_invert | \"yes\" is neither true nor false",
        "{\"reference\": \"@a\", \"mask\": §\"m.png\"} | /subjects/1/mask | a subject of the library has its mask",
        "{\"reference\": \"a.png\", \"scene\": true, \"x\": §0.5, \"y\": 0.5} | /subjects/1/x | a scene fills the canvas and takes no x",
        "{\"reference\": \"a.png\", §\"reference\": \"b.png\"} | /subjects/1/reference | stands twice",
        "§\"robot.png\" | /subjects/1: | \"robot.png\" is not an object",
        "{\"reference\": \"a.png\",§} | /subjects/1 | correct the JSON",
        "{\"reference\": §a.png} | /subjects/1/reference | correct the JSON",
        "§// a comment | /subjects/1: | correct the JSON",
        "{\"reference\": \"a.png\", \"x\": NaN§} | /subjects/1/x | Non-standard token 'NaN'; correct the JSON",
    })
    void aMistakeIsToldWithLineColumnAndPointer(String subject, String pointer, String reason) throws IOException {
        Path file = file("{\"subjects\": [\n  {\"reference\": \"b.png\"},\n  " + subject.replace("§", "") + "\n]}\n");
        assertRefused(file, ", line 3, column " + (3 + subject.indexOf('§')) + ", " + pointer, reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[] | line 1, column 1: a list is not an object",
        "null | line 1, column 1: null is not an object",
        "{} | line 1, column 1: subjects is missing; add",
        "{\"subjects\": {}} | line 1, column 14, /subjects: an object is not a list",
        "{\"subjects\": []} | line 1, column 14, /subjects: no subject is listed; add at least one",
        "{\"subject\": []} | /subject: \"subject\" is not a known field; use $schema, subjects",
        "{\"$schema\": 1, \"subjects\": [{\"reference\": \"a\"}]} | /$schema: 1 is not a text",
        "{\"subjects\": [{\"reference\": \"a\"}]} {} | line 1, column 36: something follows the end of the JSON; remove it",
        "{\"subjects\": [{\"reference\": \"a\"}]]} | line 1, column 34",
        "{\"subjects\": [{\"reference\": \"a\"} | the file ends early, before everything is closed that was opened; correct",
        "{\"subjects\": [{\"reference\": \"a\", \"scene\": true}]} | /subjects: only a scene is listed; add",
        "{\"subjects\": [{\"reference\": \"a\", \"scene\": true}, {\"reference\": \"b\", \"scene\": true}]} "
            + "| /subjects/1: this is the second scene",
    })
    void aDocumentThatIsNoLayoutIsRefused(String text, String reason) throws IOException {
        assertRefused(file(text), reason, ";");
    }

    @Test
    void sixteenEntriesAreReadAndNotSeventeen() throws IOException {
        String entry = "{\"reference\": \"a.png\"}";
        assertThat(LayoutFile.read(file("{\"subjects\": [" + String.join(",", Collections.nCopies(16, entry)) + "]}"))).hasSize(16);
        assertRefused(file("{\"subjects\": [" + String.join(",\n", Collections.nCopies(17, entry)) + "]}"),
                "line 17, column 1, /subjects/16: 17 subjects are listed; leave out all but 16");
    }

    @Test
    void filesThatAreNoJsonTextAreRefused() throws IOException {
        assertRefused(folder.resolve("missing.json"), "does not exist; check the path");
        assertRefused(folder, "is a folder; name a JSON file");
        assertRefused(file(""), "line 1, column 1: the file is empty; write");
        assertRefused(file(" \n\t"), "the file is empty");
        assertRefused(file(" ".repeat((1 << 20) + 1)), "is larger than 1 MB; check");
        assertRefused(file("[".repeat(100_000)), "correct the JSON");
        assertRefused(file("{\"subjects\": [" + "1".repeat(5000) + "]}"), "line 1", "correct the JSON");
        Path latin = Files.write(folder.resolve("latin.json"), "{\n \"F\u00fcchse\": 1}".getBytes(StandardCharsets.ISO_8859_1));
        assertRefused(latin, "line 2, column 4: the text is not UTF-8; save");
        Path utf16 = Files.write(folder.resolve("utf16.json"), "{}".getBytes(StandardCharsets.UTF_16));
        assertRefused(utf16, "line 1, column 1: the text is not UTF-8");
        Path cut = Files.write(folder.resolve("cut.json"), new byte[] {'{', (byte) 0xc3});
        assertRefused(cut, "line 1, column 2: the text is not UTF-8");
    }

    private static void assertRefused(Path file, String... reasons) {
        assertThatThrownBy(() -> LayoutFile.read(file))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageStartingWith(file.toString()).hasMessageContainingAll(reasons)
                .hasMessageEndingWith(".").message().hasLineCount(1).hasSizeLessThan(file.toString().length() + 250);
    }
}
