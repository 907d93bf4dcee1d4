package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import dev.likeness.task.TaskListener;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A subject in pictures of one prompt and seed, a picture a method.
 *
 * @param place where the subject is in them
 * @param right pixels from its place in the reference to there, {@code down} likewise
 * @param plain plain generation of the same seed
 * @param pictures by method
 */
record Drawn(Mask place, int right, int down, Picture plain, Map<String, Picture> pictures) {

    static Drawn of(FluxModel model, Subject subject, String prompt, long seed, List<Method> methods) {
        Sampling sampling = sampling(model.defaults(), seed);
        TokenMask tokens = TokenMask.of(subject.mask(), TokenMask.Rule.QUARTER);
        Placement placement = Placement.of(tokens, subject.layout());
        long from = placement.source()[0]; // all tokens move alike
        long to = placement.target()[0];
        int down = (int) (to / tokens.columns() - from / tokens.columns()) * TokenMask.TOKEN;
        int right = (int) (to % tokens.columns() - from % tokens.columns()) * TokenMask.TOKEN;
        Mask place = subject.mask().translate(right, down);
        Picture plain = Generate.run(model, prompt, sampling, TaskListener.NONE).images().get(0).picture();
        Map<String, Picture> pictures = new LinkedHashMap<>();
        Map<Injection, Picture> made = new HashMap<>(); // the default is often one of the others
        for (Method method : methods) {
            pictures.put(method.name(), switch (method.name()) {
                case Method.PLAIN -> plain;
                case Method.PASTE -> plain.under(move(subject.picture(), right, down), place);
                default -> made.computeIfAbsent(method.injection(), injection -> Personalize.run(model, prompt,
                        List.of(subject), injection, false, sampling, TaskListener.NONE).images().get(0).picture());
            });
        }
        return new Drawn(place, right, down, plain, pictures);
    }

    /** The model's own settings. */
    static Sampling sampling(ModelDefaults d, long seed) {
        return new Sampling(d.width(), d.height(), d.steps(), d.guidanceScale(), d.trueCfgScale(), "", d.maxSequenceLength(),
                seed, 1);
    }

    /** Moved by whole pixels; what enters is white. */
    static Picture move(Picture picture, int right, int down) {
        Picture padded = picture.pad(Math.max(0, right), Math.max(0, down), Math.max(0, -right), Math.max(0, -down),
                0xFFFFFF);
        return padded.crop(new Box(Math.max(0, -right), Math.max(0, -down), picture.width(), picture.height()));
    }
}
