package dev.likeness.eval;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * DreamBench++ (Peng et al. 2024): images/**.jpg, and for each the file of the same path under captions/, whose first line is
 * the subject and every other a prompt; 150 pictures with 9 prompts each.
 *
 * @param subjects by path
 */
public record DreamBenchPlus(List<Subject> subjects) {

    /**
     * A picture and what is asked for with it.
     *
     * @param name     its path without the ending, such as object/00
     * @param category name of the folder that it lies in: animal, human, object or style
     * @param noun     first line of the captions
     */
    public record Subject(String name, String category, String noun, List<String> prompts, Path picture) {}

    /**
     * @param data the folder with images/ and captions/
     * @throws Refusal (input) when a picture has no captions or captions no picture, or a folder or prompt is missing
     */
    public static DreamBenchPlus read(Path data) {
        Path images = data.resolve("images");
        Path captions = data.resolve("captions");
        List<Path> pictures = files(images, ".jpg");
        List<Path> texts = files(captions, ".txt");
        List<Subject> subjects = new ArrayList<>();
        for (Path picture : pictures) {
            String name = name(images, picture);
            Path text = captions.resolve(name + ".txt");
            if (!texts.contains(text)) {
                throw Refusal.input("%s has no captions %s; download the folder again.", picture, text);
            }
            List<String> lines = DataFolder.lines(text).stream().filter(line -> !line.isEmpty()).toList();
            if (lines.size() < 2) {
                throw Refusal.input("%s holds no subject and prompts below it; download it again.", text);
            }
            subjects.add(new Subject(name, picture.getParent().getFileName().toString(), lines.get(0),
                    lines.subList(1, lines.size()), picture));
        }
        if (subjects.isEmpty()) {
            throw Refusal.input("%s holds no picture; give the folder of DreamBench++ with images and captions.", images);
        }
        if (texts.size() != pictures.size()) {
            throw Refusal.input("%s holds %d captions for %d pictures; download the folder again.", captions, texts.size(),
                    pictures.size());
        }
        return new DreamBenchPlus(List.copyOf(subjects));
    }

    /** Every picture with each of its prompts, in order; the picture is the only reference. */
    public List<PromptCase> cases() {
        return subjects.stream().flatMap(subject -> IntStream.range(0, subject.prompts.size()).mapToObj(i -> new PromptCase(
                subject.name, subject.noun, i, subject.prompts.get(i), List.of(subject.picture)))).toList();
    }

    private static List<Path> files(Path folder, String ending) {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(path -> path.toString().endsWith(ending) && Files.isRegularFile(path)).sorted().toList();
        } catch (IOException e) {
            throw Refusal.input("%s is no readable folder; give the folder of DreamBench++ with images and captions.", folder,
                    e);
        }
    }

    private static String name(Path folder, Path file) {
        return folder.relativize(file).toString().replace('\\', '/').replaceFirst("\\.[^.]*$", "");
    }
}
