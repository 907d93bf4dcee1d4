package dev.likeness.eval;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One picture that a benchmark asks for.
 *
 * @param subject    name, unique in its benchmark
 * @param noun       what the subject is, such as "dog"
 * @param number     of the prompt among the subject's, from 0
 * @param references pictures of the subject, at least one; a method that takes one is given the first
 */
public record PromptCase(String subject, String noun, int number, String prompt, List<Path> references) {

    /** SHA-256 over what a benchmark asks for and its pictures. @param data the folder that these are in */
    public static String fingerprint(Path data, List<PromptCase> cases) {
        String text = cases.stream().map(of -> String.join("\n", of.subject, String.valueOf(of.number), of.prompt,
                of.references.stream().map(data::relativize).toList().toString(), "")).collect(Collectors.joining());
        return Evaluation.fingerprint(text, data,
                cases.stream().flatMap(of -> of.references.stream()).distinct().toList());
    }
}
