package dev.likeness.eval;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.analysis.MaskedSsim;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.PromptLikelihood;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import dev.likeness.task.TaskListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Puts cut-out subjects into scenes, at half their size on the left or the right, and measures the pictures. Prompts name
 * the scene alone; seeds are fixed.
 */
public final class Bench {

    /** Name of plain generation among the variants. */
    public static final String PLAIN = "plain generation";

    /** The pasted cut-out: what a copy scores. */
    public static final String PASTED = "pasted cut-out";

    private static final List<String> SCENES = List.of("a beach", "a field of snow", "a forest");
    private static final int SEEDS = 20; // subjects share them
    private static final double SCALE = 0.5;
    private static final double HEIGHT = 0.6;
    private static final double[] SIDES = {0.27, 0.73};
    private static final double MAX_DB = 100; // equal pictures have no finite PSNR

    /** A subject in a scene. */
    public record Case(Path cutOut, String subject, String scene, Layout layout, long seed) {}

    /** A measured picture. */
    public record Result(Case of, String variant, Picture picture, Measures measures) {}

    private final FluxModel model;
    private final Sampling sampling;

    public Bench(FluxModel model) {
        this.model = model;
        ModelDefaults d = model.defaults();
        sampling = new Sampling(d.width(), d.height(), d.steps(), d.guidanceScale(), d.trueCfgScale(), "", d.maxSequenceLength(),
                0, 1);
    }

    /**
     * The cases of a suite in their order: every subject in as many scenes as the suite says. Scene, side and seed follow from
     * the subject's number in the list, so the list is always the whole one.
     */
    public static List<Case> cases(Suite suite, List<Path> cutOuts) {
        List<Case> cases = new ArrayList<>();
        for (int number = 0; number < cutOuts.size(); number++) {
            Path file = cutOuts.get(number);
            int i = number % SEEDS;
            String subject = file.getFileName().toString().replace(".png", "").replace('-', ' ');
            for (int k = 0; k < suite.scenes(); k++) {
                String scene = SCENES.get((i + k) % SCENES.size());
                Layout layout = new Layout(SIDES[(i + k) % SIDES.length], HEIGHT, SCALE);
                cases.add(new Case(file, subject, scene, layout, 7 + i));
            }
        }
        return cases;
    }

    /** The reference of a case as the model sees it. */
    public Subject subject(Case of) {
        Picture cutOut = Pictures.read(of.cutOut());
        return ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, of.cutOut().toString()), sampling.width(), sampling.height(), "",
                of.layout());
    }

    /** Plain generation, the pasted cut-out, and each variant, measured. */
    public List<Result> run(Case of, List<Variant> variants) {
        Subject subject = subject(of);
        TokenMask tokens = TokenMask.of(subject.mask(), TokenMask.Rule.QUARTER);
        Placement placement = Placement.of(tokens, of.layout());
        Sampling seeded = new Sampling(sampling.width(), sampling.height(), sampling.steps(), sampling.guidanceScale(),
                sampling.trueCfgScale(), "", sampling.maxSequenceLength(), of.seed(), 1);
        Picture plain = picture(Generate.run(model, of.scene(), seeded, TaskListener.NONE));
        long from = placement.source()[0]; // all tokens move alike
        long to = placement.target()[0];
        int down = (int) (to / tokens.columns() - from / tokens.columns()) * TokenMask.TOKEN;
        int right = (int) (to % tokens.columns() - from % tokens.columns()) * TokenMask.TOKEN;
        Mask place = subject.mask().translate(right, down);
        Picture moved = move(subject.picture(), right, down);
        List<Result> results = new ArrayList<>();
        results.add(result(of, PLAIN, plain, subject, place, right, down, plain));
        results.add(result(of, PASTED, plain.under(moved, place), subject, place, right, down, plain));
        for (Variant variant : variants) {
            Picture made = picture(Personalize.run(model, of.scene(), List.of(subject), variant.injection(), false, seeded,
                    TaskListener.NONE));
            results.add(result(of, variant.name(), made, subject, place, right, down, plain));
        }
        return results;
    }

    private Result result(Case of, String variant, Picture made, Subject subject, Mask place, int right, int down,
            Picture plain) {
        TokenMask outside = TokenMask.of(place.invert(), TokenMask.Rule.WHOLE);
        double[] errors = PromptLikelihood.errors(model, made, SCENES, outside.covered(), sampling);
        int own = SCENES.indexOf(of.scene());
        double other = IntStream.range(0, errors.length).filter(i -> i != own).mapToDouble(i -> errors[i]).min().orElseThrow();
        Measures measures = new Measures(MaskedPsnr.of(subject.picture(), subject.mask(), made, right, down),
                MaskedSsim.of(subject.picture(), subject.mask(), made, right, down),
                MaskedPsnr.of(subject.picture(), subject.mask(), made, 0, 0),
                Math.min(MAX_DB, MaskedPsnr.of(plain, place.invert(), made, 0, 0)), other / errors[own] - 1);
        return new Result(of, variant, made, measures);
    }

    /** Moved by whole pixels; what enters is white. */
    private static Picture move(Picture picture, int right, int down) {
        Picture padded = picture.pad(Math.max(0, right), Math.max(0, down), Math.max(0, -right), Math.max(0, -down), 0xFFFFFF);
        return padded.crop(new Box(Math.max(0, -right), Math.max(0, -down), picture.width(),
                picture.height()));
    }

    private static Picture picture(Generation generation) {
        return generation.images().get(0).picture();
    }
}
