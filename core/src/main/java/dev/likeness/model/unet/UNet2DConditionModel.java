package dev.likeness.model.unet;

import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.SelfAttentionHook.Appended;
import dev.likeness.model.SelfAttentionHook.Site;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Linear;
import dev.likeness.weights.Weights;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The U-Net of Stable Diffusion 1.5, 2.1 and SDXL, in the layout of diffusers' {@code UNet2DConditionModel}
 * (models/unets/unet_2d_condition.py): down to a coarse grid and up again, residual blocks with the timestep at every level,
 * transformers with self-attention and cross-attention to the text at most of them. It has no positions but what its
 * convolutions know. Gradients flow through it; weights may be of any element type, and the latents are given in theirs.
 */
public final class UNet2DConditionModel {

    private static final double TRANSFORMER_NORM_EPSILON = 1e-6;
    private static final double LAYER_NORM_EPSILON = 1e-5;

    private final UNet2DConditionConfig config;
    private int layers; // of self-attention, numbered in the order of the data flow while blocks are made
    private final Embedder timeEmbedding;
    private final Embedder addEmbedding; // null without additional conditions
    private final Conv convIn;
    private final List<Level> downBlocks = new ArrayList<>();
    private final ResnetBlock midFirst;
    private final Transformer2D midTransformer;
    private final ResnetBlock midLast;
    private final List<Level> upBlocks = new ArrayList<>();
    private final Norm convNormOut;
    private final Conv convOut;

    public UNet2DConditionModel(UNet2DConditionConfig config, Weights weights) {
        this.config = config;
        int first = config.blockOutChannels().get(0);
        int width = 4 * first;
        timeEmbedding = new Embedder(weights.at("time_embedding"), first, width);
        addEmbedding = config.additionEmbedType() == null ? null
                : new Embedder(weights.at("add_embedding"), config.projectionClassEmbeddingsInputDim(), width);
        convIn = new Conv(weights.at("conv_in"), config.inChannels(), first, 3, 1);

        Deque<Integer> skips = new ArrayDeque<>(List.of(first)); // channels of what the way up will be given, newest first
        int in = first;
        for (int i = 0; i < config.levels(); i++) {
            int out = config.blockOutChannels().get(i);
            Weights block = weights.at("down_blocks", i);
            List<Layer> made = new ArrayList<>();
            for (int j = 0; j < config.layersPerBlock(); j++) {
                made.add(new Layer(block, j, in, out, i, config.downAttends(i)));
                skips.push(out);
                in = out;
            }
            Conv halve = i + 1 == config.levels() ? null : new Conv(block.at("downsamplers", 0, "conv"), out, out, 3, 2);
            if (halve != null) {
                skips.push(out);
            }
            downBlocks.add(new Level(made, halve));
        }

        Weights mid = weights.at("mid_block");
        midFirst = new ResnetBlock(mid.at("resnets", 0), in, in);
        midTransformer = new Transformer2D(mid.at("attentions", 0), in, config.levels() - 1);
        midLast = new ResnetBlock(mid.at("resnets", 1), in, in);

        for (int i = 0; i < config.levels(); i++) {
            int level = config.levels() - 1 - i;
            int out = config.blockOutChannels().get(level);
            Weights block = weights.at("up_blocks", i);
            List<Layer> made = new ArrayList<>();
            for (int j = 0; j < config.layersPerBlock() + 1; j++) {
                made.add(new Layer(block, j, in + skips.pop(), out, level, config.upAttends(i)));
                in = out;
            }
            upBlocks.add(new Level(made, level == 0 ? null : new Conv(block.at("upsamplers", 0, "conv"), out, out, 3, 1)));
        }
        convNormOut = new Norm(weights.at("conv_norm_out"), in, config.normEps());
        convOut = new Conv(weights.at("conv_out"), in, config.outChannels(), 3, 1);
    }

    /**
     * One batch of network input.
     *
     * @param latents [B, in_channels, h, w] at the timesteps' noise, scaled as the scheduler asks
     * @param timesteps [B], float32, from 0 (image) to 999 (noise)
     * @param text [B, L, cross_attention_dim]
     * @param pooled [B, {@link UNet2DConditionConfig#pooledWidth}]; null exactly where that is 0
     * @param timeIds [B, 6], float32: original height and width, crop top and left, target height and width; null exactly where
     *     pooled is
     */
    public record Input(Tensor latents, Tensor timesteps, Tensor text, Tensor pooled, Tensor timeIds) {}

    public UNet2DConditionConfig config() {
        return config;
    }

    /** Layers of self-attention, which hooks see as {@link Site#layer} 0 to one less than this. */
    public int layers() {
        return layers;
    }

    /**
     * What the network predicts: noise, or v, or the image, as it was trained.
     *
     * @param step 0-based denoising step, for the hook to know
     * @return [B, out_channels, h, w], owned by the open scope
     */
    public Tensor forward(Input input, int step, SelfAttentionHook hook) {
        try (Scope scope = Scope.open()) {
            Tensor condition = condition(input);
            double timestep = hook == SelfAttentionHook.NONE ? 0 : Tensors.item(input.timesteps().select(0, 0));
            Pass pass = new Pass(condition, input.text(), step, timestep, hook);
            Deque<Tensor> skips = new ArrayDeque<>();
            Tensor x = convIn.forward(input.latents());
            skips.push(x);
            for (Level level : downBlocks) {
                for (Layer layer : level.layers) {
                    x = layer.forward(x, null, pass);
                    skips.push(x);
                }
                if (level.resize != null) {
                    x = level.resize.forward(x);
                    skips.push(x);
                }
            }
            x = midLast.forward(midTransformer.forward(midFirst.forward(x, condition), pass), condition);
            for (Level level : upBlocks) {
                for (Layer layer : level.layers) {
                    x = layer.forward(x, skips.pop(), pass);
                }
                if (level.resize != null) { // to the size of what comes next from the way down: it may have been odd there
                    x = level.resize.forward(Ops.upsampleNearest(x, skips.peek().size(2), skips.peek().size(3)));
                }
            }
            return scope.keep(convOut.forward(Ops.silu(convNormOut.forward(x))));
        }
    }

    /** What residual blocks are told, after SiLU: [B, 4 x first channels]. */
    private Tensor condition(Input input) {
        Tensor timestep = Ops.timestepEmbedding(input.timesteps(), config.blockOutChannels().get(0));
        Tensor sum = timeEmbedding.forward(Tensors.like(timestep, input.latents()));
        if (addEmbedding != null) {
            if (input.pooled() == null || input.timeIds() == null) {
                throw new IllegalArgumentException("this model is conditioned on pooled text and sizes: give both");
            }
            Tensor sizes = Ops.timestepEmbedding(input.timeIds().flatten(), config.additionTimeEmbedDim())
                    .view(input.timeIds().size(0), -1); // [B, 6 x width]
            sum = sum.add(addEmbedding.forward(Ops.cat(-1, input.pooled(), Tensors.like(sizes, input.pooled()))));
        }
        return Ops.silu(sum);
    }

    /** What is the same for all blocks of one forward pass. */
    private record Pass(Tensor condition, Tensor text, int step, double timestep, SelfAttentionHook hook) {}

    /** Layers of one resolution and, but for the last one, the convolution that changes the size. */
    private record Level(List<Layer> layers, Conv resize) {}

    /** A residual block and, where its level attends, a transformer. */
    private final class Layer {
        private final ResnetBlock resnet;
        private final Transformer2D transformer;

        Layer(Weights block, int index, int in, int out, int level, boolean attends) {
            resnet = new ResnetBlock(block.at("resnets", index), in, out);
            transformer = attends ? new Transformer2D(block.at("attentions", index), out, level) : null;
        }

        /** @param skip what comes beside x from the way down; null on that way */
        Tensor forward(Tensor x, Tensor skip, Pass pass) {
            try (Scope scope = Scope.open()) {
                Tensor h = resnet.forward(skip == null ? x : Ops.cat(1, x, skip), pass.condition);
                return scope.keep(transformer == null ? h : transformer.forward(h, pass));
            }
        }
    }

    /** Two linear layers with SiLU between them. */
    private static final class Embedder {
        private final Linear linear1;
        private final Linear linear2;

        Embedder(Weights weights, int in, int width) {
            linear1 = weights.linear("linear_1", in, width);
            linear2 = weights.linear("linear_2", width, width);
        }

        Tensor forward(Tensor x) {
            return linear2.forward(Ops.silu(linear1.forward(x)));
        }
    }

    private static final class Conv {
        private final Tensor weight; // [O, C, k, k]
        private final Tensor bias; // [O]
        private final int stride;

        Conv(Weights weights, int in, int out, int kernel, int stride) {
            weight = weights.get("weight", out, in, kernel, kernel);
            bias = weights.get("bias", out);
            this.stride = stride;
        }

        Tensor forward(Tensor x) {
            return Ops.conv2d(x, weight, bias, stride, weight.size(2) / 2);
        }
    }

    private final class Norm {
        private final Tensor weight; // [C]
        private final Tensor bias; // [C]
        private final double epsilon;

        Norm(Weights weights, int channels, double epsilon) {
            weight = weights.get("weight", channels);
            bias = weights.get("bias", channels);
            this.epsilon = epsilon;
        }

        Tensor forward(Tensor x) {
            return Ops.groupNorm(x, config.normNumGroups(), weight, bias, epsilon);
        }
    }

    private final class ResnetBlock {
        private final Norm norm1;
        private final Conv conv1;
        private final Linear timeEmbProj;
        private final Norm norm2;
        private final Conv conv2;
        private final Conv convShortcut;

        ResnetBlock(Weights weights, int in, int out) {
            norm1 = new Norm(weights.at("norm1"), in, config.normEps());
            conv1 = new Conv(weights.at("conv1"), in, out, 3, 1);
            timeEmbProj = weights.linear("time_emb_proj", 4L * config.blockOutChannels().get(0), out);
            norm2 = new Norm(weights.at("norm2"), out, config.normEps());
            conv2 = new Conv(weights.at("conv2"), out, out, 3, 1);
            convShortcut = in == out ? null : new Conv(weights.at("conv_shortcut"), in, out, 1, 1);
        }

        Tensor forward(Tensor x, Tensor condition) {
            try (Scope scope = Scope.open()) {
                Tensor h = conv1.forward(Ops.silu(norm1.forward(x)));
                h = h.add(timeEmbProj.forward(condition).unsqueeze(2).unsqueeze(3)); // [B, C, 1, 1]
                h = conv2.forward(Ops.silu(norm2.forward(h)));
                return scope.keep((convShortcut == null ? x : convShortcut.forward(x)).add(h));
            }
        }
    }

    /** A level's grid as a sequence of tokens through transformer layers, and back. */
    private final class Transformer2D {
        private final Norm norm;
        private final Conv convIn; // in place of linear layers, before the tokens are lined up
        private final Conv convOut;
        private final Linear projIn;
        private final Linear projOut;
        private final List<TransformerLayer> blocks = new ArrayList<>();

        Transformer2D(Weights weights, int channels, int level) {
            norm = new Norm(weights.at("norm"), channels, TRANSFORMER_NORM_EPSILON);
            boolean linear = config.useLinearProjection();
            convIn = linear ? null : new Conv(weights.at("proj_in"), channels, channels, 1, 1);
            projIn = linear ? weights.linear("proj_in", channels, channels) : null;
            for (int i = 0; i < config.transformerLayersPerBlock().get(level); i++) {
                blocks.add(new TransformerLayer(weights.at("transformer_blocks", i), channels,
                        config.attentionHeadDim().get(level)));
            }
            convOut = linear ? null : new Conv(weights.at("proj_out"), channels, channels, 1, 1);
            projOut = linear ? weights.linear("proj_out", channels, channels) : null;
        }

        Tensor forward(Tensor x, Pass pass) {
            try (Scope scope = Scope.open()) {
                Tensor h = norm.forward(x);
                Tensor tokens = projIn == null ? tokens(convIn.forward(h)) : projIn.forward(tokens(h)); // [B, N, C]
                for (TransformerLayer block : blocks) {
                    tokens = block.forward(tokens, (int) x.size(2), (int) x.size(3), pass);
                }
                Tensor out = projOut == null ? convOut.forward(grid(tokens, x)) : grid(projOut.forward(tokens), x);
                return scope.keep(x.add(out));
            }
        }

        /** [B, C, h, w] to [B, N, C]. */
        private static Tensor tokens(Tensor x) {
            return x.flatten(2, 3).transpose(1, 2).contiguous();
        }

        /** [B, N, C] to [B, C, h, w]. */
        private static Tensor grid(Tensor tokens, Tensor like) {
            return tokens.transpose(1, 2).contiguous().view_as(like);
        }
    }

    private static final class LayerNorm {
        private final Tensor weight; // [C]
        private final Tensor bias; // [C]

        LayerNorm(Weights weights, int channels) {
            weight = weights.get("weight", channels);
            bias = weights.get("bias", channels);
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, LAYER_NORM_EPSILON);
        }
    }

    private final class Attention {
        private final int heads;
        private final Linear toQ;
        private final Linear toK;
        private final Linear toV;
        private final Linear toOut;

        Attention(Weights weights, int channels, int keyWidth, int heads) {
            this.heads = heads;
            toQ = withoutBias(weights, "to_q.weight", channels, channels);
            toK = withoutBias(weights, "to_k.weight", keyWidth, channels);
            toV = withoutBias(weights, "to_v.weight", keyWidth, channels);
            toOut = weights.linear("to_out.0", channels, channels);
        }

        private static Linear withoutBias(Weights weights, String name, int in, int out) {
            return Linear.of(weights.get(name, out, in), null);
        }

        /** [B, S, ...] by one of the projections to [B, H, S, D]. */
        private Tensor heads(Linear projection, Tensor x) {
            return Ops.splitHeads(projection.forward(x), heads);
        }

        /** [B, H, N, D] queries of all heads, keys and values of as many tokens as there are, to [B, N, C]. */
        private Tensor attend(Tensor q, Tensor k, Tensor v) {
            if (config.upcastAttention() && !q.is_cuda()) { // CUDA's fused kernels keep scores in float32 anyway
                Tensor wide = attention(Tensors.to(q, DType.FLOAT32), Tensors.to(k, DType.FLOAT32), Tensors.to(v, DType.FLOAT32));
                return toOut.forward(Tensors.like(wide, q));
            }
            return toOut.forward(attention(q, k, v));
        }

        private static Tensor attention(Tensor q, Tensor k, Tensor v) {
            return Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3))));
        }

        Tensor across(Tensor x, Tensor text) {
            return attend(heads(toQ, x), heads(toK, text), heads(toV, text));
        }

        Tensor self(Tensor tokens, Site site, SelfAttentionHook hook) {
            Tensor edited = hook.attentionInput(site, tokens);
            Appended appended = hook.appended(site, tokens);
            Tensor keyed = appended == null ? edited
                    : Ops.cat(1, edited, appended.tokens().expand(edited.size(0), -1, -1)); // [B, N + n, C]
            Tensor q = heads(toQ, edited);
            Tensor k = heads(toK, keyed);
            hook.attention(site, q, k);
            return attend(q, k, heads(toV, keyed));
        }
    }

    private final class TransformerLayer {
        private final int layer;
        private final LayerNorm norm1;
        private final Attention attn1;
        private final LayerNorm norm2;
        private final Attention attn2;
        private final LayerNorm norm3;
        private final Linear ffIn;
        private final Linear ffOut;

        TransformerLayer(Weights weights, int channels, int heads) {
            layer = layers++;
            norm1 = new LayerNorm(weights.at("norm1"), channels);
            attn1 = new Attention(weights.at("attn1"), channels, channels, heads);
            norm2 = new LayerNorm(weights.at("norm2"), channels);
            attn2 = new Attention(weights.at("attn2"), channels, config.crossAttentionDim(), heads);
            norm3 = new LayerNorm(weights.at("norm3"), channels);
            ffIn = weights.linear("ff.net.0.proj", channels, 8L * channels);
            ffOut = weights.linear("ff.net.2", 4L * channels, channels);
        }

        Tensor forward(Tensor in, int rows, int columns, Pass pass) {
            try (Scope scope = Scope.open()) {
                Site site = new Site(layer, layers, pass.step, pass.timestep, rows, columns);
                Tensor x = in.add(attn1.self(norm1.forward(in), site, pass.hook));
                x = x.add(attn2.across(norm2.forward(x), pass.text));
                Tensor[] inner = Ops.chunk(ffIn.forward(norm3.forward(x)), 2, -1); // values and their gates
                return scope.keep(x.add(ffOut.forward(inner[0].mul(Ops.gelu(inner[1])))));
            }
        }
    }
}
