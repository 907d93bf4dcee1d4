package dev.likeness.reference;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Subjects that are kept under a name, to be used as {@code @name}. Each is a folder of the library: {@code reference.png},
 * {@code mask.png} (white where the subject is) and {@code subject.json}. Folders appear and vanish whole, so
 * several processes may use a library at once; nothing is held in memory.
 */
public final class SubjectLibrary {

    static final String FIRST_LETTER = "[a-z]";
    static final String LETTER = "[a-z0-9_-]";

    private static final Pattern NAME = Pattern.compile(FIRST_LETTER + LETTER + "{0,63}");

    private static final String REFERENCE = "reference.png";
    private static final String MASK = "mask.png";
    private static final String DESCRIPTION = "subject.json";
    private static final List<String> FIELDS = List.of("version", "name", "prompt", "segment", "added");
    private static final int VERSION = 1;

    /** Names of folders that are being written or deleted; no subject's name begins like this. */
    private static final String TEMPORARY = ".likeness-";

    private static final int NEAR = 2; // letters that may differ between a name and what was meant
    private static final int SUGGESTIONS = 3;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path folder;

    /** @param folder need not exist; {@link #add} creates it */
    public SubjectLibrary(Path folder) {
        this.folder = folder;
    }

    /**
     * @param reference the picture, with its transparency where it has any
     * @param mask of the picture's size, white where the subject is
     * @param prompt noun or caption that stands for the subject in a prompt
     * @param segment how the mask was made; may be empty
     */
    public record Entry(String name, Path reference, Path mask, String prompt, String segment, Instant added) {}

    /**
     * What a library holds.
     *
     * @param subjects sorted by name
     * @param broken folders that cannot be used, by name, with the sentence that says why
     */
    public record Listing(List<Entry> subjects, SortedMap<String, String> broken) {}

    /**
     * {@code $LIKENESS_SUBJECTS}; without it {@code likeness/subjects} in {@code $XDG_DATA_HOME}, which is
     * {@code ~/.local/share} unless set.
     */
    public static Path defaultFolder() {
        return defaultFolder(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    static Path defaultFolder(Map<String, String> environment, Path home) {
        String own = environment.getOrDefault("LIKENESS_SUBJECTS", "");
        if (!own.isEmpty()) {
            return Path.of(own);
        }
        Path data = Path.of(environment.getOrDefault("XDG_DATA_HOME", ""));
        // The XDG specification has relative paths ignored.
        return (data.isAbsolute() ? data : home.resolve(".local/share")).resolve("likeness/subjects");
    }

    /** 1 to 64 lower-case letters (a to z), digits, - and _ that begin with a letter. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * Adds a subject. The picture is kept as it is, so that it gives the same pictures as it does without a library.
     *
     * @param prompt noun or caption; null or blank for the name with spaces in place of - and _
     * @param segment how the mask was made, in words; may be empty
     * @throws Refusal (usage) when the name is not one or is taken; (input) when the mask is empty or not of the picture's size,
     *     or the library cannot be written; (resources) when the disk fails
     */
    public Entry add(String name, Picture picture, Mask mask, String prompt, String segment) {
        requireFree(name);
        mask.requireSizeOf(picture, "of @" + name, "of @" + name);
        if (mask.isEmpty()) {
            throw Refusal.input("The mask of @%s marks no pixel as subject; give one that is white where the subject is.",
                    name);
        }
        requireWritable();
        String noun = prompt == null || prompt.isBlank() ? name.replaceAll("[-_]+", " ").strip() : prompt;
        Path temporary = folder.resolve(TEMPORARY + UUID.randomUUID());
        try {
            Files.createDirectory(temporary);
            PngWriter.write(temporary.resolve(REFERENCE), picture, Map.of());
            PngWriter.write(temporary.resolve(MASK), mask.toPicture(), Map.of());
            byte[] description = description(name, noun, segment);
            OutputFile.write(temporary.resolve(DESCRIPTION), out -> out.write(description));
            Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            requireFree(name); // whoever added the same name meanwhile was first
            throw Refusal.resources("@%s could not be added to %s (%s); check the disk and its free space.", name, folder,
                    reason(e), e);
        } finally {
            discard(temporary);
        }
        return read(name);
    }

    /** @throws Refusal (input) when the library is not a folder or cannot be read */
    public Listing list() {
        List<Entry> subjects = new ArrayList<>();
        SortedMap<String, String> broken = new TreeMap<>();
        for (String name : names()) {
            try {
                if (!isName(name)) {
                    throw Refusal.input("The folder %s is no subject, because its name is not one; rename it to lower-case "
                            + "letters, digits, - and _ that begin with a letter, or move it elsewhere.", folder.resolve(name));
                }
                subjects.add(read(name));
            } catch (Refusal e) {
                if (Files.isDirectory(folder.resolve(name))) { // else it was removed while we read
                    broken.put(name, e.getMessage());
                }
            }
        }
        return new Listing(List.copyOf(subjects), Collections.unmodifiableSortedMap(broken));
    }

    /** @throws Refusal (usage) when there is no such subject; (input) when its folder is broken or cannot be read */
    public Entry get(String name) {
        requireName(name);
        if (!Files.isDirectory(folder.resolve(name))) {
            throw unknown(name);
        }
        return read(name);
    }

    /**
     * Removes a subject, a broken one too.
     *
     * @throws Refusal (usage) when there is no such subject; (input) when the library is not writable; (resources) when files are
     *     left over
     */
    public void remove(String name) {
        requireName(name);
        Path removed = folder.resolve(TEMPORARY + UUID.randomUUID());
        try {
            Files.move(folder.resolve(name), removed, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            throw unknown(name);
        } catch (IOException e) {
            throw Refusal.input("@%s cannot be removed from %s (%s); check the permissions of that folder.", name, folder,
                    reason(e), e);
        }
        try {
            delete(removed);
        } catch (IOException | UncheckedIOException e) {
            throw Refusal.resources("@%s is removed, but its files are left over in %s; delete that folder.", name, removed, e);
        }
    }

    private Entry read(String name) {
        Path subject = folder.resolve(name);
        for (String file : List.of(REFERENCE, MASK, DESCRIPTION)) {
            if (!Files.isRegularFile(subject.resolve(file))) {
                throw Refusal.input("The subject @%s is broken because %s is missing; remove it and add it again.", name,
                        subject.resolve(file));
            }
        }
        LocatedJson json = LocatedJson.read(subject.resolve(DESCRIPTION));
        // The version first: of another version the fields may be others.
        if (json.value() instanceof Map<?, ?> map && map.get("version") instanceof LocatedJson version
                && !Double.valueOf(VERSION).equals(version.value())) {
            throw version.refusal("only version %d of a subject is known; use a newer Likeness, or remove @%s and add it again.",
                    VERSION, name);
        }
        Map<String, LocatedJson> fields = json.object(FIELDS);
        for (String field : FIELDS) {
            if (!fields.containsKey(field)) {
                throw json.refusal("%s is missing; remove @%s and add it again.", field, name);
            }
        }
        if (!fields.get("name").string().equals(name)) {
            throw fields.get("name").refusal("the name is not that of the folder; write %s here, or rename the folder.", name);
        }
        return new Entry(name, subject.resolve(REFERENCE), subject.resolve(MASK), fields.get("prompt").filledString(),
                fields.get("segment").string(), instant(fields.get("added")));
    }

    private static Instant instant(LocatedJson value) {
        try {
            return Instant.parse(value.string());
        } catch (DateTimeException e) {
            throw value.refusal("%s is not a time; write one such as 2025-01-31T12:00:00Z.",
                    LocatedJson.shown(value.string()));
        }
    }

    private static byte[] description(String name, String prompt, String segment) throws IOException {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("version", VERSION).put("name", name).put("prompt", prompt).put("segment", segment);
        json.put("added", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    }

    /** Names of all folders but the hidden ones, sorted; none when there is no library yet. */
    private List<String> names() {
        if (!Files.exists(folder)) {
            return List.of();
        }
        requireFolder();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isDirectory).map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith(".")).sorted().toList();
        } catch (IOException | UncheckedIOException e) {
            throw Refusal.input("The library of subjects %s cannot be read; check its permissions.", folder, e);
        }
    }

    private static void requireName(String name) {
        if (!isName(name)) {
            throw Refusal.usage("%s is not a name of a subject; use 1 to 64 lower-case letters, digits, - and _ that begin with "
                    + "a letter, such as robot-2. In a prompt @@ writes an @.", LocatedJson.shown(name));
        }
    }

    /** @throws Refusal (usage) when the name is not one or is taken, so that {@link #add} would refuse it */
    public void requireFree(String name) {
        requireName(name);
        if (Files.exists(folder.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
            throw Refusal.usage("There is a subject @%s in %s already; remove it first, or use another name.", name, folder);
        }
    }

    private void requireFolder() {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw Refusal.input("The library of subjects %s is not a folder; set LIKENESS_SUBJECTS to one.", folder);
        }
    }

    private void requireWritable() {
        requireFolder();
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Refusal.input("The library of subjects %s cannot be created (%s); set LIKENESS_SUBJECTS to a folder that you may "
                    + "write to.", folder, reason(e), e);
        }
        if (!Files.isWritable(folder)) {
            throw Refusal.input("The library of subjects %s is not writable; set LIKENESS_SUBJECTS to a folder that you may write "
                    + "to.", folder);
        }
    }

    private Refusal unknown(String name) {
        List<String> near = names().stream().filter(SubjectLibrary::isName)
                .filter(other -> other.startsWith(name) || distance(name, other) <= NEAR)
                .sorted(Comparator.comparingInt((String other) -> distance(name, other)).thenComparing(Comparator.naturalOrder()))
                .limit(SUGGESTIONS).toList();
        if (near.isEmpty()) {
            return Refusal.usage("There is no subject @%s in %s; add it to the library first, or name a picture file instead.",
                    name, folder);
        }
        return Refusal.usage("There is no subject @%s in %s; did you mean %s?", name, folder,
                near.stream().map(other -> "@" + other).collect(Collectors.joining(" or ")));
    }

    /** Letters to insert, delete or replace to make one name the other (Levenshtein). */
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = corner + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                corner = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[other.length()];
    }

    private static void discard(Path temporary) {
        try {
            delete(temporary);
        } catch (IOException | UncheckedIOException e) {
            // What made the writing fail is thrown already and says more than this would; leftovers are never listed.
        }
    }

    /** A folder with all that is in it, if it is there; links are deleted, not followed. */
    private static void delete(Path top) throws IOException {
        if (!Files.exists(top, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(top)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        boolean named = e instanceof FileSystemException f && f.getReason() != null;
        return named ? ((FileSystemException) e).getReason() : String.valueOf(e.getMessage());
    }
}
