package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.request.MaskReader;
import dev.likeness.request.Source;
import dev.likeness.segment.Segmentation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The references: one by flags, several by a layout file, and those that the prompt mentions. */
final class ReferenceOptions {

    private static final String LAYOUT_FILE = ".json";

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
                .filter(name -> described.stream().noneMatch(source -> source.name().equals("@" + name))).toList();
        List<Source> sources = new ArrayList<>(described);
        boolean alone = reference == null && named.size() == 1;
        List<Source> fresh = named.stream()
                .map(name -> fromPrompts.computeIfAbsent(name, one -> mentioned(library, one))).toList();
        sources.addAll(alone ? List.of(fresh.get(0).at(place)) : Source.sideBySide(fresh));
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
            sources.add(Source.scene("--scene " + scene, Pictures.read(scene), ""));
        }
        if (file) {
            LayoutFile.read(Path.of(layout)).forEach(entry -> sources.add(Source.of(entry, library, reader())));
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
        return Source.of(library.get(name), null, null);
    }

    private Source given(SubjectLibrary library, Layout place) {
        if (reference.startsWith("@")) {
            if (maskOptions.given()) {
                throw Refusal.usage("--reference %s has its mask in the library; leave --mask and --segment out.", reference);
            }
            return inRegion(Source.of(library.get(reference.substring(1)), referencePrompt, place));
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

    private Source inRegion(Source source) {
        if (region == null) {
            return source;
        }
        if (source.mask() == null) {
            throw Refusal.usage("--region cannot be combined with --segment %s; make the mask first with likeness segment.",
                    maskOptions.segmentOptions.segment);
        }
        Mask both = source.mask().and(reader().inSizeOf(source.picture(), Mask.read(region, false), region, Path.of(reference)));
        if (both.isEmpty()) {
            throw Refusal.input("--region %s marks nothing of the subject; paint white what of it shall be put in.", region);
        }
        return new Source(source.name(), source.picture(), both, source.segment(), source.caption(), source.layout(), source.scene());
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
