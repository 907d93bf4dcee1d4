package dev.likeness.tensor;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;

/** Where a network computes: {@code cpu}, {@code cuda} or {@code cuda:1}. */
public record Device(String name) {

    public static final Device CPU = new Device("cpu");

    private static final boolean CPU_MULTIPLIES_BFLOAT16 = cpuHas("avx512_bf16", "amx_bf16");

    /** @throws Refusal (usage) when the name is not a device; whether this machine has it is not looked at */
    public static void requireKnown(String name) {
        if (!name.matches("auto|cpu|cuda(:\\d{1,3})?")) {
            throw Refusal.usage("--device %s is unknown; use auto, cpu, cuda or cuda:0.", name);
        }
    }

    /**
     * @throws Refusal (usage) when the name is not a device, (resources) when this build or machine has no such device
     */
    public static Device of(String name) {
        requireKnown(name);
        if (name.equals("cpu") || name.equals("auto") && !torch.cuda_is_available()) {
            return CPU;
        }
        if (name.equals("auto")) {
            return new Device("cuda");
        }
        if (!torch.cuda_is_available()) {
            throw Refusal.resources("--device %s: no CUDA device is visible to this build; build with -Pgpu on a machine "
                    + "with an NVIDIA driver, or use --device cpu.", name);
        }
        return new Device(name);
    }

    /**
     * The element type to compute in unless another one is asked for: bfloat16 where the processor multiplies in it, which
     * Linux tells of x86 processors, float32 elsewhere.
     */
    public DType fastest() {
        return !isCpu() || CPU_MULTIPLIES_BFLOAT16 ? DType.BFLOAT16 : DType.FLOAT32;
    }

    private static boolean cpuHas(String... flags) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("flags")).findFirst()
                    .filter(line -> Arrays.stream(flags).anyMatch(Arrays.asList(line.split("\\s+"))::contains)).isPresent();
        } catch (IOException e) {
            return false; // not Linux
        }
    }

    public boolean isCpu() {
        return name.equals("cpu");
    }

    org.bytedeco.pytorch.Device torchDevice() {
        return new org.bytedeco.pytorch.Device(name);
    }
}
