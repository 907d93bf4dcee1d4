package dev.likeness.train;

import org.bytedeco.pytorch.NoGradGuard;

/** Switches autograd's recording off in this thread while open. */
final class Gradients implements AutoCloseable {

    private final NoGradGuard guard = new NoGradGuard();

    private Gradients() {}

    static Gradients off() {
        return new Gradients();
    }

    @Override
    public void close() {
        guard.close();
    }
}
