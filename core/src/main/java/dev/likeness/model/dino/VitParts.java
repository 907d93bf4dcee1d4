package dev.likeness.model.dino;

import dev.likeness.model.Positions2d;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import org.bytedeco.pytorch.Tensor;

/** What DINO's and DINOv2's networks have in common, with the same names in their files. */
final class VitParts {

    private VitParts() {}

    /** @throws IllegalArgumentException when a configuration is none that these parts can be built with */
    static void require(int hiddenSize, int heads, int imageSize, int patchSize) {
        if (heads < 1 || hiddenSize % heads != 0) {
            throw new IllegalArgumentException("num_attention_heads must divide hidden_size");
        }
        if (patchSize < 1 || imageSize < patchSize) {
            throw new IllegalArgumentException("patch_size must be at least 1 and at most image_size");
        }
    }

    static final class Norm {
        private final Tensor weight; // [d]
        private final Tensor bias; // [d]
        private final double epsilon;

        Norm(Weights weights, int width, double epsilon) {
            weight = weights.get("weight", width);
            bias = weights.get("bias", width);
            this.epsilon = epsilon;
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, epsilon);
        }
    }

    static final class Linear {
        private final Tensor weight; // [out, in]
        private final Tensor bias; // [out], or null

        Linear(Weights weights, int in, int out, boolean hasBias) {
            weight = weights.get("weight", out, in);
            bias = hasBias ? weights.get("bias", out) : null;
        }

        Tensor forward(Tensor x) {
            return Ops.linear(x, weight, bias);
        }
    }

    /** Patches of a picture as tokens behind a class token, with positions. */
    static final class Embeddings {
        private final int patch;
        private final int grid;
        private final Tensor classToken; // [1, 1, d]
        private final Tensor positions; // [1, 1 + grid * grid, d]
        private final Tensor weight; // [d, C, p, p]
        private final Tensor bias; // [d]

        Embeddings(Weights weights, int width, int channels, int imageSize, int patch) {
            this.patch = patch;
            grid = imageSize / patch;
            classToken = weights.get("cls_token", 1, 1, width);
            positions = weights.get("position_embeddings", 1, 1L + grid * grid, width);
            weight = weights.get("patch_embeddings.projection.weight", width, channels, patch, patch);
            bias = weights.get("patch_embeddings.projection.bias", width);
        }

        /** Pixels [B, C, h, w] to [B, 1 + N, d]; rows and columns that fill no patch are left out. */
        Tensor forward(Tensor pixels) {
            Tensor patches = Ops.conv2d(Tensors.like(pixels, weight), weight, bias, patch, 0); // [B, d, rows, columns]
            Tensor tokens = patches.flatten(2, 3).transpose(1, 2); // [B, N, d]
            Tensor first = classToken.expand(tokens.size(0), 1, tokens.size(2));
            return Ops.cat(1, first, tokens).add(Positions2d.of(positions, grid, patches.size(2), patches.size(3)));
        }
    }

    /** Self-attention, {@code attention.attention} and {@code attention.output} in the files. */
    static final class Attention {
        private final int heads;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear output;

        Attention(Weights weights, int width, int heads, boolean qkvBias) {
            this.heads = heads;
            query = new Linear(weights.at("attention", "query"), width, width, qkvBias);
            key = new Linear(weights.at("attention", "key"), width, width, qkvBias);
            value = new Linear(weights.at("attention", "value"), width, width, qkvBias);
            output = new Linear(weights.at("output", "dense"), width, width, true);
        }

        Tensor forward(Tensor x) {
            Tensor q = Ops.splitHeads(query.forward(x), heads); // [B, H, S, D]
            Tensor k = Ops.splitHeads(key.forward(x), heads);
            Tensor v = Ops.splitHeads(value.forward(x), heads);
            return output.forward(Ops.joinHeads(Ops.attention(q, k, v, null, 1 / Math.sqrt(q.size(3)))));
        }
    }
}
