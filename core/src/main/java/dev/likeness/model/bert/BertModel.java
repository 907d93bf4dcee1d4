package dev.likeness.model.bert;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Linear;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** BERT's encoder without its pooler, in the layout of transformers' {@code BertModel} (modeling_bert.py): norm after each part. */
public final class BertModel {

    /** Keys that files may carry without use. */
    public static final String[] IGNORED_KEYS = {"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"};

    private final Tensor wordEmbeddings; // [V, d]
    private final Tensor positionEmbeddings; // [P, d]
    private final Tensor tokenTypeEmbeddings; // [types, d]
    private final Norm embeddingsNorm;
    private final List<Layer> layers = new ArrayList<>();

    public BertModel(BertConfig config, Weights weights) {
        int d = config.hiddenSize();
        Weights embeddings = weights.at("embeddings");
        wordEmbeddings = embeddings.get("word_embeddings.weight", config.vocabSize(), d);
        positionEmbeddings = embeddings.get("position_embeddings.weight", config.maxPositionEmbeddings(), d);
        tokenTypeEmbeddings = embeddings.get("token_type_embeddings.weight", config.typeVocabSize(), d);
        embeddingsNorm = new Norm(embeddings.at("LayerNorm"), config);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new Layer(weights.at("encoder", "layer", i), config));
        }
    }

    /**
     * @param ids [B, L], L at most max_position_embeddings
     * @param mask added to the scores of keys: 0 for text, minus infinity for padding [B, 1, 1, L]
     * @return [B, L, d], also where padding is
     */
    public Tensor forward(long[][] ids, Tensor mask) {
        try (Scope scope = Scope.open()) {
            int length = ids[0].length;
            Tensor words = Ops.embedding(wordEmbeddings, Tensors.onDeviceOf(Tensors.of(ids), wordEmbeddings)); // [B, L, d]
            Tensor x = embeddingsNorm.forward(words.add(tokenTypeEmbeddings.select(0, 0)) // a single text: the first type
                    .add(positionEmbeddings.narrow(0, 0, length)));
            Tensor bias = Tensors.like(mask, x);
            for (Layer layer : layers) {
                x = layer.forward(x, bias);
            }
            return scope.keep(x);
        }
    }

    private static final class Norm {
        private final Tensor weight; // [d]
        private final Tensor bias; // [d]
        private final double epsilon;

        Norm(Weights weights, BertConfig config) {
            weight = weights.get("weight", config.hiddenSize());
            bias = weights.get("bias", config.hiddenSize());
            epsilon = config.layerNormEps();
        }

        Tensor forward(Tensor x) {
            return Ops.layerNorm(x, weight, bias, epsilon);
        }
    }

    private static final class Layer {
        private final int heads;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear attentionOutput;
        private final Norm attentionNorm;
        private final Linear intermediate;
        private final Linear output;
        private final Norm outputNorm;

        Layer(Weights weights, BertConfig config) {
            int d = config.hiddenSize();
            heads = config.numAttentionHeads();
            Weights self = weights.at("attention", "self");
            query = self.linear("query", d, d);
            key = self.linear("key", d, d);
            value = self.linear("value", d, d);
            attentionOutput = weights.linear("attention.output.dense", d, d);
            attentionNorm = new Norm(weights.at("attention", "output", "LayerNorm"), config);
            intermediate = weights.linear("intermediate.dense", d, config.intermediateSize());
            output = weights.linear("output.dense", config.intermediateSize(), d);
            outputNorm = new Norm(weights.at("output", "LayerNorm"), config);
        }

        Tensor forward(Tensor in, Tensor bias) {
            try (Scope scope = Scope.open()) {
                Tensor q = Ops.splitHeads(query.forward(in), heads); // [B, H, L, D]
                Tensor k = Ops.splitHeads(key.forward(in), heads);
                Tensor v = Ops.splitHeads(value.forward(in), heads);
                Tensor attended = Ops.joinHeads(Ops.attention(q, k, v, bias, 1 / Math.sqrt(q.size(3))));
                Tensor x = attentionNorm.forward(in.add(attentionOutput.forward(attended)));
                return scope.keep(outputNorm.forward(x.add(output.forward(Ops.gelu(intermediate.forward(x))))));
            }
        }
    }
}
