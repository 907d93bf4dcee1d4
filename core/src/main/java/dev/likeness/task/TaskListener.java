package dev.likeness.task;

import dev.likeness.image.Picture;
import java.util.function.Supplier;

/** Follows a task; every method is called on the task's own thread. */
public interface TaskListener {

    /** Follows nothing. */
    TaskListener NONE = new TaskListener() {};

    /** A phase begins: load, text, encode, invert (with network passes), denoise or decode. */
    default void phase(String name) {}

    /**
     * What the picture will be like as the step sees it that is told next: a pixel for 8 x 8, without the decoder. It costs
     * something only when it is asked for, during the call.
     */
    default void preview(Supplier<Picture> picture) {}

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
