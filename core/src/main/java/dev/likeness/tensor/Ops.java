package dev.likeness.tensor;

import java.util.function.Supplier;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The operations that the networks are written in. Shapes as in the {@linkplain dev.likeness.tensor package page}. */
public final class Ops {

    /** Attention scores are kept below this many elements at a time (64 MiB in float32). */
    private static final long MAX_SCORES = 16L << 20;

    static {
        // Two pools of threads take the processors from each other: float32 was ten times slower for it (docs/pitfalls.md).
        openblas_nolapack.blas_set_num_threads(1);
    }

    /** Elements of an operation that passes over memory once or twice up to which it is done before a second thread has woken. */
    private static final long BRIEF = 1L << 19;

    /** Multiplications of a matrix product that take no longer than one such element. */
    private static final long PRODUCTS = 16;

    private static volatile int threads = torch.get_num_threads();

    private Ops() {}

    /** The operation on one thread where there is little to do for it. */
    private static Tensor brief(Tensor x, Supplier<Tensor> operation) {
        return brief(x, x.numel(), operation);
    }

    private static Tensor brief(Tensor x, long elements, Supplier<Tensor> operation) {
        if (!x.is_cpu() || elements > BRIEF) {
            return operation.get();
        }
        torch.set_num_threads(1);
        try {
            return operation.get();
        } finally {
            torch.set_num_threads(threads); // not those before: a thread that began in another one's brief operation had one
        }
    }

    private static TensorOptional optional(Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }

    /** x [..., in], weight [out, in], bias [out] or null to [..., out]. */
    public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
        if (Tensors.isFloat32(x) && x.is_cpu() && !x.requires_grad() && !weight.requires_grad()) {
            return OneDnn.linear(x, weight, bias, false); // libtorch's own runs on one thread: see threads()
        }
        return torch.linear(x, weight, optional(bias));
    }

    /** Whether {@link #pack} makes linear layers of that type faster on that device. */
    public static boolean packs(Device device, DType dtype) {
        return OneDnn.packs(device, dtype);
    }

    /** A copy of weights [out, in] in the processor's own layout, which {@link #packedLinear} alone can read. */
    public static Tensor pack(Tensor weight) {
        return OneDnn.pack(weight);
    }

    /** {@link #linear} by packed weights, then GELU by its tanh approximation where that is asked for. For inference. */
    public static Tensor packedLinear(Tensor x, Tensor packed, Tensor bias, boolean geluTanh) {
        return brief(x, x.numel() * packed.size(0) / PRODUCTS, () -> OneDnn.linear(x, packed, bias, geluTanh));
    }

    /** Normalises the last axis; weight and bias [d] or null. */
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
        return brief(x, () -> torch.layer_norm(x, new long[] {x.size(-1)}, optional(weight), optional(bias), epsilon, false));
    }

    /** Divides the last axis by its root mean square; weight [d], or several of them that broadcast to x. */
    public static Tensor rmsNorm(Tensor x, Tensor weight, double epsilon) {
        Tensor one = weight.dim() == 1 ? weight : null;
        return brief(x, () -> {
            Tensor normed = torch.rms_norm(x, new long[] {x.size(-1)}, optional(one), new DoubleOptional(epsilon));
            return one == null ? normed.mul(weight) : normed;
        });
    }

    /** x [B, C, h, w], weight and bias [C]. */
    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double epsilon) {
        return torch.group_norm(x, groups, optional(weight), optional(bias), epsilon, false);
    }

    /** x [B, C, h, w], weight [O, C, k, k], bias [O] or null; zero padding on all four sides. */
    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride, long padding) {
        return torch.conv2d(x, weight, optional(bias), new long[] {stride, stride}, new long[] {padding, padding},
                new long[] {1, 1}, 1);
    }

    /** The same x [B, C, h, w] with a pixel's channels side by side in memory, as convolutions on a CPU compute fastest. */
    public static Tensor channelsLast(Tensor x) {
        return x.contiguous(torch.MemoryFormat.ChannelsLast);
    }

    /** Zero padding of the last two axes. */
    public static Tensor pad(Tensor x, long left, long right, long top, long bottom) {
        return torch.constant_pad_nd(x, new long[] {left, right, top, bottom}, new Scalar(0.0));
    }

    /** x [B, C, h, w] to [B, C, 2h, 2w]. */
    public static Tensor upsampleNearest2x(Tensor x) {
        return upsampleNearest(x, 2 * x.size(2), 2 * x.size(3));
    }

    /** x [B, C, h, w] to [B, C, rows, columns], each the nearest. */
    public static Tensor upsampleNearest(Tensor x, long rows, long columns) {
        return torch.upsample_nearest2d(x, new long[] {rows, columns}, new DoubleOptional(), new DoubleOptional());
    }

    /** x [B, C, h, w] to [B, C, rows, columns] by bicubic interpolation (a = -0.75, corners not aligned, no antialiasing). */
    public static Tensor upsampleBicubic(Tensor x, long rows, long columns) {
        return torch.upsample_bicubic2d(x, new long[] {rows, columns}, false, new DoubleOptional(), new DoubleOptional());
    }

    /** Rows of the table [V, d] by ids [...] to [..., d]. */
    public static Tensor embedding(Tensor table, Tensor ids) {
        return torch.embedding(table, ids);
    }

    public static Tensor silu(Tensor x) {
        return torch.silu(x);
    }

    /** GELU by its tanh approximation. */
    public static Tensor geluTanh(Tensor x) {
        return torch.gelu(x, "tanh");
    }

    /** Exact GELU. */
    public static Tensor gelu(Tensor x) {
        return torch.gelu(x, "none");
    }

    /** x * sigmoid(1.702 x), the activation of the original CLIP. */
    public static Tensor quickGelu(Tensor x) {
        return x.mul(torch.sigmoid(x.mul(new Scalar(1.702))));
    }

    /** Adaptive layer norm: the normalised last axis * (1 + scale) + shift; x [B, S, d], scale and shift [B, 1, d]. */
    public static Tensor modulatedLayerNorm(Tensor x, Tensor shift, Tensor scale, double epsilon) {
        Tensor factor = scale.add(new Scalar(1.0));
        if (x.size(0) == 1) { // one pass over the tokens instead of two
            return layerNorm(x, factor.view(-1), shift.view(-1), epsilon);
        }
        return torch.addcmul(shift, layerNorm(x, null, null, epsilon), factor);
    }

    /** Gated residual: x + gate * update. */
    public static Tensor gated(Tensor x, Tensor gate, Tensor update) {
        return brief(x, () -> torch.addcmul(x, gate, update));
    }

    /** Limits every element to [least, greatest]. */
    public static Tensor clamp(Tensor x, double least, double greatest) {
        return torch.clamp(x, new ScalarOptional(new Scalar(least)), new ScalarOptional(new Scalar(greatest)));
    }

    public static Tensor cat(long axis, Tensor... parts) {
        return brief(parts[0], () -> torch.cat(new TensorVector(parts), axis));
    }

    public static Tensor stack(long axis, Tensor... parts) {
        return torch.stack(new TensorVector(parts), axis);
    }

    /** Cuts an axis into equal parts. */
    public static Tensor[] chunk(Tensor x, int parts, long axis) {
        long width = x.size(axis) / parts;
        Tensor[] cut = new Tensor[parts];
        for (int i = 0; i < parts; i++) {
            cut[i] = x.narrow(axis, i * width, width);
        }
        return cut;
    }

    public static Tensor repeat(Tensor x, long... times) {
        return x.repeat(times);
    }

    /**
     * softmax(q k^T scale + bias) v for q [B, H, Sq, D], k and v [B, H, Sk, D]; bias broadcasts to [B, H, Sq, Sk] or is
     * null. By libtorch's fused kernel where that is the {@linkplain #fuses faster way}, else by two matrix products, the
     * queries in chunks.
     */
    public static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor bias, double scale) {
        if (fuses(q.is_cuda(), DType.of(q), bias != null, q.requires_grad())) {
            return torch.scaled_dot_product_attention(q, k, v, optional(bias), 0.0, false, new DoubleOptional(scale), false);
        }
        long rows = q.size(2);
        long chunk = Math.max(16, MAX_SCORES / Math.max(1, q.size(0) * q.size(1) * k.size(2)));
        Tensor keys = brief(k, () -> k.transpose(-2, -1).mul(new Scalar(scale))); // [B, H, D, Sk]
        if (rows <= chunk) {
            return attend(q, keys, v, bias);
        }
        TensorVector parts = new TensorVector();
        for (long row = 0; row < rows; row += chunk) {
            long count = Math.min(chunk, rows - row);
            Tensor biasRows = bias == null || bias.size(2) == 1 ? bias : bias.narrow(2, row, count);
            try (Scope scope = Scope.open()) {
                parts.push_back(attend(q.narrow(2, row, count), keys, v, biasRows));
            }
        }
        return torch.cat(parts, 2);
    }

    /**
     * Whether attention goes through libtorch's fused kernel: on CUDA always, where libtorch chooses among flash attention, cuDNN
     * and others by its own order. On a CPU it is several times slower than two matrix products in bfloat16 and in training; in
     * float32 these run on one thread (see {@link #threads}), and it is the faster one (docs/pitfalls.md).
     */
    static boolean fuses(boolean cuda, DType dtype, boolean biased, boolean gradient) {
        return cuda || dtype == DType.FLOAT32 && !biased && !gradient;
    }

    private static Tensor attend(Tensor q, Tensor keys, Tensor v, Tensor bias) {
        long size = q.numel() / q.size(3) * keys.size(3);
        Tensor products = brief(q, size, () -> torch.matmul(q, keys)); // [B, H, Sq, Sk]
        Tensor shares = torch.softmax(bias == null ? products : products.add(bias), -1);
        return brief(q, size, () -> torch.matmul(shares, v));
    }

    /** Divides the last axis by its length. */
    public static Tensor unit(Tensor x) {
        return x.div(x.pow(new Scalar(2.0)).sum(new long[] {-1}, true, new ScalarTypeOptional()).sqrt());
    }

    /** Shares over the last axis. */
    public static Tensor softmax(Tensor x) {
        return torch.softmax(x, -1);
    }

    /** Splits heads: [B, S, H * D] to [B, H, S, D]. */
    public static Tensor splitHeads(Tensor x, long heads) {
        return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
    }

    /** Joins heads: [B, H, S, D] to [B, S, H * D]. */
    public static Tensor joinHeads(Tensor x) {
        return brief(x, () -> x.transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1) * x.size(3)));
    }

    /**
     * Rotates neighbouring pairs (x[2i], x[2i+1]) of the last axis by the angles whose unit vectors are
     * {@code rotation}, a complex tensor [S, D/2]; x [..., S, D]. Computed in float32 as the public code does.
     */
    public static Tensor rotate(Tensor x, Tensor rotation) {
        return brief(x, () -> {
            Tensor pairs = Tensors.to(x, DType.FLOAT32).unflatten(-1, x.size(-1) / 2, 2);
            Tensor turned = torch.view_as_real(torch.view_as_complex(pairs).mul(rotation)); // [..., S, D/2, 2]
            return turned.flatten(-2, -1).to(x.scalar_type());
        });
    }

    /** Complex unit vectors [S, n] of angles in radians [S, n] (float64 in, complex64 out). */
    public static Tensor unitVectors(Tensor angles) {
        Tensor pair = torch.stack(new TensorVector(angles.cos(), angles.sin()), -1);
        return torch.view_as_complex(Tensors.to(pair, DType.FLOAT32).contiguous());
    }

    /**
     * Sinusoidal embedding [B, width], cosines first, of timesteps [B] (in the networks' units, 0..1000): frequencies
     * 10000^(-i / (width/2)). The convention of FLUX and Stable Diffusion (flip_sin_to_cos, no frequency shift).
     */
    public static Tensor timestepEmbedding(Tensor timesteps, int width) {
        int half = width / 2;
        float[] frequencies = new float[half];
        for (int i = 0; i < half; i++) {
            float exponent = (float) -Math.log(10000) * i / half; // rounded as PyTorch rounds it: angles reach 1000
            // Not libtorch's exp: its last bit depends on the build and the processor, and so would pictures.
            frequencies[i] = (float) Math.exp(exponent);
        }
        Tensor angles = Tensors.to(timesteps, DType.FLOAT32).unsqueeze(1)
                .mul(Tensors.like(Tensors.of(frequencies, 1, half), Tensors.to(timesteps, DType.FLOAT32)));
        return cat(-1, angles.cos(), angles.sin());
    }

    /** x.scatter along axis 1: rows {@code index} [n] of x [B, N, d] are replaced by rows [B, n, d]. */
    public static Tensor replaceRows(Tensor x, Tensor index, Tensor rows) {
        return x.index_copy(1, index, rows);
    }

    /** Rows {@code index} [n] of x [B, N, d] as [B, n, d]. */
    public static Tensor selectRows(Tensor x, Tensor index) {
        return x.index_select(1, index);
    }

    /** The x [n, k] for which a x is nearest to b. @param a [m, n] of full rank, on the CPU @param b [m, k] */
    public static Tensor leastSquares(Tensor a, Tensor b) {
        return torch.linalg_lstsq(a, b).get0();
    }

    /**
     * Sets the threads that one operation takes, for the whole process; values below 1 leave the default (the physical cores).
     * They are OpenMP's: OpenBLAS, which would bring threads of its own into float32 matrix products, computes on the thread
     * that calls it (docs/pitfalls.md).
     *
     * @return how many there are now; sums are split among them, so their number is part of what makes a picture
     */
    public static int threads(int count) {
        if (count > 0) {
            torch.set_num_threads(count);
            threads = count;
        }
        return threads;
    }
}
