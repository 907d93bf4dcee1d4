package dev.likeness.eval;

import dev.likeness.image.Picture;
import dev.likeness.segment.AttentionSegmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.TaskListener;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the model draws what its prompts say: 500 fixed prompts (model.tsv) of trained subjects and scenes, one picture
 * each, looked at by the judge. What suites elsewhere call methods are kinds of prompts here.
 */
public final class ModelBench implements Suite {

    private static final int GRID = 6;
    private static final List<String> LEFT_RIGHT = List.of("left", "right");
    private static final List<String> SMALL_LARGE = List.of("small", "large");

    /** A line of the list: prompts that share a seed, one for each kind; one noun, or two from left to right. */
    record Entry(int number, List<String> kinds, String scene, List<String> nouns, List<String> prompts, long seed) {}

    private final FluxModel model;
    private final Judge judge;
    private final List<Case> cases = new ArrayList<>();
    private final List<Shot> shots = new ArrayList<>();

    /** @param count how many cases at most; the list has 430, of which 70 draw a pair */
    public ModelBench(FluxModel model, Judge judge, int count) {
        this.model = model;
        this.judge = judge;
        for (Entry entry : entries().subList(0, Math.min(count, entries().size()))) {
            String name = String.format("%03d-%s-%s", entry.number, String.join("-", entry.nouns), entry.scene)
                    .replace(' ', '-');
            Case of = new Cases.Simple(name, entry.nouns.get(0), entry.kinds, List.of(entry.seed), () -> null,
                    wanted -> run(entry, wanted));
            cases.add(of);
            if (shots.size() < GRID * GRID) {
                shots.add(new Shot(of, entry.kinds.get(0), entry.seed, entry.prompts.get(0)));
            }
        }
    }

    /** The whole list. */
    static List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        for (List<String> row : Cases.read("model.tsv")) {
            entries.add(new Entry(entries.size(), split(row.get(0)), row.get(1), split(row.get(2)), split(row.get(3)),
                    Long.parseLong(row.get(4))));
        }
        return entries;
    }

    private static List<String> split(String cell) {
        return List.of(cell.split("\\|"));
    }

    private List<Outcome> run(Entry entry, Set<String> wanted) {
        List<Picture> pictures = entry.prompts.stream().map(prompt ->
                Generate.run(model, prompt, Drawn.sampling(model.defaults(), entry.seed), TaskListener.NONE).images().get(0)
                        .picture()).toList();
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            if (wanted.contains(entry.kinds.get(i))) {
                Map<Instrument, Double> values = judged(judge.judge(pictures.get(i)), entry);
                placement(entry, i, pictures).ifPresent(obeyed -> values.put(Instrument.PLACEMENT, share(obeyed)));
                outcomes.add(new Outcome(entry.kinds.get(i), entry.seed, values, pictures.get(i)));
            }
        }
        return outcomes;
    }

    static Map<Instrument, Double> judged(Judge.Verdict verdict, Entry entry) {
        Map<Instrument, Double> values = new EnumMap<>(Instrument.class);
        values.put(Instrument.SCENE_TOP1, share(verdict.scenes().get(0).equals(entry.scene)));
        values.put(Instrument.SUBJECT_TOP1, share(entry.nouns.contains(verdict.subjects().get(0))));
        values.put(Instrument.SUBJECT_TOP5, share(verdict.subjects().subList(0, 5).containsAll(entry.nouns)));
        return values;
    }

    /** Empty where the prompt says nothing of places and sizes. */
    private Optional<Boolean> placement(Entry entry, int number, List<Picture> pictures) {
        Picture picture = pictures.get(number);
        String noun = entry.nouns.get(0);
        if (entry.kinds.equals(List.of("two-sides"))) {
            return Optional.of(judge.where(picture, noun)[0] < judge.where(picture, entry.nouns.get(1))[0]);
        } else if (entry.kinds.equals(LEFT_RIGHT)) {
            return Optional.of(judge.where(picture, noun)[0] < 0.5 == (number == 0));
        } else if (entry.kinds.equals(SMALL_LARGE)) {
            return Optional.of(area(entry, 0, pictures) < area(entry, 1, pictures));
        }
        return Optional.empty();
    }

    private double area(Entry entry, int number, List<Picture> pictures) {
        return AttentionSegmenter.segment(model, pictures.get(number), entry.prompts.get(number), entry.nouns.get(0))
                .fraction();
    }

    private static double share(boolean yes) {
        return yes ? 1 : 0;
    }

    @Override
    public String name() {
        return "model";
    }

    @Override
    public List<String> notes() {
        return List.of("Fixed prompts of trained subjects in all scenes, one picture each from a fixed seed. The judge "
                + "has seen drawn pictures only; how often it is right about those stands in docs/evaluation.md. The grid "
                + "shows the first prompts of the list, unpicked.");
    }

    @Override
    public List<Instrument> instruments() {
        return List.of(Instrument.SCENE_TOP1, Instrument.SUBJECT_TOP1, Instrument.SUBJECT_TOP5, Instrument.PLACEMENT);
    }

    @Override
    public Map<String, String> methods() {
        Map<String, String> titles = new LinkedHashMap<>();
        titles.put("one", "one subject");
        titles.put("two", "two subjects");
        titles.put("two-sides", "one on the left and one on the right");
        titles.put("left", "on the left");
        titles.put("right", "on the right");
        titles.put("small", "a small one");
        titles.put("large", "a large one");
        return titles;
    }

    /** Kinds of prompts do not compete. */
    @Override
    public Set<String> controls() {
        return methods().keySet();
    }

    @Override
    public List<Case> cases() {
        return cases;
    }

    @Override
    public List<Grid> grids() {
        List<List<Shot>> rows = new ArrayList<>();
        for (int from = 0; from < shots.size(); from += GRID) {
            rows.add(shots.subList(from, Math.min(from + GRID, shots.size())));
        }
        return List.of(new Grid("Pictures", List.of(), rows));
    }
}
