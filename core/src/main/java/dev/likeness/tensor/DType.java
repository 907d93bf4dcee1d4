package dev.likeness.tensor;

import dev.likeness.error.Refusal;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Element types that weights are stored in and networks compute in. */
public enum DType {
    FLOAT32("F32", 4, ScalarType.Float),
    BFLOAT16("BF16", 2, ScalarType.BFloat16),
    FLOAT16("F16", 2, ScalarType.Half),
    INT64("I64", 8, ScalarType.Long),
    INT32("I32", 4, ScalarType.Int),
    FLOAT64("F64", 8, ScalarType.Double),
    /** Four bits of exponent, three of fraction; no infinities, one NaN of each sign. */
    FLOAT8_E4M3("F8_E4M3", 1, ScalarType.Float8_e4m3fn),
    FLOAT8_E5M2("F8_E5M2", 1, ScalarType.Float8_e5m2),
    INT8("I8", 1, ScalarType.Char),
    UINT8("U8", 1, ScalarType.Byte);

    private final String safetensorsName;
    private final int bytes;
    final ScalarType scalarType;

    DType(String safetensorsName, int bytes, ScalarType scalarType) {
        this.safetensorsName = safetensorsName;
        this.bytes = bytes;
        this.scalarType = scalarType;
    }

    /** The element type of a tensor. */
    public static DType of(Tensor tensor) {
        return Arrays.stream(values()).filter(type -> type.scalarType.value == tensor.scalar_type().value).findFirst()
                .orElseThrow();
    }

    /** Name in a safetensors header, such as {@code BF16}. */
    public String safetensorsName() {
        return safetensorsName;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    public boolean isFloatingPoint() {
        return switch (this) {
            case INT64, INT32, INT8, UINT8 -> false;
            default -> true;
        };
    }

    /** @throws Refusal (model) when the name is none of the supported ones */
    public static DType ofSafetensors(String name, String where) {
        for (DType type : values()) {
            if (type.safetensorsName.equals(name)) {
                return type;
            }
        }
        throw Refusal.model("%s is stored as %s, which is not supported; supported are %s.", where, name,
                Arrays.stream(values()).map(DType::safetensorsName).collect(Collectors.joining(", ")));
    }

    /** Compute type by its command-line name: {@code float32}, {@code bfloat16} or {@code float16}. */
    public static DType ofFlag(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "float32", "fp32" -> FLOAT32;
            case "bfloat16", "bf16" -> BFLOAT16;
            case "float16", "fp16" -> FLOAT16;
            default -> throw Refusal.usage("--dtype %s is unknown; use auto, float32, bfloat16 or float16.", name);
        };
    }

    /** The name that {@link #ofFlag} reads. */
    public String flag() {
        return name().toLowerCase(Locale.ROOT);
    }
}
