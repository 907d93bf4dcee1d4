package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Inpaint;
import dev.likeness.task.Sampling;
import dev.likeness.task.TaskListener;
import dev.likeness.train.data.Scenes;
import dev.likeness.train.data.ToyPicture;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** In- and outpainting of drawn scenes as tau changes. */
public final class EditBench implements Suite {

    private static final int SIZE = ToyPictures.SIZE;
    private static final double[] TAUS = {0.95, 0.8, 0.6, 0.4, 0.2, 0.1, 0};
    private static final int BAND = 8; // pixels to either side of the hole's edge
    private static final int SOFT_EDGE = 8;
    private static final List<String> TASKS = List.of("inpaint", "outpaint");

    private final FluxModel model;
    private final List<Case> cases = new ArrayList<>();

    /** @param count number of scenes */
    public EditBench(FluxModel model, int count) {
        this.model = model;
        List<String> names = Scenes.names();
        for (int i = 0; i < count; i++) {
            String scene = names.get(i % names.size());
            String name = scene.replace(' ', '-') + "-" + i;
            int number = i;
            cases.add(new Cases.Simple(name, name, List.copyOf(methods().keySet()), List.of(7L + i),
                    () -> Pictures.of(ToyboxData.drawScene(100 + number, SIZE, scene).image()),
                    wanted -> run(ToyboxData.drawScene(100 + number, SIZE, scene), 7L + number, wanted)));
        }
    }

    private List<Outcome> run(ToyPicture drawn, long seed, Set<String> wanted) {
        Picture truth = Pictures.of(drawn.image());
        Sampling own = Drawn.sampling(model.defaults(), seed);
        Sampling sampling = new Sampling(SIZE, SIZE, own.steps(), own.guidanceScale(), own.trueCfgScale(), "",
                own.maxSequenceLength(), seed, 1);
        List<Outcome> outcomes = new ArrayList<>();
        for (String task : TASKS) {
            Mask hole = box(task.equals("inpaint") ? new Box(72, 88, 104, 88) : new Box(168, 0, SIZE - 168, SIZE));
            for (double tau : TAUS) {
                if (wanted.contains(task + "-" + tau)) {
                    Picture raw = Inpaint.run(model, drawn.caption(), new Inpaint.Edit(truth, hole, "", false, 0), List.of(),
                            model.defaults().injection(tau), false, sampling, TaskListener.NONE).images().get(0).picture();
                    Picture blended = truth.under(raw, hole.feather(SOFT_EDGE));
                    outcomes.add(new Outcome(task + "-" + tau, seed, Map.of(
                            Instrument.KEPT, Measures.psnr(truth, hole.invert(), raw, 0, 0),
                            Instrument.SEAM, Measures.seam(truth, blended, hole, BAND)), blended));
                }
            }
        }
        return outcomes;
    }

    private static Mask box(Box box) {
        float[] coverage = new float[SIZE * SIZE];
        for (int i = 0; i < coverage.length; i++) {
            coverage[i] = box.contains(i % SIZE, i / SIZE) ? 1 : 0;
        }
        return Mask.of(SIZE, SIZE, coverage);
    }

    @Override
    public String name() {
        return "edit";
    }

    @Override
    public List<String> notes() {
        return List.of("A hole in the middle (inpaint), or the right third (outpaint), of drawn scenes, with the scene's "
                + "words as the prompt. The kept part is that of the model, without blending; the seam is that of the "
                + "blended picture.");
    }

    @Override
    public List<Instrument> instruments() {
        return List.of(Instrument.KEPT, Instrument.SEAM);
    }

    @Override
    public Map<String, String> methods() {
        Map<String, String> titles = new LinkedHashMap<>();
        for (String task : TASKS) {
            for (double tau : TAUS) {
                titles.put(task + "-" + tau, task + ", tau " + tau);
            }
        }
        return titles;
    }

    @Override
    public List<Case> cases() {
        return cases;
    }

    @Override
    public List<Curve> curves() {
        Map<String, Map<Double, String>> series = new LinkedHashMap<>();
        for (String task : TASKS) {
            Map<Double, String> points = new TreeMap<>();
            for (double tau : TAUS) {
                points.put(tau, task + "-" + tau);
            }
            series.put(task, points);
        }
        return instruments().stream().map(instrument ->
                new Curve(instrument.title() + " as tau grows", "tau", instrument, series)).toList();
    }
}
