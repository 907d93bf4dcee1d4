package dev.likeness.bench;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a block of the transformer is made of: {@code bin/bench kernels}. */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
public class Kernels {

    /** Width, of Toybox and of FLUX.1. */
    @Param({"256", "3072"})
    public int width;

    /** Tokens of text and picture. */
    @Param("280")
    public int tokens;

    @Param({"FLOAT32", "BFLOAT16"})
    public DType dtype;

    private Scope scope;
    private Tensor x; // [1, S, d]
    private Tensor weight; // [4 d, d]
    private Tensor packed;
    private Tensor bias; // [4 d]
    private Tensor heads; // [1, H, S, D]
    private Tensor rotation; // [S, D/2]
    private Tensor shift; // [1, 1, d]

    @Setup(Level.Trial)
    public void make() {
        scope = Scope.open();
        int headWidth = width == 256 ? 64 : 128;
        x = normal(1, tokens, width);
        weight = normal(4L * width, width).mul(new Scalar(1 / Math.sqrt(width)));
        packed = Ops.packs(Device.CPU, dtype) ? Ops.pack(weight) : null;
        bias = normal(4L * width);
        heads = Ops.splitHeads(x, width / headWidth);
        rotation = Ops.unitVectors(Tensors.to(normal(tokens, headWidth / 2), DType.FLOAT64));
        shift = normal(1, 1, width);
    }

    private Tensor normal(long... shape) {
        return Tensors.to(Tensors.noise(1, shape), dtype);
    }

    @TearDown(Level.Trial)
    public void free() {
        scope.close();
    }

    @Benchmark
    public void linear() {
        try (Scope each = Scope.open()) {
            Ops.linear(x, weight, bias);
        }
    }

    @Benchmark
    public void packedLinearWithGelu() {
        try (Scope each = Scope.open()) {
            if (packed == null) {
                Ops.geluTanh(Ops.linear(x, weight, bias));
            } else {
                Ops.packedLinear(x, packed, bias, true);
            }
        }
    }

    @Benchmark
    public void attention() {
        try (Scope each = Scope.open()) {
            Ops.attention(heads, heads, heads, null, 1 / Math.sqrt(heads.size(3)));
        }
    }

    @Benchmark
    public void modulation() {
        try (Scope each = Scope.open()) {
            Ops.modulatedLayerNorm(x, shift, shift, 1e-6);
        }
    }

    @Benchmark
    public void rope() {
        try (Scope each = Scope.open()) {
            Ops.rotate(heads, rotation);
        }
    }
}
