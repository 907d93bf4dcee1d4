package dev.likeness.eval;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Inpaint;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import dev.likeness.task.TaskListener;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.List;

/** In- and outpainting of drawn scenes as tau changes. */
public final class EditBench {

    private static final int SIZE = ToyPictures.SIZE;
    private static final double[] TAUS = {0.95, 0.8, 0.6, 0.4, 0.2, 0.1, 0};
    private static final int BAND = 8; // pixels to either side of the hole's edge
    private static final int SOFT_EDGE = 8;

    /**
     * Means over the scenes.
     *
     * @param kept PSNR of the decoded canvas against the picture outside the hole, before blending, dB
     * @param seam mean step between neighbours in a band around the hole's edge, after blending, as a share of the same in the
     *     true picture; 1 is no seam
     */
    public record Row(String task, double tau, double kept, double seam) {}

    /** @param pictures true picture, then one for each tau; by task and scene */
    public record Result(List<Row> rows, List<Picture> pictures, List<String> labels) {}

    private EditBench() {}

    public static double[] taus() {
        return TAUS.clone();
    }

    public static Result run(FluxModel model, int scenes) {
        List<Row> rows = new ArrayList<>();
        List<Picture> pictures = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        ModelDefaults d = model.defaults();
        List<String> names = Scenes.names();
        for (String task : List.of("inpaint", "outpaint")) {
            Mask hole = box(task.equals("inpaint") ? new Box(72, 88, 104, 88) : new Box(168, 0, SIZE - 168, SIZE));
            Mask rim = hole.feather(BAND).threshold(0.01f).and(hole.invert().feather(BAND).threshold(0.01f));
            double[] kept = new double[TAUS.length];
            double[] seam = new double[TAUS.length];
            for (int i = 0; i < scenes; i++) {
                ToyPicture drawn = ToyboxData.drawScene(100 + i, SIZE, names.get(i % names.size()));
                Picture truth = Pictures.of(drawn.image());
                pictures.add(truth);
                labels.add(task + ": " + drawn.caption());
                Sampling sampling = new Sampling(SIZE, SIZE, d.steps(), d.guidanceScale(), d.trueCfgScale(), "",
                        d.maxSequenceLength(), 7 + i, 1);
                for (int k = 0; k < TAUS.length; k++) {
                    Injection injection = d.injection(TAUS[k]);
                    Picture raw = edit(model, drawn.caption(), new Inpaint.Edit(truth, hole, "", false, 0), injection, sampling);
                    Picture blended = truth.under(raw, hole.feather(SOFT_EDGE));
                    kept[k] += MaskedPsnr.of(truth, hole.invert(), raw, 0, 0) / scenes;
                    seam[k] += step(blended, rim) / step(truth, rim) / scenes;
                    pictures.add(blended);
                    labels.add("tau " + TAUS[k]);
                }
            }
            for (int k = 0; k < TAUS.length; k++) {
                rows.add(new Row(task, TAUS[k], kept[k], seam[k]));
            }
        }
        return new Result(rows, pictures, labels);
    }

    private static Picture edit(FluxModel model, String prompt, Inpaint.Edit edit, Injection injection, Sampling sampling) {
        return Inpaint.run(model, prompt, edit, List.of(), injection, false, sampling, TaskListener.NONE).images().get(0)
                .picture();
    }

    private static Mask box(Box box) {
        float[] coverage = new float[SIZE * SIZE];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = box.contains(i % SIZE, i / SIZE) ? 1 : 0;
        }
        return Mask.of(SIZE, SIZE, coverage);
    }

    /** Mean absolute difference of luminance between each pixel of the mask and its right and lower neighbour. */
    private static double step(Picture picture, Mask mask) {
        double sum = 0;
        long count = 0;
        for (int y = 0; y + 1 < picture.height(); y++) {
            for (int x = 0; x + 1 < picture.width(); x++) {
                if (mask.isSubject(x, y)) {
                    int at = y * picture.width() + x;
                    float here = picture.luminance(at);
                    sum += Math.abs(here - picture.luminance(at + 1)) + Math.abs(here - picture.luminance(at + picture.width()));
                    count += 2;
                }
            }
        }
        return sum / count;
    }
}
