package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.request.MaskReader;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The mask of a picture: a file, or a way to find what it shall mark. */
final class MaskOptions {

    @Option(names = "--mask", paramLabel = "FILE",
            description = "mask of the picture, white where the subject is; with inpaint, where the picture shall be new")
    Path mask;

    @Option(names = "--mask-invert", description = "the mask file is black there")
    boolean maskInvert;

    @Mixin
    SegmentOptions segmentOptions = new SegmentOptions();

    /** Refuses what does not fit together, before anything is read. */
    void check() {
        segmentOptions.check();
        if (maskInvert && mask == null) {
            throw Refusal.usage("--mask-invert says how to read a mask file; give --mask FILE with it.");
        }
        if (mask != null && segmentOptions.segment != null) {
            throw Refusal.usage("--mask and --segment both say where the subject is; give one of them.");
        }
    }

    boolean given() {
        return mask != null || segmentOptions.segment != null;
    }

    /** What is done; without any flag the picture's transparency tells. */
    Segmentation how() {
        return mask != null ? new Segmentation.File(mask) : SamplingOptions.or(segmentOptions.how(), new Segmentation.Alpha());
    }

    boolean needsModel() {
        return Segmenter.needsModel(how());
    }

    /**
     * @param file the picture's, for refusals
     * @param caption what the picture shows; may be empty
     * @param model null unless it {@linkplain #needsModel is needed}
     */
    Mask find(MaskReader reader, Picture picture, Path file, String caption, FluxModel model) {
        return mask != null ? reader.read(mask, maskInvert, picture, file) : reader.find(how(), picture, file, caption, model);
    }

    /** What was given, by flag name. */
    void record(ObjectNode parameters) {
        if (mask != null) {
            parameters.put("mask", mask.toString());
        }
        if (maskInvert) {
            parameters.put("mask-invert", true);
        }
        segmentOptions.record(parameters);
    }
}
