package dev.likeness.eval;

import dev.likeness.error.Refusal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * DreamBench, the data set of DreamBooth: a folder of pictures for each subject, and prompts_and_classes.txt with the subjects'
 * classes, 25 prompts for objects and 25 for live subjects.
 *
 * @param subjects those that have a folder, in the file's order
 * @param missing  names of those that have none; a score over fewer subjects than the 30 is not the published one
 */
public record DreamBench(List<Subject> subjects, List<String> missing) {

    private static final String FILE = "prompts_and_classes.txt";
    private static final Set<String> LIVE = Set.of("cat", "dog"); // the file does not say it; 9 of the 30 subjects
    private static final Pattern PROMPT =
            Pattern.compile("(['\"])(.*)\\1\\.format\\(unique_token, class_token\\),?");
    private static final Pattern PICTURE = Pattern.compile("([\\w-]+)/([\\w-]+\\.(?:jpe?g|png))");

    /**
     * A subject.
     *
     * @param noun     its class, such as "stuffed animal"
     * @param prompts  with the class and without a token of the subject's own: "a dog in the jungle"
     * @param pictures by name, at least one
     */
    public record Subject(String name, String noun, boolean live, List<String> prompts, List<Path> pictures) {}

    /** Which of a subject's pictures a method is given: protocols differ in it. */
    @FunctionalInterface
    public interface Choice {

        /** The first picture by name, for methods that take one reference. */
        Choice FIRST = subject -> subject.pictures.subList(0, 1);

        Choice ALL = Subject::pictures;

        List<Path> of(Subject subject);

        /**
         * One picture of every subject, from a file that names them as {@code backpack/02.jpg}, whatever stands around it: a
         * line each, or JSON such as UNO's list of DreamBench's prompts.
         *
         * @throws Refusal (input) when the file names two pictures of one subject; later, when it names none of one, or one
         *     that is not there
         */
        static Choice listed(Path file) {
            Map<String, String> names = new LinkedHashMap<>();
            for (String line : DataFolder.lines(file)) {
                Matcher matcher = PICTURE.matcher(line);
                while (matcher.find()) {
                    String before = names.putIfAbsent(matcher.group(1), matcher.group(2));
                    if (before != null && !before.equals(matcher.group(2))) {
                        throw Refusal.input("%s names %s and %s of %s; one reference is to be chosen of each subject.", file,
                                before, matcher.group(2), matcher.group(1));
                    }
                }
            }
            return subject -> List.of(listed(file, names, subject));
        }

        private static Path listed(Path file, Map<String, String> names, Subject subject) {
            String name = names.get(subject.name);
            if (name == null) {
                throw Refusal.input("%s names no picture of %s; add a line such as %s/00.jpg.", file, subject.name,
                        subject.name);
            }
            return subject.pictures.stream().filter(path -> path.getFileName().toString().equals(name)).findFirst()
                    .orElseThrow(() -> Refusal.input("%s names %s/%s, which is not there; correct the list.", file,
                            subject.name, name));
        }
    }

    /**
     * @param dataset the folder with prompts_and_classes.txt; also the one above it
     * @throws Refusal (input) when a file is missing, or is not as DreamBench has it
     */
    public static DreamBench read(Path dataset) {
        Path folder = Files.exists(dataset.resolve(FILE)) ? dataset : dataset.resolve("dataset");
        if (!Files.exists(folder.resolve(FILE))) {
            throw Refusal.input("%s holds no %s; give DreamBench's folder dataset.", dataset, FILE);
        }
        Path file = folder.resolve(FILE);
        List<String> lines = DataFolder.lines(file);
        Map<String, String> classes = classes(file, lines);
        List<String> objectPrompts = prompts(file, lines, "Object Prompts");
        List<String> livePrompts = prompts(file, lines, "Live Subject Prompts");
        List<Subject> subjects = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        Set<String> folders = new HashSet<>();
        DataFolder.list(folder, Files::isDirectory).forEach(path -> folders.add(path.getFileName().toString()));
        classes.forEach((name, noun) -> {
            if (!folders.remove(name)) {
                missing.add(name);
                return;
            }
            List<Path> pictures = DataFolder.list(folder.resolve(name), DataFolder::isPicture);
            if (pictures.isEmpty()) {
                throw Refusal.input("%s holds no picture; download it again.", folder.resolve(name));
            }
            boolean live = LIVE.contains(noun);
            List<String> prompts = (live ? livePrompts : objectPrompts).stream()
                    .map(prompt -> prompt.replace("{0} ", "").replace("{1}", noun)).toList();
            subjects.add(new Subject(name, noun, live, prompts, pictures));
        });
        if (!folders.isEmpty()) {
            throw Refusal.input("%s gives no class of %s, of which there is a folder; add it to the file or move the folder.",
                    file, folders.stream().sorted().findFirst().orElseThrow());
        }
        if (subjects.isEmpty()) {
            throw Refusal.input("%s holds no folder of a subject that %s lists; download the pictures as well.", folder, FILE);
        }
        return new DreamBench(List.copyOf(subjects), List.copyOf(missing));
    }

    /** Every subject with each of its prompts, in order. */
    public List<PromptCase> cases(Choice choice) {
        return subjects.stream().flatMap(subject -> {
            List<Path> references = choice.of(subject);
            return IntStream.range(0, subject.prompts.size()).mapToObj(i ->
                    new PromptCase(subject.name, subject.noun, i, subject.prompts.get(i), references));
        }).toList();
    }

    /** Subject to class, from the rows below {@code subject_name,class} up to an empty line. */
    private static Map<String, String> classes(Path file, List<String> lines) {
        Map<String, String> classes = new LinkedHashMap<>();
        int at = lines.indexOf("subject_name,class");
        if (at < 0) {
            throw Refusal.input("%s has no table \"subject_name,class\"; download it again.", file);
        }
        for (int i = at + 1; i < lines.size() && !lines.get(i).isEmpty(); i++) {
            String[] row = lines.get(i).split(",", -1);
            if (row.length != 2 || !row[0].matches("[\\w-]+") || row[1].isBlank()) {
                throw Refusal.input("%s, line %d: \"%s\" is not a subject and its class; correct the line.", file, i + 1,
                        lines.get(i));
            }
            if (classes.put(row[0], row[1].strip()) != null) {
                throw Refusal.input("%s, line %d: %s is listed twice; delete one of the lines.", file, i + 1, row[0]);
            }
        }
        return classes;
    }

    /** The strings of the Python list below a heading. */
    private static List<String> prompts(Path file, List<String> lines, String heading) {
        int at = lines.indexOf(heading);
        int end = at;
        while (end >= 0 && end < lines.size() && !lines.get(end).equals("]")) {
            end++;
        }
        if (at < 0 || end == lines.size()) {
            throw Refusal.input("%s has no whole list of \"%s\"; download it again.", file, heading);
        }
        List<String> prompts = new ArrayList<>();
        for (int i = at + 1; i < end; i++) {
            Matcher matcher = PROMPT.matcher(lines.get(i));
            if (matcher.matches() && matcher.group(2).contains("{1}")) {
                prompts.add(matcher.group(2));
            } else if (!lines.get(i).isEmpty() && !lines.get(i).equals("prompt_list = [")) {
                throw Refusal.input("%s, line %d: \"%s\" is not a prompt with {0} and {1}; correct the line.", file, i + 1,
                        lines.get(i));
            }
        }
        if (prompts.isEmpty()) {
            throw Refusal.input("%s has no prompt under \"%s\"; download it again.", file, heading);
        }
        return prompts;
    }
}
