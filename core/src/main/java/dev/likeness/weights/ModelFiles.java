package dev.likeness.weights;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where a model's networks are: in a folder in diffusers layout, and in single files that take the place of the folder's.
 */
public final class ModelFiles {

    private final Path folder;
    private final Map<Component, Path> single;
    private final Map<Component, Shapes> shapes = new ConcurrentHashMap<>(); // those that were asked for

    /** @param single files in place of the folder's; the folder need not hold those networks then */
    public ModelFiles(Path folder, Map<Component, Path> single) {
        this.folder = folder;
        this.single = new EnumMap<>(Component.class);
        this.single.putAll(single);
    }

    /** A folder that holds everything. */
    public static ModelFiles of(Path folder) {
        return new ModelFiles(folder, Map.of());
    }

    public Path folder() {
        return folder;
    }

    /** The files in place of the folder's. */
    public Map<Component, Path> single() {
        return Map.copyOf(single);
    }

    /** The config.json of a network; where a single file is in its place, what the file's shapes cannot tell. */
    public Path config(Component component) {
        return folder.resolve(component.folder()).resolve("config.json");
    }

    /** Names and shapes of a network's weights; reads headers only, and once. */
    public Shapes shapes(Component component) {
        return shapes.computeIfAbsent(component, this::readShapes);
    }

    private Shapes readShapes(Component component) {
        try (Checkpoint checkpoint = open(component, DType.FLOAT32, Device.CPU)) {
            return new Shapes(single.getOrDefault(component, folder.resolve(component.folder())), checkpoint.shapes());
        }
    }

    /**
     * Opens a network's weights; reads headers only.
     *
     * @throws dev.likeness.error.Refusal (model) when a file is missing, damaged or holds something else
     */
    public Checkpoint open(Component component, DType dtype, Device device) {
        Path file = single.get(component);
        return file == null ? Checkpoint.open(folder.resolve(component.folder()), component.stem(), dtype, device)
                : Checkpoint.open(file, component, dtype, device);
    }
}
