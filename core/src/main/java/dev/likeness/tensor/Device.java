package dev.likeness.tensor;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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
        return name.equals("cpu") ? CPU : of(name, torch.cuda_is_available() ? torch.cuda_device_count() : 0);
    }

    /** @param cudaDevices how many there are */
    static Device of(String name, int cudaDevices) {
        if (name.equals("cpu") || name.equals("auto") && cudaDevices == 0) {
            return CPU;
        }
        if (name.equals("auto")) {
            return new Device("cuda");
        }
        if (cudaDevices == 0) {
            throw Refusal.resources("--device %s: no CUDA device is visible to this build; build with -Pgpu on a machine "
                    + "with an NVIDIA driver (docs/gpu.md), or use --device cpu.", name);
        }
        Device device = new Device(name);
        if (device.index() >= cudaDevices) {
            throw Refusal.resources("--device %s: this machine shows %d CUDA device(s), cuda:0 to cuda:%d.", name, cudaDevices,
                    cudaDevices - 1);
        }
        return device;
    }

    /** The number of a CUDA device. */
    private int index() {
        return name.contains(":") ? Integer.parseInt(name.substring(name.indexOf(':') + 1)) : 0;
    }

    /**
     * Bytes of memory that it can give now, by what Linux and NVIDIA's driver tell; {@link Long#MAX_VALUE} where they tell
     * nothing.
     */
    public long freeBytes() {
        try {
            return isCpu() ? freeOfMachine(Files.readAllLines(Path.of("/proc/meminfo"))) : freeOfCuda();
        } catch (IOException e) {
            return Long.MAX_VALUE; // not Linux, or no nvidia-smi
        }
    }

    private static long freeOfMachine(List<String> memoryInfo) {
        return memoryInfo.stream().filter(line -> line.startsWith("MemAvailable:")).findFirst()
                .map(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).orElse(Long.MAX_VALUE);
    }

    private long freeOfCuda() throws IOException {
        if (System.getenv("CUDA_VISIBLE_DEVICES") != null) {
            return Long.MAX_VALUE; // numbers are not nvidia-smi's then
        }
        Process process = new ProcessBuilder("nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits")
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (InputStream out = process.getInputStream()) {
            return freeOfCuda(new String(out.readAllBytes(), StandardCharsets.US_ASCII).lines().toList());
        }
    }

    /** @param mebibytes free of each device, as nvidia-smi prints them */
    long freeOfCuda(List<String> mebibytes) {
        return index() < mebibytes.size() && mebibytes.get(index()).matches("\\d{1,9}")
                ? Long.parseLong(mebibytes.get(index())) << 20 : Long.MAX_VALUE;
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
