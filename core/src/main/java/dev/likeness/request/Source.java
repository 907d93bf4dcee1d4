package dev.likeness.request;

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
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A reference as it was read.
 *
 * @param name its file, or {@code @name} in the library
 * @param mask null when it is still to be found by {@code segment}, which needs the model
 */
public record Source(String name, Picture picture, Mask mask, Segmentation segment, String caption, Layout layout,
        boolean scene) {

    /** Where subjects stand that are only mentioned. */
    private static final Layout GROUND = new Layout(0.5, 0.6);

    /** A picture that the others are put into. */
    public static Source scene(String name, Picture picture, String caption) {
        return new Source(name, picture, Mask.full(picture.width(), picture.height()), null, caption, null, true);
    }

    /** A subject of the library. @param caption null for the library's words @param place null to leave it where it is */
    public static Source of(SubjectLibrary.Entry entry, String caption, Layout place) {
        Picture picture = Pictures.read(entry.reference());
        return new Source("@" + entry.name(), picture, Mask.read(entry.mask(), false), null,
                caption == null ? entry.prompt() : caption, place, false);
    }

    /** An entry of a layout file. */
    public static Source of(LayoutFile.Entry entry, SubjectLibrary library, MaskReader reader) {
        if (entry.fromLibrary()) {
            SubjectLibrary.Entry subject = placed(entry, "reference", () -> library.get(entry.reference().substring(1)));
            Source source = of(subject, entry.prompt(), entry.layout());
            return entry.scene() ? scene(source.name, source.picture, source.caption) : source;
        }
        Path path = Path.of(entry.reference());
        Picture picture = Pictures.read(path);
        String caption = entry.prompt() == null ? "" : entry.prompt();
        if (entry.scene()) {
            return scene(path.toString(), picture, caption);
        }
        if (entry.mask() != null) {
            Mask mask = reader.read(entry.mask(), entry.maskInvert(), picture, path);
            return new Source(path.toString(), picture, mask, null, caption, entry.layout(), false);
        }
        return placed(entry, "segment", () -> {
            Segmentation how = entry.segment() == null ? new Segmentation.Alpha()
                    : Segmentation.parse(entry.segment()).at(entry::resolve);
            Mask mask = Segmenter.needsModel(how) ? null : reader.find(how, picture, path, caption, null);
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

    /** Subjects that are only mentioned: one where it is in its picture, several side by side. */
    public static List<Source> sideBySide(List<Source> mentioned) {
        List<Source> placed = new ArrayList<>();
        for (int i = 0; i < mentioned.size(); i++) {
            placed.add(mentioned.get(i).at(mentioned.size() > 1 ? share(GROUND, i, mentioned.size()) : null));
        }
        return placed;
    }

    /**
     * The place of one of several subjects that stand side by side where one alone would stand: each in its part of the
     * width, and as much smaller.
     *
     * @param number from 0 on
     */
    public static Layout share(Layout whole, int number, int count) {
        double x = whole.x() + whole.scale() * ((number + 0.5) / count - 0.5);
        return new Layout(Math.min(1, Math.max(0, x)), whole.y(), Math.max(Layout.MIN_SCALE, whole.scale() / count));
    }

    /** The subjects of each picture; a reference that is in several is fitted once. */
    public static List<List<Subject>> fit(List<List<Source>> pictures, FluxModel model, Sampling sampling) {
        Map<Source, Subject> fitted = new HashMap<>();
        return pictures.stream().map(picture -> picture.stream()
                .map(source -> fitted.computeIfAbsent(source, one -> one.fit(model, sampling))).toList()).toList();
    }

    /** The same at another place. */
    public Source at(Layout place) {
        return new Source(name, picture, mask, segment, caption, place, scene);
    }

    /** On the canvas, with its mask. */
    public Subject fit(FluxModel model, Sampling sampling) {
        int width = sampling.width();
        int height = sampling.height();
        if (scene) {
            return ReferenceFit.scene(picture, mask, width, height, caption);
        }
        Mask found = mask == null ? Segmenter.mask(segment, picture, name, caption, model) : mask;
        return ReferenceFit.fit(picture, found, width, height, caption, layout);
    }
}
