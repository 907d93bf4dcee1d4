package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.TokenMask;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.SamplingChoice;
import dev.likeness.segment.Segmentation;
import dev.likeness.task.Injection;
import dev.likeness.task.ModelDefaults;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a job shall do, with every field of the right type and in range. Pictures are still the strings of the request.
 *
 * @param prompts one, several for a story, none to reconstruct
 * @param sides pixels to add left, right, above and below
 */
record JobRequest(Task task, ObjectNode json, List<String> prompts, List<Fields> subjects, boolean maskInvert,
        String segment,
        String imagePrompt, int[] sides, boolean blend, int softEdge, boolean strict, SamplingChoice sampling,
        InjectionChoice injection) {

    enum Task {
        GENERATE(InjectionChoice.Purpose.PERSONALIZE), PERSONALIZE(InjectionChoice.Purpose.PERSONALIZE),
        COMPOSE(InjectionChoice.Purpose.PERSONALIZE), RECONSTRUCT(InjectionChoice.Purpose.RECONSTRUCT),
        INPAINT(InjectionChoice.Purpose.INPAINT), OUTPAINT(InjectionChoice.Purpose.OUTPAINT),
        STORY(InjectionChoice.Purpose.PERSONALIZE);

        final InjectionChoice.Purpose purpose;

        Task(InjectionChoice.Purpose purpose) {
            this.purpose = purpose;
        }

        String flag() {
            return lower(this);
        }

        boolean edits() {
            return this == INPAINT || this == OUTPAINT;
        }
    }

    static final int DEFAULT_SOFT_EDGE = 8;

    /** The field of the request that holds the task. */
    private static final String TASK = "task";

    private static final List<String> SHARED = List.of(TASK, "negative_prompt", "width", "height", "steps", "guidance_scale",
            "true_cfg_scale", "max_sequence_length", "seed", "num_images", "strict", "method", "inject", "tau", "tau_basis",
            "replace_at", "reference_noise", "positions", "perturb", "shuffle_window", "mask_morph", "perturb_seed",
                    "inversion",
            "gamma", "token_mask");
    private static final List<String> EDIT = List.of("prompt", "image", "image_prompt", "blend", "soft_edge");
    private static final Map<Task, List<String>> FIELDS = new EnumMap<>(Map.of(
            Task.GENERATE, with(SHARED, List.of("prompt")), Task.PERSONALIZE, with(SHARED, List.of("prompt", "subjects")),
            Task.COMPOSE, with(SHARED, List.of("prompt", "subjects")),
            Task.RECONSTRUCT, with(SHARED, List.of("subjects")),
            Task.STORY, with(SHARED, List.of("prompts", "subjects")),
            Task.INPAINT, with(SHARED, EDIT, List.of("mask", "mask_invert", "segment")),
            Task.OUTPAINT, with(SHARED, EDIT, List.of("left", "right", "up", "down"))));
    static final List<String> SUBJECT_FIELDS =
            List.of("reference", "mask", "mask_invert", "segment", "prompt", "x", "y", "scale", "scene");

    /** @throws Problem with the pointer of what is wrong */
    static JobRequest of(ObjectNode json, ModelDefaults defaults, Limits limits) {
        Fields fields = new Fields(json, "");
        fields.requireText(TASK);
        Task task = fields.oneOf(TASK, Task.values(), Task::flag);
        fields.allow(FIELDS.get(task), "The task " + task.flag());
        JobRequest request = new JobRequest(task, json, prompts(fields, task, limits), subjects(fields, task, limits),
                fields.flag("mask_invert", false), segment(fields), shortText(fields, "image_prompt", "", limits),
                new int[] {side(fields, "left"), side(fields, "right"), side(fields, "up"), side(fields, "down")},
                fields.flag("blend", true), fields.integer("soft_edge", DEFAULT_SOFT_EDGE), fields.flag("strict", false),
                sampling(fields, limits), injection(fields));
        if (task.edits()) {
            fields.requireText("image");
        }
        if (task == Task.INPAINT && fields.has("mask") == fields.has("segment")) {
            throw Problem.at("/mask", "inpaint needs either a mask, white where the picture shall be new, or segment; "
                    + "give one of the two.");
        }
        if (request.maskInvert && !fields.has("mask")) {
            throw Problem.at("/mask_invert", "mask_invert says how to read a mask; give mask with it.");
        }
        request.check(defaults, limits);
        return request;
    }

    private static List<String> prompts(Fields fields, Task task, Limits limits) {
        if (task == Task.RECONSTRUCT) {
            return List.of();
        }
        if (task != Task.STORY) {
            fields.requireText("prompt");
            return List.of(shortText(fields, "prompt", "", limits));
        }
        List<String> prompts = fields.texts("prompts");
        if (prompts.isEmpty() || prompts.size() > limits.images()) {
            throw Problem.at("/prompts", "A story has 1 to %d prompts; list as many.", limits.images());
        }
        for (int i = 0; i < prompts.size(); i++) {
            requireShort("/prompts/" + i, prompts.get(i), limits);
        }
        return prompts;
    }

    private static List<Fields> subjects(Fields fields, Task task, Limits limits) {
        List<Fields> subjects = fields.list("subjects");
        for (Fields subject : subjects) {
            subject.allow(SUBJECT_FIELDS, "A subject");
            subject.requireText("reference");
            shortText(subject, "prompt", "", limits);
            segment(subject);
        }
        if (subjects.size() > LayoutFile.MAX_SUBJECTS) {
            throw Problem.at("/subjects", "There are %d subjects; leave out all but %d.", subjects.size(),
                    LayoutFile.MAX_SUBJECTS);
        }
        if (task == Task.RECONSTRUCT) {
            if (subjects.size() != 1) {
                throw Problem.at("/subjects", "reconstruct takes one subject and there are %d; give one.", subjects.size());
            }
            for (String name : List.of("x", "y", "scale", "scene")) {
                if (subjects.get(0).has(name)) {
                    throw Problem.at(subjects.get(0).at(name), "reconstruct leaves the subject in its place; leave %s out.",
                            name);
                }
            }
        }
        return subjects;
    }

    /** A way to find a mask that reads none of the server's files. */
    static String segment(Fields fields) {
        String text = fields.text("segment");
        if (text == null) {
            return null;
        }
        Segmentation how = fields.said("segment", () -> Segmentation.parse(text));
        if (how instanceof Segmentation.File || how instanceof Segmentation.Onnx) {
            throw Problem.at(fields.at("segment"), "The server opens no files by name; use alpha, attention:WORD, "
                    + "box:x,y,w,h or click:x,y, or send a mask.");
        }
        return text;
    }

    private static int side(Fields fields, String name) {
        int pixels = fields.integer(name, 0);
        if (pixels < 0) {
            throw Problem.at(fields.at(name), "%s counts pixels to add and cannot be negative.", name);
        }
        return pixels;
    }

    static String shortText(Fields fields, String name, String otherwise, Limits limits) {
        String text = fields.text(name, otherwise);
        requireShort(fields.at(name), text, limits);
        return text;
    }

    private static void requireShort(String pointer, String text, Limits limits) {
        if (text.length() > limits.promptCharacters()) {
            throw Problem.at(pointer, "The text has %d characters; at most %d are taken.", text.length(),
                    limits.promptCharacters());
        }
        if (text.indexOf('\0') >= 0) {
            throw Problem.at(pointer, "The text contains a NUL character; remove it.");
        }
    }

    private static SamplingChoice sampling(Fields fields, Limits limits) {
        return new SamplingChoice(fields.integer("width"), fields.integer("height"), fields.integer("steps"),
                fields.number("guidance_scale"), fields.number("true_cfg_scale"),
                shortText(fields, "negative_prompt", "", limits), fields.integer("max_sequence_length"),
                        fields.whole("seed"),
                fields.integer("num_images", 1));
    }

    private static InjectionChoice injection(Fields fields) {
        InjectionChoice.Method method = fields.oneOf("method", InjectionChoice.Method.values(), JobRequest::lower);
        return new InjectionChoice(method == null ? InjectionChoice.Method.DEFAULT : method,
                fields.oneOf("inject", Injection.Mode.values(), Injection.Mode::flag), fields.number("tau"),
                fields.oneOf("tau_basis", Injection.TauBasis.values(), JobRequest::lower),
                fields.oneOf("replace_at", ReplaceAt.values(), JobRequest::lower), fields.flag("reference_noise"),
                fields.oneOf("positions", Positions.values(), JobRequest::lower), fields.flag("perturb"),
                fields.integer("shuffle_window"), fields.integer("mask_morph"), fields.whole("perturb_seed"),
                fields.oneOf("inversion", Inversion.Method.values(), InjectionChoice::flag), fields.number("gamma"),
                fields.oneOf("token_mask", TokenMask.Rule.values(), JobRequest::lower));
    }

    private void check(ModelDefaults defaults, Limits limits) {
        try {
            sampling.check();
            injection.check();
        } catch (Refusal refusal) {
            throw Problem.of(refusal, null);
        }
        int steps = sampling.steps() == null ? defaults.steps() : sampling.steps();
        if (steps > limits.steps()) {
            throw Problem.at("/steps", "steps %d is out of range; this server makes at most %d.", steps, limits.steps());
        }
        long pictures = (long) sampling.count() * Math.max(1, prompts.size());
        if (pictures > limits.images()) {
            throw Problem.at("/num_images", "The job would make %d pictures; this server makes at most %d in a job.",
                    pictures, limits.images());
        }
        long width = sampling.width() == null ? defaults.width() : sampling.width();
        long height = sampling.height() == null ? defaults.height() : sampling.height();
        if (width * height > limits.outputPixels()) {
            throw Problem.at("/width", "%d x %d pixels are too many; this server draws at most %d on one canvas.", width,
                    height, limits.outputPixels());
        }
        if (sampling.seed() != null && sampling.seed() < 0) {
            throw Problem.at("/seed", "seed %d is negative; use a number from 0, or leave it out.", sampling.seed());
        }
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") // the array goes no further than this stream
    private static List<String> with(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }

    static List<String> tasks() {
        return Stream.of(Task.values()).map(Task::flag).toList();
    }
}
