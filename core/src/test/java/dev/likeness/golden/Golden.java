package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * What the public Python libraries computed, from the files of {@code golden/} at the repository's root, and how near one
 * has to come to it. A file or tensor that is not there fails the test.
 */
public final class Golden {

    /** Tolerance of operations and blocks in float32, as a relative error. */
    public static final double OP = 1e-5;
    /** Tolerance of whole networks in float32, as a relative error. */
    public static final double NETWORK = 1e-4;

    private static final Path FOLDER = Path.of("..", "golden"); // tests run in their module's folder

    private final String file;
    private final Map<String, Tensor> tensors;

    private Golden(String file) {
        this.file = file;
        tensors = SafetensorsFile.open(path(file)).readAll();
    }

    /** Reads a whole safetensors file; its tensors belong to the open scope. */
    public static Golden open(String file) {
        return new Golden(file);
    }

    /** A file or folder below {@code golden/}. */
    public static Path path(String name) {
        Path path = FOLDER.resolve(name);
        if (!Files.exists(path)) {
            fail("golden/%s is missing; make it with: python golden/make.py", name);
        }
        return path;
    }

    /** The weights of a component folder below {@code golden/}, in float32. */
    public static Checkpoint checkpoint(String folder, String stem) {
        return Checkpoint.open(path(folder), stem, DType.FLOAT32, Device.CPU);
    }

    /**
     * Names and shapes from a table. Rows are name, shape, counts; {@code *} stands for every number below its count.
     */
    public static Map<String, long[]> shapes(String table) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        try {
            for (String line : Files.readAllLines(path(table))) {
                String[] row = line.split("\t");
                long[] shape = row.length == 1 ? new long[0] // a single number
                        : Arrays.stream(row[1].split(",")).mapToLong(Long::parseLong).toArray();
                List<String> keys = List.of(row[0]);
                for (String count : row.length > 2 ? row[2].split(",") : new String[0]) {
                    keys = keys.stream().flatMap(key -> IntStream.range(0, Integer.parseInt(count))
                            .mapToObj(i -> key.replaceFirst("\\*", String.valueOf(i)))).toList();
                }
                for (String key : keys) {
                    assertThat(shapes.put(key, shape)).as("second row of %s", key).isNull();
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return shapes;
    }

    public Tensor get(String name) {
        Tensor tensor = tensors.get(name);
        assertThat(tensor).as("golden/%s: %s", file, name).isNotNull();
        return tensor;
    }

    /** All numbers in row-major order. */
    public double[] doubles(String name) {
        float[] values = Tensors.floats(get(name));
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** Integers [B, L] as rows. */
    public long[][] rows(String name) {
        Tensor tensor = get(name);
        float[] values = Tensors.floats(tensor); // ids are small enough to be exact
        int length = (int) tensor.size(1);
        long[][] rows = new long[(int) tensor.size(0)][length];
        for (int i = 0; i < values.length; i++) {
            rows[i / length][i % length] = (long) values[i];
        }
        return rows;
    }

    /** Asserts equal shapes and max |actual - expected| / max |expected| of at most the tolerance. */
    public void assertClose(Tensor actual, String name, double tolerance) {
        assertClose("golden/" + file + ": " + name, actual, get(name), tolerance);
    }

    /** Asserts equal shapes and max |actual - expected| / max |expected| of at most the tolerance. */
    public static void assertClose(String what, Tensor actual, Tensor expected, double tolerance) {
        assertThat(Tensors.shape(actual)).as("shape of %s", what).isEqualTo(Tensors.shape(expected));
        assertThat(relativeError(Tensors.floats(actual), Tensors.floats(expected))).as("relative error of %s", what)
                .isLessThanOrEqualTo(tolerance);
    }

    /** max |actual - expected| / max |expected|, NaN when a number is not finite; two tensors of zeros agree. */
    public static double relativeError(float[] actual, float[] expected) {
        double difference = 0;
        double greatest = 0;
        for (int i = 0; i < expected.length; i++) {
            double distance = Math.abs((double) actual[i] - expected[i]);
            if (!Double.isFinite(distance)) {
                return Double.NaN;
            }
            difference = Math.max(difference, distance);
            greatest = Math.max(greatest, Math.abs((double) expected[i]));
        }
        return difference == 0 ? 0 : difference / greatest;
    }
}
