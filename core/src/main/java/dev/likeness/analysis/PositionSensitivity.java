package dev.likeness.analysis;

import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * How much attention the tokens of a picture under way pay to the reference token at their own position, while they share
 * attention with all of a reference (paper, supplement, section 6). Watches one picture being made; every block is reduced
 * to a few numbers as it comes by, queries in chunks, and no map is kept. Choices and their reasons: docs/analysis.md.
 */
public final class PositionSensitivity implements AttentionHook {

    /** Attention weights held at a time: 16 MiB in float32. */
    private static final long MAX_WEIGHTS = 4L << 20;

    /**
     * One layer in one step; means over heads and over the picture's tokens.
     *
     * @param samePosition weight on the reference token at the query's own position, of all keys
     * @param amongReference the same where the softmax runs over the reference's tokens alone
     * @param reference weight on all of the reference's tokens together, of all keys
     * @param own weight on the picture's own token at that position, which is the query's, of all keys
     * @param keys number of all keys
     * @param tokens number of the reference's tokens, which is that of the picture's
     */
    public record Scores(double samePosition, double amongReference, double reference, double own, long keys, long tokens) {}

    /** What is read off {@link Scores}; averaged over layers and steps only after that. */
    public enum Measure {
        SAME_POSITION("same_position", Scores::samePosition),
        AMONG_REFERENCE("same_position_among_reference", Scores::amongReference),
        /** The score in units of 1 / keys, what a token gets that attends to all alike. */
        RELATIVE("same_position_relative_to_uniform", scores -> scores.samePosition * scores.keys),
        AMONG_REFERENCE_RELATIVE("same_position_among_reference_relative_to_uniform",
                scores -> scores.amongReference * scores.tokens),
        REFERENCE("reference_share", Scores::reference),
        OWN("own_token", Scores::own);

        private final String title;
        private final ToDoubleFunction<Scores> value;

        Measure(String title, ToDoubleFunction<Scores> value) {
            this.title = title;
            this.value = value;
        }

        /** Its name in JSON. */
        public String title() {
            return title;
        }

        public double of(Scores scores) {
            return value.applyAsDouble(scores);
        }
    }

    private final Map<Integer, Map<Integer, Scores>> byLayer = new TreeMap<>(); // then by step

    @Override
    public void attention(Site site, Tensor q, Tensor k) {
        record(site.block(), site.step(), q, k, site.textTokens(), site.imageTokens());
    }

    /**
     * Reduces one layer of one step. Of several rows in the batch the last counts, which is the prompt's under guidance.
     *
     * @param q queries [B, H, S, D]
     * @param k keys [B, H, K, D], the reference's tokens last
     * @param from number of the picture's first token among queries and keys
     * @param tokens number n of the picture's tokens, and of the reference's
     */
    public void record(int layer, int step, Tensor q, Tensor k, long from, long tokens) {
        byLayer.computeIfAbsent(layer, number -> new TreeMap<>()).put(step, scores(q, k, from, tokens));
    }

    /** Layers in their order, each with its steps. */
    public List<List<Scores>> byLayer() {
        return byLayer.values().stream().map(steps -> List.copyOf(steps.values())).toList();
    }

    static Scores scores(Tensor q, Tensor k, long from, long tokens) {
        try (Scope scope = Scope.open()) {
            long row = q.size(0) - 1;
            long heads = q.size(1);
            long keys = k.size(2);
            long reference = keys - tokens;
            Tensor queries = Tensors.to(q.narrow(0, row, 1).narrow(2, from, tokens), DType.FLOAT32);
            Tensor transposed = Tensors.to(k.narrow(0, row, 1), DType.FLOAT32).transpose(-2, -1)
                    .mul(new Scalar(1 / Math.sqrt(q.size(3)))); // [1, H, D, K]
            long chunk = Math.max(1, MAX_WEIGHTS / (heads * keys));
            double[] sums = new double[4];
            for (long at = 0; at < tokens; at += chunk) {
                try (Scope each = Scope.open()) {
                    long count = Math.min(chunk, tokens - at);
                    Tensor logits = queries.narrow(2, at, count).matmul(transposed); // [1, H, count, K]
                    Tensor ofAll = Ops.softmax(logits);
                    Tensor ofReference = Ops.softmax(logits.narrow(3, reference, tokens));
                    sums[0] += diagonal(ofAll.narrow(3, reference + at, count));
                    sums[1] += diagonal(ofReference.narrow(3, at, count));
                    sums[2] += Tensors.item(ofAll.narrow(3, reference, tokens).sum());
                    sums[3] += diagonal(ofAll.narrow(3, from + at, count));
                }
            }
            double all = (double) heads * tokens;
            return new Scores(sums[0] / all, sums[1] / all, sums[2] / all, sums[3] / all, keys, tokens);
        }
    }

    /** Sum over the diagonals of the last two axes. */
    private static double diagonal(Tensor weights) {
        return Tensors.item(weights.diagonal(0, -2, -1).sum());
    }

    /** Mean over layers and steps, each pair of them counting once. */
    public static double mean(List<List<Scores>> byLayer, Measure measure) {
        return byLayer.stream().flatMap(List::stream).mapToDouble(measure::of).average().orElseThrow();
    }

    /** Means over pictures by layer, then step. @param pictures at least one, each with the same layers and steps */
    public static double[][] table(List<List<List<Scores>>> pictures, Measure measure) {
        List<List<Scores>> first = pictures.get(0);
        double[][] table = new double[first.size()][];
        for (int layer = 0; layer < table.length; layer++) {
            table[layer] = new double[first.get(layer).size()];
            for (int step = 0; step < table[layer].length; step++) {
                List<Scores> cells = new ArrayList<>();
                for (List<List<Scores>> picture : pictures) {
                    cells.add(picture.get(layer).get(step));
                }
                table[layer][step] = cells.stream().mapToDouble(measure::of).average().orElseThrow();
            }
        }
        return table;
    }
}
