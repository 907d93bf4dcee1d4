package dev.likeness.reference;

import dev.likeness.error.Refusal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A JSON file that says which subjects go where on one canvas: docs/layout.md, with docs/layout.schema.json for editors.
 * {@code LayoutFileTest} keeps this class and the schema in step.
 */
public final class LayoutFile {

    /** Entries of a file, the scene included. */
    public static final int MAX_SUBJECTS = 16;

    private static final int MAX_SENTENCE = 400; // letters; what is wrong may be quoted in it

    private static final String SCHEMA = "$schema"; // editors find the schema by it; it changes nothing here
    private static final String SUBJECTS = "subjects";
    private static final String REFERENCE = "reference";
    private static final String MASK = "mask";
    private static final String MASK_INVERT = "mask_invert";
    private static final String SEGMENT = "segment";
    private static final String PROMPT = "prompt";
    private static final String X = "x";
    private static final String Y = "y";
    private static final String SCALE = "scale";
    private static final String SCENE = "scene";

    private static final List<String> FIELDS = List.of(SCHEMA, SUBJECTS);
    private static final List<String> SUBJECT_FIELDS =
            List.of(REFERENCE, MASK, MASK_INVERT, SEGMENT, PROMPT, X, Y, SCALE, SCENE);

    private LayoutFile() {}

    /**
     * One picture of the file. Paths are resolved against the file's folder; whether they exist is not checked here.
     *
     * @param reference path of the picture, or {@code @name} for a subject of the library
     * @param mask white where the subject is; null when none is given, as always for a subject of the library and a scene
     * @param maskInvert whether the mask file is black where the subject is
     * @param segment how the subject is to be found in the picture, as {@code --segment} takes it; null when not given
     * @param prompt what the reference shows; null when not given
     * @param layout where the subject goes; null leaves it where it is
     * @param scene whether this is the picture that the subjects are put into
     * @param json what it was read from
     */
    public record Entry(String reference, Path mask, boolean maskInvert, String segment, String prompt, Layout layout,
            boolean scene, LocatedJson json) {

        /** Whether the reference is a name of the {@link SubjectLibrary}. */
        public boolean fromLibrary() {
            return reference.startsWith("@");
        }

        /** A path of the file that is not known as one here, such as one in {@link #segment}. */
        public Path resolve(Path path) {
            return json.file().resolveSibling(path);
        }

        /**
         * A refusal (input) that says where a field stands in the file; for the caller to throw.
         *
         * @param field one that was given, such as {@code segment}
         * @param sentence what is wrong with it, and the remedy
         */
        public Refusal refusal(String field, String sentence) {
            return json.member(field).refusal("%s", LocatedJson.line(sentence, MAX_SENTENCE));
        }
    }

    /**
     * The entries in the file's order: 1 to {@link #MAX_SUBJECTS}, at most one of them a scene and not all of them.
     *
     * @throws Refusal (input) with file, line, column and JSON pointer when the file is not what docs/layout.md describes
     */
    public static List<Entry> read(Path file) {
        LocatedJson document = LocatedJson.read(file);
        Map<String, LocatedJson> fields = document.object(FIELDS);
        if (fields.containsKey(SCHEMA)) {
            fields.get(SCHEMA).string();
        }
        LocatedJson subjects = require(document, fields, SUBJECTS, "a list such as [{\"reference\": \"robot.png\"}]");
        List<LocatedJson> elements = subjects.array();
        if (elements.isEmpty()) {
            throw subjects.refusal("no subject is listed; add at least one, such as {\"reference\": \"robot.png\"}.");
        }
        if (elements.size() > MAX_SUBJECTS) {
            throw elements.get(MAX_SUBJECTS).refusal("%d subjects are listed; leave out all but %d.", elements.size(),
                    MAX_SUBJECTS);
        }
        List<Entry> entries = new ArrayList<>();
        for (LocatedJson element : elements) {
            Entry entry = entry(element);
            if (entry.scene() && entries.stream().anyMatch(Entry::scene)) {
                throw element.refusal("this is the second scene, and a picture has one; remove scene from one of the two.");
            }
            entries.add(entry);
        }
        if (entries.stream().allMatch(Entry::scene)) {
            throw subjects.refusal("only a scene is listed; add the subject that shall be put into it.");
        }
        return List.copyOf(entries);
    }

    private static Entry entry(LocatedJson subject) {
        Map<String, LocatedJson> fields = subject.object(SUBJECT_FIELDS);
        LocatedJson reference = require(subject, fields, REFERENCE, "the path of a picture, or @name for one of the library");
        String picture = reference(reference);
        boolean scene = fields.containsKey(SCENE) && fields.get(SCENE).bool();
        if (scene) {
            refuse(fields, List.of(MASK, MASK_INVERT, SEGMENT, X, Y, SCALE),
                    "a scene fills the canvas and takes no %s; remove it.");
        }
        if (picture.startsWith("@")) {
            refuse(fields, List.of(MASK, MASK_INVERT, SEGMENT),
                    "a subject of the library has its mask and takes no %s; remove it.");
        }
        if (fields.containsKey(MASK) && fields.containsKey(SEGMENT)) {
            throw fields.get(SEGMENT).refusal("mask and segment both say where the subject is; remove one of the two.");
        }
        Path mask = fields.containsKey(MASK) ? path(fields.get(MASK)) : null;
        boolean maskInvert = fields.containsKey(MASK_INVERT) && fields.get(MASK_INVERT).bool();
        if (maskInvert && mask == null) {
            throw fields.get(MASK_INVERT).refusal("mask_invert says how to read a mask file; add mask, or remove mask_invert.");
        }
        return new Entry(picture, mask, maskInvert, fields.containsKey(SEGMENT) ? fields.get(SEGMENT).filledString() : null,
                fields.containsKey(PROMPT) ? fields.get(PROMPT).string() : null, layout(subject, fields), scene, subject);
    }

    private static LocatedJson require(LocatedJson object, Map<String, LocatedJson> fields, String key, String what) {
        if (!fields.containsKey(key)) {
            throw object.refusal("%s is missing; add %s.", key, what);
        }
        return fields.get(key);
    }

    private static void refuse(Map<String, LocatedJson> fields, List<String> keys, String sentence) {
        fields.forEach((key, value) -> {
            if (keys.contains(key)) {
                throw value.refusal(sentence, key);
            }
        });
    }

    private static String reference(LocatedJson value) {
        String text = value.filledString();
        if (!text.startsWith("@")) {
            String path = path(value).toString();
            // In a folder whose name begins with @ the path must not be taken for a name.
            return path.startsWith("@") ? Path.of(".", path).toString() : path;
        }
        if (!SubjectLibrary.isName(text.substring(1))) {
            throw value.refusal("%s is not a name of the library; write @ and 1 to 64 lower-case letters, digits, - and _ that "
                    + "begin with a letter, or ./ before the name of a file that begins with @.", LocatedJson.shown(text));
        }
        return text;
    }

    private static Path path(LocatedJson value) {
        try {
            return value.file().resolveSibling(value.filledString());
        } catch (InvalidPathException e) {
            throw value.refusal("%s cannot be a path; write the name of a file.", LocatedJson.shown(value.string()));
        }
    }

    private static Layout layout(LocatedJson subject, Map<String, LocatedJson> fields) {
        if (fields.containsKey(X) != fields.containsKey(Y)) {
            String given = fields.containsKey(X) ? X : Y;
            throw fields.get(given).refusal("%s stands without %s; give both, or none to leave the subject where it is.", given,
                    given.equals(X) ? Y : X);
        }
        if (!fields.containsKey(X)) {
            if (fields.containsKey(SCALE)) {
                throw fields.get(SCALE).refusal("scale stands without x and y; add them to say where the middle of the scaled "
                        + "subject goes.");
            }
            return null;
        }
        return new Layout(fields.get(X).number(0, 1), fields.get(Y).number(0, 1),
                fields.containsKey(SCALE) ? fields.get(SCALE).number(Layout.MIN_SCALE, Layout.MAX_SCALE) : 1);
    }
}
