package dev.likeness.inject;

import dev.likeness.reference.Placement;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** A reference and where its subject goes on the canvas. */
public record Placed(ReferenceBranch reference, Placement placement) {

    /** Latent tokens [1, N, C] with the subject's, as they are at that step, in the places where it goes. */
    Tensor putInto(Tensor latents, int step) {
        try (Scope scope = Scope.open()) {
            Tensor trajectory = reference.trajectory().at(step);
            Tensor subject = Ops.selectRows(trajectory, index(placement.source(), trajectory));
            return scope.keep(Ops.replaceRows(latents, index(placement.target(), latents), subject));
        }
    }

    /** Token numbers as a tensor [n] where another tensor is. */
    static Tensor index(long[] rows, Tensor like) {
        return Tensors.onDeviceOf(Tensors.of(rows, rows.length), like);
    }
}
