package dev.likeness.analysis;

import dev.likeness.model.SelfAttentionHook;
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
public final class AttentionMaps {

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
    private final double[][] sums; // by query, then row-major
    private int count;

    /** @param rows of the maps, {@code columns} likewise */
    public AttentionMaps(List<Query> queries, int rows, int columns) {
        this.queries = List.copyOf(queries);
        this.rows = rows;
        this.columns = columns;
        sums = new double[queries.size()][rows * columns];
    }

    /** Looks at every block of a FLUX transformer. */
    public AttentionHook inFlux() {
        return new AttentionHook() {
            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                record(q, k, site.textTokens(), rows, columns);
            }
        };
    }

    /** Looks at every self-attention layer of a U-Net. */
    public SelfAttentionHook inUNet() {
        return new SelfAttentionHook() {
            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                record(q, k, 0, site.rows(), site.columns());
            }
        };
    }

    /**
     * Takes one layer of one step in; of several rows in the batch the last, which is the prompt's under guidance.
     *
     * @param q queries [B, H, S, D]
     * @param k keys [B, H, K, D], the reference's tokens last
     * @param from number of the picture's first token among the queries
     * @param layerRows rows of this layer's grid, {@code layerColumns} likewise; one of both divides the other
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
            for (int i = 0; i < sums.length; i++) {
                for (int token = 0; token < tokens; token++) {
                    add(i, token / layerColumns, token % layerColumns, layerRows, layerColumns, toReference[i * tokens + token]);
                }
            }
            count++;
        }
    }

    /** A token's weight onto the map's tokens in its place: all of it to one, or, of a coarser layer, an equal share to each. */
    private void add(int query, int row, int column, int layerRows, int layerColumns, double weight) {
        int firstRow = row * rows / layerRows;
        int firstColumn = column * columns / layerColumns;
        int lastRow = Math.max(firstRow + 1, (row + 1) * rows / layerRows);
        int lastColumn = Math.max(firstColumn + 1, (column + 1) * columns / layerColumns);
        double share = weight / ((lastRow - firstRow) * (lastColumn - firstColumn));
        for (int r = firstRow; r < lastRow; r++) {
            for (int c = firstColumn; c < lastColumn; c++) {
                sums[query][r * columns + c] += share;
            }
        }
    }

    /** Weights by query, row-major over the map; a query's sum to what it gives the reference altogether. */
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
