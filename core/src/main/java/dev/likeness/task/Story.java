package dev.likeness.task;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The same subjects through a sequence of prompts (visual storytelling; paper, section 3.4). */
public final class Story {

    /** One picture of the story, or as many as the sampling says. */
    public record Panel(String prompt, List<Subject> subjects) {}

    private Story() {}

    /**
     * One generation a panel. All start from the same seeds, so that what the prompts have in common stays alike; the tokens of
     * a reference are computed for the first panel that it is in.
     */
    public static List<Generation> run(FluxModel model, List<Panel> panels, Injection injection, boolean strict,
            Sampling sampling, TaskListener listener) {
        model.encodeAhead(panels.stream().flatMap(Story::texts).toList(), sampling);
        List<Generation> generations = new ArrayList<>();
        for (Panel panel : panels) {
            generations.add(Personalize.run(model, panel.prompt(), panel.subjects(), injection, strict, sampling, listener));
        }
        return generations;
    }

    private static Stream<String> texts(Panel panel) {
        return Stream.concat(Stream.of(panel.prompt()), panel.subjects().stream().map(Subject::caption));
    }
}
