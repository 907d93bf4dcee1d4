package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.denoise.Evaluations;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.LayoutFile;
import dev.likeness.reference.Mentions;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.MaskReader;
import dev.likeness.request.Parameters;
import dev.likeness.request.Source;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.Injection;
import dev.likeness.task.Inpaint;
import dev.likeness.task.Personalize;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import dev.likeness.task.TaskListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;

/** Carries a job out by the library's tasks, as the command line does. */
final class Tasks {

    /** A picture with the record that is written into it. */
    record Made(Picture picture, long seed, String prompt, ObjectNode record) {}

    record Result(List<Made> images, Set<String> warnings, Evaluations evaluations, Map<String, Long> milliseconds) {}

    private final FluxModel model;
    private final SubjectLibrary library;
    private final String libraryFolder;
    private final JobRequest request;
    private final Path folder;
    private final List<Made> images = new ArrayList<>();
    private final Set<String> warnings = new LinkedHashSet<>();
    private final Map<String, Long> milliseconds = new LinkedHashMap<>();
    private Evaluations evaluations = Evaluations.NONE;

    private Tasks(FluxModel model, SubjectLibrary library, String libraryFolder, JobRequest request, Path folder) {
        this.model = model;
        this.library = library;
        this.libraryFolder = libraryFolder;
        this.request = request;
        this.folder = folder;
    }

    /**
     * @param libraryFolder as the pictures' records name it
     * @param folder of the job's inputs
     * @param listeners for each prompt of the job, by number from 0
     */
    static Result run(FluxModel model, SubjectLibrary library, String libraryFolder, JobRequest request, Path folder,
            IntFunction<TaskListener> listeners) {
        Tasks tasks = new Tasks(model, library, libraryFolder, request, folder);
        if (request.task().edits()) {
            tasks.edit(listeners.apply(0));
        } else {
            tasks.draw(listeners);
        }
        return new Result(tasks.images, tasks.warnings, tasks.evaluations, tasks.milliseconds);
    }

    /** New pictures, with and without subjects: a picture for each prompt, which is the caption where one is drawn again. */
    private void draw(IntFunction<TaskListener> listeners) {
        Sampling sampling = request.sampling().with(model.defaults());
        Injection injection = request.injection().with(model.defaults(), request.task().purpose, sampling.seed());
        List<Source> described = described();
        Map<String, Source> mentioned = new HashMap<>();
        boolean again = request.task() == JobRequest.Task.RECONSTRUCT;
        List<String> prompts = again ? List.of(described.get(0).caption().replace("@", "@@")) : request.prompts();
        List<Mentions> mentions = prompts.stream().map(this::mentions).toList();
        List<List<Source>> sources = mentions.stream().map(one -> {
            List<Source> all = new ArrayList<>(described);
            all.addAll(Source.sideBySide(one.names().stream()
                    .filter(name -> described.stream().noneMatch(source -> source.name().equals("@" + name)))
                    .map(name -> mentioned.computeIfAbsent(name, unread -> Source.of(library.get(unread), null, null)))
                            .toList()));
            return all;
        }).toList();
        List<List<Subject>> subjects = Source.fit(sources, model, sampling);
        for (int i = 0; i < prompts.size(); i++) {
            String prompt = mentions.get(i).prompt();
            boolean plain = subjects.get(i).isEmpty();
            Generation generation = plain ? Generate.run(model, prompt, sampling, listeners.apply(i))
                    : Personalize.run(model, prompt, subjects.get(i), injection, request.strict(), sampling,
                            listeners.apply(i));
            ObjectNode parameters = Parameters.of(again ? null : prompts.get(i), sampling, model);
            if (!plain) {
                recordSubjects(parameters, again, !mentions.get(i).names().isEmpty());
                recordStrict(parameters);
                InjectionChoice.record(parameters, injection);
            }
            String task = request.task() == JobRequest.Task.STORY || again ? "compose" : plain ? "generate" : "personalize";
            add(generation, again ? "reconstruct" : task, again ? null : prompts.get(i), parameters);
        }
    }

    private Mentions mentions(String prompt) {
        return Mentions.of(prompt, name -> library.get(name).prompt());
    }

    private List<Source> described() {
        return request.subjects().isEmpty() ? List.of() : entries().stream()
                .map(entry -> Source.of(entry, library, new MaskReader(request.strict(), warnings))).toList();
    }

    private List<LayoutFile.Entry> entries() {
        return LayoutFile.read(folder.resolve(Inputs.LAYOUT));
    }

    /** Paths as the picture's record names them, from the folder of pictures on. */
    private String fromPictures(String name) {
        return "../jobs/" + folder.getFileName() + "/" + name;
    }

    private void recordSubjects(ObjectNode parameters, boolean again, boolean mentions) {
        if (again) { // that task takes no layout file
            Fields subject = request.subjects().get(0);
            boolean kept = subject.text("reference").startsWith("@");
            parameters.put("reference", kept ? subject.text("reference") : fromPictures("subject-1"));
            if (subject.has("mask")) {
                parameters.put("mask", fromPictures("mask-1"));
            }
            if (subject.flag("mask_invert", false)) {
                parameters.put("mask-invert", true);
            }
            put(parameters, "segment", subject.text("segment"));
            put(parameters, "reference-prompt", subject.text("prompt"));
        } else if (!request.subjects().isEmpty()) {
            parameters.put("layout", fromPictures(Inputs.LAYOUT));
        }
        if (mentions || request.subjects().stream().anyMatch(subject -> subject.text("reference").startsWith("@"))) {
            parameters.put("library", libraryFolder);
        }
    }

    private static void put(ObjectNode parameters, String name, String value) {
        if (value != null) {
            parameters.put(name, value);
        }
    }

    private void recordStrict(ObjectNode parameters) {
        if (request.strict()) {
            parameters.put("strict", true);
        }
    }

    /** A hole of a picture, or what lies around it. */
    private void edit(TaskListener listener) {
        Mentions mentions = mentions(request.prompts().get(0));
        Picture picture = Pictures.read(folder.resolve("image"));
        Inpaint.Edit edit = edit(request, picture, folder, model, warnings);
        int[] canvas = ReferenceFit.canvas(edit.picture(), model.defaults());
        Sampling sampling = request.sampling().with(model.defaults(), canvas[0], canvas[1]);
        Injection injection = request.injection().with(model.defaults(), request.task().purpose, sampling.seed());
        List<Subject> subjects = new ArrayList<>();
        for (String name : mentions.names()) {
            Layout place = Source.share(edit.middle(), subjects.size(), mentions.names().size());
            subjects.add(Source.of(library.get(name), null, place).fit(model, sampling));
        }
        Generation generation =
                Inpaint.run(model, mentions.prompt(), edit, subjects, injection, request.strict(), sampling, listener);
        ObjectNode parameters = Parameters.of(request.prompts().get(0), sampling, model);
        if (!subjects.isEmpty()) {
            parameters.put("library", libraryFolder);
        }
        parameters.put("image", fromPictures("image")).put("image-prompt", request.imagePrompt());
        if (request.task() == JobRequest.Task.OUTPAINT) {
            int[] sides = request.sides();
            parameters.put("left", sides[0]).put("right", sides[1]).put("up", sides[2]).put("down", sides[3]);
        } else if (request.segment() != null) {
            parameters.put("segment", request.segment());
        } else {
            parameters.put("mask", fromPictures("mask"));
            if (request.maskInvert()) {
                parameters.put("mask-invert", true);
            }
        }
        parameters.put("blend", request.blend()).put("soft-edge", request.softEdge());
        recordStrict(parameters);
        InjectionChoice.record(parameters, injection);
        add(generation, request.task().flag(), request.prompts().get(0), parameters);
    }

    /** What shall be new. @param model null where the mask was given */
    static Inpaint.Edit edit(JobRequest request, Picture picture, Path folder, FluxModel model,
            Collection<String> warnings) {
        if (request.task() == JobRequest.Task.OUTPAINT) {
            int[] sides = request.sides();
            return Inpaint.Edit.outpaint(picture, sides[0], sides[1], sides[2], sides[3], request.imagePrompt(),
                    request.blend(), request.softEdge());
        }
        Path image = folder.resolve("image");
        Mask hole = request.segment() == null
                ? new MaskReader(request.strict(), warnings)
                        .read(folder.resolve("mask"), request.maskInvert(), picture, image)
                : Segmenter.mask(Segmentation.parse(request.segment()), picture, "The picture", request.imagePrompt(),
                        model);
        return new Inpaint.Edit(picture, hole, request.imagePrompt(), request.blend(), request.softEdge());
    }

    private void add(Generation generation, String task, String prompt, ObjectNode parameters) {
        evaluations = evaluations.plus(generation.evaluations());
        generation.milliseconds().forEach((phase, time) -> milliseconds.merge(phase, time, Long::sum));
        warnings.addAll(generation.warnings());
        for (Generation.Image image : generation.images()) {
            images.add(new Made(image.picture(), image.seed(), prompt,
                    Parameters.record(task, model.name(), parameters, generation, image)));
        }
    }
}
