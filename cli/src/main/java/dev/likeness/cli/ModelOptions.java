package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.task.FluxModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model computes, and on what. */
final class ModelOptions {

    /** Folder name of the model that comes with the project. */
    static final String EMBEDDED = "toybox";

    private static final int MAX_THREADS = 1024;

    @Option(names = "--model", paramLabel = "DIR",
            description = "FLUX.1 model folder in diffusers layout; the embedded Toybox by default")
    Path model;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "auto, cpu, cuda or cuda:0 (default: ${DEFAULT-VALUE})")
    String device;

    @Option(names = "--dtype", defaultValue = "float32", paramLabel = "TYPE",
            description = "float32, bfloat16 or float16 (default: ${DEFAULT-VALUE})")
    String dtype;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N",
            description = "CPU threads; 0 takes the physical cores (default: ${DEFAULT-VALUE})")
    int threads;

    /** Refuses unusable flags before anything is read or loaded. */
    void check() {
        if (threads < 0 || threads > MAX_THREADS) {
            throw Refusal.usage("--threads %d is out of range; use 0 for the physical cores or a count up to %d.", threads,
                    MAX_THREADS);
        }
        Device.requireKnown(device);
        DType.ofFlag(dtype);
    }

    FluxModel open() {
        check();
        Ops.threads(threads);
        return FluxModel.open(folder(), Device.of(device), DType.ofFlag(dtype));
    }

    private Path folder() {
        if (model != null) {
            return model;
        }
        return home("--model DIR").resolve("models").resolve(EMBEDDED);
    }

    /** The project's folder. @param otherwise the option to give where it is not known */
    static Path home(String otherwise) {
        String home = System.getProperty("likeness.home");
        if (home == null) {
            throw Refusal.model("What is embedded was not found because likeness was not started by its launcher; give %s.",
                    otherwise);
        }
        return Path.of(home);
    }
}
