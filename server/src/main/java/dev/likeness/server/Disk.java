package dev.likeness.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What must be on the disk, and what must go from it. */
final class Disk {

    private Disk() {}

    /** Waits until a file's bytes, or a folder's names, are on the disk. */
    static void sync(Path path) throws IOException {
        boolean folder = Files.isDirectory(path);
        try (FileChannel channel = FileChannel.open(path, folder ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** The same for a folder with its files. */
    static void syncAll(Path folder) throws IOException {
        for (Path file : list(folder)) {
            sync(file);
        }
        sync(folder);
    }

    static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    static long bytes(Path folder) throws IOException {
        long sum = 0;
        for (Path file : list(folder)) {
            sum += Files.size(file);
        }
        return sum;
    }

    /** A file, or a folder with all that is in it, if it is there. What cannot be deleted is swept at the next start. */
    static void delete(Path top) {
        if (!Files.exists(top, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(top)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("likeness: " + top + " could not be deleted (" + e.getMessage() + ")");
        }
    }
}
