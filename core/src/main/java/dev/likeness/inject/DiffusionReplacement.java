package dev.likeness.inject;

import dev.likeness.denoise.DiffusionInjection;
import dev.likeness.denoise.NoisePredictor;
import dev.likeness.inversion.Trajectory;
import dev.likeness.latents.Packing;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.hunyuan.HunyuanDit2DModel;
import dev.likeness.reference.Placement;
import dev.likeness.schedule.Diffusion.Step;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Timestep-adaptive token replacement, and multi-modal attention in the late steps (paper section 3.2), in a diffusion
 * transformer that was trained to tell noise from latents: {@link TokenReplacement} for networks whose image tokens attend to
 * themselves, all layers on one grid. Rotary positions are given to queries and keys after the edit, so the target's own
 * apply.
 */
public final class DiffusionReplacement implements DiffusionInjection {

    private final List<Reference> references;
    private final ReplaceAt level;
    private final boolean referenceNoise;
    private final int replacedSteps;
    private final Tensor joined; // [n of all references, D/2] or null
    private final List<Step> steps;
    private int evaluations;

    /**
     * A reference and where its subject goes.
     *
     * @param predictor of one row, its caption
     * @param trajectory its latents [1, C, h, w], float32, before each step and after the last one
     */
    public record Reference(NoisePredictor predictor, Trajectory trajectory, Placement placement) {}

    /**
     * @param level {@link ReplaceAt#ATTENTION} or {@link ReplaceAt#LATENT}
     * @param referenceNoise whether the target regions start from their references' noise
     * @param replacedSteps number of leading steps that replace, those with t > tau
     * @param joined {@link #rotation} of the references' tokens, which every token attends to as well in the steps that do not
     *     replace; null where they do not join
     * @param steps of the run
     */
    public DiffusionReplacement(List<Reference> references, ReplaceAt level, boolean referenceNoise, int replacedSteps,
            Tensor joined, List<Step> steps) {
        if (level == ReplaceAt.HIDDEN) {
            throw new IllegalArgumentException("hidden states are not edited in diffusion models");
        }
        this.references = references;
        this.level = level;
        this.referenceNoise = referenceNoise;
        this.replacedSteps = replacedSteps;
        this.joined = joined;
        this.steps = steps;
    }

    /** Rotary unit vectors of all references' tokens, one reference after the other, complex64 [n, D/2]. */
    public static Tensor rotation(List<Reference> references, Positions positions, HunyuanDit2DModel network, int rows,
            int columns) {
        double[] grid = HunyuanDit2DModel.positions(rows, columns);
        return network.rotation(references.stream().map(reference -> reference.placement)
                .flatMapToDouble(placement -> Arrays.stream(positions.places(placement, grid, HunyuanDit2DModel.BASE_GRID)))
                .toArray());
    }

    /** Passes of references made so far. */
    public int evaluations() {
        return evaluations;
    }

    @Override
    public Tensor latents(int step, Tensor latents) {
        boolean starts = referenceNoise && step == 0;
        if (step >= replacedSteps || !starts && level != ReplaceAt.LATENT) {
            return latents;
        }
        try (Scope scope = Scope.open()) {
            Tensor tokens = Packing.pack(latents);
            for (Reference reference : references) {
                tokens = Placed.put(reference.placement, Packing.pack(reference.trajectory.at(step)), tokens);
            }
            return scope.keep(Packing.unpack(tokens, latents.size(2) / 2, latents.size(3) / 2));
        }
    }

    @Override
    public SelfAttentionHook hook(int step) {
        boolean replaces = step < replacedSteps;
        if (replaces ? level != ReplaceAt.ATTENTION : joined == null) {
            return SelfAttentionHook.NONE;
        }
        List<Map<Integer, Tensor>> subjects = references.stream().map(reference -> tokens(reference, step)).toList();
        return replaces ? replacing(subjects) : joining(subjects);
    }

    private SelfAttentionHook joining(List<Map<Integer, Tensor>> subjects) {
        return new SelfAttentionHook() {
            @Override
            public Appended appended(Site site, Tensor tokens) {
                Tensor[] rows = subjects.stream().map(layers -> layers.get(site.layer())).toArray(Tensor[]::new);
                return new Appended(Ops.cat(1, rows), joined);
            }
        };
    }

    private SelfAttentionHook replacing(List<Map<Integer, Tensor>> subjects) {
        return new SelfAttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor tokens) {
                Tensor edited = tokens;
                for (int i = 0; i < references.size(); i++) {
                    Tensor rows = subjects.get(i).get(site.layer()).expand(edited.size(0), -1, -1);
                    edited = Ops.replaceRows(edited, Placed.index(references.get(i).placement.target(), edited), rows);
                }
                return edited;
            }
        };
    }

    /** The subject's attention inputs by layer, each [1, n, d], owned by the open scope: one pass over the reference. */
    private Map<Integer, Tensor> tokens(Reference reference, int step) {
        try (Scope scope = Scope.open()) {
            Map<Integer, Tensor> tokens = new HashMap<>();
            reference.predictor.predict(reference.trajectory.at(step), steps.get(step).timestep(), step, new SelfAttentionHook() {
                @Override
                public Tensor attentionInput(Site site, Tensor input) {
                    Tensor rows = Placed.index(reference.placement.source(), input);
                    tokens.put(site.layer(), scope.keep(Ops.selectRows(input, rows)));
                    return input;
                }
            });
            evaluations++;
            return tokens;
        }
    }
}
