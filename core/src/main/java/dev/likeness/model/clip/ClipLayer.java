package dev.likeness.model.clip;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import org.bytedeco.pytorch.Tensor;

/** The layer that both towers of CLIP are made of ({@code CLIPEncoderLayer}). */
final class ClipLayer {

    /** @param activation {@code quick_gelu} or {@code gelu} */
    record Shape(int hiddenSize, int intermediateSize, int heads, String activation, double epsilon) {}

    /** @throws IllegalArgumentException when a configuration is none that layers can be built with */
    static void require(int hiddenSize, int heads, String activation) {
        if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
            throw new IllegalArgumentException("hidden_act must be quick_gelu or gelu, it is " + activation);
        }
        if (heads < 1 || hiddenSize % heads != 0) {
            throw new IllegalArgumentException("num_attention_heads must divide hidden_size");
        }
    }

    static final class Norm {
        private final Tensor weight; // [d]
        private final Tensor bias; // [d]
        private final double epsilon;

        Norm(Shape shape, Weights weights) {
            weight = weights.get("weight", shape.hiddenSize);
            bias = weights.get("bias", shape.hiddenSize);
            epsilon = shape.epsilon;
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, epsilon);
        }
    }

    private static final class Linear {
        private final Tensor weight; // [out, in]
        private final Tensor bias; // [out]

        Linear(Weights weights, int in, int out) {
            weight = weights.get("weight", out, in);
            bias = weights.get("bias", out);
        }

        Tensor forward(Tensor x) {
            return Ops.linear(x, weight, bias);
        }
    }

    private final int heads;
    private final boolean quickGelu;
    private final Norm layerNorm1;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear outProj;
    private final Norm layerNorm2;
    private final Linear fc1;
    private final Linear fc2;

    ClipLayer(Shape shape, Weights weights) {
        int d = shape.hiddenSize;
        heads = shape.heads;
        quickGelu = shape.activation.equals("quick_gelu");
        layerNorm1 = new Norm(shape, weights.at("layer_norm1"));
        Weights attention = weights.at("self_attn");
        qProj = new Linear(attention.at("q_proj"), d, d);
        kProj = new Linear(attention.at("k_proj"), d, d);
        vProj = new Linear(attention.at("v_proj"), d, d);
        outProj = new Linear(attention.at("out_proj"), d, d);
        layerNorm2 = new Norm(shape, weights.at("layer_norm2"));
        fc1 = new Linear(weights.at("mlp", "fc1"), d, shape.intermediateSize);
        fc2 = new Linear(weights.at("mlp", "fc2"), shape.intermediateSize, d);
    }

    /** @param bias added to the scores, broadcasts to [B, H, S, S]; null for none */
    Tensor forward(Tensor in, Tensor bias) {
        try (Scope scope = Scope.open()) {
            Tensor h = layerNorm1.forward(in);
            Tensor q = Ops.splitHeads(qProj.forward(h), heads); // [B, H, S, D]
            Tensor k = Ops.splitHeads(kProj.forward(h), heads);
            Tensor v = Ops.splitHeads(vProj.forward(h), heads);
            Tensor attended = Ops.joinHeads(Ops.attention(q, k, v, bias, 1 / Math.sqrt(q.size(3))));
            Tensor x = in.add(outProj.forward(attended));
            Tensor inner = fc1.forward(layerNorm2.forward(x));
            return scope.keep(x.add(fc2.forward(quickGelu ? Ops.quickGelu(inner) : Ops.gelu(inner))));
        }
    }
}
