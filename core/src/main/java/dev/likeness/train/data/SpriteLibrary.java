package dev.likeness.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.error.Refusal;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.imageio.ImageIO;

/**
 * The sprites of the npm package {@code @lobehub/fluent-emoji-3d} and the names of {@code emoji-datasource},
 * read from a folder laid out as {@code fluent/assets/<codepoints>.webp} and {@code emoji/emoji.json}
 * ({@link NpmPackages#fetch} makes one). Sprites are decoded when they are first asked for; safe for many threads.
 */
public final class SpriteLibrary {

    /**
     * One entry of the emoji list that has a sprite.
     *
     * @param codepoints  file stem of the sprite
     * @param name        short name, such as {@code apple}
     * @param category    such as {@code Food & Drink}
     * @param subcategory such as {@code food-fruit}
     */
    public record Entry(String codepoints, String name, String category, String subcategory) {
    }

    private final Path folder;
    private final Map<String, Sprite> sprites = new ConcurrentHashMap<>();

    private SpriteLibrary(Path folder) {
        this.folder = folder;
    }

    /** Opens the folder; refuses one without sprites. */
    public static SpriteLibrary open(Path folder) {
        SpriteLibrary library = new SpriteLibrary(folder);
        if (!Files.isDirectory(library.assets())) {
            throw Refusal.input("The folder %s has no sprites (fluent/assets): fetch the npm packages into it first.",
                    folder);
        }
        return library;
    }

    /** All entries of the emoji list that have a sprite, in the order of the list. */
    public List<Entry> entries() {
        Path list = folder.resolve("emoji").resolve("emoji.json");
        List<Entry> entries = new ArrayList<>();
        try {
            for (JsonNode node : new ObjectMapper().readTree(list.toFile())) {
                String stem = stem(node);
                if (stem != null) {
                    entries.add(new Entry(stem, node.get("short_name").asText(), node.get("category").asText(),
                            node.get("subcategory").asText()));
                }
            }
        } catch (IOException e) {
            throw Refusal.input("The emoji list %s is missing or unreadable: fetch the npm packages again.", list, e);
        }
        return entries;
    }

    /** Sprite files leave out the variation selector of some emoji that the list keeps. */
    private String stem(JsonNode node) {
        String unified = node.get("unified").asText().toLowerCase(Locale.ROOT);
        for (String candidate : List.of(unified, unified.replace("-fe0f", ""))) {
            if (Files.exists(file(candidate))) {
                return candidate;
            }
        }
        return null;
    }

    /** Whether there is a sprite for these codepoints. */
    boolean has(String codepoints) {
        return Files.exists(file(codepoints));
    }

    Sprite sprite(String codepoints) {
        return sprites.computeIfAbsent(codepoints, key -> new Sprite(() -> decode(key)));
    }

    private BufferedImage decode(String codepoints) {
        Path file = file(codepoints);
        try {
            BufferedImage image = ImageIO.read(file.toFile());
            if (image != null) {
                return image;
            }
            throw Refusal.input("The sprite %s is not a picture that can be read: fetch the npm packages again.", file);
        } catch (IOException e) {
            throw Refusal.input("The sprite %s is missing or unreadable: fetch the npm packages again.", file, e);
        }
    }

    private Path assets() {
        return folder.resolve("fluent").resolve("assets");
    }

    private Path file(String codepoints) {
        return assets().resolve(codepoints + ".webp");
    }
}
