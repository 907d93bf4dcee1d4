package dev.likeness.task;

import dev.likeness.error.Refusal;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which tokens of which subject go where: disjoint regions of one canvas. Of two subjects on one place the later one stands
 * in front.
 *
 * @param placements by subject
 * @param warnings sentences on what was clipped or covered
 */
record Arrangement(List<Placement> placements, List<String> warnings) {

    /**
     * @param strict refuses what would else be clipped with a warning
     * @throws Refusal (usage) when nothing of a subject would be seen; with strict also when some of it would not
     */
    static Arrangement of(List<Subject> subjects, Injection injection, boolean strict) {
        List<Integer> frontToBack = new ArrayList<>();
        for (int i = subjects.size() - 1; i >= 0; i--) {
            frontToBack.add(i);
        }
        frontToBack.sort(Comparator.comparing(i -> subjects.get(i).scene())); // stable: scenes go behind all others
        Placement[] placements = new Placement[subjects.size()];
        List<String> warnings = new ArrayList<>();
        Set<Long> taken = new HashSet<>();
        for (int i : frontToBack) {
            Subject subject = subjects.get(i);
            TokenMask mask = tokens(subject, injection);
            if (mask.isEmpty()) {
                throw Refusal.input("The mask of %s covers no block of 16 x 16 pixels of the canvas; mark more of it, or "
                        + "give it a greater scale.", name(subjects, i));
            }
            Placement whole = Placement.of(mask, subject.layout());
            Placement seen = whole.without(taken);
            int covered = whole.target().length - seen.target().length;
            List<String> lost = new ArrayList<>();
            if (subject.cut() > 0.005 && !subject.scene()) { // below it is rounding
                lost.add(String.format("%.0f %% of %s are larger than the canvas", 100 * subject.cut(), name(subjects, i)));
            }
            if (whole.clipped() > 0) {
                lost.add(String.format("%d of %d tokens of %s fall outside the canvas", whole.clipped(), mask.count(),
                        name(subjects, i)));
            }
            if (covered > 0 && !subject.scene()) {
                lost.add(String.format("%d of %d tokens of %s lie where a later subject stands", covered, mask.count(),
                        name(subjects, i)));
            }
            if (seen.target().length == 0) {
                throw Refusal.usage("Nothing of %s would be seen, because others stand in front of all of it; move it with its "
                        + "layout.", name(subjects, i));
            }
            if (strict && !lost.isEmpty()) {
                throw Refusal.usage("--strict: %s; move or scale it with its layout.", String.join(", and ", lost));
            }
            lost.forEach(sentence -> warnings.add(0, sentence + " and were dropped."));
            Arrays.stream(seen.target()).forEach(taken::add);
            int columns = subject.mask().width() / TokenMask.TOKEN;
            placements[i] = subject.scene() ? seen : injection.perturbation().shuffle(seen, columns);
        }
        return new Arrangement(List.of(placements), warnings);
    }

    /** A scene is kept as it is: without perturbation (paper, section 3.4), and only where all of a token belongs to it. */
    private static TokenMask tokens(Subject subject, Injection injection) {
        if (!subject.scene()) {
            return TokenMask.of(injection.perturbation().morph(subject.mask()), injection.tokenRule());
        }
        boolean published = injection.tokenRule() == TokenMask.Rule.NEAREST;
        return TokenMask.of(subject.mask(), published ? TokenMask.Rule.NEAREST : TokenMask.Rule.WHOLE);
    }

    private static String name(List<Subject> subjects, int number) {
        if (subjects.get(number).scene()) {
            return "the scene";
        }
        long others = subjects.stream().filter(subject -> !subject.scene()).count();
        long before = subjects.subList(0, number).stream().filter(subject -> !subject.scene()).count();
        return others == 1 ? "the subject" : "subject " + (before + 1);
    }
}
