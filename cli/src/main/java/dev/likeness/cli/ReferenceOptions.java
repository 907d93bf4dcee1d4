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
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The references: one by flags, several by a layout file, and those that the prompt mentions. */
final class ReferenceOptions {

    private static final String LAYOUT_FILE = ".json";

    /** Sentences about what was read, for the result. */
    final Set<String> warnings = new LinkedHashSet<>();

    @Option(names = {"-r", "--reference"}, paramLabel = "FILE",
            description = "picture of the subject, or @name of the subject library")
    String reference;

    @Option(names = "--reference-prompt", paramLabel = "TEXT",
            description = "what the reference shows (default: the library's words, or the empty prompt)")
    String referencePrompt;

    @Option(names = "--mask", paramLabel = "FILE",
            description = "mask of the reference, white where the subject is (default: its alpha channel)")
    Path mask;

    @Option(names = "--mask-invert", description = "the mask file is black where the subject is")
    boolean maskInvert;

    @Mixin
    SegmentOptions segmentOptions = new SegmentOptions();

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
     * @param mask null when it is still to be found by {@code segment}, which needs the model
     */
    record Source(String name, Picture picture, Mask mask, Segmentation segment, String caption, Layout layout,
            boolean scene) {

        /** The same at a place, unless it has one. */
        Source at(Layout place) {
            return layout == null ? new Source(name, picture, mask, segment, caption, place, scene) : this;
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
     * Reads all references.
     *
     * @param mentioned names of the library that the prompt mentions
     * @throws Refusal when something cannot be read or does not fit, or there is no reference at all
     */
    List<Source> read(SubjectLibrary library, List<String> mentioned) {
        segmentOptions.check();
        List<Source> sources = new ArrayList<>();
        List<String> named = new ArrayList<>(mentioned);
        boolean file = layout != null && isLayoutFile(layout);
        Layout place = layout == null || file ? null : Layout.parse(layout);
        if (maskInvert && mask == null) {
            throw Refusal.usage("--mask-invert says how to read a mask file; give --mask FILE with it.");
        }
        if (mask != null && segmentOptions.segment != null) {
            throw Refusal.usage("--mask and --segment both say where the subject is; give one of them.");
        }
        boolean described = mask != null || segmentOptions.segment != null || region != null || referencePrompt != null;
        if (reference == null && described) {
            throw Refusal.usage("--mask, --segment, --region and --reference-prompt tell about --reference; give it with them.");
        }
        if (scene != null) {
            Picture picture = Pictures.read(scene);
            sources.add(new Source(scene.toString(), picture, Mask.full(picture.width(), picture.height()), null, "", null, true));
        }
        if (file) {
            for (LayoutFile.Entry entry : LayoutFile.read(Path.of(layout))) {
                sources.add(source(library, entry));
                named.removeIf(name -> entry.reference().equals("@" + name));
            }
        }
        if (sources.stream().filter(Source::scene).count() > 1) {
            throw Refusal.usage("--scene %s and %s both give a scene; leave one of them out.", scene, layout);
        }
        if (reference != null) {
            sources.add(given(library, place));
            named.removeIf(name -> reference.equals("@" + name));
        }
        boolean alone = reference == null && named.size() == 1;
        for (int i = 0; i < named.size(); i++) {
            sources.add(fromLibrary(library.get(named.get(i)), null, alone ? place : sideBySide(i, named.size())));
        }
        if (sources.stream().allMatch(Source::scene)) {
            throw Refusal.usage("There is no subject; give --reference FILE, a layout file or @name in the prompt.");
        }
        if (place != null && reference == null && !alone) {
            throw Refusal.usage("--layout %s places one subject and there are %d; give a layout file.", layout, named.size());
        }
        return sources;
    }

    /** Several that are only mentioned stand beside each other, each in its share of the width. */
    private static Layout sideBySide(int number, int count) {
        return count == 1 ? null : new Layout((number + 0.5) / count, 0.6, 1.0 / count);
    }

    private Source given(SubjectLibrary library, Layout place) {
        if (reference.startsWith("@")) {
            if (mask != null || segmentOptions.segment != null) {
                throw Refusal.usage("--reference %s has its mask in the library; leave --mask and --segment out.", reference);
            }
            return inRegion(fromLibrary(library.get(reference.substring(1)), referencePrompt, place));
        }
        Path path = Path.of(reference);
        Picture picture = Pictures.read(path);
        return inRegion(source(path, picture, mask, maskInvert, segmentOptions.how(), referencePrompt, place, strict));
    }

    private Source source(SubjectLibrary library, LayoutFile.Entry entry) {
        if (entry.fromLibrary()) {
            SubjectLibrary.Entry subject = placed(entry, "reference", () -> library.get(entry.reference().substring(1)));
            return fromLibrary(subject, entry.prompt(), entry.layout());
        }
        Path path = Path.of(entry.reference());
        Picture picture = Pictures.read(path);
        if (entry.scene()) {
            String caption = entry.prompt() == null ? "" : entry.prompt();
            return new Source(path.toString(), picture, Mask.full(picture.width(), picture.height()), null, caption, null, true);
        }
        return placed(entry, "segment", () -> source(path, picture, entry.mask(), entry.maskInvert(), SegmentOptions.of(entry),
                entry.prompt(), entry.layout(), strict));
    }

    /** What a field of a layout file says; where it says something wrong, that is told with its place in the file. */
    private static <T> T placed(LayoutFile.Entry entry, String field, Supplier<T> said) {
        try {
            return said.get();
        } catch (Refusal e) {
            throw e.kind() == Refusal.Kind.USAGE ? entry.refusal(field, e.getMessage()) : e;
        }
    }

    /** A picture file as a reference. @param caption null for none */
    private Source source(Path path, Picture picture, Path mask, boolean maskInvert, Segmentation how, String caption,
            Layout place, boolean strict) {
        String words = caption == null ? "" : caption;
        if (mask != null) {
            return new Source(path.toString(), picture, readMask(mask, maskInvert, picture, path, strict, warnings), null, words, place, false);
        }
        Segmentation used = how == null ? new Segmentation.Alpha() : how;
        Mask found = Segmenter.needsModel(used) ? null : Segmenter.mask(used, picture, path.toString(), words, null);
        return new Source(path.toString(), picture, found, used, words, place, false);
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
                    segmentOptions.segment);
        }
        Mask both = source.mask.and(inSizeOf(source.picture, Mask.read(region, false), region, Path.of(reference), strict, warnings));
        if (both.isEmpty()) {
            throw Refusal.input("--region %s marks nothing of the subject; paint white what of it shall be put in.", region);
        }
        return new Source(source.name, source.picture, both, source.segment, source.caption, source.layout, source.scene);
    }

    /** A mask file in the picture's size: resized with a warning where it has another, or refused with strict. */
    static Mask readMask(Path file, boolean invert, Picture picture, Path pictureFile, boolean strict,
            Collection<String> warnings) {
        Mask read = inSizeOf(picture, Mask.read(file, invert), file, pictureFile, strict, warnings);
        if (read.isEmpty()) {
            throw Refusal.input("The mask %s marks no pixel as subject; paint the subject white, or use --mask-invert when it "
                    + "is black there.", file);
        }
        return read;
    }

    private static Mask inSizeOf(Picture picture, Mask read, Path file, Path pictureFile, boolean strict,
            Collection<String> warnings) {
        if (read.width() != picture.width() || read.height() != picture.height()) {
            boolean sameShape = Math.abs((double) read.width() / read.height() * picture.height() / picture.width() - 1) < 0.02;
            if (strict || !sameShape) {
                read.requireSizeOf(picture, file.toString(), pictureFile.toString());
            }
            warnings.add("The mask %s is %d x %d pixels and was resized to those of %s, %d x %d.".formatted(file, read.width(),
                    read.height(), pictureFile, picture.width(), picture.height()));
            return read.resize(picture.width(), picture.height());
        }
        return read;
    }

    /** Whether {@code --layout} names a file, not a place. */
    static boolean isLayoutFile(String layout) {
        return layout.toLowerCase(Locale.ROOT).endsWith(LAYOUT_FILE);
    }

    /** What was given, by flag name. */
    void record(ObjectNode parameters) {
        put(parameters, "reference", reference);
        put(parameters, "reference-prompt", referencePrompt);
        put(parameters, "mask", mask);
        if (maskInvert) {
            parameters.put("mask-invert", true);
        }
        segmentOptions.record(parameters);
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
