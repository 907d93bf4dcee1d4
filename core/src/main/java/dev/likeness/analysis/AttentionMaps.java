package dev.likeness.analysis;

import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Where in the reference chosen tokens of a picture under way look: their attention to each of the reference's tokens, softmax
 * over all keys, the mean over heads, layers and steps. Watches one picture being made.
 */
public final class AttentionMaps implements AttentionHook {

    /** A place in the picture, in fractions of its width and height, each in [0, 1). */
    public record Query(double x, double y) {

        /** Row-major number of the token there. */
        public int token(int rows, int columns) {
            return (int) (y * rows) * columns + (int) (x * columns);
        }
    }

    private final List<Query> queries;
    private final int rows;
    private final int columns;
    private final double[][] sums; // by query, then row-major over the finest grid
    private int count;

    /** @param rows of the finest grid on which the network attends, {@code columns} likewise */
    public AttentionMaps(List<Query> queries, int rows, int columns) {
        this.queries = List.copyOf(queries);
        this.rows = rows;
        this.columns = columns;
        sums = new double[queries.size()][rows * columns];
    }

    @Override
    public void attention(Site site, Tensor q, Tensor k) {
        record(q, k, site.textTokens(), rows, columns);
    }

    /**
     * Takes one layer of one step in; of several rows in the batch the last, which is the prompt's under guidance.
     *
     * @param q queries [B, H, S, D]
     * @param k keys [B, H, K, D], the reference's tokens last
     * @param from number of the picture's first token among the queries
     * @param layerRows rows of this layer's grid, which divide those of the finest, {@code layerColumns} likewise
     */
    public void record(Tensor q, Tensor k, long from, int layerRows, int layerColumns) {
        try (Scope scope = Scope.open()) {
            long row = q.size(0) - 1;
            int tokens = layerRows * layerColumns;
            long[] places = queries.stream().mapToLong(query -> from + query.token(layerRows, layerColumns)).toArray();
            Tensor index = Tensors.onDeviceOf(Tensors.of(places, places.length), q);
            Tensor chosen = Tensors.to(q.narrow(0, row, 1).index_select(2, index), DType.FLOAT32); // [1, H, Q, D]
            Tensor keys = Tensors.to(k.narrow(0, row, 1), DType.FLOAT32).transpose(-2, -1);
            Tensor weights = Ops.softmax(chosen.matmul(keys).mul(new Scalar(1 / Math.sqrt(q.size(3))))); // [1, H, Q, K]
            float[] toReference = Tensors.floats(weights.narrow(3, k.size(2) - tokens, tokens).mean(1)); // [1, Q, n]
            double share = (double) tokens / (rows * columns); // a coarse token's weight is spread over the fine ones in it
            for (int i = 0; i < sums.length; i++) {
                for (int at = 0; at < sums[i].length; at++) {
                    int coarse = at / columns * layerRows / rows * layerColumns + at % columns * layerColumns / columns;
                    sums[i][at] += share * toReference[i * tokens + coarse];
                }
            }
            count++;
        }
    }

    /** Weights by query, row-major over the finest grid; a query's sum to what it gives the reference altogether. */
    public double[][] maps() {
        double[][] means = new double[sums.length][];
        for (int i = 0; i < sums.length; i++) {
            means[i] = sums[i].clone();
            for (int at = 0; at < means[i].length; at++) {
                means[i][at] /= count;
            }
        }
        return means;
    }
}
