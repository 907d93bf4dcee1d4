package dev.likeness.train.data;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The named backgrounds: each varies with its seed, stays unmistakable, and looks the same at every size. */
public final class Scenes {

    /** How a subject stands in a scene, and so what shadow it throws. */
    enum Ground {
        /** On ground that reaches up to some line: a flat shadow under its feet. */
        STANDING,
        /** In front of a wall, or flat on something seen from above: a soft shadow of its outline. */
        WALL,
        /** Floating: no shadow. */
        NONE
    }

    /**
     * A painted background.
     *
     * @param image     the picture, {@code TYPE_INT_RGB}
     * @param ground    how subjects stand in it
     * @param groundTop where standing ground begins, as a fraction of the side from the top
     */
    record Backdrop(BufferedImage image, Ground ground, double groundTop) {
    }

    /** Paints a scene and returns where its ground begins, as a fraction of the side from the top. */
    interface Painter {
        double paint(Brush brush);
    }

    /**
     * @param view    the scene named alone: {@code a beach}
     * @param phrases endings of captions: {@code on a beach}; the first is the plain one
     */
    record Scene(String name, Ground ground, Painter painter, String view, List<String> phrases) {
    }

    private static final Map<String, Scene> ALL = new LinkedHashMap<>();

    static {
        add("beach", Ground.STANDING, OutdoorScenes::beach, "a beach", "on a beach", "on the beach");
        add("snow", Ground.STANDING, OutdoorScenes::snow, "a field of snow", "in the snow", "in a field of snow");
        add("meadow", Ground.STANDING, OutdoorScenes::meadow, "a meadow", "in a meadow", "on a meadow");
        add("city", Ground.STANDING, OutdoorScenes::city, "a city at night", "in a city at night",
                "in the city at night");
        add("table", Ground.STANDING, IndoorScenes::table, "a wooden table", "on a wooden table", "on a table");
        add("bricks", Ground.WALL, IndoorScenes::bricks, "a brick wall", "in front of a brick wall");
        add("sky", Ground.NONE, OutdoorScenes::sky, "a blue sky", "in the sky", "in a blue sky");
        add("desert", Ground.STANDING, OutdoorScenes::desert, "a desert", "in the desert", "in a desert");
        add("sea", Ground.NONE, OutdoorScenes::sea, "the deep sea", "under water", "in the deep sea");
        add("space", Ground.NONE, OutdoorScenes::space, "outer space", "in space", "in outer space");
        add("forest", Ground.STANDING, OutdoorScenes::forest, "a forest", "in a forest", "in the forest");
        add("sunset", Ground.STANDING, OutdoorScenes::sunset, "a sunset", "at sunset", "in front of a sunset");
        add("lake", Ground.STANDING, OutdoorScenes::lake, "a mountain lake", "by a mountain lake",
                "in front of a mountain lake");
        add("autumn", Ground.STANDING, OutdoorScenes::autumn, "an autumn park", "in an autumn park");
        add("road", Ground.STANDING, OutdoorScenes::road, "a road", "on a road", "on the road");
        add("room", Ground.STANDING, IndoorScenes::room, "a room", "in a room", "in a room with a window");
        add("stage", Ground.STANDING, IndoorScenes::stage, "a stage", "on a stage", "on the stage");
        add("tiles", Ground.WALL, IndoorScenes::tiles, "a tiled wall", "in front of a tiled wall");
        add("carpet", Ground.WALL, IndoorScenes::carpet, "a carpet", "on a carpet", "on the carpet");
        add("blanket", Ground.WALL, IndoorScenes::blanket, "a checkered blanket", "on a checkered blanket");
        addPlain("red", 0xD8343A);
        addPlain("blue", 0x3A74DC);
        addPlain("green", 0x43A047);
        addPlain("yellow", 0xF7CE32);
        addPlain("white", 0xF4F4F4);
        addPlain("grey", 0x8E8E92);
        addPlain("orange", 0xF08A28);
        addPlain("purple", 0x8E4AC6);
    }

    private Scenes() {
    }

    private static void add(String name, Ground ground, Painter painter, String view, String... phrases) {
        ALL.put(name, new Scene(name, ground, painter, view, List.of(phrases)));
    }

    private static void addPlain(String colour, int rgb) {
        add("plain " + colour, Ground.WALL, brush -> IndoorScenes.plain(brush, rgb),
                "a plain " + colour + " background", "on a plain " + colour + " background",
                ("orange".equals(colour) ? "on an " : "on a ") + colour + " background");
    }

    /** Names of all scenes, always in the same order. */
    public static List<String> names() {
        return new ArrayList<>(ALL.keySet());
    }

    static Scene named(String name) {
        Scene scene = ALL.get(name);
        if (scene == null) {
            throw new IllegalArgumentException("There is no scene named " + name + ".");
        }
        return scene;
    }

    /**
     * Paints a scene without subjects.
     *
     * @param name one of {@link #names()}
     * @param size side in pixels; looks right from 32 to 1024
     */
    public static BufferedImage draw(String name, long seed, int size) {
        return backdrop(name, seed, size).image();
    }

    static Backdrop backdrop(String name, long seed, int size) {
        Scene scene = named(name);
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        Brush brush = new Brush(image, Seeds.random(seed, name.hashCode()));
        double groundTop = scene.painter().paint(brush);
        brush.graphics.dispose();
        return new Backdrop(image, scene.ground(), groundTop);
    }
}
