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
    private static final String AUTO = "auto";

    @Option(names = "--model", paramLabel = "DIR",
            description = "FLUX.1 model folder in diffusers layout; the embedded Toybox by default")
    Path model;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "auto, cpu, cuda or cuda:0 (default: ${DEFAULT-VALUE})")
    String device;

    @Option(names = "--dtype", defaultValue = AUTO, paramLabel = "TYPE",
            description = "float32, bfloat16, float16, or auto: bfloat16 where the processor multiplies in it, float32 elsewhere "
                    + "(default: ${DEFAULT-VALUE})")
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
        if (!dtype.equals(AUTO)) {
            DType.ofFlag(dtype);
        }
    }

    FluxModel open() {
        check();
        Ops.threads(threads);
        Device where = Device.of(device);
        return FluxModel.open(folder(), where, dtype.equals(AUTO) ? where.fastest() : DType.ofFlag(dtype));
    }

    private Path folder() {
        if (model != null) {
            return model;
        }
        String home = System.getProperty("likeness.home");
        if (home == null) {
            throw Refusal.model("The embedded model was not found because likeness was not started by its launcher; give "
                    + "--model DIR.");
        }
        return Path.of(home, "models", EMBEDDED);
    }
}
