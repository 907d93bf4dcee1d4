package dev.likeness.task;

import java.util.ArrayList;
import java.util.List;

/** The same subjects through a sequence of prompts (visual storytelling; paper, section 3.4). */
public final class Story {

    private Story() {}

    /**
     * One generation a prompt. All start from the same seeds, so that what the prompts have in common stays alike; the
     * references' tokens are computed for the first picture only.
     */
    public static List<Generation> run(FluxModel model, List<String> prompts, List<Subject> subjects, Injection injection,
            boolean strict, Sampling sampling, TaskListener listener) {
        List<Generation> generations = new ArrayList<>();
        for (String prompt : prompts) {
            generations.add(Personalize.run(model, prompt, subjects, injection, strict, sampling, listener));
        }
        return generations;
    }
}
