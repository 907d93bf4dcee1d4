package dev.likeness.image;

import dev.likeness.error.Refusal;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Files that appear whole or not at all. */
public final class OutputFile {

    /** Writes what the file shall hold. */
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private OutputFile() {
    }

    /**
     * Says early, before minutes of work, what {@link #write} would only say at the end.
     *
     * @throws Refusal (input) when the folder is missing or not writable, or a folder stands where the file should
     */
    public static void requireWritable(Path file) {
        Path folder = folder(file);
        if (Files.isDirectory(file)) {
            throw Refusal.input("%s is a folder; name a file in it to write to.", file);
        }
        if (!Files.isDirectory(folder)) {
            throw Refusal.input("%s cannot be written because %s is not a folder; create it first.", file, folder);
        }
        if (!Files.isWritable(folder)) {
            throw Refusal.input("%s cannot be written because the folder %s is not writable; choose another.", file,
                    folder);
        }
    }

    /**
     * Writes beside the file under a temporary name, then moves the whole into place; a file of that name is replaced.
     *
     * @throws Refusal (input) as {@link #requireWritable}; (resources) when the disk is full or fails
     */
    public static void write(Path file, Content content) {
        requireWritable(file);
        // Not Files.createTempFile: its files are readable by their owner only, and the move would keep that.
        Path temporary = folder(file).resolve(".likeness-" + UUID.randomUUID() + ".tmp");
        try {
            try (OutputStream out = new BufferedOutputStream(
                    Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE))) {
                content.writeTo(out);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw Refusal.resources("%s could not be written (%s); check the disk and its free space.", file,
                    reason(e), e);
        } finally {
            discard(temporary);
        }
    }

    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            // What made the writing fail is thrown already and says more than this would.
        }
    }

    private static Path folder(Path file) {
        return file.toAbsolutePath().getParent();
    }

    private static String reason(IOException e) {
        boolean named = e instanceof FileSystemException f && f.getReason() != null;
        return named ? ((FileSystemException) e).getReason() : String.valueOf(e.getMessage());
    }
}
