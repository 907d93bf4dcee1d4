package dev.likeness.train;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.LongFunction;

/** Prepares batches one after the other on a thread of its own, a few ahead of their use. */
final class Batches<T> implements AutoCloseable {

    private static final int AHEAD = 3;

    private final BlockingQueue<Object> queue = new ArrayBlockingQueue<>(AHEAD);
    private final Thread thread;

    private record Failure(RuntimeException cause) {}

    /** @param source makes the batch of a 0-based number, the first asked for is {@code first} */
    Batches(long first, LongFunction<T> source) {
        thread = new Thread(() -> fill(first, source), "training-batches");
        thread.setDaemon(true);
        thread.start();
    }

    private void fill(long first, LongFunction<T> source) {
        try {
            for (long number = first; !Thread.currentThread().isInterrupted(); number++) {
                queue.put(source.apply(number));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            queue.clear();
            queue.add(new Failure(e));
        }
    }

    /** @throws RuntimeException what the source threw */
    @SuppressWarnings("unchecked")
    T next() {
        try {
            Object batch = queue.take();
            if (batch instanceof Failure failure) {
                throw failure.cause();
            }
            return (T) batch;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for a batch", e);
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
