package dev.likeness.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Float8 on a CPU to wider types, by moving bits: exact, as libtorch's own conversion, which takes numbers one by one and thirty
 * times as long (docs/pitfalls.md).
 */
final class Float8 {

    private static final long CHUNK = 1 << 20; // numbers that stay in the processor's cache from one operation to the next
    private static final int NAN = 0x7F; // e4m3's, without the sign

    /**
     * How e4m3 comes to stand in a wider type. Its sign fills all bits above, then the exponent and the fraction are moved to
     * their places. What is missing is the difference of the exponents' offsets: a factor, which makes normal numbers of
     * subnormal ones too.
     *
     * @param bits whole numbers of the wide type's size
     * @param mask keeps the sign's own bit, the exponent and the fraction
     */
    private record Places(ScalarType bits, int shift, long mask, double factor) {

        static Places of(DType dtype) {
            return switch (dtype) {
                case FLOAT32 -> new Places(ScalarType.Int, 20, (int) 0x87FFFFFFL, 0x1p120);
                case BFLOAT16 -> new Places(ScalarType.Short, 4, (short) 0x87FF, 0x1p120);
                case FLOAT16 -> new Places(ScalarType.Short, 7, (short) 0xBFFF, 0x1p8);
                default -> throw new IllegalArgumentException("float8 is not widened to " + dtype);
            };
        }
    }

    private Float8() {}

    static boolean widens(Tensor tensor, DType dtype) {
        ScalarType from = tensor.scalar_type();
        return tensor.is_cpu() && (dtype == DType.FLOAT32 || dtype == DType.BFLOAT16 || dtype == DType.FLOAT16)
                && (is(DType.FLOAT8_E4M3, from) || is(DType.FLOAT8_E5M2, from));
    }

    private static boolean is(DType dtype, ScalarType type) {
        return type.value == dtype.scalarType.value;
    }

    static Tensor widen(Tensor float8, DType dtype) {
        try (Scope scope = Scope.open()) {
            Tensor wide = Tensors.empty(dtype, Device.CPU, Tensors.shape(float8));
            Tensor from = float8.contiguous().view(-1).view(ScalarType.Char);
            Tensor to = wide.view(-1);
            boolean e4m3 = is(DType.FLOAT8_E4M3, float8.scalar_type());
            for (long at = 0; at < to.size(0); at += CHUNK) {
                long count = Math.min(CHUNK, to.size(0) - at);
                try (Scope each = Scope.open()) {
                    Tensor codes = from.narrow(0, at, count);
                    Tensor part = to.narrow(0, at, count);
                    if (e4m3) {
                        e4m3(codes, part, Places.of(dtype));
                    } else {
                        e5m2(codes, part);
                    }
                }
            }
            return scope.keep(wide);
        }
    }

    private static void e4m3(Tensor codes, Tensor wide, Places places) {
        Tensor bits = wide.view(places.bits);
        bits.copy_(codes).__ilshift__(new Scalar(places.shift)).bitwise_and_(new Scalar(places.mask));
        wide.mul_(new Scalar(places.factor));
        Tensor magnitudes = codes.bitwise_and(new Scalar(NAN));
        if (magnitudes.max().item().toInt() == NAN) { // 480 by its bits
            wide.masked_fill_(magnitudes.eq(new Scalar(NAN)), new Scalar(Double.NaN));
        }
    }

    /** The upper half of a float16. */
    private static void e5m2(Tensor codes, Tensor wide) {
        Tensor halves = codes.to(ScalarType.Short).__ilshift__(new Scalar(8)).view(ScalarType.Half);
        wide.copy_(halves.to(ScalarType.Float)); // straight from float16 to bfloat16 takes ten times as long
    }
}
