package dev.likeness.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.segment.OnnxSegmenter;
import dev.likeness.segment.Segmentation;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How a subject's mask is found. */
final class SegmentOptions {

    private static final int MAX_SIZE = 4096;

    @Option(names = "--segment", paramLabel = "HOW",
            description = "a way to find the mask: alpha (the default for subjects), file:MASK, attention:WORD, box:X,Y,W,H, "
                    + "click:X,Y or onnx:FILE")
    String segment;

    @Option(names = "--onnx-size", paramLabel = "PX",
            description = "input side of the network of onnx:FILE (default: what the file says, else 1024)")
    Integer onnxSize;

    @Option(names = "--onnx-normalisation",
            description = "of its input: imagenet (BiRefNet, U2-Net; the default), half (IS-Net) or none")
    OnnxSegmenter.Normalisation onnxNormalisation;

    /** Refuses what does not fit together, also where nothing is to be found. */
    void check() {
        how();
    }

    /** @return null when it was not given */
    Segmentation how() {
        Segmentation how = segment == null ? null : Segmentation.parse(segment);
        if (how instanceof Segmentation.Onnx onnx) {
            if (onnxSize != null && (onnxSize < 16 || onnxSize > MAX_SIZE)) {
                throw Refusal.usage("--onnx-size %d is out of range; use a number of pixels from 16 to %d.", onnxSize, MAX_SIZE);
            }
            how = new Segmentation.Onnx(onnx.path(), new OnnxSegmenter.Options(onnxSize,
                    SamplingOptions.or(onnxNormalisation, OnnxSegmenter.Normalisation.IMAGENET)));
        } else if (onnxSize != null || onnxNormalisation != null) {
            throw Refusal.usage("--onnx-size and --onnx-normalisation belong to --segment onnx:FILE; give it with them.");
        }
        return how == null ? null : how.at(Path::toAbsolutePath); // replay may be called from elsewhere
    }

    void record(ObjectNode parameters) {
        Segmentation how = how();
        if (how != null) {
            parameters.put("segment", how.flag());
        }
        if (onnxSize != null) {
            parameters.put("onnx-size", onnxSize);
        }
        if (onnxNormalisation != null) {
            parameters.put("onnx-normalisation", onnxNormalisation.name().toLowerCase(Locale.ROOT));
        }
    }
}
