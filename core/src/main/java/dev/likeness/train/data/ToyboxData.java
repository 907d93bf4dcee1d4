package dev.likeness.train.data;

import dev.likeness.error.Refusal;

import java.awt.AlphaComposite;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Draws captioned pictures: sprites on painted scenes. The same seed, size and recipe give the same picture;
 * safe for many threads.
 */
public final class ToyboxData {

    /** Clear border that subjects placed at random keep, as a fraction of the side. */
    private static final double BORDER = 0.025;
    /** How far below the beginning of the ground feet stand at least, as a fraction of the side. */
    private static final double STEP_IN = 0.06;
    private static final double TWO_MIN_SCALE = 0.3;
    private static final double TWO_MAX_SCALE = 0.46;

    private final SpriteLibrary library;

    private ToyboxData(SpriteLibrary library) {
        this.library = library;
    }

    /** @param spritesFolder folder as {@link NpmPackages#fetch} lays it out; refused if a curated sprite is missing */
    public static ToyboxData load(Path spritesFolder) {
        SpriteLibrary library = SpriteLibrary.open(spritesFolder);
        for (Subject subject : Subjects.all()) {
            if (!library.has(subject.codepoints())) {
                throw Refusal.input("The folder %s lacks the sprite %s.webp: fetch the npm packages again.",
                        spritesFolder, subject.codepoints());
            }
        }
        return new ToyboxData(library);
    }

    public List<Subject> subjects(Split split) {
        return Subjects.of(split);
    }

    /** The subject alone on a clear ground, {@code TYPE_INT_ARGB_PRE}, its longer side filling the picture. */
    public BufferedImage sprite(Subject subject, int size) {
        BufferedImage image = Sprite.clear(size, size);
        Graphics2D graphics = image.createGraphics();
        Sprite sprite = library.sprite(subject.codepoints());
        sprite.draw(graphics, (1 - sprite.width) / 2 * size, (1 - sprite.height) / 2 * size, size, false);
        graphics.dispose();
        return image;
    }

    /** A random picture. */
    public ToyPicture draw(long seed, int size, Recipe recipe) {
        RandomGenerator random = Seeds.random(seed, 0);
        List<String> scenes = Scenes.names();
        Scenes.Scene scene = Scenes.named(scenes.get(random.nextInt(scenes.size())));
        Scenes.Backdrop backdrop = Scenes.backdrop(scene.name(), seed, size);
        double kind = random.nextDouble();
        int count = kind < recipe.emptyShare() ? 0 : kind < recipe.emptyShare() + recipe.twoShare() ? 2 : 1;
        List<Actor> actors = new ArrayList<>();
        Subject previous = null;
        for (int i = 0; i < count; i++) {
            Subject subject = pick(random, recipe, previous);
            previous = subject;
            String noun = subject.split() == Split.GENERIC ? Captions.genericNoun(random) : subject.noun();
            Sprite sprite = library.sprite(subject.codepoints());
            Place place = count == 1 ? placeAlone(random, recipe, sprite, backdrop)
                    : placeBeside(random, recipe, sprite, backdrop, i);
            actors.add(new Actor(noun, sprite, place));
        }
        return compose(backdrop, scene, actors, caption(random, recipe.style(), scene, actors));
    }

    /** A subject at a place. */
    public record Placed(Subject subject, Place place) {
    }

    /**
     * Chosen subjects at chosen places of a chosen scene (one of {@link Scenes#names}), later ones over earlier ones; the
     * caption is plain.
     */
    public ToyPicture draw(long seed, int size, String scene, List<Placed> subjects) {
        Scenes.Scene chosen = Scenes.named(scene);
        RandomGenerator words = Seeds.random(seed, 0);
        List<Actor> actors = subjects.stream().map(placed -> new Actor(placed.subject().split() == Split.GENERIC
                ? Captions.genericNoun(words) : placed.subject().noun(), library.sprite(placed.subject().codepoints()),
                placed.place())).toList();
        return compose(Scenes.backdrop(scene, seed, size), chosen, actors,
                caption(Seeds.random(seed, 1), CaptionStyle.PLAIN, chosen, actors));
    }

    /** A scene (one of {@link Scenes#names}) without subjects; needs no sprites. */
    public static ToyPicture drawScene(long seed, int size, String scene) {
        Scenes.Scene chosen = Scenes.named(scene);
        return compose(Scenes.backdrop(scene, seed, size), chosen, List.of(),
                caption(Seeds.random(seed, 1), CaptionStyle.PLAIN, chosen, List.of()));
    }

    /** A subject of a picture, with what is needed to draw and name it. */
    private record Actor(String noun, Sprite sprite, Place place) {
    }

    /** @param previous is not picked again, unless there is no other; may be null */
    private static Subject pick(RandomGenerator random, Recipe recipe, Subject previous) {
        Split split = random.nextDouble() < recipe.genericShare() ? Split.GENERIC : recipe.split();
        List<Subject> pool = Subjects.of(split);
        int count = split == Split.GENERIC ? pool.size() : Math.min(pool.size(), recipe.maxSubjects());
        int index = random.nextInt(count);
        return pool.get(pool.get(index).equals(previous) ? (index + 1) % count : index);
    }

    private static Place placeAlone(RandomGenerator random, Recipe recipe, Sprite sprite, Scenes.Backdrop backdrop) {
        double scale = uniform(random, recipe.minScale(), recipe.maxScale());
        double halfWidth = sprite.width * scale / 2;
        double x = uniform(random, Math.min(0.5, BORDER + halfWidth), Math.max(0.5, 1 - BORDER - halfWidth));
        double y = height(random, sprite.height * scale, recipe.jitter(), backdrop);
        return new Place(0.5 + recipe.jitter() * (x - 0.5), y, scale, random.nextBoolean());
    }

    /** @param side 0 for the left half, 1 for the right half */
    private static Place placeBeside(RandomGenerator random, Recipe recipe, Sprite sprite, Scenes.Backdrop backdrop,
                                     int side) {
        double scale = uniform(random, Math.min(recipe.minScale(), TWO_MIN_SCALE),
                Math.min(recipe.maxScale(), TWO_MAX_SCALE));
        double halfWidth = sprite.width * scale / 2;
        double x = uniform(random, 0.01 + halfWidth, 0.49 - halfWidth) + 0.5 * side;
        double y = height(random, sprite.height * scale, recipe.jitter(), backdrop);
        return new Place(x, y, scale, random.nextBoolean());
    }

    /** Height of the centre, so that feet stand on the ground where there is one. */
    private static double height(RandomGenerator random, double tall, double jitter, Scenes.Backdrop backdrop) {
        double highest = BORDER + tall / 2;
        double lowest = Math.max(highest, 1 - BORDER - tall / 2);
        if (backdrop.ground() == Scenes.Ground.STANDING) {
            highest = Math.min(lowest, Math.max(highest, backdrop.groundTop() + STEP_IN - tall / 2));
        }
        double middle = Math.max(highest, Math.min(lowest, 0.5));
        return middle + jitter * (uniform(random, highest, lowest) - middle);
    }

    private static double uniform(RandomGenerator random, double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    private static String caption(RandomGenerator random, CaptionStyle style, Scenes.Scene scene, List<Actor> actors) {
        return Captions.caption(random, style, scene,
                actors.stream().map(actor -> new Captions.Mention(actor.noun(), actor.place())).toList());
    }

    private static ToyPicture compose(Scenes.Backdrop backdrop, Scenes.Scene scene, List<Actor> actors,
                                      String caption) {
        BufferedImage image = backdrop.image();
        int size = image.getWidth();
        actors.forEach(actor -> drawShadow(backdrop, actor));
        BufferedImage layer = Sprite.clear(size, size);
        int[] over = ((DataBufferInt) layer.getRaster().getDataBuffer()).getData();
        Graphics2D graphics = layer.createGraphics();
        Rectangle box = null;
        for (Actor actor : actors) {
            Place place = actor.place();
            Sprite sprite = actor.sprite();
            sprite.draw(graphics, (place.centreX() - sprite.width * place.scale() / 2) * size,
                    (place.centreY() - sprite.height * place.scale() / 2) * size, place.scale() * size,
                    place.flipped());
            box = box == null ? visibleBox(over, size) : box;
        }
        graphics.dispose();
        int[] rgb = ((DataBufferInt) image.getRaster().getDataBuffer()).getData();
        float[] mask = new float[rgb.length];
        for (int i = 0; i < rgb.length; i++) {
            int alpha = over[i] >>> 24;
            mask[i] = alpha / 255f;
            rgb[i] = alpha == 0 ? rgb[i] & 0xFFFFFF : blend(over[i], rgb[i], 255 - alpha);
        }
        return new ToyPicture(size, rgb, mask, caption, actors.stream().map(Actor::noun).toList(), scene.name(), box);
    }

    /** Premultiplied pixel over an opaque one. */
    private static int blend(int over, int under, int clear) {
        int result = 0;
        for (int shift = 0; shift <= 16; shift += 8) {
            int sum = (over >> shift & 255) + ((under >> shift & 255) * clear + 127) / 255;
            result |= Math.min(255, sum) << shift;
        }
        return result;
    }

    private static void drawShadow(Scenes.Backdrop backdrop, Actor actor) {
        BufferedImage image = backdrop.image();
        Place place = actor.place();
        Sprite sprite = actor.sprite();
        double scale = place.scale();
        double width = sprite.width * scale;
        double height = sprite.height * scale;
        if (backdrop.ground() == Scenes.Ground.STANDING) {
            Brush brush = new Brush(image, Seeds.random(0, 0));
            double bottom = place.centreY() + height / 2;
            brush.glow(place.centreX(), bottom - 0.015 * scale, width * 0.56, 0.04 * scale + 0.07 * width, Color.BLACK,
                    0.55);
            brush.graphics.dispose();
        } else if (backdrop.ground() == Scenes.Ground.WALL) {
            int size = image.getWidth();
            Graphics2D graphics = image.createGraphics();
            graphics.setComposite(AlphaComposite.getInstance(AlphaComposite.SRC_OVER, 0.42f));
            sprite.drawShadow(graphics, (place.centreX() - width / 2 + 0.035 * scale) * size,
                    (place.centreY() - height / 2 + 0.055 * scale) * size, scale * size, place.flipped());
            graphics.dispose();
        }
    }

    /** The box around the pixels that are at least half covered; null if there are none. */
    private static Rectangle visibleBox(int[] pixels, int size) {
        Rectangle box = null;
        for (int i = 0; i < pixels.length; i++) {
            if (pixels[i] >>> 24 >= 128) {
                Rectangle pixel = new Rectangle(i % size, i / size, 1, 1);
                box = box == null ? pixel : box.union(pixel);
            }
        }
        return box;
    }
}
