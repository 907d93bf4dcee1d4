package dev.likeness.eval;

import dev.likeness.analysis.MaskedSsim;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.FluxModel;
import dev.likeness.task.PromptLikelihood;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The standard bench: cut-out subjects that the model was never shown, put into scenes at half their size, on the left or
 * the right, by several methods side by side. The list of cases is fixed (toybox.tsv); its first 40 show every subject once,
 * with two seeds.
 */
public final class ToyboxBench implements Suite {

    private static final List<Instrument> INSTRUMENTS = List.of(Instrument.IDENTITY_PSNR, Instrument.IDENTITY_SSIM,
            Instrument.SIMILARITY, Instrument.GHOST, Instrument.SCENE_KEPT, Instrument.SCENE_TOP1, Instrument.PROMPT_MARGIN,
            Instrument.DIVERSITY_INSIDE, Instrument.DIVERSITY_OUTSIDE);

    /** A line of the list. @param scene one of Scenes.names @param prompt the scene alone */
    record Entry(String subject, String scene, String prompt, Layout layout, List<Long> seeds) {

        String name() {
            return subject + "-" + scene + "-" + (layout.x() < 0.5 ? "left" : "right");
        }
    }

    private final FluxModel model;
    private final Judge judge;
    private final List<Method> methods;
    private final List<String> prompts;
    private final List<Case> cases;

    /**
     * @param subjects the folder with the list's cut-outs, NAME.png
     * @param judge of scenes and likeness
     * @param chosen which subjects are taken, by name
     * @param count how many cases at most
     * @throws Refusal (input) when a cut-out is not there
     */
    public ToyboxBench(FluxModel model, Judge judge, Path subjects, List<Method> methods, Predicate<String> chosen,
            int count) {
        this.model = model;
        this.judge = judge;
        this.methods = methods;
        List<Entry> entries = entries();
        prompts = entries.stream().map(Entry::prompt).distinct().toList();
        cases = entries.stream().filter(entry -> chosen.test(entry.subject)).limit(count)
                .map(entry -> (Case) new Placed(entry, cutOut(subjects, entry.subject))).toList();
    }

    private static Path cutOut(Path subjects, String name) {
        Path file = subjects.resolve(name + ".png");
        if (!Files.isRegularFile(file)) {
            throw Refusal.input("--subjects %s holds no %s.png, which the list of cases asks for; give the folder "
                    + "examples/subjects.", subjects, name);
        }
        return file;
    }

    /** The whole list. */
    static List<Entry> entries() {
        return Cases.read("toybox.tsv").stream().map(row -> new Entry(row.get(0), row.get(1), row.get(2),
                new Layout(Double.parseDouble(row.get(3)), Double.parseDouble(row.get(4)), Double.parseDouble(row.get(5))),
                Arrays.stream(row.get(6).split(",")).map(Long::valueOf).toList())).toList();
    }

    /** Names of all subjects of the list. */
    public static List<String> subjects() {
        return entries().stream().map(Entry::subject).distinct().toList();
    }

    /** SHA-256 over the list's cut-outs that a folder holds. */
    public static String fingerprint(Path subjects) {
        return Evaluation.fingerprint("", subjects, subjects().stream().map(name -> subjects.resolve(name + ".png"))
                .filter(Files::isRegularFile).toList());
    }

    /** A subject in a scene. */
    private final class Placed implements Case {

        private final Entry entry;
        private final Path cutOut;

        Placed(Entry entry, Path cutOut) {
            this.entry = entry;
            this.cutOut = cutOut;
        }

        @Override
        public String name() {
            return entry.name();
        }

        @Override
        public String subject() {
            return entry.subject;
        }

        @Override
        public List<String> methods() {
            return methods.stream().map(Method::name).toList();
        }

        @Override
        public List<Long> seeds() {
            return entry.seeds;
        }

        @Override
        public Picture reference() {
            return fitted().picture();
        }

        private Subject fitted() {
            Picture picture = Pictures.read(cutOut);
            return ReferenceFit.fit(picture, Mask.ofAlpha(picture, cutOut.toString()), model.defaults().width(),
                    model.defaults().height(), "", entry.layout);
        }

        @Override
        public List<Outcome> run(Set<String> wanted) {
            Subject subject = fitted();
            List<Method> asked = methods.stream().filter(method -> wanted.contains(method.name())).toList();
            List<Outcome> outcomes = new ArrayList<>();
            Map<String, Picture> first = new HashMap<>();
            for (long seed : entry.seeds) {
                Drawn drawn = Drawn.of(model, subject, entry.prompt, seed, asked);
                drawn.pictures().forEach((method, made) -> {
                    Map<Instrument, Double> values = measure(subject, drawn, made);
                    Picture other = first.putIfAbsent(method, made);
                    if (other != null) {
                        values.put(Instrument.DIVERSITY_INSIDE, Measures.diversity(other, made, drawn.place()));
                        values.put(Instrument.DIVERSITY_OUTSIDE, Measures.diversity(other, made, drawn.place().invert()));
                    }
                    if (method.equals(Method.PLAIN)) {
                        values.remove(Instrument.SCENE_KEPT); // of itself
                    }
                    outcomes.add(new Outcome(method, seed, values, made));
                });
            }
            return outcomes;
        }

        private Map<Instrument, Double> measure(Subject subject, Drawn drawn, Picture made) {
            int right = drawn.right();
            int down = drawn.down();
            Mask outside = drawn.place().invert();
            Map<Instrument, Double> values = new EnumMap<>(Instrument.class);
            values.put(Instrument.IDENTITY_PSNR, Measures.psnr(subject.picture(), subject.mask(), made, right, down));
            values.put(Instrument.IDENTITY_SSIM, MaskedSsim.of(subject.picture(), subject.mask(), made, right, down));
            values.put(Instrument.SIMILARITY, judge.similarity(subject.picture(), subject.mask(), made, right, down));
            double ghost = Measures.ghost(subject.picture(), subject.mask(), made, drawn.plain(), right, down);
            if (!Double.isNaN(ghost)) {
                values.put(Instrument.GHOST, ghost);
            }
            values.put(Instrument.SCENE_KEPT, Measures.psnr(drawn.plain(), outside, made, 0, 0));
            values.put(Instrument.SCENE_TOP1, judge.judge(made).scenes().get(0).equals(entry.scene) ? 1.0 : 0.0);
            values.put(Instrument.PROMPT_MARGIN, margin(made, outside));
            return values;
        }

        private double margin(Picture made, Mask outside) {
            Sampling sampling = Drawn.sampling(model.defaults(), 0);
            boolean[] counted = TokenMask.of(outside, TokenMask.Rule.WHOLE).covered();
            double[] errors = PromptLikelihood.errors(model, made, prompts, counted, sampling);
            int own = prompts.indexOf(entry.prompt);
            return IntStream.range(0, errors.length).filter(i -> i != own).mapToDouble(i -> errors[i]).min().orElseThrow()
                    / errors[own] - 1;
        }
    }

    @Override
    public String name() {
        return "toybox";
    }

    @Override
    public List<String> notes() {
        return List.of("Subjects that the model never saw in training, cut out, at half their size, with their middle at "
                + "0.27 or 0.73 of the width and 0.6 of the height. Prompts name the scene alone. Plain generation says "
                + "what chance gives, the pasted cut-out what a copy scores: a figure means something between these two.");
    }

    @Override
    public List<Instrument> instruments() {
        return INSTRUMENTS;
    }

    @Override
    public Map<String, String> methods() {
        return Method.titles(methods);
    }

    @Override
    public Set<String> controls() {
        return Set.of(Method.PLAIN, Method.PASTE);
    }

    @Override
    public List<Case> cases() {
        return cases;
    }

    @Override
    public List<Curve> curves() {
        Map<String, Map<Double, String>> series = Method.byTau(methods);
        series.values().removeIf(points -> points.size() < 2);
        series.values().forEach(points -> points.put(1.0, Method.PLAIN)); // tau 1 replaces nothing
        return series.isEmpty() ? List.of() : Stream.of(Instrument.IDENTITY_PSNR, Instrument.IDENTITY_SSIM,
                Instrument.SIMILARITY, Instrument.PROMPT_MARGIN).map(instrument ->
                new Curve(instrument.title() + " as tau grows", "tau", instrument, series)).toList();
    }
}
