package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.eval.Analysed;
import dev.likeness.task.Sampling;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What the analyses share: which models, on which pictures, on what. */
final class AnalysisOptions {

    private static final int MAX_SAMPLES = 10_000;

    @Option(names = "--model", paramLabel = "DIR",
            description = "FLUX.1 or Stable Diffusion folder; may be repeated (default: the embedded Toybox, and Toybox-UNet "
                    + "where it is)")
    List<Path> folders = new ArrayList<>();

    @Option(names = "--subjects", paramLabel = "DIR",
            description = "cut-outs of the held-out subjects (default: examples/subjects)")
    Path subjects;

    @Option(names = {"-s", "--seed"}, defaultValue = "1", paramLabel = "N",
            description = "seed of the first reference and picture; the next ones count on (default: ${DEFAULT-VALUE})")
    long seed;

    @Option(names = "--size", paramLabel = "PX",
            description = "side of the pictures, a multiple of 16 (default: the model's own)")
    Integer size;

    @Option(names = "--steps", paramLabel = "N", description = "denoising steps (default: the model's own)")
    Integer steps;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "auto, cpu, cuda or cuda:0 (default: ${DEFAULT-VALUE})")
    String device;

    @Option(names = "--dtype", defaultValue = "float32", paramLabel = "TYPE",
            description = "float32, bfloat16, float16, or auto: bfloat16 where the processor multiplies in it, float32 elsewhere "
                    + "(default: ${DEFAULT-VALUE})")
    String dtype;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N",
            description = "CPU threads; 0 takes the physical cores (default: ${DEFAULT-VALUE})")
    int threads;

    /** Refuses unusable flags before anything is loaded. @param flag of the number of references, {@code samples} */
    void check(String flag, int samples) {
        Device.requireKnown(device);
        ModelOptions.requireDtype(dtype);
        if (samples < 1 || samples > MAX_SAMPLES) {
            throw Refusal.usage("%s %d is out of range; use a number from 1 to %d.", flag, samples, MAX_SAMPLES);
        }
        int side = size == null ? 256 : size;
        new Sampling(side, side, steps == null ? 1 : steps, 0, 1, "", 2, seed, 1); // for its refusals
        ModelOptions.requireThreads(threads);
    }

    /** The folders asked for. */
    List<Path> folders() {
        if (!folders.isEmpty()) {
            return folders;
        }
        Path models = ModelOptions.home("--model DIR").resolve("models");
        List<Path> embedded = new ArrayList<>(List.of(models.resolve(ModelOptions.EMBEDDED)));
        if (Files.isDirectory(models.resolve(ModelOptions.EMBEDDED_UNET))) {
            embedded.add(models.resolve(ModelOptions.EMBEDDED_UNET));
        }
        return embedded;
    }

    Analysed open(Path folder) {
        Ops.threads(threads);
        return Analysed.open(folder, size, steps, Device.of(device), dtype());
    }

    DType dtype() {
        return ModelOptions.dtype(dtype, Device.of(device));
    }

    Path subjects() {
        return subjects == null ? ModelOptions.home("--subjects DIR").resolve("examples/subjects") : subjects;
    }
}
