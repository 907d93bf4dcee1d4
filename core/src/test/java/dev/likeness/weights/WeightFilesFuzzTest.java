package dev.likeness.weights;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.likeness.error.Refusal;
import dev.likeness.weights.TensorFile.Entry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;

/**
 * Whatever bytes a file has, it is refused with a sentence, or every tensor of it lies in the file with the bytes that its
 * shape asks for and beside every other. Run on the kept inputs like any test, and on ever new ones by
 * {@code bin/check --long}.
 */
class WeightFilesFuzzTest {

    private static final Path PATH = Path.of("some.file");

    private interface Parser {
        TensorFile parse(Path path, ByteBuffer head, long size);
    }

    @FuzzTest(maxDuration = "3m")
    void safetensors(byte[] bytes) {
        parse(SafetensorsFile::parse, bytes);
    }

    @FuzzTest(maxDuration = "3m")
    void gguf(byte[] bytes) {
        parse(GgufFile::parse, bytes);
    }

    private static void parse(Parser parser, byte[] bytes) {
        TensorFile file;
        try {
            file = parser.parse(PATH, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), bytes.length);
        } catch (Refusal refusal) {
            requireSentence(refusal);
            return;
        }
        long at = 0;
        for (Entry entry : file.entries().values().stream()
                .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end)).toList()) {
            require(entry.begin() >= at && entry.end() - entry.begin() == entry.encoding().bytes(entry.shape())
                    && Arrays.stream(entry.shape()).noneMatch(axis -> axis < 0), "%s after %d", entry, at);
            at = entry.end();
        }
        require(at <= bytes.length, "the last tensor ends at %d of %d", at, bytes.length);
        for (Component component : Component.values()) {
            try {
                Renaming.of(component, PATH, file.entries());
            } catch (Refusal refusal) {
                requireSentence(refusal);
            }
        }
    }

    private static void requireSentence(Refusal refusal) {
        String sentence = refusal.getMessage();
        require(refusal.kind() == Refusal.Kind.MODEL && sentence.startsWith(PATH.toString()) && sentence.endsWith(".")
                && sentence.length() < 2000 && sentence.indexOf('\n') < 0 && sentence.indexOf('\r') < 0, "%s", sentence);
    }

    /** Plain, because it runs thousands of times a second. */
    private static void require(boolean holds, String otherwise, Object... details) {
        if (!holds) {
            throw new AssertionError(String.format(otherwise, details));
        }
    }
}
