package dev.likeness.inject;

import dev.likeness.reference.Placement;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A reference and where its subject goes on the canvas. */
public record Placed(ReferenceBranch reference, Placement placement) {

    /** Latent tokens [1, N, 4 C] with the subject's, as they are at that step, in the places where it goes. */
    Tensor putInto(Tensor latents, int step) {
        try (Scope scope = Scope.open()) {
            return scope.keep(put(placement, reference.trajectory().at(step), latents));
        }
    }

    /**
     * Latent tokens [1, N, 4 C] with some of another picture's in the places where they go, owned by the open scope. Tokens at a
     * subject's rim belong to it with some of their 2 x 2 latent cells only: the others stay as they are.
     */
    static Tensor put(Placement placement, Tensor from, Tensor latents) {
        Tensor subject = Ops.selectRows(from, index(placement.source(), from));
        Tensor target = index(placement.target(), latents);
        Tensor before = Ops.selectRows(latents, target);
        return Ops.replaceRows(latents, target, before.lerp(subject, cells(placement, latents.size(2), latents)));
    }

    /** What each reference has at that step for the places where it goes: by block, each [1, n, d], owned by the open scope. */
    static List<Map<Integer, Tensor>> tokens(List<Placed> references, int step, double sigma, ReplaceAt level) {
        return references.stream()
                .map(placed -> placed.reference.tokens(step, sigma, placed.placement.source(), level)).toList();
    }

    /** 1 for each number of a packed token [c, 2, 2] that lies in a cell of the subject, 0 for the others: [1, n, 4 C]. */
    private static Tensor cells(Placement placement, long width, Tensor like) {
        byte[] cells = placement.cells();
        float[] mask = new float[Math.toIntExact(cells.length * width)];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = cells[(int) (i / width)] >> i % 4 & 1;
        }
        return Tensors.onDeviceOf(Tensors.of(mask, 1, cells.length, width), like);
    }

    /** Token numbers as a tensor [n] where another tensor is. */
    static Tensor index(long[] rows, Tensor like) {
        return Tensors.onDeviceOf(Tensors.of(rows, rows.length), like);
    }
}
