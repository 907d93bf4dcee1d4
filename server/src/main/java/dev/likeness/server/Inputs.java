package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.Mentions;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.request.MaskReader;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.Inpaint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Pictures that come with a request: written to a job's folder, decoded once so that what is no picture is refused at once,
 * and named in the request by where they lie.
 */
final class Inputs {

    static final Pattern ID = Pattern.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    static final Pattern NAME = Pattern.compile("[a-z]+(?:-[0-9]+)?");

    /** What the entries of subjects are written to; the command line reads the same form. */
    static final String LAYOUT = "layout.json";

    private static final Pattern DATA = Pattern.compile("data:image/[a-z0-9.+-]+;base64,");
    private static final Pattern OF_JOB = Pattern.compile("job:(" + ID + ")/(" + NAME + ")");

    private final Jobs jobs;
    private final SubjectLibrary library;
    private final Limits limits;

    /** Decoding takes the most memory of all that requests do, and the heap is of bounded size. */
    private final Semaphore decoding = new Semaphore(2);

    Inputs(Jobs jobs, SubjectLibrary library, Limits limits) {
        this.jobs = jobs;
        this.library = library;
        this.limits = limits;
    }

    /** Work on pictures, as much of it at once as memory allows. */
    <T> T decoding(Supplier<T> work) {
        decoding.acquireUninterruptibly();
        try {
            return work.get();
        } finally {
            decoding.release();
        }
    }

    /**
     * Writes and checks all that a job needs.
     *
     * @param body null when all pictures stand in the JSON
     * @return the request with its pictures as {@code job:ID/NAME}
     */
    ObjectNode prepare(String job, JobRequest request, Body body) {
        Path folder = jobs.inputs(job);
        try {
            Files.createDirectories(folder);
            ObjectNode stored = request.json().deepCopy();
            Fields fields = new Fields(request.json(), "");
            for (String name : List.of("image", "mask")) {
                if (fields.has(name)) {
                    store(fields, name, body, folder.resolve(name));
                    stored.put(name, "job:" + job + "/" + name);
                }
            }
            if (!request.subjects().isEmpty()) {
                ArrayNode entries = stored.withArray("subjects");
                for (int i = 0; i < request.subjects().size(); i++) {
                    subject(request.subjects().get(i), (ObjectNode) entries.get(i), body, folder, i + 1, job);
                }
                Files.writeString(folder.resolve(LAYOUT), layout(stored));
            }
            check(request, folder);
            return stored;
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The pictures could not be written; check the server's disk.");
        }
    }

    private void subject(Fields subject, ObjectNode entry, Body body, Path folder, int number, String job) {
        if (!subject.text("reference").startsWith("@")) {
            store(subject, "reference", body, folder.resolve("subject-" + number));
            entry.put("reference", "job:" + job + "/subject-" + number);
        }
        if (subject.has("mask")) {
            store(subject, "mask", body, folder.resolve("mask-" + number));
            entry.put("mask", "job:" + job + "/mask-" + number);
        }
    }

    /** The subjects as a layout file beside the pictures. */
    private static String layout(ObjectNode request) {
        ObjectNode layout = request.objectNode();
        ArrayNode entries = layout.putArray("subjects");
        request.path("subjects").forEach(subject -> {
            ObjectNode entry = entries.addObject();
            subject.properties().stream().filter(field -> !field.getValue().isNull()).forEach(field -> {
                String text = field.getValue().asText();
                boolean file = field.getKey().matches("reference|mask") && text.startsWith("job:");
                entry.set(field.getKey(), file ? entry.textNode(text.substring(text.indexOf('/') + 1)) : field.getValue());
            });
        });
        return layout.toString();
    }

    /** Refuses at once what the job would be refused for later, as far as that takes neither model nor long. */
    private void check(JobRequest request, Path folder) {
        for (int i = 0; i < request.prompts().size(); i++) {
            String prompt = request.prompts().get(i);
            String pointer = request.task() == JobRequest.Task.STORY ? "/prompts/" + i : "/prompt";
            Mentions mentions = refused(pointer, () -> Mentions.of(prompt, name -> library.get(name).prompt()));
            boolean needed = switch (request.task()) {
                case PERSONALIZE, COMPOSE, STORY -> true;
                default -> false;
            };
            boolean any = request.subjects().stream().anyMatch(subject -> !subject.flag("scene", false));
            if (needed && !any && mentions.names().isEmpty()) {
                throw Problem.at(request.subjects().isEmpty() ? "/subjects" : pointer,
                        "There is no subject; give subjects, or write @name of one that is kept into the prompt.");
            }
        }
        if (!request.subjects().isEmpty()) {
            checkSubjects(request, folder);
        }
        if (request.task().edits()) {
            decoding(() -> {
                checkEdit(request, folder);
                return null;
            });
        }
    }

    private void checkSubjects(JobRequest request, Path folder) {
        List<LayoutFile.Entry> entries = refused("/subjects", () -> LayoutFile.read(folder.resolve(LAYOUT)));
        for (int i = 0; i < entries.size(); i++) {
            LayoutFile.Entry entry = entries.get(i);
            String pointer = "/subjects/" + i;
            if (entry.fromLibrary()) {
                refused(pointer + "/reference", () -> library.get(entry.reference().substring(1)));
            } else if (!entry.scene()) {
                Path picture = Path.of(entry.reference());
                boolean alpha = entry.mask() == null && (entry.segment() == null || entry.segment().equals("alpha"));
                refused(pointer + (entry.mask() == null ? "/reference" : "/mask"), () -> decoding(() -> {
                    Picture decoded = Pictures.read(picture, limits.inputPixels());
                    MaskReader reader = new MaskReader(request.strict(), new ArrayList<>());
                    return entry.mask() != null ? reader.read(entry.mask(), entry.maskInvert(), decoded, picture)
                            : alpha ? Segmenter.mask(new Segmentation.Alpha(), decoded, "The picture", "", null) : null;
                }));
            }
        }
    }

    private void checkEdit(JobRequest request, Path folder) {
        Path image = folder.resolve("image");
        Picture picture = refused("/image", () -> Pictures.read(image, limits.inputPixels()));
        if (request.task() == JobRequest.Task.OUTPAINT) {
            int[] sides = request.sides();
            long width = (long) picture.width() + sides[0] + sides[1];
            long height = (long) picture.height() + sides[2] + sides[3];
            if (width * height > limits.inputPixels()) {
                throw Problem.at("/image", "The extended picture would have %d x %d pixels, and at most %d are held; add "
                        + "less.", width, height, limits.inputPixels());
            }
        }
        if (request.segment() == null) {
            refused(request.task() == JobRequest.Task.INPAINT ? "/mask" : null, () ->
                    Tasks.edit(request, picture, folder, null, new ArrayList<>()));
        }
    }

    /** A library's refusal becomes a problem of the field. */
    static <T> T refused(String pointer, Supplier<T> what) {
        try {
            return what.get();
        } catch (Refusal refusal) {
            throw Problem.of(refusal, pointer);
        }
    }

    /** Writes the picture that a field names, and decodes it. */
    Picture store(Fields fields, String name, Body body, Path file) {
        String value = fields.requireText(name);
        String pointer = fields.at(name);
        try {
            write(value, pointer, body, file);
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The picture could not be written; check the server's disk.");
        }
        return decoding(() -> refused(pointer, () -> Pictures.read(file, limits.inputPixels())));
    }

    private void write(String value, String pointer, Body body, Path file) throws IOException {
        Matcher data = DATA.matcher(value);
        Matcher ofJob = OF_JOB.matcher(value);
        if (data.lookingAt()) {
            try {
                Files.write(file, Base64.getDecoder().decode(value.substring(data.end())));
            } catch (IllegalArgumentException e) {
                throw Problem.at(pointer, "The data URL is not base64; encode the whole picture.");
            }
        } else if (value.startsWith("part:")) {
            Path part = body == null ? null : body.part(value.substring("part:".length()));
            if (part == null) {
                throw Problem.at(pointer, "The request has no such part; send the picture as a part of "
                        + "multipart/form-data.");
            }
            Files.copy(part, file);
        } else if (value.startsWith("image:") && ID.matcher(value.substring("image:".length())).matches()) {
            copy(jobs.image(value.substring("image:".length())).map(image -> jobs.file(image.id())).orElse(null), pointer,
                    file);
        } else if (ofJob.matches()) {
            copy(jobs.get(ofJob.group(1)).map(job -> jobs.inputs(job.id()).resolve(ofJob.group(2))).orElse(null), pointer,
                    file);
        } else {
            throw Problem.at(pointer, "This names no picture; give a data URL (data:image/png;base64,...), part:NAME, "
                    + "image:ID or job:ID/NAME.");
        }
    }

    private static void copy(Path from, String pointer, Path to) throws IOException {
        if (from == null || !Files.isRegularFile(from)) {
            throw Problem.at(pointer, "There is no such picture any more; send it again.");
        }
        Files.copy(from, to);
    }

    /** The mask of a picture that is asked for directly. */
    Mask mask(Fields fields, String name, Body body, Path folder, Picture picture, Path file, List<String> warnings) {
        Path path = folder.resolve("mask");
        store(fields, name, body, path);
        return refused(fields.at(name), () -> new MaskReader(false, warnings)
                .read(path, fields.flag("mask_invert", false), picture,
                file));
    }

    /** A folder of its own for pictures of one request. */
    Path folder() {
        try {
            return Files.createDirectory(jobs.temporary().resolve(UUID.randomUUID().toString()));
        } catch (IOException e) {
            throw Problem.of(Problem.Kind.RESOURCES, "The pictures could not be written; check the server's disk.");
        }
    }
}
