package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Mentions;
import dev.likeness.request.InjectionChoice;
import dev.likeness.request.MaskReader;
import dev.likeness.request.Parameters;
import dev.likeness.request.Source;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Injection;
import dev.likeness.task.Inpaint;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** New content in a hole of a picture, or around it. */
abstract class InpaintCommand implements Callable<Integer> {

    private static final int DEFAULT_SOFT_EDGE = 8;

    @Command(name = "inpaint", mixinStandardHelpOptions = true, description = "Fills a hole of a picture.")
    static final class Inside extends InpaintCommand {

        @Mixin
        MaskOptions maskOptions;

        @Override
        void check() {
            maskOptions.check();
            if (!maskOptions.given()) {
                throw Refusal.usage("There is no hole to fill; give --mask FILE, or --segment HOW to have it found.");
            }
        }

        @Override
        boolean needsModel() {
            return maskOptions.needsModel();
        }

        @Override
        Inpaint.Edit edit(Picture picture, FluxModel model) {
            Mask hole = maskOptions.find(new MaskReader(strict, warnings), picture, image, imagePrompt, model);
            return new Inpaint.Edit(picture, hole, imagePrompt, blend(), softEdge);
        }

        @Override
        InjectionChoice.Purpose task() {
            return InjectionChoice.Purpose.INPAINT;
        }

        @Override
        void record(ObjectNode parameters) {
            maskOptions.record(parameters);
        }
    }

    @Command(name = "outpaint", mixinStandardHelpOptions = true, description = "Draws what lies beyond a picture's edges.")
    static final class Around extends InpaintCommand {

        @Option(names = "--left", defaultValue = "0", paramLabel = "PX", description = "pixels to add on the left")
        int left;

        @Option(names = "--right", defaultValue = "0", paramLabel = "PX", description = "pixels to add on the right")
        int right;

        @Option(names = "--up", defaultValue = "0", paramLabel = "PX", description = "pixels to add above")
        int up;

        @Option(names = "--down", defaultValue = "0", paramLabel = "PX", description = "pixels to add below")
        int down;

        @Option(names = "--canvas", paramLabel = "WxH", description = "size of the extended picture in pixels, instead")
        String canvas;

        @Option(names = "--position", paramLabel = "X,Y",
                description = "left upper corner of the picture on the canvas in pixels, with --canvas (default: in the middle)")
        String position;

        @Override
        Inpaint.Edit edit(Picture picture, FluxModel model) {
            int[] sides = {left, right, up, down};
            if (canvas != null) {
                sides = sides(picture);
            } else if (position != null) {
                throw Refusal.usage("--position says where on the --canvas the picture lies; give --canvas WxH with it.");
            }
            return Inpaint.Edit.outpaint(picture, sides[0], sides[1], sides[2], sides[3], imagePrompt, blend(), softEdge);
        }

        private int[] sides(Picture picture) {
            if (left != 0 || right != 0 || up != 0 || down != 0) {
                throw Refusal.usage("--canvas and --left, --right, --up, --down say the same; give one or the other.");
            }
            int[] size = pair("--canvas", canvas, "x", "512x384");
            int[] at = position == null
                    ? new int[] {(size[0] - picture.width()) / 2, (size[1] - picture.height()) / 2}
                    : pair("--position", position, ",", "64,0");
            int[] sides = {at[0], size[0] - picture.width() - at[0], at[1], size[1] - picture.height() - at[1]};
            for (int side : sides) {
                if (side < 0) {
                    throw Refusal.usage("The picture of %d x %d pixels at %d,%d does not lie on a --canvas of %s; make the canvas "
                            + "larger.", picture.width(), picture.height(), at[0], at[1], canvas);
                }
            }
            return sides;
        }

        private static int[] pair(String flag, String text, String separator, String example) {
            String[] parts = text.split(separator, -1);
            try {
                if (parts.length == 2) {
                    return new int[] {Integer.parseInt(parts[0].strip()), Integer.parseInt(parts[1].strip())};
                }
            } catch (NumberFormatException e) {
                // told below, with the form that is wanted
            }
            throw Refusal.usage("%s %s is not two whole numbers of pixels; write them as %s.", flag, text, example);
        }

        @Override
        InjectionChoice.Purpose task() {
            return InjectionChoice.Purpose.OUTPAINT;
        }

        @Override
        void record(ObjectNode parameters) {
            if (canvas == null) {
                parameters.put("left", left).put("right", right).put("up", up).put("down", down);
            } else {
                parameters.put("canvas", canvas);
                if (position != null) {
                    parameters.put("position", position);
                }
            }
        }
    }

    @Spec
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions;

    @Mixin
    PromptOptions promptOptions;

    @Mixin
    InjectionOptions injectionOptions;

    @Mixin
    SamplingOptions samplingOptions;

    @Mixin
    OutputOptions outputOptions;

    @Option(names = {"-i", "--image"}, required = true, paramLabel = "FILE", description = "the picture")
    Path image;

    @Option(names = "--image-prompt", defaultValue = "", paramLabel = "TEXT",
            description = "what it shows (default: the empty prompt)")
    String imagePrompt;

    @Option(names = "--blend", negatable = true, description = "put the kept pixels back over the decoded ones (the default)")
    Boolean blend;

    @Option(names = "--soft-edge", defaultValue = "" + DEFAULT_SOFT_EDGE, paramLabel = "PX",
            description = "pixels around the hole over which new and kept ones mix (default: ${DEFAULT-VALUE})")
    int softEdge;

    @Option(names = "--strict", description = "refuse what would else be clipped, covered or resized with a warning")
    boolean strict;

    /** Sentences about what was read, for the result. */
    final List<String> warnings = new ArrayList<>();

    /** Refuses flags of this command alone that do not fit together, before anything is read. */
    void check() {}

    /** Whether the model must say what shall be new. */
    boolean needsModel() {
        return false;
    }

    /** What shall be new. @param model null unless it {@linkplain #needsModel is needed} */
    abstract Inpaint.Edit edit(Picture picture, FluxModel model);

    abstract InjectionChoice.Purpose task();

    /** The flags of this command alone. */
    abstract void record(ObjectNode parameters);

    boolean blend() {
        return SamplingOptions.or(blend, true);
    }

    @Override
    public Integer call() {
        samplingOptions.check();
        modelOptions.check();
        injectionOptions.check();
        outputOptions.check(samplingOptions.count);
        check();
        Mentions mentions = promptOptions.mentions();
        List<Source> sources = mentions.names().stream()
                .map(name -> ReferenceOptions.mentioned(promptOptions.library.open(), name)).toList();
        Picture picture = Pictures.read(image);
        Inpaint.Edit known = needsModel() ? null : edit(picture, null);
        try (FluxModel model = modelOptions.open()) {
            Inpaint.Edit edit = known == null ? edit(picture, model) : known;
            int[] canvas = ReferenceFit.canvas(edit.picture(), model.defaults());
            Sampling sampling = samplingOptions.choice().with(model.defaults(), canvas[0], canvas[1]);
            Injection injection = injectionOptions.with(model.defaults(), task(), sampling.seed());
            injectionOptions.useCache(model);
            List<Subject> subjects = new ArrayList<>();
            for (int i = 0; i < sources.size(); i++) {
                Layout place = Source.share(edit.middle(), i, sources.size());
                subjects.add(sources.get(i).at(place).fit(model, sampling));
            }
            Generation generation =
                    Inpaint.run(model, mentions.prompt(), edit, subjects, injection, strict, sampling, new Progress());
            ObjectNode parameters = Parameters.of(promptOptions.prompt, sampling, model);
            if (!mentions.names().isEmpty()) {
                promptOptions.library.record(parameters);
            }
            parameters.put("image", image.toString()).put("image-prompt", imagePrompt);
            record(parameters);
            parameters.put("blend", blend()).put("soft-edge", softEdge);
            if (strict) {
                parameters.put("strict", true);
            }
            InjectionChoice.record(parameters, injection);
            outputOptions.warned(warnings);
            outputOptions.write(spec.name(), model.name(), parameters, generation);
            return 0;
        }
    }
}
