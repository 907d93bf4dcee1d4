package dev.likeness.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.denoise.Cancelled;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.task.FluxModel;
import dev.likeness.task.TaskListener;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The one thread that uses the model. It computes one job after the other, and short requests between two steps. Whoever
 * follows a job waits here for news.
 */
final class Worker implements AutoCloseable {

    private static final int MAX_SHORT = 8; // short requests that may wait
    private static final long HOUR = 3_600_000; // milliseconds, as the next
    private static final long RETRY = 5000;
    private static final long LONGEST_STEP = 60_000; // what takes longer is cut off and begins again at the next start

    /** A short request to the model. */
    private record Short<T>(Function<FluxModel, T> work, CompletableFuture<T> result) {
        void run(FluxModel model) {
            try {
                result.complete(work.apply(model));
            } catch (RuntimeException | OutOfMemoryError e) {
                result.completeExceptionally(e);
            }
        }
    }

    private final Jobs jobs;
    private final Limits limits;
    private final SubjectLibrary library;
    private final String libraryFolder;
    private final Metrics metrics;
    private final Supplier<FluxModel> opening;
    private final Thread thread = new Thread(this::work, "worker");
    private final CompletableFuture<FluxModel> opened = new CompletableFuture<>();
    private final AtomicInteger watchers = new AtomicInteger();

    private final Object news = new Object(); // guards all that follows
    private final Deque<Short<?>> shorts = new ArrayDeque<>();
    private long stateChanges;
    private long progressChanges;
    private Progress progress; // of the running job; null when none runs
    private String cancelled; // running job that shall stop
    private boolean waiting; // queued jobs may be there that the thread has not seen
    private boolean stopping;
    private boolean hurried; // the running job shall not be waited for
    private boolean loaded;
    private volatile String trouble; // why nothing is computed; null when all is well
    private volatile double meanSeconds = 10; // of a job, for Retry-After

    /** @param model opens it; called on the thread that uses it */
    Worker(Jobs jobs, SubjectLibrary library, String libraryFolder, Limits limits, Metrics metrics,
            Supplier<FluxModel> model) {
        this.jobs = jobs;
        this.library = library;
        this.libraryFolder = libraryFolder;
        this.limits = limits;
        this.metrics = metrics;
        opening = model;
    }

    /** Starts the thread and waits until the model's configuration is read. @throws Refusal as opening the model does */
    FluxModel start() {
        waiting = true;
        thread.setDaemon(true);
        thread.start();
        try {
            return opened.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Tells that a job was queued. */
    void queued() {
        synchronized (news) {
            waiting = true;
            stateChanges++;
            news.notifyAll();
        }
    }

    /** Stops the running job before its next step when it is this one, and tells whoever follows it. */
    void cancel(String job) {
        synchronized (news) {
            cancelled = job;
            stateChanges++;
            news.notifyAll();
        }
    }

    /** Asks the model for something short, now or between two steps. */
    <T> CompletableFuture<T> ask(Function<FluxModel, T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        synchronized (news) {
            if (shorts.size() >= MAX_SHORT || stopping || trouble != null) {
                throw Problem.later(Problem.Kind.UNAVAILABLE, 5, "The model has too much to do; try again later.");
            }
            shorts.add(new Short<>(work, result));
            news.notifyAll();
        }
        return result;
    }

    /** The progress of a job; null when it does not run. */
    Progress progress(String job) {
        synchronized (news) {
            return progress != null && progress.job().equals(job) ? progress : null;
        }
    }

    /** What a follower has seen. */
    record Seen(long states, long steps, boolean ending) {}

    Seen seen() {
        synchronized (news) {
            return new Seen(stateChanges, progressChanges, stopping);
        }
    }

    /** Waits until there is news of a job, or the time is over. */
    Seen await(String job, Seen last, long milliseconds) throws InterruptedException {
        long until = System.nanoTime() + milliseconds * 1_000_000;
        synchronized (news) {
            while (last.states == stateChanges && !stopping
                    && (last.steps == progressChanges || progress == null || !progress.job().equals(job))) {
                long left = (until - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    break;
                }
                news.wait(left);
            }
            return seen();
        }
    }

    /** A follower came (1) or went (-1): previews are made only while there is one. */
    void watchers(int change) {
        watchers.addAndGet(change);
    }

    /** Seconds until a place in the queue is free, roughly. */
    int secondsUntilRoom() {
        return (int) Math.ceil(meanSeconds);
    }

    /** The state as /health/ready tells it: up, starting, stopping or down. */
    String health() {
        synchronized (news) {
            return stopping ? "stopping" : trouble != null || !thread.isAlive() ? "down" : loaded ? "up" : "starting";
        }
    }

    private void work() {
        FluxModel model;
        try {
            model = opening.get();
        } catch (RuntimeException | LinkageError e) {
            trouble = "the model cannot be opened";
            opened.completeExceptionally(e);
            return;
        }
        opened.complete(model);
        try (model) {
            model.use(ReferenceCache.inMemory(limits.cacheBytes()));
            model.load();
            synchronized (news) {
                loaded = true;
            }
            jobs.retain();
            while (goesOn(model)) {
                // each turn is a job, a short request, or an hour without either
            }
        } catch (RuntimeException | Error e) {
            trouble = "the model or the queue failed";
            System.err.println("likeness: the worker ended: " + e);
            e.printStackTrace();
        } finally {
            synchronized (news) {
                shorts.forEach(one -> one.result.completeExceptionally(
                        Problem.later(Problem.Kind.UNAVAILABLE, 5, "The server is stopping; try again later.")));
                shorts.clear();
                news.notifyAll();
            }
        }
    }

    /** A turn; where the disk failed in it, the next begins a little later with what was left undone. */
    private boolean goesOn(FluxModel model) {
        try {
            boolean more = next(model);
            trouble = null;
            return more;
        } catch (Problem e) {
            trouble = e.getMessage();
            metrics.failed(e.kind.slug());
        } catch (InterruptedException e) {
            return false;
        }
        try {
            Thread.sleep(RETRY);
            jobs.requeue();
        } catch (Problem e) {
            // the next turn fails as well and tells it
        } catch (InterruptedException e) {
            return false;
        }
        synchronized (news) {
            waiting = true;
            return !stopping;
        }
    }

    private boolean next(FluxModel model) throws InterruptedException {
        Short<?> first;
        synchronized (news) {
            if (!waiting && shorts.isEmpty() && !stopping) {
                news.wait(HOUR);
            }
            if (stopping) {
                return false;
            }
            first = shorts.poll();
            if (first == null) {
                waiting = false; // a job that is queued from now on sets it again
            }
        }
        if (first != null) {
            first.run(model);
            return true;
        }
        Optional<Jobs.Job> job = jobs.take();
        if (job.isPresent()) {
            compute(model, job.get());
            synchronized (news) {
                waiting = true;
            }
        }
        jobs.retain();
        return true;
    }

    private void compute(FluxModel model, Jobs.Job job) {
        long started = System.nanoTime();
        String task = job.request().path("task").asText();
        tell(new Progress(job.id(), "load", 0, 0, 0, 0, 1, -1, null), true);
        try {
            JobRequest request = JobRequest.of(job.request(), model.defaults(), limits);
            int prompts = Math.max(1, request.prompts().size());
            Tasks.Result result = Tasks.run(model, library, libraryFolder, request, jobs.inputs(job.id()),
                    number -> new Follower(model, job.id(), number, prompts));
            ObjectNode outcome = new ObjectMapper().createObjectNode();
            result.warnings().forEach(outcome.withArray("warnings")::add);
            outcome.set("evaluations", new ObjectMapper().valueToTree(result.evaluations()));
            outcome.set("timings_ms", new ObjectMapper().valueToTree(result.milliseconds()));
            jobs.finish(job, result.images(), outcome);
            metrics.evaluations(result.evaluations());
            metrics.ended(task, jobs.get(job.id()).map(now -> now.state().flag()).orElse("deleted"));
        } catch (Cancelled e) {
            jobs.stopped(job);
            metrics.ended(task, "stopped");
        } catch (RuntimeException | OutOfMemoryError e) {
            Problem problem = problem(e);
            metrics.failed(problem.kind.slug());
            metrics.ended(task, "failed");
            jobs.fail(job, problem);
        } finally {
            tell(null, true);
        }
        meanSeconds = 0.7 * meanSeconds + 0.3 * (System.nanoTime() - started) / 1e9;
    }

    private static Problem problem(Throwable e) {
        if (e instanceof Problem problem) {
            return problem;
        }
        if (e instanceof Refusal refusal) {
            return Problem.of(refusal, null);
        }
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (e instanceof OutOfMemoryError || message.contains("out of memory") || message.contains("not enough memory")
                || message.contains("can't allocate memory")) {
            return Problem.of(Problem.Kind.RESOURCES, "Memory ran out; use a smaller width and height.");
        }
        System.err.println("likeness: a job failed: " + e);
        e.printStackTrace();
        return Problem.of(Problem.Kind.INTERNAL, "The server failed while it computed this job; its log says more.");
    }

    private void tell(Progress now, boolean state) {
        synchronized (news) {
            progress = now;
            progressChanges++;
            stateChanges += state ? 1 : 0;
            news.notifyAll();
        }
    }

    /** Follows the task of one prompt of a job. */
    private final class Follower implements TaskListener {
        private final FluxModel model;
        private final String job;
        private final int number;
        private final int prompts;
        private long last = System.nanoTime();
        private double stepSeconds; // the mean so far
        private byte[] preview;

        Follower(FluxModel model, String job, int number, int prompts) {
            this.model = model;
            this.job = job;
            this.number = number;
            this.prompts = prompts;
        }

        @Override
        public void phase(String name) {
            last = System.nanoTime();
            Progress now = progress(job);
            tell(now == null ? new Progress(job, name, 0, 0, 0, 0, 1, -1, null) : now.in(name), false);
        }

        @Override
        public void preview(Supplier<Picture> picture) {
            preview = watchers.get() > 0 ? PngWriter.bytes(picture.get()) : null;
        }

        @Override
        public boolean step(int image, int images, int step, int steps, double sigma) {
            long now = System.nanoTime();
            double seconds = (now - last) / 1e9;
            metrics.step(now - last);
            stepSeconds = step == 1 && image == 0 ? seconds : 0.8 * stepSeconds + 0.2 * seconds;
            int all = images * prompts;
            int at = number * images + image;
            double left = stepSeconds * ((double) (all - at) * steps - step);
            tell(new Progress(job, "denoise", at + 1, all, step, steps, sigma, left, preview), false);
            answerShorts();
            last = System.nanoTime();
            synchronized (news) {
                return !hurried && !job.equals(cancelled);
            }
        }

        private void answerShorts() {
            while (true) {
                Short<?> one;
                synchronized (news) {
                    one = shorts.poll();
                }
                if (one == null) {
                    return;
                }
                one.run(model);
            }
        }
    }

    /** Takes no more jobs; waits for the running one, which after the grace stops before its next step and waits again. */
    @Override
    public void close() {
        synchronized (news) {
            stopping = true;
            news.notifyAll();
        }
        try {
            if (!limits.grace().isZero()) { // to join, 0 means without an end
                thread.join(limits.grace().toMillis());
            }
            synchronized (news) {
                hurried = true;
            }
            thread.join(LONGEST_STEP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
