package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.MemoryPlan;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.weights.Component;
import dev.likeness.weights.LoraFile;
import dev.likeness.weights.ModelFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which model computes, and on what. */
final class ModelOptions {

    /** Folder name of the model that comes with the project. */
    static final String EMBEDDED = "toybox";
    static final String EMBEDDED_UNET = "toybox-unet";

    private static final int MAX_THREADS = 1024;
    private static final String AUTO = "auto";
    private static final long WORTH_TELLING = 4L << 30; // bytes that a model takes

    @Option(names = "--model", paramLabel = "DIR",
            description = "FLUX.1 model folder in diffusers layout, for generate and invert also Stable Diffusion's and "
                    + "HunyuanDiT's, for personalize and compose also HunyuanDiT's; the embedded Toybox by default")
    Path model;

    @Option(names = "--transformer", paramLabel = "FILE",
            description = "safetensors or GGUF file in place of the transformer of --model: Black Forest Labs', ComfyUI's, "
                    + "diffusers'")
    Path transformer;

    @Option(names = "--vae", paramLabel = "FILE", description = "file in place of the autoencoder of --model")
    Path vae;

    @Option(names = "--clip-l", paramLabel = "FILE", description = "file in place of the CLIP text encoder of --model")
    Path clip;

    @Option(names = "--t5", paramLabel = "FILE", description = "file in place of the T5 text encoder of --model")
    Path t5;

    @Option(names = "--lora", paramLabel = "FILE[:SCALE]",
            description = "LoRA that is added to the transformer, as much of it as the scale says (1 without one); may be repeated. "
                    + "A third part, the file's SHA-256, refuses any other file")
    List<String> loras = new ArrayList<>();

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "auto, cpu, cuda or cuda:0 (default: ${DEFAULT-VALUE})")
    String device;

    @Option(names = "--dtype", defaultValue = AUTO, paramLabel = "TYPE",
            description = "float32, bfloat16, float16, or auto: bfloat16 where the processor multiplies in it, float32 elsewhere "
                    + "(default: ${DEFAULT-VALUE})")
    String dtype;

    @Option(names = "--memory", defaultValue = AUTO, paramLabel = "PLAN",
            description = "what stays in memory: resident (all), modulation-precomputed (a quarter of the transformer less), fp8 (blocks "
                    + "in eight bits), stream (one layer at a time), or auto: the first that fits and changes no picture (default: "
                    + "${DEFAULT-VALUE})")
    String memory;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N",
            description = "CPU threads; 0 takes the physical cores (default: ${DEFAULT-VALUE})")
    int threads;

    /** Refuses unusable flags before anything is read or loaded. */
    void check() {
        requireThreads(threads);
        Device.requireKnown(device);
        MemoryPlan.ofFlag(memory);
        singleFiles().forEach((component, file) -> {
            if (model == null) {
                throw Refusal.usage("%s needs --model DIR: the folder of the model that has everything else (scheduler, "
                        + "tokenizers, the other networks).", component.flag());
            }
            if (!Files.isRegularFile(file)) {
                throw Refusal.model("%s %s is no file; give a safetensors or GGUF file.", component.flag(), file);
            }
        });
        requireDtype(dtype);
    }

    static void requireDtype(String flag) {
        if (!flag.equals(AUTO)) {
            DType.ofFlag(flag);
        }
    }

    static void requireThreads(int threads) {
        if (threads < 0 || threads > MAX_THREADS) {
            throw Refusal.usage("--threads %d is out of range; use 0 for the physical cores or a count up to %d.", threads,
                    MAX_THREADS);
        }
    }

    /** Whether the model tells noise from latents, as Stable Diffusion does. */
    boolean isDiffusion() {
        Device.of(device); // what is wrong with the flags is told before what is wrong with the folder
        return DiffusionModel.isIn(folder());
    }

    /** Such a model. */
    DiffusionModel openDiffusion() {
        check();
        List<String> fluxOnly = new ArrayList<>(singleFiles().keySet().stream().map(Component::flag).toList());
        if (!loras.isEmpty()) {
            fluxOnly.add("--lora");
        }
        if (!memory.equals(AUTO)) {
            fluxOnly.add("--memory");
        }
        if (!fluxOnly.isEmpty()) {
            throw Refusal.usage("%s is for FLUX.1 and %s is another kind of model; leave it out.", fluxOnly.get(0), model);
        }
        Ops.threads(threads);
        Device where = Device.of(device);
        return DiffusionModel.open(folder(), where, dtype(where));
    }

    private DType dtype(Device where) {
        return dtype(dtype, where);
    }

    static DType dtype(String flag, Device where) {
        return flag.equals(AUTO) ? where.fastest() : DType.ofFlag(flag);
    }

    FluxModel open() {
        check();
        Ops.threads(threads);
        Device where = Device.of(device);
        FluxModel opened = FluxModel.open(new ModelFiles(folder(), singleFiles()), loras.stream().map(LoraFile::of).toList(), where,
                dtype(where), MemoryPlan.ofFlag(memory));
        if (!memory.equals(AUTO) || opened.memory().plan() != MemoryPlan.RESIDENT || opened.memory().bytes() > WORTH_TELLING) {
            System.err.println(opened.memory());
        }
        return opened;
    }

    /** Names the files from the root, for pictures that lie in another folder than the one this began in. */
    void nameFromRoot() {
        transformer = fromRoot(transformer);
        vae = fromRoot(vae);
        clip = fromRoot(clip);
        t5 = fromRoot(t5);
        loras.replaceAll(flag -> LoraFile.withPath(flag, fromRoot(Path.of(LoraFile.path(flag))).toString()));
    }

    private static Path fromRoot(Path file) {
        return file == null ? null : file.toAbsolutePath();
    }

    /** Files that take the place of the folder's. */
    Map<Component, Path> singleFiles() {
        Map<Component, Path> files = new EnumMap<>(Component.class);
        putGiven(files, Component.TRANSFORMER, transformer);
        putGiven(files, Component.VAE, vae);
        putGiven(files, Component.CLIP, clip);
        putGiven(files, Component.T5, t5);
        return files;
    }

    private static void putGiven(Map<Component, Path> files, Component component, Path file) {
        if (file != null) {
            files.put(component, file);
        }
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
