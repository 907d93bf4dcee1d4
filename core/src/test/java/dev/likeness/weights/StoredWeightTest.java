package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stored numbers are those that the public packages read, to the last bit: golden/golden_weights.py. */
class StoredWeightTest {

    private static final Path GGUF = Golden.path("weights/encodings.gguf");
    private static final Path FLOAT8 = Golden.path("weights/float8.safetensors");

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

    private static Tensor read(TensorFile file, String key, String scale, DType dtype) {
        Piece whole = Piece.whole(key, file.entries().get(key).shape());
        return new StoredWeight(file, whole, scale).read(dtype, Device.CPU).tensor();
    }

    /** Bit for bit, signed zeros and infinities included; every NaN is the same. */
    private static void assertSame(Tensor actual, Tensor expected) {
        assertThat(Tensors.shape(actual)).isEqualTo(Tensors.shape(expected));
        assertThat(bits(actual)).isEqualTo(bits(expected));
    }

    private static int[] bits(Tensor tensor) {
        float[] values = Tensors.floats(tensor);
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void ggufTypesAreReadAsThePublicPackageReadsThem(Encoding encoding) {
        TensorFile file = TensorFile.open(GGUF);
        assertThat(file.entries().get(encoding.name()).encoding()).isEqualTo(encoding);
        Tensor expected = Golden.open("weights/encodings.gguf.safetensors").get(encoding.name());
        assertSame(read(file, encoding.name(), null, DType.FLOAT32), expected);
        assertSame(read(file, encoding.name(), null, DType.BFLOAT16), Tensors.to(expected, DType.BFLOAT16));
        assertSame(read(file, encoding.name(), null, DType.FLOAT16), Tensors.to(expected, DType.FLOAT16));
    }

    /** The public package's golden file has none: Java's own rounding tells what float32 is meant. */
    @Test
    void float64IsRoundedToTheNearest() {
        double[] numbers = {1 / 3.0, -1e300, 1e-46, 1 + 0x1p-24, 1 + 0x1.8p-23, Double.NaN, -0.0, 5e-324};
        ByteBuffer data = ByteBuffer.allocate(8 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(numbers).forEach(data::putDouble);
        float[] expected = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            expected[i] = (float) numbers[i];
        }
        TensorFile file = TensorFile.open(new GgufBytes().tensor("wide", Encoding.F64, 0, data.capacity(), numbers.length)
                .write(folder.resolve("wide.gguf"), data.array()));
        assertThat(file.entries().get("wide").encoding()).isEqualTo(Encoding.F64);
        Tensor rounded = Tensors.of(expected, numbers.length);
        assertSame(read(file, "wide", null, DType.FLOAT32), rounded);
        assertSame(read(file, "wide", null, DType.BFLOAT16), Tensors.to(rounded, DType.BFLOAT16));
    }

    @ParameterizedTest
    @ValueSource(strings = {"e4m3", "e5m2"})
    void everyFloat8CodeIsReadAsTorchReadsIt(String type) {
        TensorFile file = TensorFile.open(FLOAT8);
        Golden golden = Golden.open("weights/float8.expected.safetensors");
        assertSame(read(file, type + ".weight", null, DType.FLOAT32), golden.get(type + ".weight"));
        assertSame(read(file, type + ".weight", null, DType.BFLOAT16), golden.get(type + ".weight")); // all of them fit
        assertSame(read(file, type + ".weight", null, DType.FLOAT16), golden.get(type + ".weight"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"e4m3.scaled0", "e4m3.scaled1", "e4m3.scaled2", "e5m2.scaled0", "e5m2.scaled1", "e5m2.scaled2"})
    void scalesMultiplyFloat8InFloat32(String name) {
        TensorFile file = TensorFile.open(FLOAT8);
        Tensor expected = Golden.open("weights/float8.expected.safetensors").get(name + ".weight");
        assertSame(read(file, name + ".weight", name + ".scale_weight", DType.FLOAT32), expected);
        assertSame(read(file, name + ".weight", name + ".scale_weight", DType.BFLOAT16),
                Tensors.to(expected, DType.BFLOAT16));
    }

    @Test
    void aScaleBesideFloat32MultipliesItToo() {
        Path path = folder.resolve("scaled.safetensors");
        SafetensorsWriter.write(path, java.util.Map.of("some.weight", Tensors.of(new float[] {1, 2}, 2), "some.scale_weight",
                Tensors.of(new float[] {0.5f}, 1)), DType.FLOAT32);
        assertThat(Tensors.floats(read(TensorFile.open(path), "some.weight", "some.scale_weight", DType.FLOAT32)))
                .containsExactly(0.5f, 1);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "Q4_0", "Q6_K"})
    void rangesOfRowsAreThoseRows(Encoding encoding) {
        TensorFile file = TensorFile.open(GGUF);
        Tensor whole = Golden.open("weights/encodings.gguf.safetensors").get(encoding.name());
        Piece piece = Piece.whole(encoding.name(), Tensors.shape(whole)).rows(new Piece.Rows(2, 2), new Piece.Rows(0, 1));
        Tensor read = new StoredWeight(file, piece, null).read(DType.FLOAT32, Device.CPU).tensor();
        assertThat(Tensors.shape(read)).containsExactly(3, whole.size(1));
        assertSame(read.narrow(0, 0, 2), whole.narrow(0, 2, 2));
        assertSame(read.narrow(0, 2, 1), whole.narrow(0, 0, 1));
    }

    @Test
    void tensorsLongerThanOneChunkAreReadWhole() throws Exception {
        long blocks = (1 << 20) / 32 + 3;
        byte[] data = new byte[(int) blocks * 34];
        new java.util.Random(5).nextBytes(data);
        for (int i = 0; i < blocks; i++) {
            data[34 * i] = (byte) i;
            data[34 * i + 1] = 0x20; // float16 scales near 0.008
        }
        Path path = new GgufBytes().tensor("long", Encoding.Q8_0, 0, data.length, 32 * blocks)
                .write(folder.resolve("long.gguf"), data);
        float[] read = Tensors.floats(read(TensorFile.open(path), "long", null, DType.FLOAT32));
        assertThat(read).hasSize((int) (32 * blocks));
        for (int i : new int[] {0, 31, 32, (1 << 20) - 1, 1 << 20, read.length - 1}) {
            float scale = (float) ((1024 + (i / 32 & 0xFF)) / 1024.0 / 128);
            assertThat(read[i]).isEqualTo(data[i / 32 * 34 + 2 + i % 32] * scale);
        }
    }

    @Test
    void wholeNumbersAreNoWeights() {
        Tensor numbers = Tensors.of(new float[] {1, 2}, 2);
        Path path = folder.resolve("numbers.safetensors");
        SafetensorsWriter.write(path, java.util.Map.of("some.weight", numbers), DType.INT8);
        assertThatThrownBy(() -> read(TensorFile.open(path), "some.weight", null, DType.FLOAT32)).isInstanceOf(Refusal.class)
                .hasMessageContainingAll(path.toString(), "some.weight", "I8");
    }

    @Test
    void whatIsStoredInTheTypeThatIsAskedForIsMappedAndNotCopied() {
        TensorFile file = TensorFile.open(GGUF);
        Piece whole = Piece.whole("F32", file.entries().get("F32").shape());
        assertThat(new StoredWeight(file, whole, null).read(DType.FLOAT32, Device.CPU).mapped()).isNotNull();
        assertThat(new StoredWeight(file, whole, null).read(DType.BFLOAT16, Device.CPU).mapped()).isNull();
        Piece turned = whole.rows(new Piece.Rows(2, 2), new Piece.Rows(0, 2));
        assertThat(new StoredWeight(file, turned, null).read(DType.FLOAT32, Device.CPU).mapped()).isNull();
    }
}
