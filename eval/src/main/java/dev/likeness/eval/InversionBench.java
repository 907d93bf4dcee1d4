package dev.likeness.eval;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.image.Mask;
import dev.likeness.inversion.Inversion;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Invert;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import dev.likeness.task.TaskListener;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.List;

/** What each inversion keeps of pictures that are taken to noise and back. */
public final class InversionBench {

    private static final List<Inversion> INVERSIONS = List.of(Inversion.EXACT,
            new Inversion(Inversion.Method.FLOW, 1, 1), new Inversion(Inversion.Method.RF_INVERSION, 0.5, 0.9),
            new Inversion(Inversion.Method.RF_INVERSION, 0.5, 0.5), new Inversion(Inversion.Method.RF_SOLVER, 1, 1),
            new Inversion(Inversion.Method.FIREFLOW, 1, 1));

    /**
     * Means over the pictures.
     *
     * @param psnr of the reconstruction against the picture, dB
     * @param evaluations network passes of one picture, up and down
     */
    public record Row(Inversion inversion, double psnr, int evaluations) {}

    private InversionBench() {}

    public static List<Row> run(FluxModel model, ToyboxData data, int pictures) {
        ModelDefaults d = model.defaults();
        Sampling sampling = new Sampling(ToyPictures.SIZE, ToyPictures.SIZE, d.steps(), d.guidanceScale(), 1, "",
                d.maxSequenceLength(), 7, 1);
        Mask whole = Mask.full(ToyPictures.SIZE, ToyPictures.SIZE);
        List<ToyPictures.Labelled> drawn = ToyPictures.draw(data, pictures);
        List<Row> rows = new ArrayList<>();
        for (Inversion inversion : INVERSIONS) {
            double sum = 0;
            int evaluations = 0;
            for (ToyPictures.Labelled labelled : drawn) {
                Generation back = Invert.run(model, labelled.picture(), labelled.caption(), inversion, sampling,
                        TaskListener.NONE);
                sum += MaskedPsnr.of(labelled.picture(), whole, back.images().get(0).picture(), 0, 0);
                evaluations = back.evaluations().inversion();
            }
            rows.add(new Row(inversion, sum / pictures, evaluations));
        }
        return rows;
    }
}
