package dev.likeness.model.t5;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * T5's encoder, in the layout of transformers' {@code T5EncoderModel} (modeling_t5.py): norm before each part, no scaling
 * of attention scores, positions by a learned bias per relative distance that all blocks share.
 */
public final class T5EncoderModel {

    static final String SHARED = "shared.weight";
    static final String TIED = "encoder.embed_tokens.weight";

    /** The embedding stands in files under one of two names or under both. */
    public static final String[] IGNORED_KEYS = {SHARED, TIED};

    private final T5Config config;
    private final Tensor embedding; // [V, d]
    private final Tensor relativeBias; // [buckets, H]
    private final List<Block> blocks = new ArrayList<>();
    private final Tensor finalLayerNorm; // [d]

    public T5EncoderModel(T5Config config, Weights weights) {
        this.config = config;
        embedding = weights.get(weights.has(SHARED) ? SHARED : TIED, config.vocabSize(), config.dModel());
        Weights encoder = weights.at("encoder");
        relativeBias = encoder.get("block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                config.relativeAttentionNumBuckets(), config.numHeads());
        for (int i = 0; i < config.numLayers(); i++) {
            blocks.add(new Block(config, encoder.at("block", i)));
        }
        finalLayerNorm = encoder.get("final_layer_norm.weight", config.dModel());
    }

    /**
     * What it computes in: bfloat16 in place of float16, whose range the residual stream of T5 and mT5 leaves (transformers keeps
     * {@code wo} in float32 there and clamps, {@code _keep_in_fp32_modules}).
     */
    public static DType dtype(DType asked) {
        return asked == DType.FLOAT16 ? DType.BFLOAT16 : asked;
    }

    /**
     * @param ids [B, L]; padding is attended to like any token, as FLUX does
     * @return [B, L, d]
     */
    public Tensor forward(long[][] ids) {
        return forward(ids, null);
    }

    /**
     * @param mask added to the scores of keys: 0 for text, minus infinity for padding [B, 1, 1, L]; null for all attended to
     * @return [B, L, d], also where padding is
     */
    public Tensor forward(long[][] ids, Tensor mask) {
        try (Scope scope = Scope.open()) {
            int length = ids[0].length;
            Tensor x = Ops.embedding(embedding, Tensors.onDeviceOf(Tensors.of(ids), embedding));
            Tensor bias = positionBias(length);
            if (mask != null) {
                bias = bias.add(Tensors.like(mask, bias));
            }
            for (Block block : blocks) {
                x = block.forward(x, bias);
            }
            return scope.keep(Ops.rmsNorm(x, finalLayerNorm, config.layerNormEpsilon()));
        }
    }

    /** [1, H, L, L] */
    private Tensor positionBias(int length) {
        long[] buckets = new long[length * length];
        for (int query = 0; query < length; query++) {
            for (int key = 0; key < length; key++) {
                buckets[query * length + key] = bucket(key - query);
            }
        }
        Tensor index = Tensors.onDeviceOf(Tensors.of(buckets, length, length), relativeBias);
        return Ops.embedding(relativeBias, index).permute(2, 0, 1).unsqueeze(0);
    }

    /**
     * Bucket of a distance (key minus query): half of the buckets for each direction, of which half are exact and the rest
     * widen logarithmically up to the greatest distance.
     */
    int bucket(int distance) {
        int half = config.relativeAttentionNumBuckets() / 2;
        int exact = half / 2;
        int offset = distance > 0 ? half : 0;
        int far = Math.abs(distance);
        if (far < exact) {
            return offset + far;
        }
        // in float, as the public code computes it: the borders between buckets depend on the rounding
        float ratio = (float) Math.log((float) far / exact)
                / (float) Math.log((double) config.relativeAttentionMaxDistance() / exact) * (half - exact);
        return offset + Math.min(exact + (int) ratio, half - 1);
    }

    private static final class Block {
        private final int heads;
        private final double epsilon;
        private final Tensor attentionNorm; // [d]
        private final Tensor q; // [H * D, d]
        private final Tensor k; // [H * D, d]
        private final Tensor v; // [H * D, d]
        private final Tensor o; // [d, H * D]
        private final Tensor feedForwardNorm; // [d]
        private final Tensor wi; // [f, d]; the gated branch's activation when there is a gate
        private final Tensor gate; // [f, d] or null
        private final Tensor wo; // [d, f]

        Block(T5Config config, Weights weights) {
            int d = config.dModel();
            int inner = config.numHeads() * config.dKv();
            heads = config.numHeads();
            epsilon = config.layerNormEpsilon();
            Weights attention = weights.at("layer", 0, "SelfAttention");
            attentionNorm = weights.get("layer.0.layer_norm.weight", d);
            q = attention.get("q.weight", inner, d);
            k = attention.get("k.weight", inner, d);
            v = attention.get("v.weight", inner, d);
            o = attention.get("o.weight", d, inner);
            feedForwardNorm = weights.get("layer.1.layer_norm.weight", d);
            Weights dense = weights.at("layer", 1, "DenseReluDense");
            boolean gated = config.feedForwardProj().equals("gated-gelu");
            wi = dense.get(gated ? "wi_0.weight" : "wi.weight", config.dFf(), d);
            gate = gated ? dense.get("wi_1.weight", config.dFf(), d) : null;
            wo = dense.get("wo.weight", d, config.dFf());
        }

        Tensor forward(Tensor in, Tensor bias) {
            try (Scope scope = Scope.open()) {
                Tensor h = Ops.rmsNorm(in, attentionNorm, epsilon);
                Tensor attended = Ops.attention(heads(h, q), heads(h, k), heads(h, v), bias, 1); // [B, H, L, D]
                Tensor x = in.add(Ops.linear(Ops.joinHeads(attended), o, null));
                h = Ops.rmsNorm(x, feedForwardNorm, epsilon);
                Tensor inner = Ops.linear(h, wi, null);
                inner = gate == null ? inner.relu() : Ops.geluTanh(inner).mul(Ops.linear(h, gate, null));
                return scope.keep(x.add(Ops.linear(inner, wo, null)));
            }
        }

        private Tensor heads(Tensor x, Tensor weight) {
            return Ops.splitHeads(Ops.linear(x, weight, null), heads);
        }
    }
}
