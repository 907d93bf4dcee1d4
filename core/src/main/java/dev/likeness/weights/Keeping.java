package dev.likeness.weights;

/** How the weights of a linear layer are kept between two uses. Biases and what is not a linear layer always stay in memory. */
public enum Keeping {
    /** In memory, in the layout that the device multiplies fastest in. */
    MEMORY,
    /** Not at all: each use reads them from their file, which the system keeps in memory as long as there is room. */
    STREAM,
    /** In memory in eight bits (e4m3), a scale a row; each use widens them. */
    FLOAT8
}
