package dev.likeness.train.data;

/** What a subject is used for. */
public enum Split {
    /** Named subjects that a model is trained on. */
    TRAIN,
    /** Named subjects that no training picture shows, nor anything that looks like them. */
    HELDOUT,
    /** Unnamed fillers for diversity, drawn as "a toy", "an object" or "a thing". */
    GENERIC
}
