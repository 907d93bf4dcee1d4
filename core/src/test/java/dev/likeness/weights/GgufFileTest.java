package dev.likeness.weights;

import static dev.likeness.weights.GgufBytes.ARRAY;
import static dev.likeness.weights.GgufBytes.STRING;
import static dev.likeness.weights.GgufBytes.UINT32;
import static dev.likeness.weights.GgufBytes.int32;
import static dev.likeness.weights.GgufBytes.int64;
import static dev.likeness.weights.GgufBytes.join;
import static dev.likeness.weights.GgufBytes.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {

    private static final byte[] DATA = new byte[64];
    private static final int F32 = 0;
    private static final int Q4_0 = 2;

    @TempDir
    Path folder;

    private static GgufBytes sound() {
        return new GgufBytes().metadata("general.architecture", int32(STRING), text("flux"))
                .tensor("first.weight", Encoding.F32, 0, 24, 2, 3).tensor("second.weight", Encoding.F32, 32, 32, 8);
    }

    private Path write(byte[] bytes) {
        return GgufBytes.write(folder.resolve("some.gguf"), bytes, 0);
    }

    private static void assertRefused(Path path, String... parts) {
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOfSatisfying(Refusal.class, refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.MODEL))
                .hasMessageContaining(path.toString()).hasMessageMatching("[^\\n]+\\.")
                .satisfies(refusal -> assertThat(List.of(parts)).allMatch(part -> refusal.getMessage().contains(part)));
    }

    @Test
    void headersTellNamesShapesTypesPlacesAndTexts() {
        GgufFile file = GgufFile.open(write(sound().bytes(DATA)));
        assertThat(file.metadata()).containsOnly(java.util.Map.entry("general.architecture", "flux"));
        assertThat(file.entries()).containsOnlyKeys("first.weight", "second.weight");
        TensorFile.Entry first = file.entries().get("first.weight");
        assertThat(first.shape()).containsExactly(2, 3);
        assertThat(first.encoding()).isEqualTo(Encoding.F32);
        assertThat(first.end() - first.begin()).isEqualTo(24);
        assertThat(first.begin() % 32).isZero();
        assertThat(file.entries().get("second.weight").begin()).isEqualTo(first.begin() + 32);
    }

    @Test
    void whatThePublicPackageWroteIsRead() {
        GgufFile file = GgufFile.open(Golden.path("weights/encodings.gguf"));
        assertThat(file.entries()).hasSize(11);
        assertThat(file.metadata()).containsEntry("tokenizer.ggml.tokens", "[3]")
                .containsEntry("general.architecture", "flux");
    }

    @Test
    void anotherAlignmentIsKept() {
        byte[] header = new GgufBytes().metadata("general.alignment", int32(UINT32), int32(8))
                .tensor("a", Encoding.F32, 0, 4, 1).tensor("b", Encoding.F32, 8, 4, 1).header();
        byte[] whole = join(header, new byte[(8 - header.length % 8) % 8], new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0,
                0, 0, 0,
            0x40, 0, 0, 0, 0});
        GgufFile file = GgufFile.open(write(whole));
        try (Scope scope = Scope.open()) {
            assertThat(Tensors.floats(StoredWeight.whole(file, "a").read(DType.FLOAT32, Device.CPU).tensor()))
                    .containsExactly(1);
            assertThat(Tensors.floats(StoredWeight.whole(file, "b").read(DType.FLOAT32, Device.CPU).tensor()))
                    .containsExactly(2);
        }
    }

    @Test
    void placesBeyondFourGibibytesAreRead() throws IOException {
        long skipped = 5L << 30;
        byte[] header = new GgufBytes().tensor("skipped", Encoding.F32, 0, skipped, skipped / 4)
                .tensor("far", Encoding.F32, skipped, 8, 2).header();
        Path path = write(header);
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw"); Scope scope = Scope.open()) {
            sparse.seek((header.length + 31) / 32 * 32 + skipped); // takes no room on the disk
            sparse.write(ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN).putFloat(3).putFloat(-4).array());
            GgufFile file = GgufFile.open(path);
            assertThat(Tensors.floats(StoredWeight.whole(file, "far").read(DType.FLOAT32, Device.CPU).tensor()))
                    .containsExactly(3, -4);
            assertThatThrownBy(() -> file.map("skipped")).isInstanceOf(Refusal.class)
                    .hasMessageContainingAll(path.toString(), "skipped", "2 GiB");
        }
    }

    @Test
    void filesCutOffAnywhereAreRefused() {
        byte[] whole = sound().bytes(DATA);
        for (int cut = 1; cut <= whole.length; cut++) {
            assertRefused(GgufBytes.write(folder.resolve("cut.gguf"), whole, cut));
        }
    }

    /** A header that lies, and what of it is told, with the byte of the claim and not of its consequence. */
    private record Lie(String name, byte[] bytes, String... says) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static byte[] after(GgufBytes file) {
        return file.bytes(DATA);
    }

    static Stream<Lie> lies() {
        byte[] sound = sound().bytes(DATA);
        long max = Long.MAX_VALUE;
        String name = "some.weight";
        return Stream.of(
                new Lie("other magic", changed(sound, 0, 'X'), "GGUF", "byte 0"),
                new Lie("version 1", changed(sound, 4, 1), "version 1", "byte 4"),
                new Lie("version 4294967295", join("GGUF".getBytes(), int32(-1), new byte[16]), "version 4294967295"),
                new Lie("big-endian", join("GGUF".getBytes(), new byte[] {0, 0, 0, 3}, new byte[16]), "big-endian",
                        "byte 4"),
                new Lie("2^63 tensors", sound().header(Long.MIN_VALUE, 1), "count of tensors is 9223372036854775808",
                        "byte 8"),
                new Lie("2^63 - 1 tensors", sound().header(max, 1), "count of tensors is 9223372036854775807", "byte 8"),
                new Lie("2^64 - 1 metadata", sound().header(2, -1), "count of metadata is 18446744073709551615", "byte 16"),
                new Lie("more metadata than bytes", sound().header(2, 1000), "count of metadata is 1000", "byte 16"),
                new Lie("one tensor too many", join(sound().header(3, 1), new byte[4])),
                new Lie("key longer than the file", join(new GgufBytes().header(0, 1), int64(1 << 20), new byte[64]),
                        "the length of a key is 1048576", "byte 24"),
                new Lie("key of 2^63 bytes", join(new GgufBytes().header(0, 1), int64(Long.MIN_VALUE), new byte[64]),
                        "the length of a key", "byte 24"),
                new Lie("text longer than the file", after(new GgufBytes().metadata("k", int32(STRING), int64(max))),
                        "the value of k", "byte 37"),
                new Lie("text that is no UTF-8", after(new GgufBytes().metadata("k", int32(STRING), int64(1),
                        new byte[] {-1})),
                        "the value of k", "UTF-8"),
                new Lie("unknown type", after(new GgufBytes().metadata("k", int32(13))), "the value of k", "type 13"),
                new Lie("negative type", after(new GgufBytes().metadata("k", int32(-1))), "the value of k",
                        "type 4294967295"),
                new Lie("array of arrays", after(new GgufBytes().metadata("k", int32(ARRAY), int32(ARRAY), int64(1),
                        int32(ARRAY))),
                        "the value of k", "type 9"),
                new Lie("array of 2^63", after(new GgufBytes().metadata("k", int32(ARRAY), int32(UINT32),
                        int64(Long.MIN_VALUE))),
                        "the value of k", "9223372036854775808"),
                new Lie("array whose bytes leave the range", after(new GgufBytes().metadata("k", int32(ARRAY), int32(10),
                        int64(1L << 61))), "the value of k", "2305843009213693952"),
                new Lie("array of texts past the end", after(new GgufBytes().metadata("k", int32(ARRAY), int32(STRING),
                        int64(2),
                        text("a"), int64(1 << 20))), "the value of k", "1048576"),
                new Lie("key twice", after(new GgufBytes().metadata("k", int32(UINT32), int32(1))
                        .metadata("k", int32(UINT32), int32(1))), "k stands in it twice"),
                new Lie("alignment 0", after(new GgufBytes().metadata("general.alignment", int32(UINT32), int32(0))),
                        "general.alignment", "power of two"),
                new Lie("alignment 24", after(new GgufBytes().metadata("general.alignment", int32(UINT32), int32(24))),
                        "general.alignment", "24"),
                new Lie("alignment 2^31", after(sound().metadata("general.alignment", int32(UINT32),
                        int32(Integer.MIN_VALUE))),
                        "first.weight"),
                new Lie("alignment as a text", after(new GgufBytes().metadata("general.alignment", int32(STRING),
                        text("32"))),
                        "general.alignment"),
                new Lie("tensor twice", after(new GgufBytes().tensor(name, Encoding.F32, 0, 4, 1).tensor(name, Encoding.F32,
                        32, 4, 1)),
                        name, "twice"),
                new Lie("five axes", after(one(new long[] {1, 1, 1, 1, 1}, F32, 0)), name, "5 axes"),
                new Lie("2^31 axes", join(new GgufBytes().header(1, 0), text(name), int32(Integer.MIN_VALUE), new byte[64]),
                        name,
                        "2147483648 axes"),
                new Lie("negative axis", after(one(new long[] {-4}, F32, 0)), name, "[-4]"),
                new Lie("empty axis", after(one(new long[] {0, 4}, F32, 0)), name, "[0, 4]"),
                new Lie("product that leaves the range", after(one(new long[] {1L << 32, 1L << 32}, F32, 0)), name),
                new Lie("product that comes round to 16", after(one(new long[] {(1L << 62) + 4}, F32, 0)), name),
                new Lie("longer than the file", after(one(new long[] {1 << 20}, F32, 0)), name),
                new Lie("cut blocks", after(one(new long[] {48}, Q4_0, 0)), name, "[48]", "Q4_0"),
                new Lie("type Q2_K", after(one(new long[] {256}, 10, 0)), name, "10", "supported"),
                new Lie("removed type", after(one(new long[] {32}, 4, 0)), name, "4"),
                new Lie("negative type", after(one(new long[] {4}, -1, 0)), name, "4294967295"),
                new Lie("negative place", after(one(new long[] {4}, F32, -32)), name, "18446744073709551584"),
                new Lie("place beyond the range", after(one(new long[] {4}, F32, max - 15)), name),
                new Lie("place outside the file", after(one(new long[] {4}, F32, 1 << 20)), name, "1048576"),
                new Lie("gap", after(one(new long[] {4}, F32, 32)), name),
                new Lie("place that is not aligned", after(new GgufBytes().tensor("a", Encoding.F32, 0, 4, 1)
                        .tensor(name, Encoding.F32, 4, 4, 1)), name),
                new Lie("overlap", after(new GgufBytes().tensor("a", Encoding.F32, 0, 64, 16).tensor(name, Encoding.F32, 32,
                        32, 8)),
                        name),
                new Lie("the same place twice", after(new GgufBytes().tensor("a", Encoding.F32, 0, 64, 16)
                        .tensor(name, Encoding.F32, 0, 64, 16)), name),
                new Lie("bytes that are no tensor's", join(sound, new byte[32]), "32 bytes belong to no tensor",
                        "byte " + sound.length),
                new Lie("name with line breaks", after(new GgufBytes().tensor(text("a\nb"), new long[] {4}, F32, 32)),
                        "a?b"));
    }

    private static GgufBytes one(long[] shape, int type, long offset) {
        return new GgufBytes().tensor(text("some.weight"), shape, type, offset);
    }

    private static byte[] changed(byte[] bytes, int at, int value) {
        byte[] changed = bytes.clone();
        changed[at] = (byte) value;
        return changed;
    }

    @ParameterizedTest
    @MethodSource("lies")
    void headersThatLieAreRefusedByKeyAndPlace(Lie lie) {
        assertRefused(write(lie.bytes()), lie.says());
        assertThatThrownBy(() -> GgufFile.open(folder.resolve("some.gguf"))).message().containsPattern("byte \\d+");
    }

    /** Nothing is set aside by what a header claims: many claims of much memory are refused within a heap of one. */
    @Test
    void claimsOfMemoryAreNotBelieved() {
        for (int i = 0; i < 200; i++) {
            assertRefused(write(sound().header(2, (1L << 62) + i)));
            assertRefused(write(after(new GgufBytes().metadata("k", int32(STRING), int64(Integer.MAX_VALUE - i)))),
                    "the value of k");
        }
    }

    @Test
    void headersBeyondAllModelsAreRefused() throws IOException {
        int texts = 1 << 20;
        byte[] one = text("0123456789");
        byte[] many = new byte[texts * one.length];
        IntStream.range(0, texts).forEach(i -> System.arraycopy(one, 0, many, i * one.length, one.length));
        assertRefused(write(after(new GgufBytes().metadata("k", int32(ARRAY), int32(STRING), int64(texts), many))), "k",
                "header of " + (TensorFile.MAX_HEADER + 8));
    }

    /** Whatever bytes a file has, opening it either works or is refused; nothing else is thrown. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void damagedBytesNeverEscapeAsOtherErrors(long seed) throws IOException {
        byte[] whole = Arrays.copyOf(Files.readAllBytes(Golden.path("weights/t5.gguf")), 2048);
        Random random = new Random(seed);
        Path path = folder.resolve("damaged.gguf");
        int refused = 0;
        for (int i = 0; i < 300; i++) {
            byte[] damaged = whole.clone();
            for (int j = random.nextInt(3); j >= 0; j--) {
                damaged[random.nextInt(600)] = (byte) random.nextInt(256);
            }
            Files.write(path, damaged);
            try {
                TensorFile.open(path);
            } catch (Refusal refusal) {
                refused++;
                assertThat(refusal).hasMessageContaining(path.toString());
            }
        }
        assertThat(refused).isEqualTo(300); // it is cut off in any case
    }

    @Test
    void otherFilesAreRefusedByWhatTheyAre() throws IOException {
        Path pickled = Files.write(folder.resolve("model.ckpt"), new byte[] {'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0});
        assertThatThrownBy(() -> TensorFile.open(pickled)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(pickled.toString(), "pickled");
        Path bare = Files.write(folder.resolve("model.pt"), new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 'l', -4, -100, 'F',
                -7, ' '});
        assertThatThrownBy(() -> TensorFile.open(bare)).isInstanceOf(Refusal.class).hasMessageContaining("pickled");
        Path none = Files.write(folder.resolve("none.pt"), new byte[] {(byte) 0x80, 2, 'N', '.'}); // the shortest of them
        assertThatThrownBy(() -> TensorFile.open(none)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(none.toString(), "pickled");
        for (byte[] bytes : List.of(new byte[0], new byte[] {1, 2, 3}, "GGU".getBytes(), "no model at all".getBytes())) {
            Path path = Files.write(folder.resolve("text.txt"), bytes);
            assertThatThrownBy(() -> TensorFile.open(path)).isInstanceOf(Refusal.class)
                    .hasMessageContaining(path.toString());
        }
        Path nothing = folder.resolve("nothing.gguf");
        assertThatThrownBy(() -> TensorFile.open(nothing)).isInstanceOf(Refusal.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> TensorFile.open(folder)).isInstanceOf(Refusal.class)
                .hasMessageContaining(folder.toString());
    }
}
