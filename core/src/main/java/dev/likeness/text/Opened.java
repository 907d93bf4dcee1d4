package dev.likeness.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What a constructor has opened so far: it is closed with the whole, or at once where a later part is refused. */
final class Opened implements AutoCloseable {

    private final List<Runnable> closing = new ArrayList<>();

    <T> T add(T part, Consumer<T> close) {
        closing.add(() -> close.accept(part));
        return part;
    }

    @Override
    public void close() {
        closing.forEach(Runnable::run);
        closing.clear();
    }
}
