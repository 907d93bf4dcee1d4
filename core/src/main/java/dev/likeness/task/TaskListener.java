package dev.likeness.task;

/** Follows a task; every method is called on the task's own thread. */
public interface TaskListener {

    /** Follows nothing. */
    TaskListener NONE = new TaskListener() {};

    /** A phase begins: load, text, encode, invert (with network passes), denoise or decode. */
    default void phase(String name) {}

    /**
     * A denoising step is done.
     *
     * @param image 0-based picture of {@code images}
     * @param step steps done, 1 to {@code steps}
     * @return false to cancel before the next step
     */
    default boolean step(int image, int images, int step, int steps, double sigma) {
        return true;
    }
}
