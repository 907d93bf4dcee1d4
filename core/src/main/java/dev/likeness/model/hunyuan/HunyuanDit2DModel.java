package dev.likeness.model.hunyuan;

import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.SelfAttentionHook.Appended;
import dev.likeness.model.SelfAttentionHook.Site;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Linear;
import dev.likeness.weights.Weights;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * The HunyuanDiT transformer, in the layout of diffusers' {@code HunyuanDiT2DModel} (models/transformers/
 * hunyuan_transformer_2d.py): image tokens attend to themselves at two-dimensional rotary positions, then to the text; the
 * second half of the blocks joins what the first half made. Norms compute in float32 whatever the element type, as libtorch's
 * always do.
 */
public final class HunyuanDit2DModel {

    /** Tokens along a side at 512 pixels: the square that every canvas's {@link #positions} are laid over. */
    public static final int BASE_GRID = 32;

    static final int POOLER_HEADS = 8;

    private static final double EPSILON = 1e-6;
    private static final int TIMESTEP_WIDTH = 256;
    private static final int SIZES = 6;
    private static final double ROPE_THETA = 10000;

    private final HunyuanDit2DConfig config;
    private final Tensor patchWeight; // [d, C, 2, 2]
    private final Tensor patchBias; // [d]
    private final Projection textEmbedder;
    private final Tensor textEmbeddingPadding; // [L, c]
    private final Linear timestepLinear1;
    private final Linear timestepLinear2;
    private final AttentionPool pooler;
    private final Tensor styleEmbedder; // [1, d] or null
    private final Projection extraEmbedder;
    private final List<Block> blocks = new ArrayList<>();
    private final Linear normOut;
    private final Linear projOut;

    public HunyuanDit2DModel(HunyuanDit2DConfig config, Weights weights) {
        this.config = config;
        int d = config.hiddenSize();
        int t5 = config.crossAttentionDimT5();
        int patch = config.patchSize();
        patchWeight = weights.get("pos_embed.proj.weight", d, config.inChannels(), patch, patch);
        patchBias = weights.get("pos_embed.proj.bias", d);
        textEmbedder = new Projection(weights.at("text_embedder"), t5, 4 * t5, config.crossAttentionDim());
        textEmbeddingPadding =
                weights.get("text_embedding_padding", config.textLen() + config.textLenT5(), config.crossAttentionDim());
        Weights extra = weights.at("time_extra_emb");
        timestepLinear1 = extra.linear("timestep_embedder.linear_1", TIMESTEP_WIDTH, d);
        timestepLinear2 = extra.linear("timestep_embedder.linear_2", d, d);
        pooler = new AttentionPool(extra.at("pooler"), config);
        boolean sizes = config.useStyleCondAndImageMetaSize();
        styleEmbedder = sizes ? extra.get("style_embedder.weight", 1, d) : null;
        extraEmbedder = new Projection(extra.at("extra_embedder"),
                config.pooledProjectionDim() + (sizes ? SIZES * TIMESTEP_WIDTH + d : 0), 4 * d, d);
        for (int i = 0; i < config.numLayers(); i++) {
            blocks.add(new Block(config, weights.at("blocks", i), config.joinsSkip(i)));
        }
        normOut = weights.linear("norm_out.linear", d, 2 * d);
        int channels = config.inChannels() * (config.learnSigma() ? 2 : 1);
        projOut = weights.linear("proj_out", d, patch * patch * channels);
    }

    public HunyuanDit2DConfig config() {
        return config;
    }

    /**
     * What steers the network, the same at every timestep.
     *
     * @param tokens BERT's then T5's, learned ones in place of padding [B, L, c]
     * @param extra pooled text, with style and sizes where the model knows them [B, d]
     */
    public record Condition(Tensor tokens, Tensor extra) {}

    /**
     * One batch of network input.
     *
     * @param latents [B, C, h, w], h and w even; a token is a patch of 2 x 2
     * @param timesteps [B] in [0, 1000), float32
     * @param rotation rotary unit vectors [N, D/2] from {@link #rotation}
     */
    public record Input(Tensor latents, Tensor timesteps, Condition condition, Tensor rotation) {}

    /** Layers of self-attention, which hooks see as {@link Site#layer} 0 to one less than this. */
    public int layers() {
        return blocks.size();
    }

    /**
     * Text and sizes to what steers the network, owned by the open scope.
     *
     * @param bert [B, text_len, c]
     * @param bertMask 1 for text, 0 for padding [B, text_len], float32
     * @param t5 [B, text_len_t5, c5]
     * @param t5Mask the same of T5's tokens [B, text_len_t5], float32
     * @param sizes height and width of the original and of the picture, top and left of the crop, in pixels [B, 6]; null exactly
     *     when the model does not know them. The style is the one that was trained
     */
    public Condition condition(Tensor bert, Tensor bertMask, Tensor t5, Tensor t5Mask, Tensor sizes) {
        if ((sizes == null) == config.useStyleCondAndImageMetaSize()) {
            throw new IllegalArgumentException("sizes go with use_style_cond_and_image_meta_size");
        }
        try (Scope scope = Scope.open()) {
            Tensor text = Ops.cat(1, bert, textEmbedder.forward(t5)); // [B, L, c]
            Tensor mask = Tensors.like(Ops.cat(1, bertMask, t5Mask).unsqueeze(2), text);
            Tensor tokens = textEmbeddingPadding.lerp(text, mask);
            Tensor extra = pooler.forward(t5); // [B, p]
            if (sizes != null) {
                long batch = sizes.size(0);
                Tensor waves = Ops.timestepEmbedding(sizes.reshape(batch * SIZES), TIMESTEP_WIDTH);
                waves = Tensors.like(waves.view(batch, SIZES * TIMESTEP_WIDTH), extra);
                extra = Ops.cat(1, extra, waves, styleEmbedder.expand(batch, -1));
            }
            return new Condition(scope.keep(tokens), scope.keep(extraEmbedder.forward(extra)));
        }
    }

    /**
     * Positions (row, column) of a grid's tokens, row-major [N, 2]. The grid is laid over a square of 32 x 32, the longer side
     * along the whole of it (get_resize_crop_region_for_grid), so that canvases of all sizes use the same range.
     */
    public static double[] positions(int rows, int columns) {
        double longer = Math.max(rows, columns);
        double high = rows > columns ? BASE_GRID : Math.rint(BASE_GRID / longer * rows);
        double wide = rows > columns ? Math.rint(BASE_GRID / longer * columns) : BASE_GRID;
        double[] rowPositions = evenly(Math.rint((BASE_GRID - high) / 2), high, rows);
        double[] columnPositions = evenly(Math.rint((BASE_GRID - wide) / 2), wide, columns);
        double[] positions = new double[2 * rows * columns];
        for (int i = 0; i < rows * columns; i++) {
            positions[2 * i] = rowPositions[i / columns];
            positions[2 * i + 1] = columnPositions[i % columns];
        }
        return positions;
    }

    /** From the start, in steps that end before start + length; as in the public code a little shorter where that is not 0. */
    private static double[] evenly(double start, double length, int count) {
        double last = (start + length) * (count - 1) / count;
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = count == 1 ? start : start + (last - start) * i / (count - 1);
        }
        return values;
    }

    /** Rotary unit vectors of a grid's tokens, complex64 [N, D/2], on the CPU. */
    public Tensor rotation(int rows, int columns) {
        return rotation(positions(rows, columns));
    }

    /** Rotary unit vectors complex64 [N, D/2], on the CPU, for positions (row, column) per token, row-major [N, 2]. */
    public Tensor rotation(double[] positions) {
        int tokens = positions.length / 2;
        int quarter = config.attentionHeadDim() / 4;
        double[] angles = new double[2 * quarter * tokens];
        for (int token = 0; token < tokens; token++) {
            for (int i = 0; i < quarter; i++) { // columns come first
                double frequency = Math.pow(ROPE_THETA, -(double) i / quarter);
                angles[2 * quarter * token + i] = positions[2 * token + 1] * frequency;
                angles[2 * quarter * token + quarter + i] = positions[2 * token] * frequency;
            }
        }
        try (Scope scope = Scope.open()) {
            return scope.keep(Ops.unitVectors(Tensors.of(angles, tokens, 2 * quarter)));
        }
    }

    /**
     * Predicts what the schedule's prediction_type says.
     *
     * @param step 0-based denoising step, told to the hook
     * @return [B, C, h, w]; predicted variances are left out
     */
    public Tensor forward(Input input, int step, SelfAttentionHook hook) {
        try (Scope scope = Scope.open()) {
            Tensor latents = input.latents();
            int rows = (int) latents.size(2) / config.patchSize();
            int columns = (int) latents.size(3) / config.patchSize();
            double timestep = hook == SelfAttentionHook.NONE ? 0 : Tensors.item(input.timesteps().select(0, 0));
            Tensor rotation = Tensors.onDeviceOf(input.rotation(), latents);
            Tensor time = Tensors.like(Ops.timestepEmbedding(input.timesteps(), TIMESTEP_WIDTH), latents);
            Tensor embedded = timestepLinear2.forward(Ops.silu(timestepLinear1.forward(time)));
            Tensor modulation = Ops.silu(embedded.add(input.condition().extra())); // [B, d]

            Tensor x = Ops.conv2d(latents, patchWeight, patchBias, config.patchSize(), 0).flatten(2, 3).transpose(1, 2); // [B, N, d]
            Deque<Tensor> skips = new ArrayDeque<>();
            for (int i = 0; i < blocks.size(); i++) {
                Site site = new Site(i, blocks.size(), step, timestep, rows, columns);
                Tensor skip = config.joinsSkip(i) ? skips.pop() : null;
                x = blocks.get(i).forward(x, skip, modulation, input.condition().tokens(), rotation, site, hook);
                if (config.givesSkip(i)) {
                    skips.push(x);
                }
            }
            Tensor[] scaleShift = Ops.chunk(normOut.forward(modulation).unsqueeze(1), 2, -1);
            Tensor out = projOut.forward(Ops.modulatedLayerNorm(x, scaleShift[1], scaleShift[0], EPSILON));
            return scope.keep(unpatched(out, rows, columns));
        }
    }

    /** [B, N, 2 * 2 * O] to [B, C, h, w]; channels vary fastest in a token, those beyond the C are variances. */
    private Tensor unpatched(Tensor out, int rows, int columns) {
        int patch = config.patchSize();
        long batch = out.size(0);
        return out.reshape(batch, rows, columns, patch, patch, out.size(2) / (patch * patch))
                .narrow(5, 0, config.inChannels()).permute(0, 5, 1, 3, 2, 4) // [B, C, rows, 2, columns, 2]
                .reshape(batch, config.inChannels(), (long) rows * patch, (long) columns * patch);
    }

    /** Two linear layers with SiLU between them ({@code PixArtAlphaTextProjection}). */
    private static final class Projection {
        private final Linear linear1;
        private final Linear linear2;

        Projection(Weights weights, int in, int inner, int out) {
            linear1 = weights.linear("linear_1", in, inner);
            linear2 = weights.linear("linear_2", inner, out);
        }

        Tensor forward(Tensor x) {
            return linear2.forward(Ops.silu(linear1.forward(x)));
        }
    }

    /** Attention of the mean token to all T5 tokens, padding included ({@code HunyuanDiTAttentionPool}). */
    private static final class AttentionPool {
        private final Tensor positionalEmbedding; // [1 + L, c]
        private final Linear qProj;
        private final Linear kProj;
        private final Linear vProj;
        private final Linear cProj;

        AttentionPool(Weights weights, HunyuanDit2DConfig config) {
            int width = config.crossAttentionDimT5();
            positionalEmbedding = weights.get("positional_embedding", config.textLenT5() + 1, width);
            kProj = weights.linear("k_proj", width, width);
            qProj = weights.linear("q_proj", width, width);
            vProj = weights.linear("v_proj", width, width);
            cProj = weights.linear("c_proj", width, config.pooledProjectionDim());
        }

        /** [B, L, c] to [B, p]. */
        Tensor forward(Tensor tokens) {
            Tensor x = Ops.cat(1, tokens.mean(new long[] {1}, true, new ScalarTypeOptional()), tokens)
                    .add(positionalEmbedding);
            Tensor q = Ops.splitHeads(qProj.forward(x.narrow(1, 0, 1)), POOLER_HEADS); // [B, H, 1, D]
            Tensor k = Ops.splitHeads(kProj.forward(x), POOLER_HEADS);
            Tensor v = Ops.splitHeads(vProj.forward(x), POOLER_HEADS);
            Tensor pooled = Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3)))); // [B, 1, c]
            return cProj.forward(pooled.select(1, 0));
        }
    }

    private static final class Norm {
        private final Tensor weight; // [n]
        private final Tensor bias; // [n]

        Norm(Weights weights, int width) {
            weight = weights.get("weight", width);
            bias = weights.get("bias", width);
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, EPSILON);
        }
    }

    private static final class Block {
        private final int heads;
        private final Norm skipNorm;
        private final Linear skipLinear;
        private final Norm norm1;
        private final Linear norm1Shift;
        private final Linear toQkv;
        private final Norm normQ;
        private final Norm normK;
        private final Linear toOut;
        private final Norm norm2;
        private final Linear crossToQ;
        private final Linear crossToKv;
        private final Norm crossNormQ;
        private final Norm crossNormK;
        private final Linear crossToOut;
        private final Norm norm3;
        private final Linear ffIn;
        private final Linear ffOut;

        Block(HunyuanDit2DConfig config, Weights weights, boolean joinsSkip) {
            int d = config.hiddenSize();
            int head = config.attentionHeadDim();
            heads = config.numAttentionHeads();
            skipNorm = joinsSkip ? new Norm(weights.at("skip_norm"), 2 * d) : null;
            skipLinear = joinsSkip ? weights.linear("skip_linear", 2 * d, d) : null;
            norm1 = new Norm(weights.at("norm1", "norm"), d);
            norm1Shift = weights.linear("norm1.linear", d, d);
            Weights self = weights.at("attn1");
            toQkv = self.linear(List.of("to_q", "to_k", "to_v"), d, d);
            normQ = new Norm(self.at("norm_q"), head);
            normK = new Norm(self.at("norm_k"), head);
            toOut = self.linear("to_out.0", d, d);
            norm2 = new Norm(weights.at("norm2"), d);
            Weights cross = weights.at("attn2");
            crossToQ = cross.linear("to_q", d, d);
            crossToKv = cross.linear(List.of("to_k", "to_v"), config.crossAttentionDim(), d);
            crossNormQ = new Norm(cross.at("norm_q"), head);
            crossNormK = new Norm(cross.at("norm_k"), head);
            crossToOut = cross.linear("to_out.0", d, d);
            norm3 = new Norm(weights.at("norm3"), d);
            ffIn = weights.linear("ff.net.0.proj", d, config.innerWidth());
            ffOut = weights.linear("ff.net.2", config.innerWidth(), d);
        }

        /** @param skip what an earlier block made [B, N, d]; null in the first half @return [B, N, d] */
        Tensor forward(Tensor in, Tensor skip, Tensor modulation, Tensor text, Tensor rotation, Site site,
                SelfAttentionHook hook) {
            try (Scope scope = Scope.open()) {
                Tensor x = skip == null ? in : skipLinear.forward(skipNorm.forward(Ops.cat(-1, in, skip)));
                Tensor input = norm1.forward(x).add(norm1Shift.forward(modulation).unsqueeze(1));
                x = x.add(selfAttention(input, rotation, site, hook));
                x = x.add(crossAttention(norm2.forward(x), text, rotation));
                return scope.keep(x.add(ffOut.forward(ffIn.forwardGelu(norm3.forward(x)))));
            }
        }

        private Tensor selfAttention(Tensor input, Tensor rotation, Site site, SelfAttentionHook hook) {
            Tensor[] qkv = Ops.chunk(toQkv.forward(hook.attentionInput(site, input)), 3, -1);
            Tensor q = Ops.rotate(normQ.forward(Ops.splitHeads(qkv[0], heads)), rotation); // [B, H, N, D]
            Tensor k = keys(qkv[1], rotation);
            Tensor v = Ops.splitHeads(qkv[2], heads);
            Appended appended = hook.appended(site, input);
            if (appended != null) {
                Tensor[] others = Ops.chunk(toQkv.forward(appended.tokens().expand(q.size(0), -1, -1)), 3, -1);
                k = Ops.cat(2, k, keys(others[1], Tensors.onDeviceOf(appended.rotation(), q)));
                v = Ops.cat(2, v, Ops.splitHeads(others[2], heads));
            }
            hook.attention(site, q, k);
            return toOut.forward(Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3)))));
        }

        private Tensor keys(Tensor x, Tensor rotation) {
            return Ops.rotate(normK.forward(Ops.splitHeads(x, heads)), rotation);
        }

        /** The image's queries are at their positions here too, the text's keys at none. */
        private Tensor crossAttention(Tensor x, Tensor text, Tensor rotation) {
            Tensor[] kv = Ops.chunk(crossToKv.forward(text), 2, -1);
            Tensor q = Ops.rotate(crossNormQ.forward(Ops.splitHeads(crossToQ.forward(x), heads)), rotation);
            Tensor k = crossNormK.forward(Ops.splitHeads(kv[0], heads)); // [B, H, L, D]
            Tensor v = Ops.splitHeads(kv[1], heads);
            return crossToOut.forward(Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3)))));
        }
    }
}
