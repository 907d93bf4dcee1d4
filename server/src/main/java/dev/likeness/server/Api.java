package dev.likeness.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.reference.TokenMask;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Sampling;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The routes under /api/v1; {@code openapi.json} describes them. */
final class Api {

    private static final int PAGE = 50;
    private static final int MAX_PAGE = 200;
    private static final long HEARTBEAT = 10_000; // milliseconds; shorter than idle connections live
    private static final int SHORT_SECONDS = 120;
    private static final List<String> MASK_FIELDS = List.of("segment", "mask", "mask_invert", "prompt");

    private final FluxModel model;
    private final Jobs jobs;
    private final Worker worker;
    private final Inputs inputs;
    private final SubjectLibrary library;
    private final Guard guard;
    private final Limits limits;
    private final Semaphore watchers;
    private final ObjectMapper json = new ObjectMapper();

    Api(FluxModel model, Jobs jobs, Worker worker, Inputs inputs, SubjectLibrary library, Guard guard, Limits limits) {
        this.model = model;
        this.jobs = jobs;
        this.worker = worker;
        this.inputs = inputs;
        this.library = library;
        this.guard = guard;
        this.limits = limits;
        watchers = new Semaphore(limits.watchers());
    }

    void addTo(RoutesConfig routes) {
        routes.get("/api/v1/capabilities", context -> json(context, 200, capabilities()));
        routes.post("/api/v1/session", this::openSession);
        routes.delete("/api/v1/session", context -> {
            guard.closeSession(context);
            context.status(204);
        });
        routes.post("/api/v1/jobs", this::submit);
        routes.get("/api/v1/jobs", this::listJobs);
        routes.get("/api/v1/jobs/{id}", context -> json(context, 200, job(job(context))));
        routes.delete("/api/v1/jobs/{id}", this::cancel);
        routes.get("/api/v1/jobs/{id}/events", this::watch);
        routes.get("/api/v1/jobs/{id}/inputs/{name}", this::input);
        routes.get("/api/v1/images", this::listImages);
        routes.get("/api/v1/images/{id}", this::image);
        routes.delete("/api/v1/images/{id}", context -> found(context, jobs.deleteImage(id(context))));
        routes.get("/api/v1/images/{id}/details", context -> {
            Jobs.Image image = jobs.image(id(context)).orElseThrow(Api::noImage);
            json(context, 200, image(image).set("parameters", image.parameters()));
        });
        routes.put("/api/v1/images/{id}/star", context -> found(context, jobs.star(id(context), true)));
        routes.delete("/api/v1/images/{id}/star", context -> found(context, jobs.star(id(context), false)));
        routes.get("/api/v1/subjects", this::listSubjects);
        routes.post("/api/v1/subjects", this::addSubject);
        routes.get("/api/v1/subjects/{name}", context -> json(context, 200, subject(subject(context))));
        routes.delete("/api/v1/subjects/{name}", context -> {
            library.remove(subject(context).name());
            context.status(204);
        });
        routes.get("/api/v1/subjects/{name}/reference", context -> png(context, subject(context).reference()));
        routes.get("/api/v1/subjects/{name}/mask", context -> png(context, subject(context).mask()));
        routes.post("/api/v1/segment", this::segment);
    }

    private void openSession(Context context) {
        try (Body body = receive(context, false)) {
            Fields fields = new Fields(body.json(), "");
            fields.allow(List.of("token"), "A session");
            guard.openSession(context, fields.requireText("token"));
            context.status(204);
        }
    }

    private Body receive(Context context, boolean multipart) {
        return Body.receive(context, limits, jobs.temporary(), true, multipart);
    }

    private void submit(Context context) {
        String key = context.header("Idempotency-Key");
        if (key != null && (key.isEmpty() || key.length() > 200)) {
            throw Problem.of(Problem.Kind.MALFORMED, "The Idempotency-Key is not 1 to 200 characters long; send a shorter "
                    + "one.");
        }
        Jobs.Job job = key == null ? null : jobs.byKey(key).orElse(null);
        if (job == null) {
            jobs.requireRoom(worker.secondsUntilRoom());
            try (Body body = receive(context, true)) {
                job = submit(body.json(), body, key);
            }
        }
        context.header("Location", "/api/v1/jobs/" + job.id());
        json(context, 202, job(job));
    }

    /** Checks a request and queues it. @param body null when all pictures stand in the JSON @param key null for none */
    Jobs.Job submit(ObjectNode request, Body body, String key) {
        String id = UUID.randomUUID().toString();
        boolean accepted = false;
        try {
            ObjectNode stored = inputs.prepare(id, JobRequest.of(request, model.defaults(), limits), body);
            Jobs.Job job = jobs.submit(id, key, stored, worker.secondsUntilRoom());
            accepted = true;
            worker.queued();
            return job;
        } finally {
            if (!accepted) {
                Disk.delete(jobs.inputs(id));
            }
        }
    }

    private void listJobs(Context context) {
        String state = context.queryParam("state");
        Jobs.State wanted = null;
        for (Jobs.State one : Jobs.State.values()) {
            wanted = one.flag().equals(state) ? one : wanted;
        }
        if (state != null && wanted == null) {
            throw Problem.of(Problem.Kind.MALFORMED, "state is none of queued, running, done, failed, cancelled; use one "
                    + "of them.");
        }
        int limit = limit(context);
        page(context, "jobs", jobs.list(wanted, before(context), limit), limit, this::job, Jobs.Job::sequence);
    }

    private void listImages(Context context) {
        int limit = limit(context);
        boolean starred = "true".equals(context.queryParam("starred"));
        page(context, "images", jobs.images(starred, before(context), limit), limit, Api::image, Jobs.Image::sequence);
    }

    private <T> void page(Context context, String name, List<T> entries, int limit, Function<T, ObjectNode> form,
            Function<T, Long> sequence) {
        ObjectNode page = json.createObjectNode();
        ArrayNode list = page.putArray(name);
        entries.forEach(entry -> list.add(form.apply(entry)));
        if (entries.size() == limit) {
            page.put("next", Long.toString(sequence.apply(entries.get(limit - 1))));
        }
        json(context, 200, page);
    }

    private static int limit(Context context) {
        return (int) Math.min(MAX_PAGE, number(context, "limit", PAGE));
    }

    private static long before(Context context) {
        return number(context, "before", Long.MAX_VALUE);
    }

    private static long number(Context context, String name, long otherwise) {
        String text = context.queryParam(name);
        if (text == null) {
            return otherwise;
        }
        if (!text.matches("[0-9]{1,18}") || Long.parseLong(text) < 1) {
            throw Problem.of(Problem.Kind.MALFORMED, "%s is not a number above 0; write one.", name);
        }
        return Long.parseLong(text);
    }

    private static String id(Context context) {
        String id = context.pathParam("id");
        if (!Inputs.ID.matcher(id).matches()) {
            throw Problem.of(Problem.Kind.NOT_FOUND, "There is nothing of that name here; check the address.");
        }
        return id;
    }

    private Jobs.Job job(Context context) {
        return jobs.get(id(context)).orElseThrow(Api::noJob);
    }

    private static Problem noJob() {
        return Problem.of(Problem.Kind.NOT_FOUND, "There is no such job, or it was deleted to make room.");
    }

    private static Problem noImage() {
        return Problem.of(Problem.Kind.NOT_FOUND, "There is no such picture, or it was deleted.");
    }

    private static void found(Context context, boolean found) {
        if (!found) {
            throw noImage();
        }
        context.status(204);
    }

    private void cancel(Context context) {
        Jobs.Job job = job(context);
        if (!jobs.cancel(job.id())) {
            throw Problem.of(Problem.Kind.CONFLICT, "The job has ended already; there is nothing to cancel.");
        }
        worker.cancel(job.id());
        json(context, 202, job(job(context)));
    }

    /** The events, on a thread of their own: a slow reader holds up nobody, and always gets the newest state next. */
    private void watch(Context context) throws IOException, InterruptedException {
        Jobs.Job job = job(context);
        if (!watchers.tryAcquire()) {
            throw Problem.later(Problem.Kind.UNAVAILABLE, 5,
                    "%d streams of events are open, which is all that may; ask for the job instead.", limits.watchers());
        }
        worker.watchers(1);
        try {
            context.contentType("text/event-stream").header("X-Accel-Buffering", "no");
            String told = "";
            Worker.Seen seen = worker.seen();
            while (true) {
                Jobs.Job now = jobs.get(job.id()).orElse(null);
                if (now == null) {
                    return;
                }
                ObjectNode form = job(now);
                String state = now.state() + " " + form.path("position").asInt();
                if (!state.equals(told)) {
                    send(context, "job", form);
                    told = state;
                }
                if (now.state().ended() || seen.ending()) {
                    return;
                }
                seen = steps(context, job.id(), seen);
            }
        } finally {
            worker.watchers(-1);
            watchers.release();
        }
    }

    /** Sends progress until some job changes its state. */
    private Worker.Seen steps(Context context, String job, Worker.Seen before) throws IOException, InterruptedException {
        Worker.Seen seen = before;
        while (true) {
            Worker.Seen next = worker.await(job, seen, HEARTBEAT);
            Progress progress = worker.progress(job);
            if (next.steps() != seen.steps() && progress != null) {
                send(context, "progress", progress.json(true));
            } else if (next.states() == seen.states()) { // a sign of life, by which a reader that has gone is noticed
                send(context, ":\n\n");
            }
            if (next.states() != seen.states() || next.ending()) {
                return next;
            }
            seen = next;
        }
    }

    private static void send(Context context, String event, JsonNode data) throws IOException {
        send(context, "event: " + event + "\ndata: " + data + "\n\n");
    }

    private static void send(Context context, String text) throws IOException {
        OutputStream out = context.res().getOutputStream(); // Javalin's own stream does not flush
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private void input(Context context) throws IOException {
        String name = context.pathParam("name");
        Path file = jobs.inputs(job(context).id()).resolve(Inputs.NAME.matcher(name).matches() ? name : "none");
        if (!Files.isRegularFile(file)) {
            throw Problem.of(Problem.Kind.NOT_FOUND, "The job has no such input; its request names them.");
        }
        context.header("Content-Security-Policy", "default-src 'none'; sandbox");
        context.contentType(pictureType(file)).result(Files.newInputStream(file));
    }

    /** By the first bytes, never by what the sender says: a browser shall take it for nothing but a picture. */
    private static String pictureType(Path file) throws IOException {
        byte[] head;
        try (var in = Files.newInputStream(file)) {
            head = in.readNBytes(12);
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        return text.startsWith("\u0089PNG") ? "image/png" : text.startsWith("\u00ff\u00d8") ? "image/jpeg"
                : text.startsWith("GIF8") ? "image/gif" : text.startsWith("BM") ? "image/bmp"
                : text.startsWith("RIFF") && text.endsWith("WEBP") ? "image/webp"
                : text.startsWith("II*") || text.startsWith("MM") ? "image/tiff" : "application/octet-stream";
    }

    private void image(Context context) throws IOException {
        Jobs.Image image = jobs.image(id(context)).orElseThrow(Api::noImage);
        Path file = jobs.file(image.id());
        if (!Files.isRegularFile(file)) { // deleted since
            throw noImage();
        }
        context.header("Cache-Control", "private, max-age=31536000, immutable");
        png(context, file);
    }

    private static void png(Context context, Path file) throws IOException {
        context.contentType("image/png").result(Files.newInputStream(file));
    }

    private void listSubjects(Context context) {
        SubjectLibrary.Listing listing = library.list();
        ObjectNode form = json.createObjectNode();
        ArrayNode list = form.putArray("subjects");
        listing.subjects().forEach(entry -> list.add(subject(entry)));
        ArrayNode warnings = form.putArray("warnings");
        listing.broken().keySet().forEach(name -> warnings.add("The folder " + name + " of the library cannot be used."));
        json(context, 200, form);
    }

    private SubjectLibrary.Entry subject(Context context) {
        String name = context.pathParam("name");
        if (!SubjectLibrary.isName(name)) {
            throw Problem.of(Problem.Kind.NOT_FOUND, "There is nothing of that name here; check the address.");
        }
        return library.list().subjects().stream().filter(entry -> entry.name().equals(name)).findFirst()
                .orElseThrow(() -> Problem.of(Problem.Kind.NOT_FOUND, "There is no subject @%s.", name));
    }

    private void addSubject(Context context) {
        Path folder = inputs.folder();
        try (Body body = receive(context, true)) {
            Fields fields = new Fields(body.json(), "");
            fields.allow(List.of("name", "reference", "mask", "mask_invert", "segment", "prompt"), "A subject");
            String name = fields.requireText("name");
            fields.said("name", () -> {
                library.requireFree(name);
                return null;
            });
            String prompt = JobRequest.shortText(fields, "prompt", "", limits);
            Path file = folder.resolve("reference");
            Picture picture = inputs.store(fields, "reference", body, file);
            Mask mask = mask(fields, "reference", body, folder, picture, file, new ArrayList<>());
            String how = fields.has("mask") ? "file:mask" : fields.text("segment", "alpha");
            SubjectLibrary.Entry entry = fields.said("name", () -> library.add(name, picture, mask, prompt, how));
            context.header("Location", "/api/v1/subjects/" + name);
            json(context, 201, subject(entry));
        } finally {
            Disk.delete(folder);
        }
    }

    private void segment(Context context) {
        Path folder = inputs.folder();
        try (Body body = receive(context, true)) {
            Fields fields = new Fields(body.json(), "");
            List<String> known = new ArrayList<>(MASK_FIELDS);
            known.add("image");
            fields.allow(known, "A request for a mask");
            List<String> warnings = new ArrayList<>();
            Path file = folder.resolve("image");
            Picture picture = inputs.store(fields, "image", body, file);
            Mask mask = mask(fields, "image", body, folder, picture, file, warnings);
            byte[] png = PngWriter.bytes(mask.toPicture());
            if ("image/png".equals(context.header("Accept"))) {
                context.contentType("image/png").result(png);
                return;
            }
            Box box = mask.box().orElseThrow(() -> Problem.at("/mask", "The mask marks no pixel; paint what it shall "
                    + "mark."));
            ObjectNode found = json.createObjectNode().put("width", mask.width()).put("height", mask.height())
                    .put("mask", Progress.pngUrl(png)).put("fraction", mask.fraction());
            found.putObject("box").put("x", box.x()).put("y", box.y()).put("width", box.width()).put("height", box.height());
            warnings.forEach(found.putArray("warnings")::add);
            json(context, 200, found);
        } finally {
            Disk.delete(folder);
        }
    }

    /** The mask that a request gives, or asks to have found. */
    private Mask mask(Fields fields, String pictureField, Body body, Path folder, Picture picture, Path file,
            List<String> warnings) {
        if (fields.has("mask") && fields.has("segment")) {
            throw Problem.at("/segment", "mask and segment both say where the subject is; give one of them.");
        }
        if (fields.has("mask")) {
            return inputs.mask(fields, "mask", body, folder, picture, file, warnings);
        }
        String text = JobRequest.segment(fields);
        Segmentation how = text == null ? new Segmentation.Alpha() : Segmentation.parse(text);
        String caption = JobRequest.shortText(fields, "prompt", "", limits);
        String pointer = fields.at(text == null ? pictureField : "segment");
        if (!Segmenter.needsModel(how)) {
            return inputs.decoding(() -> Inputs.refused(pointer, () -> Segmenter.mask(how, picture, "The "
                    + "picture", caption, null)));
        }
        return answer(worker.ask(loaded ->
                Inputs.refused(pointer, () -> Segmenter.mask(how, picture, "The picture", caption, loaded))));
    }

    private static <T> T answer(CompletableFuture<T> future) {
        try {
            return future.get(SHORT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw Problem.later(Problem.Kind.UNAVAILABLE, 10, "The model has too much to do; try again later.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Problem.later(Problem.Kind.UNAVAILABLE, 10, "The server is stopping; try again later.");
        }
    }

    private ObjectNode capabilities() {
        ModelDefaults defaults = model.defaults();
        ObjectNode form = json.createObjectNode().put("version", version());
        form.putObject("model").put("name", model.name()).put("device", model.device().name())
                .put("dtype", model.dtype().flag());
        JobRequest.tasks().forEach(form.putArray("tasks")::add);
        List.of("alpha", "attention", "box", "click").forEach(form.putArray("segmentations")::add);
        form.putObject("defaults").put("width", defaults.width()).put("height", defaults.height())
                .put("steps", defaults.steps())
                .put("guidance_scale", defaults.guidanceScale()).put("true_cfg_scale", defaults.trueCfgScale())
                .put("max_sequence_length", defaults.maxSequenceLength()).put("tau", defaults.tau())
                .put("inpaint_tau", defaults.inpaintTau()).put("outpaint_tau", defaults.outpaintTau())
                .put("replace_at", JobRequest.lower(defaults.replaceAt())).put("reference_noise", defaults.referenceNoise())
                .put("perturb", defaults.perturb()).put("soft_edge", JobRequest.DEFAULT_SOFT_EDGE).put("num_images", 1);
        form.putObject("limits").put("side", Sampling.MAX_SIDE).put("steps", limits.steps())
                .put("num_images", limits.images())
                .put("prompts", limits.images()).put("prompt_characters", limits.promptCharacters())
                .put("subjects", LayoutFile.MAX_SUBJECTS).put("input_pixels", limits.inputPixels())
                .put("output_pixels", limits.outputPixels()).put("body_bytes", limits.bodyBytes())
                        .put("queue", limits.queue());
        form.put("token_size", TokenMask.TOKEN).put("token_required", guard.tokenRequired());
        return form;
    }

    static String version() {
        String version = Api.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    private ObjectNode job(Jobs.Job job) {
        ObjectNode form = json.createObjectNode().put("id", job.id()).put("task", job.request().path("task").asText())
                .put("state", job.state().flag()).put("created", time(job.created()));
        if (job.started() > 0 && job.state() != Jobs.State.QUEUED) {
            form.put("started", time(job.started()));
        }
        if (job.finished() > 0) {
            form.put("finished", time(job.finished()));
        }
        if (job.state() == Jobs.State.QUEUED) {
            form.put("position", Math.max(1, jobs.position(job)));
        }
        Progress progress = job.state() == Jobs.State.RUNNING ? worker.progress(job.id()) : null;
        if (progress != null) {
            form.set("progress", progress.json(false));
        }
        form.set("request", job.request());
        ArrayNode images = form.putArray("images");
        if (job.state() == Jobs.State.DONE) {
            jobs.images(job.id()).forEach(image -> images.add(image(image)));
        }
        form.set("warnings", job.outcome() == null ? json.createArrayNode() : job.outcome().withArray("warnings"));
        for (String name : List.of("error", "evaluations", "timings_ms")) {
            if (job.outcome() != null && job.outcome().has(name)) {
                form.set(name, job.outcome().get(name));
            }
        }
        form.putObject("links").put("self", "/api/v1/jobs/" + job.id())
                .put("events", "/api/v1/jobs/" + job.id() + "/events");
        return form;
    }

    private static ObjectNode image(Jobs.Image image) {
        ObjectNode form = new ObjectMapper().createObjectNode().put("id", image.id()).put("job", image.job())
                .put("task", image.task()).put("url", "/api/v1/images/" + image.id()).put("width", image.width())
                .put("height", image.height()).put("seed", image.seed()).put("bytes", image.bytes())
                .put("created", time(image.created())).put("starred", image.starred());
        if (image.prompt() != null) {
            form.put("prompt", image.prompt());
        }
        return form;
    }

    private static ObjectNode subject(SubjectLibrary.Entry entry) {
        String self = "/api/v1/subjects/" + entry.name();
        return new ObjectMapper().createObjectNode().put("name", entry.name()).put("prompt", entry.prompt())
                .put("segment", entry.segment()).put("added", entry.added().toString()).put("reference", self + "/reference")
                .put("mask", self + "/mask");
    }

    private static String time(long milliseconds) {
        return Instant.ofEpochMilli(milliseconds).toString();
    }

    static void json(Context context, int status, JsonNode body) {
        context.status(status).contentType("application/json").result(body.toString());
    }
}
