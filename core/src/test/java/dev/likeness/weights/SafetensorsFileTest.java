package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {

    @TempDir
    Path folder;

    private Path file(byte[] prefix, String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(prefix.length + json.length + dataBytes);
        bytes.put(prefix).put(json);
        Path path = folder.resolve("hostile.safetensors");
        Files.write(path, bytes.array());
        return path;
    }

    private static byte[] length(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    private Path file(String header, int dataBytes) throws IOException {
        return file(length(header.getBytes(StandardCharsets.UTF_8).length), header, dataBytes);
    }

    private static void assertRefused(Path path, String... details) {
        List<String> parts = new ArrayList<>(List.of(details));
        parts.add(path.toString());
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOfSatisfying(Refusal.class, refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.MODEL))
                .message().contains(parts)
                .matches("[^\\n]+\\.");
    }

    @Test
    void tensorsComeBackAsTheyWereWritten() throws IOException {
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("matrix", Tensors.noise(1, 3, 5));
            tensors.put("a.vector", Tensors.noise(2, 7));
            tensors.put("scalar", Tensors.of(new float[] {2.5f}));
            Path path = folder.resolve("good.safetensors");
            SafetensorsWriter.write(path, tensors, DType.FLOAT32);
            SafetensorsFile file = SafetensorsFile.open(path);
            assertThat(file.entries()).containsOnlyKeys("a.vector", "matrix", "scalar");
            assertThat(file.metadata()).containsEntry("format", "pt");
            file.readAll().forEach((name, tensor) -> {
                assertThat(Tensors.shape(tensor)).isEqualTo(Tensors.shape(tensors.get(name)));
                assertThat(Tensors.floats(tensor)).isEqualTo(Tensors.floats(tensors.get(name)));
            });
        }
    }

    @Test
    void placesBeyondFourGibibytesAreRead() throws IOException {
        long skipped = 5L << 30;
        Path path = file("{\"skipped\":{\"dtype\":\"F32\",\"shape\":[" + skipped / 4 + "],\"data_offsets\":[0," + skipped
                + "]},\"far\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + skipped + "," + (skipped + 8) + "]}}", 0);
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw"); Scope scope = Scope.open()) {
            sparse.seek(sparse.length() + skipped); // takes no room on the disk
            sparse.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(3).putFloat(-4).array());
            SafetensorsFile file = SafetensorsFile.open(path);
            TensorFile.Entry far = file.entries().get("far");
            Tensor tensor = Tensors.view(file.map("far"), far.encoding().dtype(), far.shape());
            assertThat(Tensors.floats(tensor)).containsExactly(3, -4);
            assertThatThrownBy(() -> file.map("skipped")).isInstanceOf(Refusal.class)
                    .hasMessageContainingAll(path.toString(), "skipped", "2 GiB");
        }
    }

    @Test
    void missingFilesAndFoldersAreRefused() {
        assertRefused(folder.resolve("nothing.safetensors"), "does not exist");
        assertRefused(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 40, 119})
    void filesCutOffAnywhereAreRefused(int bytes) throws IOException {
        Path path = file("{\"weight\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 16);
        assertThat(SafetensorsFile.open(path).entries()).containsOnlyKeys("weight");
        byte[] whole = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(whole, Math.min(bytes, whole.length - 1)));
        assertRefused(path);
    }

    @Test
    void aCutOffTensorIsNamed() throws IOException {
        assertRefused(file("{\"weight\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 15), "weight", "[4]");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 1000})
    void headerLengthsThatLieAreRefused(long length) throws IOException {
        assertRefused(file(length(length), "{}", 64));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "17", "\"x\"", "{", "{}{}", "{\"a\"}", "\u0000\u0001", "{} garbage", "{]   ",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"})
    void headersThatAreNoJsonObjectAreRefused(String header) throws IOException {
        assertRefused(file(header, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":%s}", "{\"__metadata__\":%s}", "{\"__metadata__\":{\"a\":%s}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,0]}}",
        "{\"a\":{\"more\":%s,\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"})
    void deepNestingIsRefused(String header) throws IOException {
        String nested = "[".repeat(1_000_000) + "]".repeat(1_000_000);
        assertRefused(file(header.formatted(nested), 0), "byte");
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "[]", "null", "\"text\"", "{\"a\":3}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":[\"b\"]}",
        "{\"a\":\"b\",\"a\":\"b\"}"})
    void metadataThatIsNoMapOfTextsIsRefused(String metadata) throws IOException {
        assertRefused(file("{\"__metadata__\":" + metadata + "}", 0), "byte");
    }

    @Test
    void headersBeyondAllModelsAreRefusedUnread() throws IOException {
        Path path = folder.resolve("long.safetensors");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.write(length(TensorFile.MAX_HEADER + 1));
            sparse.setLength(1L << 30);
        }
        assertRefused(path, String.valueOf(TensorFile.MAX_HEADER + 1));
    }

    /** Other encodings of Unicode, which the public reader does not read either. */
    @Test
    void headersAreUtf8() throws IOException {
        byte[] wide = "{}".getBytes(StandardCharsets.UTF_16LE);
        Path path = folder.resolve("wide.safetensors");
        Files.write(path, ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(4).put(wide).array());
        assertRefused(path);
    }

    @Test
    void namesAreShownOnOneLineAndShort() throws IOException {
        String name = "a\\nb" + "x".repeat(10_000);
        Path path = file("{\"" + name + "\":3}", 0);
        assertRefused(path, "a?bxxx");
        assertThatThrownBy(() -> SafetensorsFile.open(path)).message().hasSizeLessThan(600);
    }

    /** 16 bytes of data are there; each entry asks for something else than them, or for nothing sensible. */
    @ParameterizedTest
    @ValueSource(strings = {
        "3", "null", "[]", "{}",
        "{\"dtype\":\"F32\",\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[4]}",
        "{\"shape\":[4],\"data_offsets\":[0,16]}",
        "{\"dtype\":4,\"shape\":[4],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F8_E8M0\",\"shape\":[16],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[\"4\"],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[4.5],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[-2,-2],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}",
        "{\"dtype\":\"F32\",\"shape\":[4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,16]}",
        "{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[-16,0]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[4,20]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,16]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[9223372036854775800,9223372036854775807]}",
        "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[9223372036854775808,9223372036854775824]}"})
    void entriesThatLieAreRefusedByName(String entry) throws IOException {
        Path path = file("{\"some.weight\":" + entry + "}", 16);
        assertRefused(path, "some.weight");
        assertThatThrownBy(() -> SafetensorsFile.open(path)).message().containsPattern("byte \\d+");
    }

    @Test
    void overlapsGapsAndLeftoverBytesAreRefused() throws IOException {
        String first = "{\"first\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},";
        String second = "\"second\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}";
        assertThat(SafetensorsFile.open(file(first + second, 16)).entries()).hasSize(2);
        assertRefused(file(first + "\"second\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12), "second");
        assertRefused(file(first + "\"second\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}", 20), "second");
        assertRefused(file(first + second, 17), "1 bytes");
    }

    /** Whatever bytes a file has, opening it either works or is refused; nothing else is thrown. */
    @Test
    void damagedBytesNeverEscapeAsOtherErrors() throws IOException {
        Path path = file("{\"weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"__metadata__\":{\"a\":\"b\"}}",
                16);
        byte[] whole = Files.readAllBytes(path);
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            byte[] damaged = whole.clone();
            for (int j = random.nextInt(3); j >= 0; j--) {
                damaged[random.nextInt(damaged.length - 16)] = (byte) random.nextInt(256);
            }
            Files.write(path, damaged);
            try {
                SafetensorsFile.open(path);
            } catch (Refusal refusal) {
                refused++;
                assertThat(refusal).hasMessageContaining(path.toString());
            }
        }
        assertThat(refused).isGreaterThan(200);
    }
}
