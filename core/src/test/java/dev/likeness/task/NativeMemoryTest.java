package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.ReferenceCache;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        Path log = folder.resolve("log");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0", "-Dorg.bytedeco.javacpp.maxbytes=0",
                "-Djava.awt.headless=true", "-cp", System.getProperty("java.class.path"), Making.class.getName(),
                TinyModel.write(folder.resolve("model")).toString())
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
                    System.out.println(Pointer.totalCount() + " " + Pointer.totalBytes() + " " + resident());
                }
            }
        }

        private static long resident() throws IOException {
            String line = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(status -> status.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
    }
}
