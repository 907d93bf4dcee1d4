package dev.likeness.denoise;

import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Euler steps along the transformer's velocity, on latent tokens kept in float32. */
public final class Denoiser {

    private final FluxTransformer transformer;
    private final Conditioning conditioning;
    private final Tensor tokens; // [B, L, d]
    private final Tensor pooled; // [B, p]
    private final Tensor rotation; // complex [L + N, D/2]
    private final Map<Double, FluxTransformer.Modulation> prepared = new HashMap<>(); // by noise level

    /**
     * Its tensors belong to the scope that is open when it is made.
     *
     * @param rows token rows of the canvas
     * @param columns token columns of the canvas
     */
    public Denoiser(FluxTransformer transformer, Conditioning conditioning, int rows, int columns) {
        this(transformer, conditioning,
                transformer.rotation((int) conditioning.text().tokens().size(1), rows, columns));
    }

    /** @param rotation rotary unit vectors of text and image tokens, complex64 [L + N, D/2] */
    public Denoiser(FluxTransformer transformer, Conditioning conditioning, Tensor rotation) {
        this.transformer = transformer;
        this.conditioning = conditioning;
        Conditioning.Text text = conditioning.text();
        Conditioning.Text negative = conditioning.negative();
        tokens = negative == null ? text.tokens() : Ops.cat(0, negative.tokens(), text.tokens());
        pooled = negative == null ? text.pooled() : Ops.cat(0, negative.pooled(), text.pooled());
        this.rotation = Tensors.onDeviceOf(rotation, tokens);
    }

    /**
     * Computes what depends on noise level and text alone for all levels of a run at once, owned by the open scope. Other levels
     * are still possible; each of them takes a pass over the weights of the modulation.
     *
     * @param sigmas noise levels of a run; the last one is where it ends
     */
    public Denoiser prepare(double[] sigmas) {
        int levels = sigmas.length - 1;
        int rows = (int) tokens.size(0);
        float[] each = new float[levels * rows];
        for (int i = 0; i < each.length; i++) {
            each[i] = (float) sigmas[i / rows];
        }
        FluxTransformer.Modulation all = transformer.modulation(Ops.repeat(pooled, levels, 1),
                Tensors.onDeviceOf(Tensors.of(each, each.length), tokens), guidance(each.length));
        for (int level = 0; level < levels; level++) {
            prepared.put(sigmas[level], all.rows((long) level * rows, rows));
        }
        return this;
    }

    /** Distilled guidance for so many rows, or null. */
    private Tensor guidance(long rows) {
        Double scale = conditioning.guidanceScale();
        return scale == null ? null : Tensors.onDeviceOf(filled(scale, rows), tokens);
    }

    /**
     * Denoises from {@code sigmas[0]} to the last of them.
     *
     * @param latents tokens [1, N, C], float32, at noise level {@code sigmas[0]}
     * @return tokens [1, N, C], float32
     * @throws Cancelled when the listener asked for it
     */
    public Tensor run(Tensor latents, double[] sigmas, StepInjection injection, StepListener listener) {
        int steps = sigmas.length - 1;
        try (Scope whole = Scope.open()) {
            Tensor x = latents;
            for (int step = 0; step < steps; step++) {
                boolean goOn;
                try (Scope scope = Scope.open()) {
                    Tensor seen = injection.latents(step, sigmas[step], x);
                    Tensor velocity = velocity(seen, step, sigmas[step], injection.hook(step, sigmas[step]));
                    x = scope.keep(seen.add(velocity.mul(new Scalar(sigmas[step + 1] - sigmas[step]))));
                    Tensor clean = seen.sub(velocity.mul(new Scalar(sigmas[step])));
                    goOn = listener.stepDone(step + 1, steps, sigmas[step + 1], x, clean);
                }
                if (!goOn && step + 1 < steps) {
                    throw new Cancelled(step + 1, steps);
                }
            }
            return whole.keep(x);
        }
    }

    /**
     * The guided velocity at one noise level.
     *
     * @param latents [B, N, C], float32, a row for each text
     * @return [B, N, C], float32
     */
    public Tensor velocity(Tensor latents, int step, double sigma, AttentionHook hook) {
        try (Scope scope = Scope.open()) {
            boolean guided = conditioning.negative() != null;
            FluxTransformer.Input input = input(guided ? Ops.repeat(latents, 2, 1, 1) : latents, sigma);
            Tensor predicted = Tensors.onDeviceOf(
                    Tensors.to(transformer.forward(input, modulation(input, sigma), step, hook), DType.FLOAT32), latents);
            if (!guided) {
                return scope.keep(predicted);
            }
            Tensor unconditional = predicted.narrow(0, 0, 1);
            Tensor difference = predicted.narrow(0, 1, 1).sub(unconditional);
            return scope.keep(unconditional.add(difference.mul(new Scalar(conditioning.trueCfgScale()))));
        }
    }

    /** A pass for the sake of a hook that takes down what enters the blocks; costs less than one for the velocity. */
    public void record(Tensor latents, int step, double sigma, AttentionHook hook) {
        try (Scope scope = Scope.open()) {
            FluxTransformer.Input input = input(latents, sigma);
            transformer.record(input, modulation(input, sigma), step, hook);
        }
    }

    private FluxTransformer.Input input(Tensor latents, double sigma) {
        long rows = tokens.size(0);
        return new FluxTransformer.Input(Tensors.like(latents, tokens), tokens, pooled,
                Tensors.onDeviceOf(filled(sigma, rows), tokens), guidance(rows), rotation);
    }

    private FluxTransformer.Modulation modulation(FluxTransformer.Input input, double sigma) {
        FluxTransformer.Modulation known = prepared.get(sigma);
        return known != null ? known : transformer.modulation(pooled, input.sigmas(), input.guidance());
    }

    private static Tensor filled(double value, long count) {
        return Tensors.full(value, DType.FLOAT32, Device.CPU, count);
    }

    /** Passes of batch one that a run of so many steps takes. */
    public Evaluations evaluations(int steps) {
        return new Evaluations(steps, conditioning.negative() == null ? 0 : steps, 0, 0);
    }
}
