package dev.likeness.weights;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Brings weights into the system's memory before they are used, in the order in which they were added, round and round. */
final class ReadAhead implements AutoCloseable {

    private final List<StoredWeight> order = new ArrayList<>();
    private final AtomicInteger wanted = new AtomicInteger();
    private final ExecutorService reader = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "read ahead");
        thread.setDaemon(true);
        return thread;
    });

    /** @return its number */
    int add(StoredWeight weight) {
        order.add(weight);
        return order.size() - 1;
    }

    /** Number {@code number} is in use now: the next one is read, unless others are wanted by the time it is its turn. */
    void after(int number) {
        int next = (number + 1) % order.size();
        wanted.set(next);
        reader.execute(() -> {
            if (wanted.get() == next) {
                order.get(next).touch();
            }
        });
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}
