package dev.likeness.train.data;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * How the generic rows of {@code subjects.tsv} were chosen: every sprite of a suitable kind that is not named in
 * {@code unsuitable.txt} and does not look like a held-out subject. The named rows were chosen by hand and checked
 * with {@link #likeness}.
 */
public final class Curation {

    /** Sprites at least this alike to a held-out subject are kept out of the generic pool. */
    static final double TOO_ALIKE = 0.75;
    /** The bound for training subjects, which were looked at by hand as well. */
    static final double TOO_ALIKE_NAMED = 0.8;

    private static final int SIDE = 24;
    private static final int COLOUR_STEPS = 4;
    private static final Set<String> CATEGORIES = Set.of("Activities", "Animals & Nature", "Food & Drink", "Objects",
            "Smileys & Emotion", "Travel & Places");

    private final SpriteLibrary library;
    private final Map<Subject, Look[]> looks = new ConcurrentHashMap<>();

    public Curation(SpriteLibrary library) {
        this.library = library;
    }

    /** The generic pool that goes with these named subjects (train and held-out), in the order of the emoji list. */
    public List<Subject> genericPool(List<Subject> named) {
        Set<String> unsuitable = unsuitable();
        Set<String> taken = named.stream().map(Subject::codepoints).collect(Collectors.toSet());
        List<Subject> heldOut = named.stream().filter(subject -> subject.split() == Split.HELDOUT).toList();
        List<Subject> pool = new ArrayList<>();
        for (SpriteLibrary.Entry entry : library.entries()) {
            boolean suitable = (CATEGORIES.contains(entry.category()) || entry.subcategory().equals("body-parts"))
                    && !unsuitable.contains(entry.name()) && !entry.name().matches("clock\\d+");
            if (suitable && !taken.contains(entry.codepoints())) {
                Subject subject = new Subject(entry.codepoints(), "toy", group(entry), Split.GENERIC);
                if (heldOut.stream().noneMatch(other -> likeness(subject, other) >= TOO_ALIKE)) {
                    pool.add(subject);
                }
            }
        }
        return pool;
    }

    /**
     * Where a list of subjects (such as {@link Subjects#all}) breaks the rules of the split, a sentence each: a training
     * subject that looks like a held-out one, or a generic pool other than {@link #genericPool}.
     */
    public List<String> violations(List<Subject> subjects) {
        Map<Split, List<Subject>> bySplit = subjects.stream().collect(Collectors.groupingBy(Subject::split));
        List<Subject> train = bySplit.getOrDefault(Split.TRAIN, List.of());
        List<String> violations = new ArrayList<>();
        for (Subject heldOut : bySplit.getOrDefault(Split.HELDOUT, List.of())) {
            train.stream().filter(subject -> likeness(subject, heldOut) >= TOO_ALIKE_NAMED).forEach(subject ->
                    violations.add("%s (train) looks like %s (held out).".formatted(subject.noun(), heldOut.noun())));
        }
        Set<String> listed = codepoints(bySplit.getOrDefault(Split.GENERIC, List.of()));
        Set<String> due = codepoints(
                genericPool(subjects.stream().filter(subject -> subject.split() != Split.GENERIC).toList()));
        due.stream().filter(code -> !listed.contains(code)).forEach(code ->
                violations.add("%s belongs into the generic pool.".formatted(code)));
        listed.stream().filter(code -> !due.contains(code)).forEach(code ->
                violations.add("%s does not belong into the generic pool.".formatted(code)));
        return violations;
    }

    private static Set<String> codepoints(List<Subject> subjects) {
        return subjects.stream().map(Subject::codepoints).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /**
     * How alike two sprites look, -0.5 to 1: the mean of the correlation of their small pictures (-1 to 1, mirrored or
     * not) and the overlap of their colour histograms (0 to 1).
     */
    public double likeness(Subject first, Subject second) {
        Look[] firstLooks = looks(first);
        Look other = looks(second)[0];
        float[] histogram = firstLooks[0].histogram();
        double overlap = 0;
        for (int i = 0; i < histogram.length; i++) {
            overlap += Math.min(histogram[i], other.histogram()[i]);
        }
        double correlation = Math.max(correlation(firstLooks[0].pixels(), other.pixels()),
                correlation(firstLooks[1].pixels(), other.pixels()));
        return (correlation + overlap) / 2;
    }

    private static String group(SpriteLibrary.Entry entry) {
        String kind = entry.subcategory();
        if (kind.startsWith("animal") || kind.startsWith("plant") || kind.startsWith("transport")) {
            return kind.startsWith("transport") ? "vehicle" : kind.substring(0, kind.indexOf('-'));
        }
        if (kind.startsWith("place")) {
            return "building";
        }
        return switch (entry.category()) {
            case "Food & Drink" -> "food";
            case "Smileys & Emotion" -> "face";
            default -> switch (kind) {
                case "sky & weather" -> "nature";
                case "clothing", "sport" -> kind;
                case "music", "musical-instrument" -> "music";
                default -> "object";
            };
        };
    }

    private static Set<String> unsuitable() {
        try (InputStream stream = Curation.class.getResourceAsStream("unsuitable.txt");
             BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            return reader.lines().collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What is compared of a sprite.
     *
     * @param pixels    premultiplied red, green, blue and alpha, 0 to 1, of a small square picture
     * @param histogram share of the visible pixels in each coarse colour; sums to 1
     */
    private record Look(float[] pixels, float[] histogram) {
    }

    /** The look as it is, then mirrored. */
    private Look[] looks(Subject subject) {
        return looks.computeIfAbsent(subject, key -> {
            Sprite sprite = library.sprite(key.codepoints());
            return new Look[] {look(sprite, false), look(sprite, true)};
        });
    }

    private static Look look(Sprite sprite, boolean flipped) {
        BufferedImage image = Sprite.clear(SIDE, SIDE);
        Graphics2D graphics = image.createGraphics();
        sprite.draw(graphics, (1 - sprite.width) / 2 * SIDE, (1 - sprite.height) / 2 * SIDE, SIDE, flipped);
        graphics.dispose();
        int[] argb = ((DataBufferInt) image.getRaster().getDataBuffer()).getData();
        float[] pixels = new float[argb.length * 4];
        float[] histogram = new float[COLOUR_STEPS * COLOUR_STEPS * COLOUR_STEPS];
        float total = 0;
        for (int i = 0; i < argb.length; i++) {
            float alpha = (argb[i] >>> 24) / 255f;
            int bin = 0;
            for (int channel = 0; channel < 3; channel++) {
                float value = (argb[i] >> 16 - 8 * channel & 255) / 255f;
                pixels[4 * i + channel] = value;
                float colour = alpha == 0 ? 0 : Math.min(0.999f, value / alpha);
                bin = bin * COLOUR_STEPS + (int) (colour * COLOUR_STEPS);
            }
            pixels[4 * i + 3] = alpha;
            histogram[bin] += alpha;
            total += alpha;
        }
        for (int i = 0; i < histogram.length; i++) {
            histogram[i] /= total;
        }
        return new Look(pixels, histogram);
    }

    private static double correlation(float[] first, float[] second) {
        double meanFirst = mean(first);
        double meanSecond = mean(second);
        double product = 0;
        double squareFirst = 0;
        double squareSecond = 0;
        for (int i = 0; i < first.length; i++) {
            double a = first[i] - meanFirst;
            double b = second[i] - meanSecond;
            product += a * b;
            squareFirst += a * a;
            squareSecond += b * b;
        }
        return product / Math.sqrt(squareFirst * squareSecond);
    }

    private static double mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
