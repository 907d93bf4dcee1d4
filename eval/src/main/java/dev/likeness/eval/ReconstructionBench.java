package dev.likeness.eval;

import dev.likeness.analysis.EdgeSharpness;
import dev.likeness.analysis.MaskedSsim;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Token replacement side by side in models of different kinds (paper, section 3.1): each draws held-out subjects again, in their
 * place, from their tokens alone.
 */
public final class ReconstructionBench implements Suite {

    /** Pixels to either side of the mask's rim that count as its edge. */
    private static final int RIM = 4;

    private static final List<Instrument> INSTRUMENTS = List.of(Instrument.IDENTITY_PSNR, Instrument.IDENTITY_SSIM,
            Instrument.RIM_SHARPNESS, Instrument.RIM_KEPT, Instrument.SUBJECT_SHARPNESS);

    private final List<Analysed> models;
    private final Map<String, String> methods = new LinkedHashMap<>();
    private final List<Case> cases;

    /** @param models of one canvas's size, each of another name */
    public ReconstructionBench(List<Analysed> models, List<HeldOut> references) {
        this.models = models;
        for (Analysed model : models) {
            methods.put(replacing(model), model.name() + " (" + model.kind() + "), token replacement");
        }
        for (Analysed model : models) {
            methods.put(plain(model), model.name() + " (" + model.kind() + "), plain generation");
        }
        cases = references.stream().map(reference -> (Case) new Cases.Simple(reference.name(), reference.subject(),
                List.copyOf(methods.keySet()), List.of(reference.seed()), reference::picture,
                wanted -> run(reference, wanted))).toList();
    }

    private static String replacing(Analysed model) {
        return model.name() + "-replace";
    }

    private static String plain(Analysed model) {
        return model.name() + "-plain";
    }

    private List<Outcome> run(HeldOut reference, Set<String> wanted) {
        List<Outcome> outcomes = new ArrayList<>();
        for (Analysed model : models) {
            if (wanted.contains(replacing(model))) {
                outcomes.add(outcome(replacing(model), reference, model.replace(reference)));
            }
            if (wanted.contains(plain(model))) {
                outcomes.add(outcome(plain(model), reference, model.plain(reference)));
            }
        }
        return outcomes;
    }

    private static Outcome outcome(String method, HeldOut reference, Picture made) {
        return new Outcome(method, reference.seed(), measure(reference, made), made);
    }

    /** What is defined: a small subject has no inside, 4 pixels from its rim, and a plain ground no edges. */
    static Map<Instrument, Double> measure(HeldOut reference, Picture made) {
        Mask mask = reference.mask();
        Mask rim = EdgeSharpness.rim(mask, RIM);
        Map<Instrument, Double> values = new EnumMap<>(Instrument.class);
        values.put(Instrument.IDENTITY_PSNR, Measures.psnr(reference.picture(), mask, made, 0, 0));
        values.put(Instrument.IDENTITY_SSIM, MaskedSsim.of(reference.picture(), mask, made, 0, 0));
        values.put(Instrument.RIM_SHARPNESS, EdgeSharpness.of(reference.picture(), made, rim));
        values.put(Instrument.RIM_KEPT, EdgeSharpness.kept(reference.picture(), made, rim));
        values.put(Instrument.SUBJECT_SHARPNESS,
                EdgeSharpness.of(reference.picture(), made, mask.threshold(Mask.SUBJECT).erode(RIM)));
        values.values().removeIf(value -> !Double.isFinite(value));
        return values;
    }

    @Override
    public String name() {
        return "reconstruction";
    }

    @Override
    public List<String> notes() {
        return List.of("Subjects that no model was trained on, on drawn scenes, drawn again in their place: at every step and in "
                + "every self-attention layer the subject's tokens take the place of the picture's own, under a prompt that "
                + "names the scene alone. Plain generation of the same prompt and seed says what chance gives.");
    }

    @Override
    public List<Instrument> instruments() {
        return INSTRUMENTS;
    }

    @Override
    public Map<String, String> methods() {
        return methods;
    }

    @Override
    public Set<String> controls() {
        return Set.copyOf(models.stream().map(ReconstructionBench::plain).toList());
    }

    @Override
    public List<Case> cases() {
        return cases;
    }
}
