package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.segment.GrabCut;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Subject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * DreamBench or DreamBench++: the first reference of every subject, put into a picture of every prompt by several methods,
 * at its own place and size, and scored with CLIP and DINO against all references of the case.
 *
 * <p>Masks of references are what stands out in a box that leaves a margin of five percent ({@link GrabCut}). In a picture
 * made, the subject is looked for where the method was to put it.
 */
public final class DreamSuite implements Suite {

    private static final double MARGIN = 0.05;
    private static final int SIDE = 512; // masks are found in pictures of at most this side
    private static final long FIRST_SEED = 7;
    private static final List<Instrument> INSTRUMENTS =
            List.of(Instrument.CLIP_T, Instrument.CLIP_I, Instrument.DINO, Instrument.SEG_CLIP_I);

    /** What all prompts of a subject share: the reference on the model's canvas, and the vectors of all references. */
    private record Known(Subject subject, ImageText.References references) {}

    private final String name;
    private final FluxModel model;
    private final ImageText scores;
    private final List<Method> methods;
    private final List<String> notes;
    private final List<Case> cases = new ArrayList<>();
    private final Map<List<Path>, Known> known = new ConcurrentHashMap<>();

    /**
     * @param name dreambench or dreambench++
     * @param prompts what the benchmark asks for
     * @param count how many cases at most
     */
    public DreamSuite(String name, FluxModel model, ImageText scores, List<PromptCase> prompts, List<Method> methods,
            int count) {
        this.name = name;
        this.model = model;
        this.scores = scores;
        this.methods = methods;
        notes = List.of("The first reference of each subject, put into a picture of each prompt at its own place and "
                + "size; scores are over all references of the case. They compare with published ones only with the same "
                + "networks, the same references and all subjects.", "Scores of a model that was not trained on "
                + "photographs, such as Toybox, mean little: they show that the protocol runs.");
        for (PromptCase prompt : prompts.subList(0, Math.min(count, prompts.size()))) {
            cases.add(new Cases.Simple(prompt.subject().replace('/', '-') + "-" + prompt.number(), prompt.subject(),
                    methods.stream().map(Method::name).toList(), List.of(FIRST_SEED + prompt.number()),
                    () -> Jpeg.fit(Pictures.read(prompt.references().get(0)), SIDE), wanted -> run(prompt, wanted)));
        }
    }

    private List<Outcome> run(PromptCase prompt, Set<String> wanted) {
        Known of = known.computeIfAbsent(prompt.references(), this::known);
        long seed = FIRST_SEED + prompt.number();
        Drawn drawn = Drawn.of(model, of.subject, prompt.prompt(), seed,
                methods.stream().filter(method -> wanted.contains(method.name())).toList());
        List<Outcome> outcomes = new ArrayList<>();
        drawn.pictures().forEach((method, made) -> {
            ImageText.Scores scored = scores.score(new ImageText.View(made, drawn.place()), prompt.prompt(), of.references);
            Map<Instrument, Double> values = new EnumMap<>(Instrument.class);
            values.put(Instrument.CLIP_T, scored.clipText());
            values.put(Instrument.CLIP_I, scored.clipImage());
            values.put(Instrument.DINO, scored.dino());
            values.put(Instrument.SEG_CLIP_I, scored.segClipImage());
            outcomes.add(new Outcome(method, seed, values, made));
        });
        return outcomes;
    }

    private Known known(List<Path> references) {
        List<ImageText.View> views = references.stream().map(DreamSuite::view).toList();
        ImageText.View given = views.get(0);
        return new Known(ReferenceFit.fit(given.picture(), given.mask(), model.defaults().width(), model.defaults().height(),
                "", null), scores.references(views));
    }

    private static ImageText.View view(Path file) {
        Picture whole = Pictures.read(file);
        Picture small = Jpeg.fit(whole, SIDE);
        int x = (int) Math.round(MARGIN * small.width());
        int y = (int) Math.round(MARGIN * small.height());
        Segmentation box = new Segmentation.InBox(new Box(x, y, small.width() - 2 * x, small.height() - 2 * y));
        Mask mask = Segmenter.mask(box, small, file.toString(), "", null);
        return new ImageText.View(whole, mask.resize(whole.width(), whole.height()));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> notes() {
        return notes;
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
}
