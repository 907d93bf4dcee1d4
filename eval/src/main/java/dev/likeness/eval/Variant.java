package dev.likeness.eval;

import dev.likeness.task.Injection;

/** A way of putting references in that is measured. @param name unique in its suite */
public record Variant(String name, Injection injection) {}
