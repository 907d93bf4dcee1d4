package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    Path folder;

    private Scope scope;

    @BeforeEach
    void open() {
        scope = Scope.open();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private void write(String file, String... names) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String name : names) {
            tensors.put(name, Tensors.noise(name.hashCode(), 2, 3));
        }
        SafetensorsWriter.write(folder.resolve(file), tensors, DType.FLOAT32);
    }

    private void writeIndex(String weightMap) throws IOException {
        Files.writeString(folder.resolve(INDEX), "{\"metadata\":{\"total_size\":48},\"weight_map\":" + weightMap + "}");
    }

    private void writeShards() throws IOException {
        write(FIRST, "a.weight");
        write(SECOND, "b.weight");
        writeIndex("{\"a.weight\":\"" + FIRST + "\",\"b.weight\":\"" + SECOND + "\"}");
    }

    private Checkpoint checkpoint() {
        return Checkpoint.open(folder, "model", DType.FLOAT32, Device.CPU);
    }

    private static void assertRefused(Runnable action, String... parts) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(Refusal.class, refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.MODEL))
                .hasMessageContainingAll(parts)
                .hasMessageMatching("[^\\n]+\\.");
    }

    @Test
    void oneFileAndShardsHoldTheSame() throws IOException {
        writeShards();
        float[] sharded;
        try (Checkpoint checkpoint = checkpoint()) {
            sharded = Tensors.floats(checkpoint.get("b.weight", 2, 3));
            assertThat(Tensors.floats(checkpoint.at("a").get("weight", 2, 3))).isNotEqualTo(sharded);
            checkpoint.finish();
        }
        write("model.safetensors", "a.weight", "b.weight"); // stands before the index
        Files.delete(folder.resolve(SECOND));
        try (Checkpoint checkpoint = checkpoint()) {
            assertThat(Tensors.floats(checkpoint.get("b.weight", 2, 3))).isEqualTo(sharded);
        }
    }

    @Test
    void missingWeightIsRefusedWithFileAndKey() throws IOException {
        write("model.safetensors", "a.weight");
        try (Checkpoint checkpoint = checkpoint()) {
            assertThat(checkpoint.has("a.bias")).isFalse();
            assertRefused(() -> checkpoint.at("a").get("bias", 3), "model.safetensors", "a.bias", "[3]");
        }
    }

    @Test
    void missingWeightOfShardsIsRefusedWithIndexAndKey() throws IOException {
        writeShards();
        try (Checkpoint checkpoint = checkpoint()) {
            assertRefused(() -> checkpoint.get("c.weight", 3), INDEX, "c.weight");
        }
    }

    @Test
    void extraWeightIsRefusedWithFileAndKey() throws IOException {
        writeShards();
        try (Checkpoint checkpoint = checkpoint()) {
            checkpoint.get("a.weight", 2, 3);
            assertRefused(checkpoint::finish, SECOND, "b.weight");
            checkpoint.finish("b.weight"); // known and without use
        }
    }

    @Test
    void wrongShapeIsRefusedWithFileKeyAndBothShapes() throws IOException {
        writeShards();
        try (Checkpoint checkpoint = checkpoint()) {
            assertRefused(() -> checkpoint.get("b.weight", 3, 2), SECOND, "b.weight", "[2, 3]", "[3, 2]");
            assertRefused(() -> checkpoint.get("b.weight", 6), SECOND, "b.weight", "[2, 3]", "[6]");
        }
    }

    @Test
    void takingAWeightTwiceIsAFaultOfTheNetwork() throws IOException {
        write("model.safetensors", "a.weight");
        try (Checkpoint checkpoint = checkpoint()) {
            checkpoint.get("a.weight", 2, 3);
            assertThatThrownBy(() -> checkpoint.get("a.weight", 2, 3)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a.weight");
        }
    }

    @Test
    void emptyFolderIsRefused() {
        assertRefused(this::checkpoint, folder.toString(), "model.safetensors");
    }

    @Test
    void missingShardIsRefused() throws IOException {
        writeShards();
        Files.delete(folder.resolve(SECOND));
        assertRefused(this::checkpoint, SECOND, "does not exist");
    }

    @Test
    void cutOffShardIsRefusedWithItsKey() throws IOException {
        writeShards();
        byte[] whole = Files.readAllBytes(folder.resolve(SECOND));
        Files.write(folder.resolve(SECOND), Arrays.copyOf(whole, whole.length - 1));
        assertRefused(this::checkpoint, SECOND, "b.weight");
    }

    @Test
    void indexThatPointsToTheWrongShardIsRefused() throws IOException {
        writeShards();
        writeIndex("{\"a.weight\":\"" + FIRST + "\",\"b.weight\":\"" + FIRST + "\"}");
        assertRefused(this::checkpoint, INDEX, "b.weight", FIRST);
    }

    @Test
    void weightThatTheIndexLeavesOutIsRefused() throws IOException {
        writeShards();
        write(SECOND, "b.weight", "hidden.weight");
        assertRefused(this::checkpoint, SECOND, "hidden.weight", INDEX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"../outside.safetensors\"", "\"/etc/outside.safetensors\"", 
        "\"..\\\\outside.safetensors\"", "\"\"", "\"sub/outside.safetensors\"", "\"model.bin\"", "\"a\\u0000.safetensors\"", "3", "null", "{}"})
    void indexThatLeadsOutOfItsFolderIsRefused(String shard) throws IOException {
        writeShards();
        writeIndex("{\"a.weight\":\"" + FIRST + "\",\"b.weight\":" + shard + "}");
        assertRefused(this::checkpoint, INDEX, "b.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "null", "{", "{}", "{\"weight_map\":[]}", "{\"weight_map\":{}}", "{\"weight_map\":3}"})
    void brokenIndexIsRefused(String json) throws IOException {
        Files.writeString(folder.resolve(INDEX), json);
        assertRefused(this::checkpoint, INDEX);
    }

    @Test
    void anIndexLongerThanAnyModelsIsRefusedUnread() throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(folder.resolve(INDEX).toFile(), "rw")) {
            sparse.setLength(TensorFile.MAX_HEADER + 1);
        }
        assertRefused(this::checkpoint, INDEX, String.valueOf(TensorFile.MAX_HEADER + 1));
    }

    @Test
    void namesInAnIndexAreShownOnOneLineAndShort() throws IOException {
        writeShards();
        String name = "a\\nb" + "x".repeat(10_000);
        for (String shard : new String[] {"\"" + FIRST + "\"", "\"" + name + "\""}) {
            writeIndex("{\"" + name + "\":" + shard + "}");
            assertRefused(this::checkpoint, INDEX, "a?bxxx");
            assertThatThrownBy(this::checkpoint).message().hasSizeLessThan(1000);
        }
    }

    @Test
    void weightsAreConvertedToTheTypeThatIsAskedFor() throws IOException {
        write("model.safetensors", "a.weight");
        try (Checkpoint exact = checkpoint();
                Checkpoint half = Checkpoint.open(folder, "model", DType.BFLOAT16, Device.CPU)) {
            Tensor converted = half.get("a.weight", 2, 3);
            assertThat(Tensors.isFloat32(converted)).isFalse();
            float[] expected = Tensors.floats(Tensors.to(exact.get("a.weight", 2, 3), DType.BFLOAT16));
            assertThat(Tensors.floats(converted)).isEqualTo(expected);
        }
    }
}
