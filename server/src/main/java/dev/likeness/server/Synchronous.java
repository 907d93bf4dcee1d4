package dev.likeness.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.PngWriter;
import io.javalin.http.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/** For the interfaces of other programs, which answer when the pictures are there: a job, and waiting for it. */
final class Synchronous {

    private static final long MAX_WAIT = 30 * 60_000; // milliseconds

    /** A picture that was made, as its PNG file. */
    record Made(Jobs.Image image, byte[] png) {
        String base64() {
            return Base64.getEncoder().encodeToString(png);
        }
    }

    private final Api api;
    private final Jobs jobs;
    private final Worker worker;
    private final Inputs inputs;
    private final Limits limits;
    private final Semaphore waiters;

    Synchronous(Api api, Jobs jobs, Worker worker, Inputs inputs, Limits limits) {
        this.api = api;
        this.jobs = jobs;
        this.worker = worker;
        this.inputs = inputs;
        this.limits = limits;
        waiters = new Semaphore(limits.waiters());
    }

    Body receive(Context context, boolean json, boolean multipart) {
        return Body.receive(context, limits, jobs.temporary(), json, multipart);
    }

    /** Queues a job and waits for its end. @throws Problem when it does not end with pictures */
    List<Made> make(ObjectNode request) {
        if (!waiters.tryAcquire()) {
            throw Problem.later(Problem.Kind.BUSY, worker.secondsUntilRoom(),
                    "%d requests are waiting for pictures, which is all that may; try again later.", limits.waiters());
        }
        try {
            jobs.requireRoom(worker.secondsUntilRoom());
            return pictures(ended(api.submit(request, null, null).id()));
        } finally {
            waiters.release();
        }
    }

    private Jobs.Job ended(String id) {
        long until = System.currentTimeMillis() + MAX_WAIT;
        Worker.Seen seen = worker.seen();
        while (true) {
            Jobs.Job job = jobs.get(id).orElseThrow(() -> Problem.of(Problem.Kind.NOT_FOUND, "The job was deleted to make "
                    + "room."));
            if (job.state().ended()) {
                return job;
            }
            if (seen.ending() || System.currentTimeMillis() > until) {
                throw Problem.later(Problem.Kind.UNAVAILABLE, 10,
                        "The picture is not there in time; look for job %s later.", id);
            }
            try {
                seen = worker.await("", seen, 60_000); // of no job: only changes of state are of interest
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw Problem.later(Problem.Kind.UNAVAILABLE, 10, "The server is stopping; look for job %s later.", id);
            }
        }
    }

    private List<Made> pictures(Jobs.Job job) {
        if (job.state() == Jobs.State.CANCELLED) {
            throw Problem.of(Problem.Kind.CONFLICT, "The job was cancelled.");
        }
        if (job.state() == Jobs.State.FAILED) {
            throw Problem.of(Problem.Kind.INVALID_REQUEST, "%s", job.outcome().path("error").path("detail").asText());
        }
        List<Made> made = new ArrayList<>();
        try {
            for (Jobs.Image image : jobs.images(job.id())) {
                made.add(new Made(image, Files.readAllBytes(jobs.file(image.id()))));
            }
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The pictures cannot be read back; check the server's disk.");
        }
        return made;
    }

    /** Work on pictures, with a folder that is gone afterwards. */
    ObjectNode decoding(Function<Path, ObjectNode> work) {
        Path folder = inputs.folder();
        try {
            return inputs.decoding(() -> work.apply(folder));
        } finally {
            Disk.delete(folder);
        }
    }

    /** Base64 of a request, with or without the beginning of a data URL. @param pointer of its field */
    Picture picture(String base64, Path file, String pointer) {
        try {
            String digits = base64.substring(base64.startsWith("data:") ? base64.indexOf(',') + 1 : 0);
            Files.write(file, Base64.getMimeDecoder().decode(digits));
        } catch (IllegalArgumentException e) {
            throw Problem.at(pointer, "This is not base64; encode the whole picture.");
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The pictures could not be written; check the server's disk.");
        }
        return picture(file, pointer);
    }

    /** A picture of a request. @param pointer of its field */
    Picture picture(Path file, String pointer) {
        return Inputs.refused(pointer, () -> Pictures.read(file, limits.inputPixels()));
    }

    /** A request to fill the hole of a picture. */
    static ObjectNode inpaint(Picture picture, Mask hole) {
        return JsonNodeFactory.instance.objectNode().put("task", "inpaint").put("image", url(picture))
                .put("mask", url(hole.toPicture()));
    }

    private static String url(Picture picture) {
        return Progress.pngUrl(PngWriter.bytes(picture));
    }
}
