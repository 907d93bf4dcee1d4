package dev.likeness.eval;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What each inversion keeps of drawn pictures that are taken to noise and back. */
public final class InversionBench implements Suite {

    private static final List<Inversion> INVERSIONS = List.of(Inversion.EXACT,
            new Inversion(Inversion.Method.FLOW, 1, 1), new Inversion(Inversion.Method.RF_INVERSION, 0.5, 0.9),
            new Inversion(Inversion.Method.RF_INVERSION, 0.5, 0.5), new Inversion(Inversion.Method.RF_SOLVER, 1, 1),
            new Inversion(Inversion.Method.FIREFLOW, 1, 1));
    private static final long SEED = 7;

    private final FluxModel model;
    private final List<Case> cases;

    /** @param count number of pictures */
    public InversionBench(FluxModel model, ToyboxData data, int count) {
        this.model = model;
        cases = ToyPictures.cases(data, count, List.copyOf(methods().keySet()), SEED, this::run);
    }

    private List<Outcome> run(ToyPictures.Labelled labelled, Set<String> wanted) {
        ModelDefaults d = model.defaults();
        Sampling sampling = new Sampling(ToyPictures.SIZE, ToyPictures.SIZE, d.steps(), d.guidanceScale(), 1, "",
                d.maxSequenceLength(), SEED, 1);
        Mask whole = Mask.full(ToyPictures.SIZE, ToyPictures.SIZE);
        List<Outcome> outcomes = new ArrayList<>();
        for (Inversion inversion : INVERSIONS) {
            if (wanted.contains(name(inversion))) {
                Generation back =
                        Invert.run(model, labelled.picture(), labelled.caption(), inversion, sampling, TaskListener.NONE);
                Map<Instrument, Double> values = Map.of(
                        Instrument.RECONSTRUCTION,
                        Measures.psnr(labelled.picture(), whole, back.images().get(0).picture(), 0, 0),
                        Instrument.EVALUATIONS, (double) back.evaluations().inversion());
                outcomes.add(new Outcome(name(inversion), SEED, values, back.images().get(0).picture()));
            }
        }
        return outcomes;
    }

    private static String name(Inversion inversion) {
        String name = inversion.method().name().toLowerCase(Locale.ROOT).replace('_', '-');
        return inversion.method() == Inversion.Method.RF_INVERSION ? name + "-" + inversion.eta() : name;
    }

    @Override
    public String name() {
        return "inversion";
    }

    @Override
    public List<String> notes() {
        return List.of("Drawn pictures, taken to noise and back with their caption as the prompt and without guidance; "
                + "network passes up and down together.");
    }

    @Override
    public List<Instrument> instruments() {
        return List.of(Instrument.RECONSTRUCTION, Instrument.EVALUATIONS);
    }

    @Override
    public Map<String, String> methods() {
        Map<String, String> titles = new LinkedHashMap<>();
        for (Inversion inversion : INVERSIONS) {
            titles.put(name(inversion), inversion.method() == Inversion.Method.RF_INVERSION
                    ? "rf-inversion, gamma " + inversion.gamma() + ", eta " + inversion.eta() : name(inversion));
        }
        return titles;
    }

    @Override
    public List<Case> cases() {
        return cases;
    }
}
