package dev.likeness.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.likeness.error.Refusal;
import dev.likeness.image.OutputFile;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceCacheTest {

    private static final long PLENTY = 1 << 20;
    private static final int WIDTH = 5;
    private static final long ROW = 2 * WIDTH * 4; // bytes of one token in the two blocks of Computed
    private static final String A = "a".repeat(64);
    private static final String B = "b".repeat(64);
    private static final String C = "c".repeat(64);

    @TempDir
    Path folder;

    private Scope scope;

    @BeforeEach
    void open() {
        scope = Scope.open();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /** Tokens of two blocks, each telling block and row in its bits; remembers what was asked for. */
    private static final class Computed implements Function<long[], Map<Integer, Tensor>> {
        private final List<long[]> asked = new ArrayList<>();
        private final List<Tensor> made = new ArrayList<>();

        @Override
        public Map<Integer, Tensor> apply(long[] rows) {
            asked.add(rows);
            Map<Integer, Tensor> tokens = new HashMap<>();
            for (int block : new int[] {0, 3}) {
                tokens.put(block, Tensors.of(values(block, rows), 1, rows.length, WIDTH));
            }
            made.addAll(tokens.values());
            return tokens;
        }
    }

    private static float[] values(int block, long... rows) {
        float[] values = new float[rows.length * WIDTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = new SplittableRandom(1000L * block + rows[i / WIDTH] * WIDTH + i % WIDTH).nextInt() * 1e-9f;
        }
        return values;
    }

    private static void assertTokens(Map<Integer, Tensor> tokens, long... rows) {
        assertThat(tokens.keySet()).containsExactlyInAnyOrder(0, 3);
        tokens.forEach((block, tensor) -> {
            assertThat(Tensors.shape(tensor)).containsExactly(1, rows.length, WIDTH);
            assertThat(Tensors.floats(tensor)).isEqualTo(values(block, rows));
        });
    }

    /** Rows that were computed for one request, or nothing when they were all here. */
    private static List<long[]> request(ReferenceCache cache, String key, long... rows) {
        Computed computed = new Computed();
        assertTokens(cache.get(key, "attention-2", rows, computed), rows);
        return computed.asked;
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path onlyFile() {
        assertThat(files()).hasSize(1);
        return files().get(0);
    }

    @Test
    void aHitGivesTheSameBitsInTheOrderWanted() {
        try (ReferenceCache cache = ReferenceCache.inMemory(PLENTY)) {
            assertThat(request(cache, A, 4, 1, 9)).containsExactly(new long[] {1, 4, 9});
            assertThat(request(cache, A, 9, 4, 1)).isEmpty();
            assertThat(request(cache, A, 1)).isEmpty();
            assertThat(request(cache, A, 9, 1)).isEmpty();
        }
    }

    @Test
    void keyAndPartTellTokensApart() {
        try (ReferenceCache cache = ReferenceCache.inMemory(PLENTY)) {
            request(cache, A, 1);
            assertThat(request(cache, B, 1)).hasSize(1);
            Computed computed = new Computed();
            cache.get(A, "hidden-2", new long[] {1}, computed);
            assertThat(computed.asked).hasSize(1);
        }
    }

    @Test
    void otherRowsAreComputedTogetherWithTheKnownOnes() {
        try (ReferenceCache cache = ReferenceCache.inMemory(PLENTY)) {
            request(cache, A, 5, 1);
            assertThat(request(cache, A, 3, 5)).containsExactly(new long[] {1, 3, 5});
            assertThat(request(cache, A, 5, 3, 1)).isEmpty();
        }
    }

    @Test
    void aTokenMayBeWantedTwice() {
        try (ReferenceCache cache = ReferenceCache.inMemory(PLENTY)) {
            assertThat(request(cache, A, 2, 2, 0)).containsExactly(new long[] {0, 2});
            assertThat(request(cache, A, 0, 2, 0)).isEmpty();
        }
    }

    @Test
    void whatWasUsedLongestAgoMakesRoom() {
        try (ReferenceCache cache = ReferenceCache.inMemory(2 * 3 * ROW)) {
            request(cache, A, 0, 1, 2);
            request(cache, B, 0, 1, 2);
            assertThat(request(cache, A, 0)).isEmpty(); // used: now B is the oldest
            request(cache, C, 0, 1, 2);
            assertThat(request(cache, A, 0)).isEmpty();
            assertThat(request(cache, C, 0)).isEmpty();
            assertThat(request(cache, B, 0)).hasSize(1);
        }
    }

    /** One larger than all the room does not push the others out for nothing. */
    @Test
    void whatDoesNotFitIsNotKept() {
        try (ReferenceCache cache = ReferenceCache.inMemory(2 * ROW)) {
            request(cache, A, 0, 1);
            request(cache, B, 0, 1, 2);
            assertThat(request(cache, A, 0)).isEmpty();
            assertThat(request(cache, B, 0)).hasSize(1);
        }
    }

    @Test
    void nativeMemoryIsHeldByTheCacheAloneAndFreedWithWhatItDrops() {
        ReferenceCache cache = ReferenceCache.inMemory(4 * ROW);
        List<Computed> computed = new ArrayList<>();
        for (String key : List.of(A, B)) {
            computed.add(new Computed());
            try (Scope inner = Scope.open()) {
                cache.get(key, "x", new long[] {0, 1}, computed.get(computed.size() - 1));
            }
            assertThat(computed.get(computed.size() - 1).made).hasSize(2).noneMatch(ReferenceCacheTest::isFreed);
        }
        try (Scope inner = Scope.open()) {
            Computed grown = new Computed();
            cache.get(B, "x", new long[] {2}, grown); // takes the place of B's two rows, and A's room
            computed.add(grown);
        }
        assertThat(computed.get(0).made).as("evicted").allMatch(ReferenceCacheTest::isFreed);
        assertThat(computed.get(1).made).as("replaced").allMatch(ReferenceCacheTest::isFreed);
        assertThat(computed.get(2).made).as("kept").noneMatch(ReferenceCacheTest::isFreed);
        cache.close();
        assertThat(computed.get(2).made).as("closed").allMatch(ReferenceCacheTest::isFreed);
    }

    /** Tokens are asked for step by step and again from the first: the least recently used is always the next one. */
    @Test
    void ofAReferenceThatDoesNotFitTheFirstStepsStay() {
        try (ReferenceCache cache = ReferenceCache.inMemory(2 * ROW)) {
            request(cache, B, 0);
            for (int round = 0; round < 2; round++) {
                for (int step = 0; step < 4; step++) {
                    Computed computed = new Computed();
                    try (Scope scope = Scope.open()) {
                        cache.get(A, "step-" + step, new long[] {1}, computed);
                    }
                    assertThat(computed.made.isEmpty()).isEqualTo(round == 1 && step < 2);
                }
            }
        }
    }

    private static boolean isFreed(Tensor tensor) {
        return tensor.isNull();
    }

    @Test
    void whatIsGivenOutlivesTheCache() {
        ReferenceCache cache = ReferenceCache.inMemory(PLENTY);
        Map<Integer, Tensor> tokens = cache.get(A, "x", new long[] {1, 0}, new Computed());
        cache.close();
        assertTokens(tokens, 1, 0);
    }

    @Test
    void aSecondCacheOnTheSameFolderHits() {
        try (ReferenceCache first = ReferenceCache.inFolder(folder.resolve("made/by/it"), PLENTY, PLENTY);
                ReferenceCache second = ReferenceCache.inFolder(folder.resolve("made/by/it"), PLENTY, PLENTY)) {
            request(first, A, 4, 1);
            assertThat(request(second, A, 1, 4)).isEmpty();
            assertThat(request(second, A, 2)).containsExactly(new long[] {1, 2, 4});
            assertThat(request(first, A, 2, 4)).as("found on disk what memory has not").isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
    void tokensComeBackFromDiskBitForBit(DType dtype) {
        float[] values = {0, -0f, 1, -1, 1e-3f, 3.14159f, 65504, 6.1e-5f, 6e-8f, -2.9e-39f, 1e-45f, Float.MIN_NORMAL,
            Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, 0.1f};
        Tensor tokens = Tensors.to(Tensors.of(values, 1, 4, 4), dtype);
        byte[] bits = Tensors.bytes(tokens, dtype);
        try (ReferenceCache first = ReferenceCache.inFolder(folder, 0, PLENTY);
                ReferenceCache second = ReferenceCache.inFolder(folder, 0, PLENTY)) {
            long[] rows = {0, 1, 2, 3};
            for (ReferenceCache cache : List.of(first, second)) {
                Tensor got = cache.get(A, "x", rows, cache == first ? r -> Map.of(0, tokens) : new Computed()).get(0);
                assertThat(DType.of(got)).isEqualTo(dtype);
                assertThat(Tensors.bytes(got, dtype)).isEqualTo(bits);
            }
        }
    }

    private static void used(Path file, Duration ago) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(ago)));
    }

    @Test
    void onDiskAsWellWhatWasUsedLongestAgoMakesRoom() throws IOException {
        try (ReferenceCache filling = ReferenceCache.inFolder(folder, 0, PLENTY)) {
            request(filling, A, 0, 1);
            Path a = onlyFile();
            used(a, Duration.ofHours(3));
            request(filling, B, 0, 1);
            Path b = files().get(1);
            used(b, Duration.ofHours(2));
            long room = Files.size(a) + Files.size(b);
            try (ReferenceCache cache = ReferenceCache.inFolder(folder, 0, room)) {
                assertThat(request(cache, A, 1)).isEmpty(); // used: now B is the oldest
                request(cache, C, 0, 1);
                assertThat(files()).hasSize(2).contains(a).doesNotContain(b);
                assertThat(request(cache, A, 0, 1)).isEmpty();
                assertThat(request(cache, C, 0, 1)).isEmpty();
            }
        }
    }

    @Test
    void whatDoesNotFitOnDiskIsNotWritten() {
        try (ReferenceCache cache = ReferenceCache.inFolder(folder, 0, 2 * ROW - 1)) {
            assertThat(request(cache, A, 0, 1)).hasSize(1);
            assertThat(files()).isEmpty();
        }
    }

    @Test
    void foreignFilesAreLeftAloneAndAbandonedHalvesRemoved() throws IOException {
        List<String> foreign = List.of("notes.txt", "model.safetensors", "my.tokens", "a-1.tokens", ".hidden",
                ".likeness-new.tmp", "sub/" + "a".repeat(64) + "-x.tokens");
        for (String name : foreign) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "x".repeat(3000));
            if (!name.contains("new")) {
                used(file, Duration.ofDays(9));
            }
        }
        Path abandoned = folder.resolve(".likeness-old.tmp");
        Files.writeString(abandoned, "half");
        used(abandoned, Duration.ofHours(2));
        try (ReferenceCache cache = ReferenceCache.inFolder(folder, 0, 700)) {
            for (String key : List.of(A, B, C)) {
                request(cache, key, 0, 1);
            }
        }
        for (String name : foreign) {
            assertThat(folder.resolve(name)).hasContent("x".repeat(3000));
        }
        assertThat(abandoned).doesNotExist();
        assertThat(files()).as("foreign ones, and one or two of its own").hasSizeBetween(8, 9);
    }

    private interface Damage {
        void to(Path file) throws IOException;
    }

    static Stream<Damage> damages() {
        return Stream.of(
                file -> Files.write(file, new byte[0]),
                file -> Files.write(file, new byte[] {1, 2, 3}),
                file -> Files.writeString(file, "no safetensors at all, but long enough for a header"),
                file -> Files.write(file, Arrays.copyOf(Files.readAllBytes(file), (int) Files.size(file) - 1)),
                file -> rewrite(file, Map.of()),
                file -> rewrite(file, Map.of("rows", "")),
                file -> rewrite(file, Map.of("rows", "0,one")),
                file -> rewrite(file, Map.of("rows", "0,1,2")),
                file -> rewrite(file, Map.of("rows", "0")),
                file -> rewrite(file, Map.of("rows", "1,0")),
                file -> SafetensorsWriter.write(file, Map.of("zero", Tensors.of(new float[10], 1, 2, 5)), DType.FLOAT32,
                        Map.of("rows", "0,1")),
                file -> SafetensorsWriter.write(file, Map.of("0", Tensors.of(new float[10], 2, 5)), DType.FLOAT32,
                        Map.of("rows", "0,1")),
                file -> SafetensorsWriter.write(file, Map.of(), DType.FLOAT32, Map.of("rows", "0,1")));
    }

    private static void rewrite(Path file, Map<String, String> metadata) {
        SafetensorsWriter.write(file, SafetensorsFile.open(file).readAll(), DType.FLOAT32, metadata);
    }

    @ParameterizedTest
    @MethodSource("damages")
    void aBrokenFileIsComputedAndWrittenAnew(Damage damage) throws IOException {
        try (ReferenceCache cache = ReferenceCache.inFolder(folder, 0, PLENTY)) {
            request(cache, A, 0, 1);
            byte[] whole = Files.readAllBytes(onlyFile());
            damage.to(onlyFile());
            assertThat(request(cache, A, 1, 0)).containsExactly(new long[] {0, 1});
            assertThat(Files.readAllBytes(onlyFile())).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "file/below"})
    void anImpossibleFolderIsRefused(String name) throws IOException {
        Files.writeString(folder.resolve("file"), "");
        assertRefused(folder.resolve(name));
    }

    @Test
    void aFolderThatCannotBeWrittenToIsRefused() {
        assertThat(folder.toFile().setWritable(false)).isTrue();
        try {
            assumeThat(Files.isWritable(folder)).as("root may write everywhere").isFalse();
            assertRefused(folder);
            assertRefused(folder.resolve("below"));
        } finally {
            folder.toFile().setWritable(true);
        }
    }

    private static void assertRefused(Path folder) {
        assertThatThrownBy(() -> ReferenceCache.inFolder(folder, PLENTY, PLENTY))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.INPUT))
                .hasMessageContaining("--cache " + folder);
    }

    /**
     * As two processes do that share a folder: each with a cache of its own, on one key and growing sets of rows, so that files
     * are replaced while the other one reads; with little room also removed.
     */
    @ParameterizedTest
    @ValueSource(longs = {PLENTY, 1000})
    void twoAtOnceReadAndLeaveWholeFiles(long diskLimit) throws Exception {
        int rounds = 150;
        CyclicBarrier together = new CyclicBarrier(2);
        List<Callable<Void>> workers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int worker = i;
            workers.add(() -> {
                for (int round = 0; round < rounds; round++) {
                    String key = (round % 3 + "0").repeat(32);
                    together.await();
                    try (Scope own = Scope.open(); ReferenceCache cache = ReferenceCache.inFolder(folder, 0, diskLimit)) {
                        request(cache, key, round / 5, worker);
                        request(cache, key, 40 + worker, round / 5);
                    }
                }
                return null;
            });
        }
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (Future<Void> done : threads.invokeAll(workers)) {
                done.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } finally {
            threads.shutdownNow();
        }
        assertThat(files()).hasSizeLessThanOrEqualTo(3).allMatch(file -> file.toString().endsWith(".tokens"));
        for (Path file : files()) {
            String[] rows = SafetensorsFile.open(file).metadata().get("rows").split(",");
            assertThat(Tensors.shape(SafetensorsFile.open(file).readAll().get("3"))).containsExactly(1, rows.length, WIDTH);
        }
    }

    /** Two layouts take turns under one name; what is read is one of them, never the header of one with the data of the other. */
    @Test
    void aFileThatIsReplacedMeanwhileIsReadAsOne() throws Exception {
        try (ReferenceCache cache = ReferenceCache.inFolder(folder, 0, PLENTY)) {
            request(cache, A, 0, 20);
            Path file = onlyFile();
            byte[] small = Files.readAllBytes(file);
            request(cache, A, LongStream.range(0, 30).toArray());
            byte[] large = Files.readAllBytes(file);
            ExecutorService writer = Executors.newSingleThreadExecutor();
            try {
                Future<?> done = writer.submit(() -> {
                    for (int i = 0; i < 3000; i++) {
                        byte[] next = i % 2 == 0 ? small : large;
                        OutputFile.write(file, out -> out.write(next));
                    }
                });
                int hits = 0;
                while (!done.isDone()) {
                    Computed computed = new Computed();
                    try (Scope inner = Scope.open()) {
                        assertTokens(cache.get(A, "attention-2", new long[] {20}, computed), 20);
                    }
                    hits += computed.asked.isEmpty() ? 1 : 0;
                }
                done.get();
                assertThat(hits).isPositive();
            } finally {
                writer.shutdownNow();
            }
        }
    }
}
