package dev.likeness.train.data;

import dev.likeness.error.Refusal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Fetches the two npm packages that the pictures are made from, with npm's own client. */
public final class NpmPackages {

    private static final String SPRITES = "@lobehub/fluent-emoji-3d@1.1.0";
    private static final String NAMES = "emoji-datasource@16.0.0";

    private NpmPackages() {
    }

    /**
     * Makes sure that the folder holds {@code fluent/assets/} and {@code emoji/emoji.json}; what is there already is
     * not fetched again. About 40 MB are downloaded.
     */
    public static void fetch(Path folder) {
        try {
            Files.createDirectories(folder);
            if (!Files.isDirectory(folder.resolve("fluent").resolve("assets"))) {
                fetch(folder, SPRITES, "fluent", "package/assets");
            }
            if (!Files.isRegularFile(folder.resolve("emoji").resolve("emoji.json"))) {
                fetch(folder, NAMES, "emoji", "package/emoji.json");
            }
        } catch (IOException e) {
            throw Refusal.resources("The npm packages could not be written to %s: check that there is room.", folder,
                    e);
        }
    }

    /** Unpacks one member of the package beside its place and then moves it there, so that no half copy remains. */
    private static void fetch(Path folder, String specification, String name, String member) throws IOException {
        Path work = Files.createTempDirectory(folder, name + "-");
        try {
            run(work, "npm (https://nodejs.org)", npm(), "pack", "--silent", specification);
            Path archive;
            try (Stream<Path> files = Files.list(work)) {
                archive = files.filter(file -> file.toString().endsWith(".tgz")).findFirst().orElseThrow(
                        () -> Refusal.input("npm gave no archive of %s: check the network and try again.",
                                specification));
            }
            run(work, "tar", "tar", "-xzf", archive.getFileName().toString(), member);
            Path target = folder.resolve(name);
            Files.createDirectories(target);
            Path unpacked = work.resolve(member);
            Files.move(unpacked, target.resolve(unpacked.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        } finally {
            delete(work);
        }
    }

    private static String npm() {
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        return windows ? "npm.cmd" : "npm";
    }

    private static void run(Path directory, String tool, String... command) {
        String line = String.join(" ", command);
        Process process;
        try {
            process = new ProcessBuilder(command).directory(directory.toFile()).inheritIO().start();
        } catch (IOException e) {
            throw Refusal.input("The sprites cannot be fetched without %s: install it, or unpack %s and %s by hand.",
                    tool, SPRITES, NAMES, e);
        }
        try {
            int exitCode = process.waitFor();
            if (exitCode != 0) {
                throw Refusal.input("The command '%s' failed with exit code %d: check the network and try again.",
                        line, exitCode);
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw Refusal.input("The command '%s' was interrupted: run it again.", line, e);
        }
    }

    private static void delete(Path directory) throws IOException {
        List<Path> deepestLast = new ArrayList<>();
        try (Stream<Path> files = Files.walk(directory)) {
            files.forEach(deepestLast::add);
        }
        for (int i = deepestLast.size() - 1; i >= 0; i--) {
            Files.delete(deepestLast.get(i));
        }
    }
}
