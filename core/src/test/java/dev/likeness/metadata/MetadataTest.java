package dev.likeness.metadata;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.image.PngText;
import dev.likeness.image.PngWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class MetadataTest {

    @TempDir
    Path folder;

    @Test
    void theRecordComesBackAsItWasGiven() {
        ObjectNode record = Metadata.record(record());
        Path png = write(Metadata.toChunks(record));
        assertThat(Metadata.read(png).toString()).isEqualTo(record.toString());
        assertThat(Metadata.read(png).fieldNames()).toIterable().containsExactlyElementsOf(record().keySet());
    }

    @Test
    void theSameRecordGivesTheSameText() {
        assertThat(Metadata.toChunks(Metadata.record(record())))
                .isEqualTo(Metadata.toChunks(Metadata.record(record())));
        assertThat(Metadata.toChunks(Metadata.record(Map.of("seed", 1))).get("likeness"))
                .isEqualTo("{\"record_version\":1,\"seed\":1}");
    }

    @Test
    void otherToolsFindThePromptAndTheSettings() {
        Path png = write(Metadata.toChunks(Metadata.record(record())));
        assertThat(PngText.read(png).get("parameters")).isEqualTo("""
                a fox, 狐, in snow
                second line
                Negative prompt: blurry
                Steps: 28, Sampler: Euler, CFG scale: 1.0, Distilled CFG Scale: 3.5, Seed: 9007199254740993, \
                Size: 256x192, Model: "toybox: v1, small\"""");
    }

    @Test
    void whatIsNotKnownIsLeftOutOfTheText() {
        Map<String, Object> few = new LinkedHashMap<>();
        few.put("prompt", "a\0 cat");
        few.put("negative-prompt", null);
        few.put("seed", 5);
        few.put("width", 64);
        assertThat(Metadata.toChunks(Metadata.record(Map.of("parameters", few))).get("parameters")).isEqualTo("a cat\nSampler: Euler, Seed: 5");
        assertThat(Metadata.read(write(Metadata.toChunks(Metadata.record(Map.of("parameters", few))))).at("/parameters/prompt").asText())
                .isEqualTo("a\0 cat");
    }

    @Test
    void aPictureWithoutARecordIsRefused() {
        assertRefused(write(Map.of("parameters", "a fox")), "carries no likeness record");
        assertRefused(folder.resolve("missing.png"), "does not exist");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{\"record_version\":2,\"seed\":1} | version 2",
            "{\"seed\":1}                      | without a version",
            "[1]                               | without a version",
            "{\"record_version\":1,            | not JSON",
            "{\"record_version\":1} x          | not JSON"})
    void aRecordThatCannotBeTrustedIsRefused(String json, String reason) {
        assertRefused(write(Map.of("likeness", json)), reason);
    }

    private static void assertRefused(Path png, String reason) {
        assertThatThrownBy(() -> Metadata.read(png))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining(png.toString()).hasMessageContaining(reason);
    }

    private Path write(Map<String, String> chunks) {
        Path png = folder.resolve("picture.png");
        PngWriter.write(png, Picture.filled(2, 2, 0), chunks);
        assertThat(Files.exists(png)).isTrue();
        return png;
    }

    private static Map<String, Object> record() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("prompt", "a fox, 狐, in snow\nsecond line");
        parameters.put("negative-prompt", "blurry");
        parameters.put("seed", 9007199254740993L);
        parameters.put("steps", 28);
        parameters.put("guidance-scale", 3.5);
        parameters.put("true-cfg-scale", 1.0);
        parameters.put("width", 256);
        parameters.put("height", 192);
        parameters.put("tau", 0.8);
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("model", "toybox: v1, small");
        record.put("parameters", parameters);
        record.put("references", List.of(Map.of("file", "fox.png")));
        return record;
    }
}
