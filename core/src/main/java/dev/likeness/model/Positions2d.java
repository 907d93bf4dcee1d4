package dev.likeness.model;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** Learned positions of a vision transformer at other grids than its own ({@code interpolate_pos_encoding}). */
public final class Positions2d {

    private Positions2d() {}

    /**
     * @param positions [1, 1 + grid * grid, d], the class token's first
     * @param grid      patches along each side of the pictures that the positions were learned on
     * @return [1, 1 + rows * columns, d], bicubically interpolated in float32 unless the grid is the learned one
     */
    public static Tensor of(Tensor positions, long grid, long rows, long columns) {
        if (rows == grid && columns == grid) {
            return positions;
        }
        long d = positions.size(2);
        Tensor plane = positions.narrow(1, 1, grid * grid).reshape(1, grid, grid, d).permute(0, 3, 1, 2); // [1, d, grid, grid]
        Tensor fitted = Ops.upsampleBicubic(Tensors.to(plane, DType.FLOAT32), rows, columns); // [1, d, rows, columns]
        Tensor tokens = fitted.permute(0, 2, 3, 1).reshape(1, rows * columns, d);
        return Ops.cat(1, positions.narrow(1, 0, 1), Tensors.like(tokens, positions));
    }
}
