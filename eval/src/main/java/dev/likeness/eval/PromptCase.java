package dev.likeness.eval;

import java.nio.file.Path;
import java.util.List;

/**
 * One picture that a benchmark asks for.
 *
 * @param subject    name, unique in its benchmark
 * @param noun       what the subject is, such as "dog"
 * @param number     of the prompt among the subject's, from 0
 * @param references pictures of the subject, at least one; a method that takes one is given the first
 */
public record PromptCase(String subject, String noun, int number, String prompt, List<Path> references) {}
