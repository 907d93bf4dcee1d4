package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.denoise.StepListener;
import dev.likeness.latents.Packing;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Single operations against diffusers and transformers (golden/golden_ops.py). */
class OpsParityTest {

    private static final Weights ZEROS = zerosBut("", null);

    private Scope scope;
    private Golden golden;

    @BeforeEach
    void open() {
        scope = Scope.open();
        golden = Golden.open("ops.safetensors");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static Weights zerosBut(String exception, Tensor value) {
        return new Weights() {
            @Override
            public Tensor get(String name, long... shape) {
                return name.equals(exception) ? value : Tensors.zeros(DType.FLOAT32, Device.CPU, shape);
            }

            @Override
            public boolean has(String name) {
                return true;
            }
        };
    }

    private Tensor linear(String name, Tensor x) {
        return Ops.linear(x, golden.get(name + ".weight"), golden.get(name + ".bias"));
    }

    /** The parts of an adaptive norm's projection, each [B, 1, d]. */
    private Tensor[] modulation(String name, int parts) {
        return Ops.chunk(linear(name + ".linear", Ops.silu(golden.get("adaln.emb"))).unsqueeze(1), parts, -1);
    }

    /** The rows of a batch at once, and each alone, which takes another way. */
    private void assertModulated(Tensor shift, Tensor scale, String name) {
        Tensor x = golden.get("adaln.x");
        golden.assertClose(Ops.modulatedLayerNorm(x, shift, scale, 1e-6), name, Golden.OP);
        Tensor[] rows = new Tensor[(int) x.size(0)];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Ops.modulatedLayerNorm(x.narrow(0, row, 1), shift.narrow(0, row, 1), scale.narrow(0, row, 1), 1e-6);
        }
        assertThat(rows).hasSizeGreaterThan(1);
        golden.assertClose(Ops.cat(0, rows), name, Golden.OP);
    }

    /**
     * Angles are up to 1000 times a frequency, and the last bit of a frequency (6e-8 of it) depends on the build of PyTorch
     * and the processor: versions 2.10 and 2.15 differ from each other by 3e-5 here. So much is allowed,
     * in proportion to sigma.
     */
    @Test
    void timestepSinusoids() {
        Tensor sigma = golden.get("timestep.sigma");
        Tensor sinusoid = Ops.timestepEmbedding(sigma.mul(new Scalar(1000.0)), 256);
        assertThat(Tensors.shape(sinusoid)).containsExactly(7, 256);
        float[] sigmas = Tensors.floats(sigma);
        for (int i = 0; i < sigmas.length; i++) {
            double lastBit = 1000 * sigmas[i] * Math.pow(2, -24);
            Golden.assertClose("sinusoids of sigma " + sigmas[i], sinusoid.select(0, i),
                    golden.get("timestep.sinusoid").select(0, i), 2e-7 + lastBit);
        }
    }

    @Test
    void timestepEmbedding() {
        Tensor inner = Ops.silu(linear("timestep.linear_1", golden.get("timestep.sinusoid")));
        golden.assertClose(linear("timestep.linear_2", inner), "timestep.embedding", Golden.OP);
        Tensor whole = Ops.timestepEmbedding(golden.get("timestep.sigma").mul(new Scalar(1000.0)), 256);
        inner = Ops.silu(linear("timestep.linear_1", whole));
        golden.assertClose(linear("timestep.linear_2", inner), "timestep.embedding", 2 * Golden.OP);
    }

    @Test
    void rotaryPositionsOnGridFarAwayNegativeAndBetween() {
        FluxConfig config = new FluxConfig(4, null, 0, 0, 32, 1, 4, 4, false, List.of(8, 12, 12), null);
        FluxTransformer transformer = new FluxTransformer(config, ZEROS);
        Tensor rotation = transformer.rotation(golden.doubles("rope.ids"));
        // The public code repeats every cosine and sine for the two halves of its pair.
        Tensor pairs = torch.view_as_real(rotation); // [S, D/2, 2]
        golden.assertClose(twice(pairs.select(2, 0)), "rope.cos", Golden.OP);
        golden.assertClose(twice(pairs.select(2, 1)), "rope.sin", Golden.OP);
        Tensor turned = Ops.rotate(golden.get("rope.x").transpose(1, 2), rotation);
        golden.assertClose(turned.transpose(1, 2), "rope.out", Golden.OP);
    }

    /** [S, n] to [S, 2n], every column twice in a row. */
    private static Tensor twice(Tensor x) {
        return Ops.stack(-1, x, x).flatten(1, 2);
    }

    @Test
    void gridPositionsAreThoseOfThePublicPipeline() {
        FluxConfig config = new FluxConfig(4, null, 0, 0, 6, 1, 4, 4, false, List.of(2, 2, 2), null);
        FluxTransformer transformer = new FluxTransformer(config, ZEROS);
        float[] grid = Tensors.floats(torch.view_as_real(transformer.rotation(0, 3, 5)));
        assertThat(grid).isEqualTo(Tensors.floats(torch.view_as_real(transformer.rotation(golden.doubles("pack.ids")))));
    }

    @Test
    void rootMeanSquareNorms() {
        golden.assertClose(Ops.rmsNorm(golden.get("rms_norm.x"), golden.get("rms_norm.weight"), 1e-6), "rms_norm.out",
                Golden.OP);
        golden.assertClose(Ops.rmsNorm(golden.get("t5_layer_norm.x"), golden.get("t5_layer_norm.weight"), 1e-6),
                "t5_layer_norm.out", Golden.OP);
    }

    /** Rows that are nearly zero are where epsilon counts; beside large rows an error in them would not show. */
    @Test
    void rootMeanSquareNormOfSmallRows() {
        for (String name : new String[] {"rms_norm", "t5_layer_norm"}) {
            Tensor normed = Ops.rmsNorm(golden.get(name + ".x"), golden.get(name + ".weight"), 1e-6);
            Golden.assertClose(name, normed.select(0, 0).select(0, 0), golden.get(name + ".out").select(0, 0).select(0, 0),
                    Golden.OP);
        }
    }

    @Test
    void adaptiveNormOfDoubleStreamBlocks() {
        Tensor[] parts = modulation("adaln_zero", 6); // shift, scale, gate of attention, then of the MLP
        assertModulated(parts[0], parts[1], "adaln_zero.out");
        golden.assertClose(parts[2].squeeze(1), "adaln_zero.gate_msa", Golden.OP);
        golden.assertClose(parts[3].squeeze(1), "adaln_zero.shift_mlp", Golden.OP);
        golden.assertClose(parts[4].squeeze(1), "adaln_zero.scale_mlp", Golden.OP);
        golden.assertClose(parts[5].squeeze(1), "adaln_zero.gate_mlp", Golden.OP);
    }

    @Test
    void adaptiveNormOfSingleStreamBlocks() {
        Tensor[] parts = modulation("adaln_zero_single", 3);
        assertModulated(parts[0], parts[1], "adaln_zero_single.out");
        golden.assertClose(parts[2].squeeze(1), "adaln_zero_single.gate", Golden.OP);
    }

    @Test
    void lastAdaptiveNormHasScaleBeforeShift() {
        Tensor[] parts = modulation("adaln_continuous", 2);
        assertModulated(parts[1], parts[0], "adaln_continuous.out");
    }

    @Test
    void gatedResidual() {
        Tensor x = golden.get("adaln.x");
        Tensor gate = golden.get("adaln_zero.gate_msa").unsqueeze(1);
        Tensor update = golden.get("feed_forward.out");
        Golden.assertClose("x + gate * update", Ops.gated(x, gate, update), x.add(gate.mul(update)), Golden.OP);
    }

    @Test
    void feedForward() {
        Tensor inner = Ops.geluTanh(linear("feed_forward.net.0.proj", golden.get("feed_forward.x")));
        golden.assertClose(linear("feed_forward.net.2", inner), "feed_forward.out", Golden.OP);
    }

    @Test
    void activations() {
        Tensor x = golden.get("activation.x");
        golden.assertClose(Ops.geluTanh(x), "activation.gelu_tanh", Golden.OP);
        golden.assertClose(Ops.gelu(x), "activation.gelu", Golden.OP);
        golden.assertClose(Ops.quickGelu(x), "activation.quick_gelu", Golden.OP);
        golden.assertClose(Ops.silu(x), "activation.silu", Golden.OP);
    }

    /** The two GELUs differ by 5e-4 at most: relative to the greatest value a swap might slip through a loose comparison. */
    @Test
    void theTwoGelusAreToldApart() {
        Tensor x = golden.get("activation.x");
        float[] tanh = Tensors.floats(Ops.geluTanh(x));
        float[] exact = Tensors.floats(golden.get("activation.gelu"));
        assertThat(Golden.relativeError(tanh, exact)).isGreaterThan(2 * Golden.OP);
    }

    @Test
    void attention() {
        Tensor q = golden.get("attention.q");
        Tensor k = golden.get("attention.k");
        Tensor v = golden.get("attention.v");
        golden.assertClose(Ops.attention(q, k, v, null, 1 / Math.sqrt(16)), "attention.out", Golden.OP);
        golden.assertClose(Ops.attention(q, k, v, golden.get("attention.bias"), 1), "attention.out_bias_unscaled", Golden.OP);
    }

    /** Long sequences are attended to in chunks of queries; enough of them here to need several. */
    @Test
    void attentionInChunksEqualsAttentionAtOnce() {
        long length = 5000;
        Tensor q = Tensors.noise(1, 1, 1, length, 4);
        Tensor k = Tensors.noise(2, 1, 1, length, 4);
        Tensor v = Tensors.noise(3, 1, 1, length, 4);
        Tensor bias = Tensors.noise(4, 1, 1, length, 1);
        Tensor scores = torch.matmul(q, k.transpose(-2, -1)).mul(new Scalar(0.5)).add(bias);
        Tensor expected = torch.matmul(torch.softmax(scores, -1), v);
        Golden.assertClose("chunks", Ops.attention(q, k, v, bias, 0.5), expected, Golden.OP);
    }

    @Test
    void packing() {
        Tensor latents = golden.get("pack.latents");
        golden.assertClose(Packing.pack(latents), "pack.packed", 0);
        golden.assertClose(Packing.unpack(golden.get("pack.packed"), 3, 5), "pack.latents", 0);
    }

    /** The denoising loop's own step, over a network of zeros whose velocity is its last bias, token by token. */
    @Test
    void eulerStep() {
        Tensor velocity = golden.get("step.velocity");
        double[] sigmas = {Tensors.item(golden.get("step.sigma")), Tensors.item(golden.get("step.sigma_next"))};
        FluxConfig config = new FluxConfig(16, null, 0, 0, 6, 1, 4, 4, false, List.of(2, 2, 2), null);
        Conditioning.Text text = new Conditioning.Text(Tensors.noise(1, 1, 2, 4), Tensors.noise(2, 1, 4));
        Conditioning conditioning = Conditioning.of(text, null);
        Tensor[] tokens = new Tensor[6];
        for (int i = 0; i < tokens.length; i++) {
            Tensor bias = velocity.select(0, 0).select(0, i);
            FluxTransformer transformer = new FluxTransformer(config, zerosBut("proj_out.bias", bias));
            tokens[i] = new Denoiser(transformer, conditioning, 1, 1)
                    .run(golden.get("step.sample").narrow(1, i, 1), sigmas, StepInjection.NONE, StepListener.NONE);
        }
        golden.assertClose(Ops.cat(1, tokens), "step.out", Golden.OP);
    }
}
