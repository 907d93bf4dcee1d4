package dev.likeness.eval;

import dev.likeness.analysis.AttentionMaps;
import dev.likeness.analysis.PositionSensitivity;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.schedule.Diffusion;
import dev.likeness.task.AttentionSharing;
import dev.likeness.task.DiffusionDefaults;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.Sampling;
import dev.likeness.task.StableDiffusionModel;
import dev.likeness.task.Subject;
import dev.likeness.task.TaskListener;
import dev.likeness.task.UNetInjection;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.nio.file.Path;
import java.util.List;

/** A model whose use of positions is looked at: a diffusion transformer (FLUX) or a U-Net (Stable Diffusion). */
public abstract class Analysed implements AutoCloseable {

    private static final int CELL = 16; // pixels of a token of FLUX

    private final int side;
    private final int steps;

    private Analysed(int side, int steps) {
        this.side = side;
        this.steps = steps;
    }

    /**
     * @param side of the pictures in pixels; null for the model's own
     * @param steps null for the model's own
     * @throws Refusal (model) when the folder holds neither kind
     */
    public static Analysed open(Path folder, Integer side, Integer steps, Device device, DType dtype) {
        if (!DiffusionModel.isIn(folder)) {
            FluxModel model = FluxModel.open(folder, device, dtype);
            model.use(ReferenceCache.inMemory(0)); // no reference comes twice
            ModelDefaults own = model.defaults();
            return new Transformer(model, side == null ? own.width() : side, steps == null ? own.steps() : steps);
        }
        if (DiffusionModel.open(folder, device, dtype) instanceof StableDiffusionModel model) {
            DiffusionDefaults own = model.defaults();
            return new UNet(model, side == null ? own.width() : side, steps == null ? own.steps() : steps);
        }
        throw Refusal.model("%s is neither a FLUX.1 nor a Stable Diffusion; the analysis looks at these.", folder);
    }

    public abstract String name();

    /** DiT or U-Net. */
    public abstract String kind();

    /** Whether its attention knows positions, which the reference's tokens can be given others of. */
    public abstract boolean hasPositions();

    public final int side() {
        return side;
    }

    public final int steps() {
        return steps;
    }

    /** Rows, and columns, of maps of its attention: FLUX's tokens. */
    public final int grid() {
        return side / CELL;
    }

    /** Attention sharing with kept positions, looked at. */
    public abstract Picture share(String prompt, HeldOut reference, PositionSensitivity watch);

    /** Attention sharing, looked at. @param positions {@link Positions#KEEP} where it has none to give */
    public abstract Picture share(String prompt, HeldOut reference, Positions positions, AttentionMaps watch);

    /** Token replacement at the input of self-attention in every layer and step, under the reference's own caption. */
    public abstract Picture replace(HeldOut reference);

    /** Plain generation under the reference's own caption. */
    public abstract Picture plain(HeldOut reference);

    @Override
    public abstract void close();

    private static final class Transformer extends Analysed {
        private static final Injection REPLACEMENT =
                new Injection(0, Injection.TauBasis.SIGMA, ReplaceAt.ATTENTION, false); // at every step

        private final FluxModel model;

        Transformer(FluxModel model, int side, int steps) {
            super(side, steps);
            this.model = model;
        }

        private Sampling sampling(long seed) {
            ModelDefaults own = model.defaults();
            return new Sampling(side(), side(), steps(), own.guidanceScale(), own.trueCfgScale(), "",
                    own.maxSequenceLength(), seed, 1);
        }

        private Picture share(String prompt, HeldOut reference, Positions positions, AttentionHook watch) {
            return AttentionSharing.run(model, prompt, reference.picture(), reference.caption(), positions,
                    sampling(reference.seed()), watch, TaskListener.NONE).images().get(0).picture();
        }

        @Override
        public Picture share(String prompt, HeldOut reference, PositionSensitivity watch) {
            return share(prompt, reference, Positions.KEEP, watch.inFlux());
        }

        @Override
        public Picture share(String prompt, HeldOut reference, Positions positions, AttentionMaps watch) {
            return share(prompt, reference, positions, watch.inFlux());
        }

        @Override
        public Picture replace(HeldOut reference) {
            Subject subject = new Subject(reference.picture(), reference.mask(), reference.caption(), null);
            return Personalize.run(model, reference.caption(), List.of(subject), REPLACEMENT, false, sampling(reference.seed()),
                    TaskListener.NONE).images().get(0).picture();
        }

        @Override
        public Picture plain(HeldOut reference) {
            return Generate.run(model, reference.caption(), sampling(reference.seed()), TaskListener.NONE).images().get(0)
                    .picture();
        }

        @Override
        public String name() {
            return model.name();
        }

        @Override
        public String kind() {
            return "DiT";
        }

        @Override
        public boolean hasPositions() {
            return true;
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private static final class UNet extends Analysed {
        private static final int ANY_LENGTH = 77;

        private final StableDiffusionModel model;

        UNet(StableDiffusionModel model, int side, int steps) {
            super(side, steps);
            this.model = model;
        }

        private Sampling sampling(long seed) {
            return new Sampling(side(), side(), steps(), 0, model.defaults().trueCfgScale(), "", ANY_LENGTH, seed, 1);
        }

        private Picture share(String prompt, HeldOut reference, SelfAttentionHook watch) {
            return UNetInjection.share(model, prompt, reference.picture(), reference.caption(),
                    sampling(reference.seed()), watch, TaskListener.NONE).images().get(0).picture();
        }

        @Override
        public Picture share(String prompt, HeldOut reference, PositionSensitivity watch) {
            return share(prompt, reference, watch.inUNet());
        }

        @Override
        public Picture share(String prompt, HeldOut reference, Positions positions, AttentionMaps watch) {
            return share(prompt, reference, watch.inUNet());
        }

        @Override
        public Picture replace(HeldOut reference) {
            return UNetInjection.replace(model, reference.caption(), reference.picture(), reference.mask(),
                    reference.caption(), sampling(reference.seed()), TaskListener.NONE).images().get(0).picture();
        }

        @Override
        public Picture plain(HeldOut reference) {
            return Generate.run(model, reference.caption(), Diffusion.Sampler.DDIM, sampling(reference.seed()),
                    TaskListener.NONE).images().get(0).picture();
        }

        @Override
        public String name() {
            return model.name();
        }

        @Override
        public String kind() {
            return "U-Net";
        }

        @Override
        public boolean hasPositions() {
            return false;
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
