package dev.likeness.task;

import java.util.ArrayList;
import java.util.List;

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
        List<Generation> generations = new ArrayList<>();
        for (Panel panel : panels) {
            generations.add(Personalize.run(model, panel.prompt(), panel.subjects(), injection, strict, sampling, listener));
        }
        return generations;
    }
}
