package dev.likeness.weights;

import dev.likeness.error.Refusal;
import dev.likeness.tensor.DType;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * How a stored tensor's numbers lie in a file: one by one in an element type, or in the blocks of GGUF, which share scales
 * (ggml's {@code ggml-common.h} and {@code ggml-quants.c}). Blocks run along the last axis.
 */
public enum Encoding {
    F32(DType.FLOAT32, 0),
    F16(DType.FLOAT16, 1),
    BF16(DType.BFLOAT16, 30),
    F64(DType.FLOAT64, 28),
    F8_E4M3(DType.FLOAT8_E4M3, -1),
    F8_E5M2(DType.FLOAT8_E5M2, -1),
    I64(DType.INT64, 27),
    I32(DType.INT32, 26),
    I8(DType.INT8, 24),
    U8(DType.UINT8, -1),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210);

    private final DType dtype; // null for blocks
    private final int ggufNumber; // -1 where GGUF has no such type
    private final int blockElements;
    private final int blockBytes;

    Encoding(DType dtype, int ggufNumber) {
        this.dtype = dtype;
        this.ggufNumber = ggufNumber;
        blockElements = 1;
        blockBytes = dtype.bytes();
    }

    Encoding(int ggufNumber, int blockElements, int blockBytes) {
        dtype = null;
        this.ggufNumber = ggufNumber;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    static Encoding of(DType dtype) {
        return Arrays.stream(values()).filter(encoding -> encoding.dtype == dtype).findFirst().orElseThrow();
    }

    /** @throws Refusal (model) when the number is none of the supported types' */
    static Encoding ofGguf(int number, String where) {
        for (Encoding encoding : values()) {
            if (encoding.ggufNumber == number && number >= 0) {
                return encoding;
            }
        }
        throw Refusal.model("%s is stored as GGUF type %s, which is not supported; supported are %s.", where,
                Integer.toUnsignedString(number), Arrays.stream(values()).filter(encoding -> encoding.ggufNumber >= 0)
                        .map(Encoding::name).collect(Collectors.joining(", ")));
    }

    /** The element type, or null where the numbers lie in blocks. */
    public DType dtype() {
        return dtype;
    }

    public boolean isBlocks() {
        return dtype == null;
    }

    /** Whether the numbers are weights, and no identifiers or marks. */
    boolean isFloatingPoint() {
        return isBlocks() || dtype.isFloatingPoint();
    }

    /** Numbers that lie together: 1, 32 or 256. */
    int blockElements() {
        return blockElements;
    }

    int blockBytes() {
        return blockBytes;
    }

    /** Bytes of a tensor; -1 where its last axis is no whole number of blocks or the product leaves the range of a long. */
    long bytes(long[] shape) {
        if (blockElements > 1 && (shape.length == 0 || shape[shape.length - 1] % blockElements != 0)) {
            return -1;
        }
        try {
            long elements = 1;
            for (long size : shape) {
                elements = Math.multiplyExact(elements, size);
            }
            return Math.multiplyExact(elements / blockElements, (long) blockBytes);
        } catch (ArithmeticException e) {
            return -1;
        }
    }
}
