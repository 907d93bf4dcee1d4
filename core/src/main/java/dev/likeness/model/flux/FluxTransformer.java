package dev.likeness.model.flux;

import dev.likeness.model.flux.AttentionHook.Site;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Linear;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The FLUX.1 transformer, in the layout of diffusers' {@code FluxTransformer2DModel} (models/transformers/
 * transformer_flux.py): double-stream blocks, where image and text have weights of their own and meet in attention,
 * then single-stream blocks over the joint sequence [text; image].
 */
public final class FluxTransformer {

    private static final double EPSILON = 1e-6;
    private static final int TIMESTEP_WIDTH = 256;
    private static final double ROPE_THETA = 10000;

    private final FluxConfig config;
    private final Linear xEmbedder;
    private final Linear contextEmbedder;
    private final Embedder timestepEmbedder;
    private final Embedder guidanceEmbedder;
    private final Embedder textEmbedder;
    private final List<DoubleStreamBlock> doubleBlocks = new ArrayList<>();
    private final List<SingleStreamBlock> singleBlocks = new ArrayList<>();
    private final Linear normOut;
    private final Linear projOut;

    public FluxTransformer(FluxConfig config, Weights weights) {
        this.config = config;
        int d = config.width();
        xEmbedder = weights.linear("x_embedder", config.inChannels(), d);
        contextEmbedder = weights.linear("context_embedder", config.jointAttentionDim(), d);
        Weights conditioning = weights.at("time_text_embed");
        timestepEmbedder = new Embedder(conditioning.at("timestep_embedder"), TIMESTEP_WIDTH, d);
        guidanceEmbedder = config.guidanceEmbeds()
                ? new Embedder(conditioning.at("guidance_embedder"), TIMESTEP_WIDTH, d)
                : null;
        textEmbedder = new Embedder(conditioning.at("text_embedder"), config.pooledProjectionDim(), d);
        for (int i = 0; i < config.numLayers(); i++) {
            doubleBlocks.add(new DoubleStreamBlock(config, weights.at("transformer_blocks", i)));
        }
        for (int i = 0; i < config.numSingleLayers(); i++) {
            singleBlocks.add(new SingleStreamBlock(config, weights.at("single_transformer_blocks", i)));
        }
        normOut = weights.linear("norm_out.linear", d, 2 * d);
        projOut = weights.linear("proj_out", d, config.outChannels());
    }

    /**
     * One batch of network input.
     *
     * @param imageTokens packed latents [B, N, in_channels]
     * @param textTokens [B, L, joint_attention_dim]
     * @param pooledText [B, pooled_projection_dim]
     * @param sigmas noise levels [B] in [0, 1], float32
     * @param guidance distilled guidance scales [B], float32; null exactly when the model has no guidance embedding
     * @param rotation rotary unit vectors [L + N, D/2] from {@link #rotation}
     */
    public record Input(Tensor imageTokens, Tensor textTokens, Tensor pooledText, Tensor sigmas, Tensor guidance,
            Tensor rotation) {}

    public FluxConfig config() {
        return config;
    }

    /**
     * Rotary unit vectors of text tokens, which all stand at (0, 0, 0), followed by an image grid at (0, row, column).
     *
     * @return complex64 [L + rows * columns, D/2], on the CPU
     */
    public Tensor rotation(int textTokens, int rows, int columns) {
        double[] ids = new double[(textTokens + rows * columns) * 3];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int at = (textTokens + row * columns + column) * 3;
                ids[at + 1] = row;
                ids[at + 2] = column;
            }
        }
        return rotation(ids);
    }

    /** Rotary unit vectors complex64 [S, D/2], on the CPU, for positions (axis 0, axis 1, axis 2) per token, row-major [S, 3]. */
    public Tensor rotation(double[] ids) {
        int tokens = ids.length / 3;
        int half = config.attentionHeadDim() / 2;
        double[] angles = new double[tokens * half];
        for (int token = 0; token < tokens; token++) {
            int at = token * half;
            for (int axis = 0; axis < 3; axis++) {
                int width = config.axesDimsRope().get(axis);
                for (int i = 0; i < width / 2; i++) {
                    angles[at++] = ids[token * 3 + axis] / Math.pow(ROPE_THETA, 2.0 * i / width);
                }
            }
        }
        try (Scope scope = Scope.open()) {
            return scope.keep(Ops.unitVectors(Tensors.of(angles, tokens, half)));
        }
    }

    /**
     * Shifts, scales and gates of every block: all that depends on noise level, guidance and pooled text alone.
     *
     * @param layers [n, k d] each; by double-stream block that of the image and that of the text, by single-stream block, and
     *     that of the last norm
     */
    public record Modulation(List<Tensor> layers) {

        /** That of some of the n rows. */
        public Modulation rows(long from, long count) {
            return new Modulation(layers.stream().map(layer -> layer.narrow(0, from, count)).toList());
        }

        /** Cuts a layer's into its parts, each [B, 1, d]. */
        private Tensor[] parts(int layer, int count) {
            return Ops.chunk(layers.get(layer).unsqueeze(1), count, -1);
        }
    }

    /**
     * One row of modulation for each row of pooled text and noise level, owned by the open scope.
     *
     * @param pooledText [n, pooled_projection_dim]
     * @param sigmas [n], float32
     * @param guidance [n], float32; null exactly when the model has no guidance embedding
     */
    public Modulation modulation(Tensor pooledText, Tensor sigmas, Tensor guidance) {
        try (Scope scope = Scope.open()) {
            Tensor condition = condition(pooledText, sigmas, guidance); // [n, d]
            List<Tensor> layers = new ArrayList<>();
            for (DoubleStreamBlock block : doubleBlocks) {
                layers.add(scope.keep(block.norm1.forward(condition)));
                layers.add(scope.keep(block.norm1Context.forward(condition)));
            }
            for (SingleStreamBlock block : singleBlocks) {
                layers.add(scope.keep(block.norm.forward(condition)));
            }
            layers.add(scope.keep(normOut.forward(condition)));
            return new Modulation(layers);
        }
    }

    /**
     * Predicts the velocity noise - x0 of every image token.
     *
     * @param step 0-based denoising step, told to the hook
     * @return [B, N, out_channels]
     */
    public Tensor forward(Input input, int step, AttentionHook hook) {
        try (Scope scope = Scope.open()) {
            Modulation modulation = modulation(input.pooledText(), input.sigmas(), input.guidance());
            return scope.keep(forward(input, modulation, step, hook));
        }
    }

    /** The same where the {@linkplain #modulation modulation} of the input is known already. */
    public Tensor forward(Input input, Modulation modulation, int step, AttentionHook hook) {
        return forward(input, modulation, step, hook, true);
    }

    /**
     * A pass for the sake of a hook that takes down what enters the blocks, {@link AttentionHook#hiddenStates},
     * {@link AttentionHook#attentionInput} and {@link AttentionHook#appended}: of the last single-stream block nothing else is
     * computed, and no velocity.
     */
    public void record(Input input, Modulation modulation, int step, AttentionHook hook) {
        try (Scope scope = Scope.open()) {
            forward(input, modulation, step, hook, false);
        }
    }

    private Tensor forward(Input input, Modulation modulation, int step, AttentionHook hook, boolean whole) {
        try (Scope scope = Scope.open()) {
            double sigma = hook == AttentionHook.NONE ? 0 : Tensors.item(input.sigmas().select(0, 0));
            long textLength = input.textTokens().size(1);
            long imageLength = input.imageTokens().size(1);
            Tensor image = xEmbedder.forward(input.imageTokens()); // [B, N, d]
            Tensor text = contextEmbedder.forward(input.textTokens()); // [B, L, d]
            int block = 0;
            int layer = 0;
            for (DoubleStreamBlock doubleBlock : doubleBlocks) {
                Site site = new Site(block++, step, sigma, textLength, imageLength);
                Tensor[] ofImage = modulation.parts(layer++, 6); // shift, scale, gate of attention, then of the MLP
                Tensor[] ofText = modulation.parts(layer++, 6);
                Tensor[] streams = doubleBlock.forward(image, text, ofImage, ofText, input.rotation(), site, hook);
                image = streams[0];
                text = streams[1];
            }
            Tensor joint = Ops.cat(1, text, image); // [B, L + N, d]
            for (SingleStreamBlock singleBlock : singleBlocks) {
                Site site = new Site(block++, step, sigma, textLength, imageLength);
                Tensor[] parts = modulation.parts(layer++, 3); // shift, scale, gate
                if (!whole && singleBlock == singleBlocks.get(singleBlocks.size() - 1)) {
                    singleBlock.record(joint, parts, site, hook);
                    return null;
                }
                joint = singleBlock.forward(joint, parts, input.rotation(), site, hook);
            }
            image = joint.narrow(1, textLength, imageLength);
            Tensor[] scaleShift = modulation.parts(layer, 2);
            return scope.keep(projOut.forward(Ops.modulatedLayerNorm(image, scaleShift[1], scaleShift[0], EPSILON)));
        }
    }

    /** silu of the sum of timestep, guidance and pooled-text embeddings, [n, d]: the input of every modulation. */
    private Tensor condition(Tensor pooledText, Tensor sigmas, Tensor guidance) {
        Tensor sum = timestepEmbedder.forward(sinusoid(sigmas, pooledText));
        if (guidanceEmbedder != null) {
            if (guidance == null) {
                throw new IllegalArgumentException("this model has a guidance embedding: give guidance");
            }
            sum = sum.add(guidanceEmbedder.forward(sinusoid(guidance, pooledText)));
        }
        return Ops.silu(sum.add(textEmbedder.forward(pooledText)));
    }

    private static Tensor sinusoid(Tensor values, Tensor like) {
        Tensor thousandths = values.mul(new Scalar(1000.0));
        return Tensors.like(Ops.timestepEmbedding(thousandths, TIMESTEP_WIDTH), like);
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

    /** Two linear layers with GELU (tanh) between them, four times wider inside. */
    private static final class FeedForward {
        private final Linear in;
        private final Linear out;

        FeedForward(Weights weights, int width) {
            in = weights.linear("net.0.proj", width, 4 * width);
            out = weights.linear("net.2", 4 * width, width);
        }

        Tensor forward(Tensor x) {
            return out.forward(in.forwardGelu(x));
        }
    }

    /** Queries and keys, normalised, as [B, S, 2, H, D]; values [B, S, H, D]. */
    private record Heads(Tensor qk, Tensor v) {

        /** This sequence followed by another one. */
        Heads followedBy(Heads next) {
            return new Heads(Ops.cat(1, qk, next.qk), Ops.cat(1, v, next.v));
        }
    }

    /** Projections of one stream with RMS-normalised queries and keys. */
    private static final class Projections {
        private final int heads;
        private final Linear toQkv;
        private final Tensor normQ; // [D]
        private final Tensor normK; // [D]

        Projections(FluxConfig config, Weights weights, List<String> qkv, String normQ, String normK) {
            int d = config.width();
            heads = config.numAttentionHeads();
            toQkv = weights.linear(qkv, d, d);
            this.normQ = weights.get(normQ + ".weight", config.attentionHeadDim());
            this.normK = weights.get(normK + ".weight", config.attentionHeadDim());
        }

        Heads forward(Tensor x) {
            Tensor qkv = toQkv.forward(x);
            qkv = qkv.view(x.size(0), x.size(1), 3, heads, qkv.size(2) / (3 * heads));
            Tensor norms = Ops.stack(0, normQ, normK).unsqueeze(1); // [2, 1, D]
            return new Heads(Ops.rmsNorm(qkv.narrow(2, 0, 2), norms, EPSILON), qkv.select(2, 2));
        }
    }

    /**
     * Joint attention [B, S, d] of a sequence whose positions are {@code rotation}, to itself and to what a hook appends.
     *
     * @param appended null for nothing; {@code projections} make its keys and values
     */
    private static Tensor attend(Heads heads, Tensor rotation, AttentionHook.Appended appended, Projections projections,
            Site site, AttentionHook hook) {
        Tensor qk = rotated(heads, rotation);
        Tensor q = qk.select(1, 0);
        Tensor k = qk.select(1, 1);
        Tensor v = heads.v.transpose(1, 2);
        if (appended != null) {
            Heads others = projections.forward(appended.tokens().expand(q.size(0), -1, -1));
            k = Ops.cat(2, k, rotated(others, Tensors.onDeviceOf(appended.rotation(), q)).select(1, 1));
            v = Ops.cat(2, v, others.v.transpose(1, 2));
        }
        hook.attention(site, q, k);
        return Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3))));
    }

    /** Queries and keys at their positions, [B, 2, H, S, D]. */
    private static Tensor rotated(Heads heads, Tensor rotation) {
        return Ops.rotate(heads.qk.permute(0, 2, 3, 1, 4), rotation);
    }

    private static final class DoubleStreamBlock {
        private final Linear norm1;
        private final Linear norm1Context;
        private final Projections image;
        private final Projections context;
        private final Linear toOut;
        private final Linear toAddOut;
        private final FeedForward ff;
        private final FeedForward ffContext;

        DoubleStreamBlock(FluxConfig config, Weights weights) {
            int d = config.width();
            norm1 = weights.linear("norm1.linear", d, 6 * d);
            norm1Context = weights.linear("norm1_context.linear", d, 6 * d);
            Weights attn = weights.at("attn");
            image = new Projections(config, attn, List.of("to_q", "to_k", "to_v"), "norm_q", "norm_k");
            context = new Projections(config, attn, List.of("add_q_proj", "add_k_proj", "add_v_proj"), "norm_added_q",
                    "norm_added_k");
            toOut = attn.linear("to_out.0", d, d);
            toAddOut = attn.linear("to_add_out", d, d);
            ff = new FeedForward(weights.at("ff"), d);
            ffContext = new FeedForward(weights.at("ff_context"), d);
        }

        /** @return image [B, N, d] and text [B, L, d] */
        Tensor[] forward(Tensor imageIn, Tensor textIn, Tensor[] mi, Tensor[] mt, Tensor rotation, Site site,
                AttentionHook hook) {
            try (Scope scope = Scope.open()) {
                Tensor x = hook.hiddenStates(site, imageIn);
                Tensor c = textIn;

                Tensor imageInput = Ops.modulatedLayerNorm(x, mi[0], mi[1], EPSILON);
                Tensor textInput = Ops.modulatedLayerNorm(c, mt[0], mt[1], EPSILON);
                Heads joint = context.forward(textInput).followedBy(image.forward(hook.attentionInput(site, imageInput)));
                Tensor attended =
                        attend(joint, rotation, hook.appended(site, imageInput), image, site, hook); // [B, L + N, d]
                x = Ops.gated(x, mi[2], toOut.forward(attended.narrow(1, site.textTokens(), site.imageTokens())));
                c = Ops.gated(c, mt[2], toAddOut.forward(attended.narrow(1, 0, site.textTokens())));

                x = Ops.gated(x, mi[5], ff.forward(Ops.modulatedLayerNorm(x, mi[3], mi[4], EPSILON)));
                c = Ops.gated(c, mt[5],
                        ffContext.forward(Ops.modulatedLayerNorm(c, mt[3], mt[4], EPSILON)));
                return new Tensor[] {scope.keep(x), scope.keep(c)};
            }
        }
    }

    private static final class SingleStreamBlock {
        private final Linear norm;
        private final Projections attn;
        private final Linear projMlp;
        private final Linear projOut;

        SingleStreamBlock(FluxConfig config, Weights weights) {
            int d = config.width();
            norm = weights.linear("norm.linear", d, 3 * d);
            attn = new Projections(config, weights.at("attn"), List.of("to_q", "to_k", "to_v"), "norm_q", "norm_k");
            projMlp = weights.linear("proj_mlp", d, 4 * d);
            projOut = weights.linear("proj_out", 5 * d, d);
        }

        /** @return [B, L + N, d] */
        Tensor forward(Tensor jointIn, Tensor[] m, Tensor rotation, Site site, AttentionHook hook) {
            try (Scope scope = Scope.open()) {
                Tensor x = editImage(jointIn, site, hook::hiddenStates, hook);
                Tensor input = Ops.modulatedLayerNorm(x, m[0], m[1], EPSILON);
                Tensor mlp = projMlp.forwardGelu(input);
                Heads joint = attn.forward(editImage(input, site, hook::attentionInput, hook));
                Tensor imageInput = input.narrow(1, site.textTokens(), site.imageTokens());
                Tensor attended = attend(joint, rotation, hook.appended(site, imageInput), attn, site, hook);
                return scope.keep(Ops.gated(x, m[2], projOut.forward(Ops.cat(-1, attended, mlp))));
            }
        }

        /** Asks a hook about what enters, and computes no more than it is shown. */
        void record(Tensor jointIn, Tensor[] m, Site site, AttentionHook hook) {
            try (Scope scope = Scope.open()) {
                Tensor image = jointIn.narrow(1, site.textTokens(), site.imageTokens());
                Tensor input = Ops.modulatedLayerNorm(hook.hiddenStates(site, image), m[0], m[1], EPSILON);
                hook.attentionInput(site, input);
                hook.appended(site, input);
            }
        }

        private interface Edit {
            Tensor apply(Site site, Tensor imageTokens);
        }

        /** Lets a hook edit the image part of a joint sequence; no copy is made when it changes nothing. */
        private static Tensor editImage(Tensor joint, Site site, Edit edit, AttentionHook hook) {
            if (hook == AttentionHook.NONE) {
                return joint;
            }
            Tensor image = joint.narrow(1, site.textTokens(), site.imageTokens());
            Tensor edited = edit.apply(site, image);
            return edited == image ? joint : Ops.cat(1, joint.narrow(1, 0, site.textTokens()), edited);
        }
    }
}
