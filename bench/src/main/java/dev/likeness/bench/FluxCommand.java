package dev.likeness.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Memory;
import dev.likeness.task.MemoryPlan;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bin/bench flux}: whether a model of FLUX.1's size computes in the memory that its plan says, and how fast. */
@Command(name = "flux", mixinStandardHelpOptions = true,
        description = "Writes models of FLUX.1-dev's size with generated weights, one after the other, and takes one denoising step with "
                + "each in a process of its own. Prints what was planned, what the process took at most, time and swapping. DIR needs "
                + "room for one of them: 24 GB in bf16, 12 in fp8, 7 in q4_0.")
final class FluxCommand implements Callable<Integer> {

    private static final double GIGA = 1e9;

    @Parameters(paramLabel = "DIR", description = "folder for the models; each is deleted after its step unless --keep is given")
    Path folder;

    @Option(names = "--size", defaultValue = "DEV", description = "dev, mid or tiny (default: dev)")
    WriteModelCommand.Size size;

    @Option(names = "--formats", split = ",", defaultValue = "BF16,FP8,Q4_0", paramLabel = "NAME",
            description = "of bf16, fp8 and q4_0 (default: all)")
    List<WriteModelCommand.Format> formats;

    @Option(names = "--memory", defaultValue = "auto", paramLabel = "PLAN", description = "as likeness takes it (default: auto)")
    String memory;

    @Option(names = "--dtype", defaultValue = "bfloat16", paramLabel = "TYPE", description = "(default: ${DEFAULT-VALUE})")
    String dtype;

    @Option(names = "--side", defaultValue = "256", paramLabel = "PIXELS", description = "of the picture (default: ${DEFAULT-VALUE})")
    int side;

    @Option(names = "--keep", description = "keeps the models; those that are there already are used again")
    boolean keep;

    private final Path home = Path.of(System.getProperty("likeness.home"));

    @Override
    public Integer call() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        System.out.printf("One denoising step at %d x %d in %s, transformer of size %s%n%n", side, side, dtype,
                size.name().toLowerCase(Locale.ROOT));
        System.out.println("| weights | plan | planned, GB | peak resident, GB | of it anonymous, GB | within | step, s | whole process, s "
                + "| swapped, MB |");
        System.out.println("|---|---|---|---|---|---|---|---|---|");
        boolean within = true;
        for (WriteModelCommand.Format format : formats) {
            Path model = folder.resolve("flux-" + size.name().toLowerCase(Locale.ROOT) + "-" + format.name().toLowerCase(Locale.ROOT));
            if (!keep || !Files.exists(model)) {
                System.err.printf("writing %s ...%n", model);
                WriteModelCommand.write(model, size, format);
            }
            within &= step(model, format);
            if (!keep) {
                Main.deleteAll(model);
            }
        }
        return within ? 0 : 1;
    }

    /** @return whether it stayed within its plan and out of the swap */
    private boolean step(Path model, WriteModelCommand.Format format) throws IOException, InterruptedException {
        Map<Component, Path> single = format == WriteModelCommand.Format.Q4_0
                ? Map.of(Component.TRANSFORMER, model.resolve(WriteModelCommand.GGUF)) : Map.of();
        Memory planned;
        try (FluxModel opened = FluxModel.open(new ModelFiles(model, single), List.of(), Device.CPU, DType.ofFlag(dtype),
                MemoryPlan.ofFlag(memory))) { // its headers only
            planned = opened.memory();
        }
        List<String> command = new ArrayList<>(List.of(home.resolve("bin/likeness").toString(), "generate", "--model", model.toString(),
                "--memory", planned.plan().flag(), "--dtype", dtype, "--steps", "1", "--width", String.valueOf(side), "--height",
                String.valueOf(side), "--true-cfg-scale", "1", "--seed", "1", "--prompt", "noise", "--json", "--output",
                model.resolve("picture.png").toString()));
        single.forEach((component, file) -> command.addAll(List.of(component.flag(), file.toString())));
        System.err.printf("a step with %s, %s ...%n", model, planned);
        ChildProcess.Result done = ChildProcess.run(command, Map.of());
        JsonNode timings = done.json().path("timings_ms");
        ProcessMemory took = done.memory();
        boolean within = took.peakResident() <= planned.bytes() && took.peakSwapped() == 0;
        System.out.printf(Locale.ROOT, "| %s | %s | %.2f | %.2f | %.2f | %s | %.1f | %.1f | %.0f |%n", format.name().toLowerCase(Locale.ROOT),
                planned.plan().flag(), planned.bytes() / GIGA, took.peakResident() / GIGA, took.peakAnonymous() / GIGA,
                within ? "yes" : "no", timings.path("denoise").asDouble() / 1000, done.wallMilliseconds() / 1000,
                took.peakSwapped() / 1e6);
        return within;
    }
}
