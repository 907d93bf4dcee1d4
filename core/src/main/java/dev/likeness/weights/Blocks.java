package dev.likeness.weights;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The numbers in GGUF's blocks, as ggml ({@code ggml-quants.c}) and its Python package ({@code gguf/quants.py}) compute
 * them: in float32, every product and sum rounded by itself, so that the results are the same to the last bit. Written in
 * tensor operations: the bytes of the blocks are what travels to the device.
 *
 * <p>In the comments n is the number of blocks.
 */
final class Blocks {

    private Blocks() {}

    /**
     * @param blocks uint8 [n, bytes of a block]
     * @return float32 [n, elements of a block]
     */
    static Tensor decode(Encoding encoding, Tensor blocks) {
        return switch (encoding) {
            case Q4_0 -> scaled(signed(nibbles(blocks, 2, 1), 8), half(blocks, 0));
            case Q4_1 -> scaled(floats(nibbles(blocks, 4, 1)), half(blocks, 0)).add_(half(blocks, 2));
            case Q5_0 -> scaled(signed(nibbles(blocks, 6, 1).add_(fifthBits(blocks, 2)), 16), half(blocks, 0));
            case Q5_1 -> scaled(floats(nibbles(blocks, 8, 1).add_(fifthBits(blocks, 4))), half(blocks, 0))
                    .add_(half(blocks, 2));
            case Q8_0 -> scaled(floats(Tensors.reinterpret(bytes(blocks, 2, 32), DType.INT8)), half(blocks, 0));
            case Q4_K -> withMinima(nibbles(blocks, 16, 4), blocks);
            case Q5_K -> withMinima(nibbles(blocks, 48, 4).add_(highBits(blocks, 16)), blocks);
            case Q6_K -> q6(blocks);
            default -> throw new IllegalArgumentException(encoding + " has no blocks");
        };
    }

    /** Columns of the blocks, uint8 [n, count], contiguous. */
    private static Tensor bytes(Tensor blocks, long from, long count) {
        return blocks.narrow(1, from, count).contiguous();
    }

    /** A float16 of each block as float32 [n, 1]. */
    private static Tensor half(Tensor blocks, long from) {
        return floats(Tensors.reinterpret(bytes(blocks, from, 2), DType.FLOAT16));
    }

    private static Tensor floats(Tensor numbers) {
        return Tensors.to(numbers, DType.FLOAT32);
    }

    /** Unsigned numbers less an offset: small integers, exact in float32. */
    private static Tensor signed(Tensor numbers, double offset) {
        return floats(numbers).sub_(new Scalar(offset));
    }

    private static Tensor scaled(Tensor numbers, Tensor scales) {
        return numbers.mul_(scales);
    }

    /**
     * The halves of each byte, uint8 [n, groups * 2 * width]: in every group first the lower halves of all its bytes, then
     * the upper ones. All of a block's bytes from {@code from} on are meant.
     */
    private static Tensor nibbles(Tensor blocks, long from, long groups) {
        return nibbles(blocks, from, blocks.size(1) - from, groups);
    }

    private static Tensor nibbles(Tensor blocks, long from, long count, long groups) {
        Tensor packed = blocks.narrow(1, from, count).view(blocks.size(0), groups, count / groups);
        Tensor both = Ops.stack(2, packed.bitwise_and(new Scalar(0x0F)),
                packed.__rshift__(new Scalar(4))); // [n, groups, 2, width]
        return both.view(blocks.size(0), 2 * count);
    }

    /** Bit i of the 32 that stand from {@code from} on, as 0 or 16, for element i: uint8 [n, 32]. */
    private static Tensor fifthBits(Tensor blocks, long from) {
        Tensor spread = blocks.narrow(1, from, 4).unsqueeze(2).__rshift__(shifts(blocks, 1, 8)); // [n, 4, 8]
        return spread.bitwise_and(new Scalar(1)).__lshift__(new Scalar(4)).view(blocks.size(0), 32);
    }

    /** Bit j of byte i of the 32 from {@code from} on, as 0 or 16, for element i of sub-block j: uint8 [n, 256]. */
    private static Tensor highBits(Tensor blocks, long from) {
        Tensor spread = blocks.narrow(1, from, 32).unsqueeze(1).__rshift__(shifts(blocks, 1, 8).unsqueeze(1)); // [n, 8, 32]
        return spread.bitwise_and(new Scalar(1)).__lshift__(new Scalar(4)).view(blocks.size(0), 256);
    }

    /** 0, step, 2 step, ... as uint8 [count] on the blocks' device. */
    private static Tensor shifts(Tensor blocks, int step, int count) {
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = (long) i * step;
        }
        return Tensors.like(Tensors.of(values, count), blocks);
    }

    /** Q4_K and Q5_K: eight sub-blocks of 32, each with a scale and a minimum of six bits. @param numbers uint8 [n, 256] */
    private static Tensor withMinima(Tensor numbers, Tensor blocks) {
        long n = blocks.size(0);
        Tensor scaleBits = blocks.narrow(1, 4, 4);
        Tensor minimumBits = blocks.narrow(1, 8, 4);
        Tensor mixed = blocks.narrow(1, 12, 4); // lower bits of the last four of both
        Tensor scales = sixBits(scaleBits, mixed.bitwise_and(new Scalar(0x0F)));
        Tensor minima = sixBits(minimumBits, mixed.__rshift__(new Scalar(4)));
        Tensor scale = floats(scales).mul_(half(blocks, 0)).unsqueeze(2); // [n, 8, 1]
        Tensor minimum = floats(minima).mul_(half(blocks, 2)).unsqueeze(2);
        return floats(numbers).view(n, 8, 32).mul_(scale).sub_(minimum).view(n, 256);
    }

    /** Four numbers in the lower six bits, then four whose upper two bits are the upper two of the same bytes: [n, 8]. */
    private static Tensor sixBits(Tensor bytes, Tensor lower) {
        Tensor upper = bytes.__rshift__(new Scalar(2)).bitwise_and(new Scalar(0x30));
        return Ops.cat(1, bytes.bitwise_and(new Scalar(0x3F)), upper.bitwise_or(lower));
    }

    /** Sixteen sub-blocks of 16, each with a signed scale of eight bits. */
    private static Tensor q6(Tensor blocks) {
        long n = blocks.size(0);
        Tensor lower = nibbles(blocks, 0, 128, 2); // [n, 256]
        Tensor pairs = blocks.narrow(1, 128, 64).view(n, 2, 1, 32).__rshift__(shifts(blocks, 2, 4).view(1, 1, 4, 1));
        Tensor upper = pairs.bitwise_and(new Scalar(3)).__lshift__(new Scalar(4)).view(n, 256); // [n, 2, 4, 32] before
        Tensor scales = floats(Tensors.reinterpret(bytes(blocks, 192, 16), DType.INT8)).mul_(half(blocks, 208)); // [n, 16]
        return signed(lower.add_(upper), 32).view(n, 16, 16).mul_(scales.unsqueeze(2)).view(n, 256);
    }
}
