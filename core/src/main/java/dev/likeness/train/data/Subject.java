package dev.likeness.train.data;

/**
 * Something that can be put into a picture.
 *
 * @param codepoints file stem of its sprite, such as {@code 1f34e}
 * @param noun       the one or two lower-case words that name it in captions; for {@link Split#GENERIC} subjects the
 *                   word that captions choose instead does not depend on it
 * @param group      its kind: animal, plant, food, vehicle, building, object, ...
 * @param split      what it is used for
 */
public record Subject(String codepoints, String noun, String group, Split split) {
}
