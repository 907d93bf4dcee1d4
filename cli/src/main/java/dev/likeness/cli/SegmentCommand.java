package dev.likeness.cli;

import dev.likeness.image.Mask;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.PngWriter;
import dev.likeness.request.MaskReader;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "segment", mixinStandardHelpOptions = true,
        description = "Writes the mask of a picture's subject, white where it is.")
final class SegmentCommand implements Callable<Integer> {

    @Mixin
    ModelOptions modelOptions;

    @Option(names = {"-r", "--reference"}, required = true, paramLabel = "FILE", description = "picture of the subject")
    Path reference;

    @Option(names = "--reference-prompt", defaultValue = "", paramLabel = "TEXT",
            description = "what it shows; helps attention:WORD where the word stands in it")
    String referencePrompt;

    @Mixin
    SegmentOptions segmentOptions;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE", description = "PNG to write")
    Path output;

    @Override
    public Integer call() {
        modelOptions.check();
        Segmentation how = SamplingOptions.or(segmentOptions.how(), new Segmentation.Alpha());
        OutputOptions.requirePng(output);
        OutputFile.requireWritable(output);
        Picture picture = Pictures.read(reference);
        List<String> warnings = new ArrayList<>();
        PngWriter.write(output, mask(how, picture, new MaskReader(false, warnings)).toPicture(), Map.of());
        OutputOptions.warn(warnings);
        System.out.println(output);
        return 0;
    }

    private Mask mask(Segmentation how, Picture picture, MaskReader reader) {
        if (!Segmenter.needsModel(how)) {
            return reader.find(how, picture, reference, referencePrompt, null);
        }
        try (FluxModel model = modelOptions.open()) {
            return reader.find(how, picture, reference, referencePrompt, model);
        }
    }
}
