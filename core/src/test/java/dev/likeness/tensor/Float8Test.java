package dev.likeness.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Against libtorch's own conversion, number by number. */
class Float8Test {

    /** All 256 codes, then random ones until there is more than is widened at a time. */
    private static Tensor codes(DType type, int count) {
        float[] numbers = new float[count];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < count; i++) {
            numbers[i] = i < 256 ? i : random.nextInt(256);
        }
        return Tensors.reinterpret(Tensors.to(Tensors.of(numbers, count), DType.UINT8), type);
    }

    private static int[] bits(Tensor tensor) {
        float[] values = Tensors.floats(tensor);
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]); // every NaN is the same
        }
        return bits;
    }

    @ParameterizedTest
    @CsvSource({"FLOAT8_E4M3, FLOAT32", "FLOAT8_E4M3, BFLOAT16", "FLOAT8_E4M3, FLOAT16", "FLOAT8_E5M2, FLOAT32",
        "FLOAT8_E5M2, BFLOAT16", "FLOAT8_E5M2, FLOAT16"})
    void everyCodeMeansWhatLibtorchTakesItFor(DType from, DType to) {
        try (Scope scope = Scope.open()) {
            Tensor codes = codes(from, (1 << 20) + 300);
            Tensor wide = Tensors.to(codes, to);
            assertThat(DType.of(wide)).isEqualTo(to);
            assertThat(bits(wide)).isEqualTo(bits(codes.to(to.scalarType)));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT8_E4M3", "FLOAT8_E5M2"})
    void shapesStay(DType from) {
        try (Scope scope = Scope.open()) {
            Tensor codes = codes(from, 256).view(16, 16);
            Tensor turned = Tensors.to(codes.transpose(0, 1), DType.BFLOAT16);
            assertThat(bits(turned)).isEqualTo(bits(codes.to(DType.FLOAT32.scalarType).transpose(0, 1)));
            assertThat(Tensors.shape(turned)).containsExactly(16, 16);
            assertThat(Tensors.shape(Tensors.to(codes.narrow(0, 0, 0), DType.FLOAT32))).containsExactly(0, 16);
            assertThat(Tensors.shape(Tensors.to(codes.select(0, 3).select(0, 1), DType.FLOAT32))).isEmpty();
        }
    }
}
