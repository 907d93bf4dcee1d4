package dev.likeness.eval;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Reading benchmarks' folders; whatever is wrong with them is said in one sentence. */
final class DataFolder {

    private DataFolder() {}

    /** @throws Refusal (input) when it is missing, unreadable or not UTF-8 */
    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream().map(String::strip).toList();
        } catch (MalformedInputException e) {
            throw Refusal.input("%s is not text in UTF-8; download it again.", file, e);
        } catch (IOException e) {
            throw Refusal.input("%s is missing or unreadable; give the benchmark's folder as it was downloaded.", file, e);
        }
    }

    /** What a folder holds directly, by name. @throws Refusal (input) when it is no folder */
    static List<Path> list(Path folder, Predicate<Path> wanted) {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.filter(path -> !path.getFileName().toString().startsWith(".")).filter(wanted).sorted().toList();
        } catch (IOException e) {
            throw Refusal.input("%s is no readable folder; give the benchmark's folder as it was downloaded.", folder, e);
        }
    }

    static boolean isPicture(Path path) {
        return path.getFileName().toString().toLowerCase(Locale.ROOT).matches(".*\\.(jpg|jpeg|png)");
    }
}
