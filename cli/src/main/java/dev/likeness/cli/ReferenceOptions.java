package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The references: one by flags, several by a layout file, and those that the prompt mentions. */
final class ReferenceOptions {

    private static final String LAYOUT_FILE = ".json";

    /** Where subjects stand that are only mentioned. */
    private static final Layout GROUND = new Layout(0.5, 0.6);

    /** Sentences about what was read, for the result. */
    final Set<String> warnings = new LinkedHashSet<>();

    private List<Source> described; // null until they are read
    private final Map<String, Source> fromPrompts = new HashMap<>();

    @Option(names = {"-r", "--reference"}, paramLabel = "FILE",
            description = "picture of the subject, or @name of the subject library")
    String reference;

    @Option(names = "--reference-prompt", paramLabel = "TEXT",
            description = "what the reference shows (default: the library's words, or the empty prompt)")
    String referencePrompt;

    @Mixin
    MaskOptions maskOptions = new MaskOptions();

    @Option(names = "--region", paramLabel = "FILE",
            description = "second mask of the reference, white: only what it marks of the subject is put in")
    Path region;

    @Option(names = "--layout", paramLabel = "X,Y[,SCALE]|FILE.json",
            description = "where the middle of the subject goes, in fractions of the canvas, and its size; or a layout file of "
                    + "several subjects (default: where it is)")
    String layout;

    @Option(names = "--scene", paramLabel = "FILE", description = "a picture that the subjects are put into")
    Path scene;

    @Option(names = "--strict", description = "refuse what would else be clipped, covered or resized with a warning")
    boolean strict;

    /**
     * A reference as it was read.
     *
     * @param name its file, or {@code @name} in the library
     * @param mask null when it is still to be found by {@code segment}, which needs the model
     */
    record Source(String name, Picture picture, Mask mask, Segmentation segment, String caption, Layout layout,
            boolean scene) {

        /** The same at another place. */
        Source at(Layout place) {
            return new Source(name, picture, mask, segment, caption, place, scene);
        }

        Subject fit(FluxModel model, Sampling sampling) {
            int width = sampling.width();
            int height = sampling.height();
            if (scene) {
                return ReferenceFit.scene(picture, mask, width, height, caption);
            }
            Mask found = mask == null ? Segmenter.mask(segment, picture, name, caption, model) : mask;
            return ReferenceFit.fit(picture, found, width, height, caption, layout);
        }
    }

    /**
     * Reads all references; called again, only those that were not mentioned before.
     *
     * @param mentioned names of the library that the prompt mentions
     * @throws Refusal when something cannot be read or does not fit, or there is no reference at all
     */
    List<Source> read(SubjectLibrary library, List<String> mentioned) {
        boolean file = layout != null && isLayoutFile(layout);
        Layout place = layout == null || file ? null : Layout.parse(layout);
        if (described == null) {
            described = described(library, place, file);
        }
        List<String> named = mentioned.stream()
                .filter(name -> described.stream().noneMatch(source -> source.name.equals("@" + name))).toList();
        List<Source> sources = new ArrayList<>(described);
        boolean alone = reference == null && named.size() == 1;
        for (int i = 0; i < named.size(); i++) {
            Layout own = named.size() > 1 ? share(GROUND, i, named.size()) : alone ? place : null;
            sources.add(fromPrompts.computeIfAbsent(named.get(i), name -> mentioned(library, name)).at(own));
        }
        if (sources.stream().allMatch(Source::scene)) {
            throw Refusal.usage("There is no subject; give --reference FILE, a layout file or @name in the prompt.");
        }
        if (place != null && reference == null && !alone) {
            throw Refusal.usage("--layout %s places one subject and there are %d; give a layout file.", layout, named.size());
        }
        return sources;
    }

    /** The references of the flags and of the layout file. */
    private List<Source> described(SubjectLibrary library, Layout place, boolean file) {
        maskOptions.check();
        if (reference == null && (maskOptions.given() || region != null || referencePrompt != null)) {
            throw Refusal.usage("--mask, --segment, --region and --reference-prompt tell about --reference; give it with them.");
        }
        List<Source> sources = new ArrayList<>();
        if (scene != null) {
            sources.add(scene("--scene " + scene, Pictures.read(scene), ""));
        }
        if (file) {
            LayoutFile.read(Path.of(layout)).forEach(entry -> sources.add(source(library, entry)));
        }
        if (sources.stream().filter(Source::scene).count() > 1) {
            throw Refusal.usage("--scene %s and %s both give a scene; leave one of them out.", scene, layout);
        }
        if (reference != null) {
            sources.add(given(library, place));
        }
        return sources;
    }

    /** A subject as the library has it, where it is in its picture. */
    static Source mentioned(SubjectLibrary library, String name) {
        return fromLibrary(library.get(name), null, null);
    }

    /**
     * The place of one of several subjects that stand side by side where one alone would stand: each in its part of the width, and
     * as much smaller.
     *
     * @param number from 0 on
     */
    static Layout share(Layout whole, int number, int count) {
        double x = whole.x() + whole.scale() * ((number + 0.5) / count - 0.5);
        return new Layout(Math.min(1, Math.max(0, x)), whole.y(), Math.max(Layout.MIN_SCALE, whole.scale() / count));
    }

    private Source given(SubjectLibrary library, Layout place) {
        if (reference.startsWith("@")) {
            if (maskOptions.given()) {
                throw Refusal.usage("--reference %s has its mask in the library; leave --mask and --segment out.", reference);
            }
            return inRegion(fromLibrary(library.get(reference.substring(1)), referencePrompt, place));
        }
        Path path = Path.of(reference);
        Picture picture = Pictures.read(path);
        String caption = referencePrompt == null ? "" : referencePrompt;
        Segmentation how = maskOptions.how();
        Mask mask = maskOptions.needsModel() ? null : maskOptions.find(reader(), picture, path, caption, null);
        return inRegion(new Source(path.toString(), picture, mask, how, caption, place, false));
    }

    private MaskReader reader() {
        return new MaskReader(strict, warnings);
    }

    private Source source(SubjectLibrary library, LayoutFile.Entry entry) {
        if (entry.fromLibrary()) {
            SubjectLibrary.Entry subject = placed(entry, "reference", () -> library.get(entry.reference().substring(1)));
            Source source = fromLibrary(subject, entry.prompt(), entry.layout());
            return entry.scene() ? scene(source.name, source.picture, source.caption) : source;
        }
        Path path = Path.of(entry.reference());
        Picture picture = Pictures.read(path);
        String caption = entry.prompt() == null ? "" : entry.prompt();
        if (entry.scene()) {
            return scene(path.toString(), picture, caption);
        }
        if (entry.mask() != null) {
            Mask mask = reader().read(entry.mask(), entry.maskInvert(), picture, path);
            return new Source(path.toString(), picture, mask, null, caption, entry.layout(), false);
        }
        return placed(entry, "segment", () -> {
            Segmentation how = SegmentOptions.of(entry);
            Mask mask = Segmenter.needsModel(how) ? null : reader().find(how, picture, path, caption, null);
            return new Source(path.toString(), picture, mask, how, caption, entry.layout(), false);
        });
    }

    /** What a field of a layout file says; where it says something wrong, that is told with its place in the file. */
    private static <T> T placed(LayoutFile.Entry entry, String field, Supplier<T> said) {
        try {
            return said.get();
        } catch (Refusal e) {
            throw e.kind() == Refusal.Kind.USAGE ? entry.refusal(field, e.getMessage()) : e;
        }
    }

    private static Source scene(String name, Picture picture, String caption) {
        return new Source(name, picture, Mask.full(picture.width(), picture.height()), null, caption, null, true);
    }

    private static Source fromLibrary(SubjectLibrary.Entry entry, String caption, Layout place) {
        Picture picture = Pictures.read(entry.reference());
        return new Source("@" + entry.name(), picture, Mask.read(entry.mask(), false), null,
                caption == null ? entry.prompt() : caption, place, false);
    }

    private Source inRegion(Source source) {
        if (region == null) {
            return source;
        }
        if (source.mask == null) {
            throw Refusal.usage("--region cannot be combined with --segment %s; make the mask first with likeness segment.",
                    maskOptions.segmentOptions.segment);
        }
        Mask both = source.mask.and(reader().inSizeOf(source.picture, Mask.read(region, false), region, Path.of(reference)));
        if (both.isEmpty()) {
            throw Refusal.input("--region %s marks nothing of the subject; paint white what of it shall be put in.", region);
        }
        return new Source(source.name, source.picture, both, source.segment, source.caption, source.layout, source.scene);
    }

    /** Whether {@code --layout} names a file, not a place. */
    static boolean isLayoutFile(String layout) {
        return layout.toLowerCase(Locale.ROOT).endsWith(LAYOUT_FILE);
    }

    /** What was given, by flag name. */
    void record(ObjectNode parameters) {
        put(parameters, "reference", reference);
        put(parameters, "reference-prompt", referencePrompt);
        maskOptions.record(parameters);
        put(parameters, "region", region);
        put(parameters, "layout", layout);
        put(parameters, "scene", scene);
        if (strict) {
            parameters.put("strict", true);
        }
    }

    private static void put(ObjectNode parameters, String flag, Object value) {
        if (value != null) {
            parameters.put(flag, value.toString());
        }
    }
}
