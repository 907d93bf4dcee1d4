package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.schedule.Diffusion.Sampler;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeMemoryTest {

    private static final int IMAGES = 50;
    private static final int SETTLED = 10;
    private static final long CACHE = 4096; // bytes; full long before the pictures have settled

    @TempDir
    Path folder;

    /** In a process of its own, whose heap is touched from the start: what grows there is native. */
    @Test
    void fiftyPicturesLeaveNothingBehind() throws IOException, InterruptedException {
        assertSettles(Making.class, TinyModel.write(folder.resolve("model")));
    }

    @Test
    void fiftyPicturesByDiffusionLeaveNothingBehind() throws IOException, InterruptedException {
        assertSettles(MakingByDiffusion.class, TinyHunyuan.write(folder.resolve("hunyuan"), true),
                TinyStableDiffusion.write(folder.resolve("sdxl"), "sdxl"));
    }

    private void assertSettles(Class<?> making, Path... models) throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0", "-Dorg.bytedeco.javacpp.maxbytes=0",
                "-Djava.awt.headless=true", "-cp", System.getProperty("java.class.path"), making.getName()));
        Stream.of(models).map(Path::toString).forEach(command::add);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        assertThat(process.waitFor()).as(Files.readString(log)).isZero();
        List<long[]> figures = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
            String[] parts = line.split(" ");
            figures.add(new long[] {Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2])});
        }
        assertThat(figures).hasSize(IMAGES);
        long[] settled = figures.get(SETTLED - 1);
        long[] last = figures.get(IMAGES - 1);
        assertThat(last[0]).as("native objects that wait for the garbage collector").isEqualTo(settled[0]);
        assertThat(last[1]).as("their bytes").isEqualTo(settled[1]);
        assertThat(last[2]).as("resident bytes; after %d pictures %d", SETTLED, settled[2])
                .isLessThan(settled[2] + settled[2] * 3 / 100);
    }

    /** Personalizes pictures with one model, and prints after each what native memory is held. */
    static final class Making {

        public static void main(String[] args) throws IOException {
            Ops.threads(1);
            try (FluxModel model = FluxModel.open(Path.of(args[0]), Device.CPU, DType.FLOAT32)) {
                Picture picture = TinyModel.subject();
                model.use(ReferenceCache.inMemory(CACHE));
                for (int i = 0; i < IMAGES; i++) {
                    // Another reference each time: what the cache keeps of it is dropped again when it is full.
                    Subject subject = ReferenceFit.fit(picture, Mask.ofAlpha(picture, "subject"), TinyModel.SIDE,
                            TinyModel.SIDE, "fox " + i, null);
                    Sampling sampling = new Sampling(TinyModel.SIDE, TinyModel.SIDE, 2, 0, 2, "", 8, i, 1 + i % 2);
                    Injection injection = new Injection(0.1, TauBasis.SIGMA, ReplaceAt.values()[i % 3], true);
                    Personalize.run(model, "a fox in the snow", List.of(subject), injection, false, sampling, TaskListener.NONE);
                    tell();
                }
            }
        }
    }

    /** The same with HunyuanDiT, and pictures of SDXL between them, in two bytes a number. */
    static final class MakingByDiffusion {

        public static void main(String[] args) throws IOException {
            Ops.threads(1);
            try (DiffusionModel hunyuan = DiffusionModel.open(Path.of(args[0]), Device.CPU, DType.BFLOAT16);
                    DiffusionModel xl = DiffusionModel.open(Path.of(args[1]), Device.CPU, DType.BFLOAT16)) {
                Picture picture = TinyModel.subject();
                Mask mask = Mask.ofAlpha(picture, "subject");
                Injection.Mode[] modes = {Injection.Mode.REPLACE, Injection.Mode.REPLACE_MMA};
                for (int i = 0; i < IMAGES; i++) {
                    Subject subject = new Subject(picture.flatten(0xFFFFFF), mask, "fox " + i, null);
                    Sampling sampling = new Sampling(TinyModel.SIDE, TinyModel.SIDE, 2, 0, 2, "", 8, i, 1);
                    Injection injection = new Injection(modes[i % 2], 0.6, TauBasis.SIGMA, ReplaceAt.ATTENTION, true,
                            Positions.ZERO, Perturbation.NONE, Inversion.EXACT, TokenMask.Rule.QUARTER);
                    PersonalizeByDiffusion.run((HunyuanDitModel) hunyuan, "a fox in the snow", List.of(subject), injection, false,
                            sampling, TaskListener.NONE);
                    Generate.run(xl, "a fox in the snow", Sampler.values()[i % 2], sampling, TaskListener.NONE);
                    tell();
                }
            }
        }
    }

    private static void tell() throws IOException {
        String line = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(status -> status.startsWith("VmRSS:")).findFirst().orElseThrow();
        long resident = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        System.out.println(Pointer.totalCount() + " " + Pointer.totalBytes() + " " + resident);
    }
}
