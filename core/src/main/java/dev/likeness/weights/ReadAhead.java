package dev.likeness.weights;

import dev.likeness.tensor.CopyStream;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;

/**
 * Brings weights near before they are used: into the system's memory, or onto a GPU by a stream of its own. They are expected in
 * the order in which they were used the last time, and at first in that in which they were added, as far as they were not used yet.
 */
final class ReadAhead implements AutoCloseable {

    private static final int UNKNOWN = -1;

    private final List<StoredWeight> weights = new ArrayList<>();
    private final List<Integer> following = new ArrayList<>(); // what was used after each of them
    private final List<Boolean> used = new ArrayList<>();
    private final AtomicInteger wanted = new AtomicInteger();
    private final ExecutorService reader = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "read ahead");
        thread.setDaemon(true);
        return thread;
    });
    private int last = UNKNOWN;
    private int coming = UNKNOWN; // on its way to the device
    private CompletableFuture<Tensor> arrival;
    private CopyStream stream;

    /** @return its number */
    synchronized int add(StoredWeight weight) {
        weights.add(weight);
        following.add(UNKNOWN);
        used.add(false);
        return weights.size() - 1;
    }

    /** Number {@code number} is used now. @return which one is expected next */
    synchronized int use(int number) {
        if (last != UNKNOWN) {
            following.set(last, number);
        }
        last = number;
        used.set(number, true);
        if (following.get(number) != UNKNOWN) {
            return following.get(number);
        }
        int next = (number + 1) % weights.size();
        for (int i = 0; i < weights.size() && used.get(next); i++) {
            next = (next + 1) % weights.size();
        }
        return next;
    }

    /** Number {@code number} is used now: the next one is read, unless others are wanted by the time it is its turn. */
    void after(int number) {
        int next = use(number);
        wanted.set(next);
        reader.execute(() -> {
            if (wanted.get() == next) {
                weights.get(next).touch();
            }
        });
    }

    /**
     * Number {@code number} on a device, and the next one is on its way there.
     *
     * @return for the caller to {@linkplain Scope#release release}, when nothing computes with it any more
     */
    synchronized Tensor take(int number, DType dtype, Device device) {
        CompletableFuture<Tensor> taken = coming == number ? arrival : bring(number, dtype, device);
        if (coming != number && arrival != null) {
            drop(arrival); // it was expected in vain
        }
        coming = use(number);
        arrival = bring(coming, dtype, device);
        try {
            return taken.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private CompletableFuture<Tensor> bring(int number, DType dtype, Device device) {
        return CompletableFuture.supplyAsync(() -> {
            stream = stream == null ? new CopyStream(device) : stream; // of this thread alone
            try (Scope scope = Scope.open()) {
                StoredWeight.Read[] read = new StoredWeight.Read[1];
                stream.run(() -> read[0] = weights.get(number).read(dtype, device));
                Tensor weight = read[0].mapped() == null ? read[0].tensor() : read[0].tensor().clone();
                read[0].end();
                return Scope.own(weight);
            }
        }, reader);
    }

    /** Frees a weight when it has arrived, if it does. */
    private static CompletableFuture<Void> drop(CompletableFuture<Tensor> weight) {
        return weight.handle((tensor, failure) -> {
            if (tensor != null) {
                Scope.release(tensor);
            }
            return null;
        });
    }

    @Override
    public void close() {
        if (arrival != null) {
            drop(arrival).join();
            arrival = null;
        }
        reader.shutdownNow();
    }
}
