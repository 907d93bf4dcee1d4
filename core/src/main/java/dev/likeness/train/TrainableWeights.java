package dev.likeness.train;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import dev.likeness.weights.Shapes;
import dev.likeness.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Parameters under training and the state of their optimisers: a float32 master copy, and bfloat16 leaves that the network
 * computes with and that receive gradients. All lie in flat vectors, one parameter after the other, so that optimiser,
 * averaging and checkpoints are each written once.
 */
public final class TrainableWeights implements Weights {

    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.98;
    private static final double EPSILON = 1e-8;
    private static final double MOMENTUM = 0.95;
    /** Length of an element of a Muon step against the learning rate; 0.2 is that of an AdamW step. */
    private static final double MUON_GAIN = 0.3;
    private static final int NEWTON_SCHULZ_STEPS = 4;
    /** Elements updated together: small enough that the optimiser's nine passes stay in a core's cache. */
    private static final long CHUNK = 1 << 17;

    /** Matrices of one shape that lie one after the other. */
    private record Stack(long start, long matrices, long rows, long columns) {
        long count() {
            return matrices * rows * columns;
        }
    }

    /** Gives a parameter its first values; called in the network's order. */
    public interface Initializer {
        Tensor create(String name, long... shape);
    }

    private final Map<String, long[]> shapes; // in the order of the flat vectors
    private final List<Stack> stacks = new ArrayList<>(); // the last parameters, which Muon updates
    private final long matricesFrom; // where they begin
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();
    private final Tensor working; // [P] bfloat16, the memory of the leaves
    private final Map<String, Tensor> state = new LinkedHashMap<>(); // name to [P] float32, what a checkpoint holds
    private final Tensor master;
    private final Tensor average; // exponential moving average of master
    private final Tensor mean; // first moment of the gradient
    private final Tensor square; // second moment of the gradient
    private long updates;

    /**
     * @param network constructs the network over the weights it is given; called once here, to learn names and shapes
     * @param byMuon names of the matrices that Muon updates; AdamW updates the rest
     */
    public TrainableWeights(Consumer<Weights> network, Initializer initializer, Predicate<String> byMuon) {
        shapes = Weights.shapes(network);
        stackMatrices(byMuon);
        try (Scope scope = Scope.open()) {
            List<Tensor> parts = new ArrayList<>();
            shapes.forEach((name, shape) -> parts.add(initializer.create(name, shape).flatten()));
            master = Scope.own(Ops.cat(0, parts.toArray(Tensor[]::new)));
            average = Scope.own(master.clone());
            mean = Scope.own(master.clone().zero_());
            square = Scope.own(master.clone().zero_());
            working = Scope.own(Tensors.to(master, DType.BFLOAT16));
            long offset = 0;
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                long count = Shapes.elements(entry.getValue());
                Tensor leaf = working.narrow(0, offset, count).view(entry.getValue()).detach();
                leaf.set_requires_grad(true);
                leaves.put(entry.getKey(), Scope.own(leaf));
                offset += count;
            }
        }
        matricesFrom = stacks.isEmpty() ? master.numel() : stacks.get(0).start;
        state.put("master", master);
        state.put("average", average);
        state.put("mean", mean);
        state.put("square", square);
    }

    /** Moves Muon's matrices to the end of the order, those of one shape together. */
    private void stackMatrices(Predicate<String> byMuon) {
        List<String> names = new ArrayList<>(shapes.keySet().stream().filter(byMuon).toList());
        names.sort(Comparator.comparingLong((String name) -> shapes.get(name)[0])
                .thenComparingLong(name -> Shapes.elements(shapes.get(name))));
        names.forEach(name -> shapes.put(name, shapes.remove(name)));
        long start = shapes.values().stream().mapToLong(Shapes::elements).sum()
                - names.stream().mapToLong(name -> Shapes.elements(shapes.get(name))).sum();
        for (String name : names) {
            long rows = shapes.get(name)[0];
            long columns = Shapes.elements(shapes.get(name)) / rows; // a convolution's kernel has one row an output channel
            Stack last = stacks.isEmpty() ? null : stacks.get(stacks.size() - 1);
            if (last != null && last.rows == rows && last.columns == columns) {
                stacks.set(stacks.size() - 1, new Stack(last.start, last.matrices + 1, rows, columns));
            } else {
                stacks.add(new Stack(start, 1, rows, columns));
            }
            start += rows * columns;
        }
    }

    @Override
    public Tensor get(String name, long... shape) {
        return leaves.get(name);
    }

    @Override
    public boolean has(String name) {
        return leaves.containsKey(name);
    }

    /** Number of parameters. */
    public long size() {
        return master.numel();
    }

    /** Updates made so far; survives a checkpoint. */
    public long updates() {
        return updates;
    }

    /**
     * One update from the leaves' gradients, which are cleared. The gradient is clipped to norm 1 as a whole.
     *
     * @param averaging decay of the moving average, in [0, 1)
     * @return the gradient's norm before clipping; an update with a norm that is not finite is skipped
     */
    public double update(double learningRate, double weightDecay, double averaging) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            List<Tensor> parts = new ArrayList<>();
            for (Tensor leaf : leaves.values()) {
                parts.add(leaf.grad().flatten());
            }
            Tensor gradient = Tensors.to(Ops.cat(0, parts.toArray(Tensor[]::new)), DType.FLOAT32);
            leaves.values().forEach(leaf -> leaf.grad().zero_());
            double norm = Tensors.item(gradient.norm());
            if (!Double.isFinite(norm)) {
                return norm;
            }
            updates++;
            gradient.mul_(new Scalar(Math.min(1, 1 / (norm + 1e-6))));
            for (long start = 0; start < matricesFrom; start += CHUNK) {
                adamW(gradient, start, Math.min(CHUNK, matricesFrom - start), learningRate, weightDecay, averaging);
            }
            for (Stack stack : stacks) {
                muon(gradient, stack, learningRate, weightDecay, averaging);
            }
            return norm;
        }
    }

    private void adamW(Tensor gradient, long start, long count, double learningRate, double weightDecay, double averaging) {
        double stepSize = learningRate / (1 - Math.pow(BETA1, updates));
        double rootCorrection = Math.sqrt(1 - Math.pow(BETA2, updates));
        try (Scope scope = Scope.open()) {
            Tensor g = gradient.narrow(0, start, count);
            Tensor m = mean.narrow(0, start, count).lerp_(g, new Scalar(1 - BETA1));
            Tensor v = square.narrow(0, start, count).mul_(new Scalar(BETA2)).addcmul_(g, g, new Scalar(1 - BETA2));
            Tensor root = v.sqrt().div_(new Scalar(rootCorrection)).add_(new Scalar(EPSILON));
            Tensor p = master.narrow(0, start, count);
            p.mul_(new Scalar(1 - learningRate * weightDecay)).addcdiv_(m, root, new Scalar(-stepSize));
            publish(p, start, count, averaging);
        }
    }

    /**
     * A step along the nearest orthogonal matrix to the momentum (Muon), about as long as an AdamW step of the same learning
     * rate (the scaling of arXiv 2502.16982).
     */
    private void muon(Tensor gradient, Stack stack, double learningRate, double weightDecay, double averaging) {
        try (Scope scope = Scope.open()) {
            Tensor g = gradient.narrow(0, stack.start, stack.count());
            Tensor m = mean.narrow(0, stack.start, stack.count()).lerp_(g, new Scalar(1 - MOMENTUM));
            Tensor direction = orthogonal(
                    g.lerp(m, new Scalar(MOMENTUM)).view(stack.matrices, stack.rows, stack.columns)).flatten();
            Tensor p = master.narrow(0, stack.start, stack.count());
            double stepSize = learningRate * MUON_GAIN * Math.sqrt(Math.max(stack.rows, stack.columns));
            p.mul_(new Scalar(1 - learningRate * weightDecay)).sub_(direction, new Scalar(stepSize));
            publish(p, stack.start, stack.count(), averaging);
        }
    }

    /**
     * Singular values near 1 in place of the matrices' own, by Newton-Schulz steps of degree five in bfloat16.
     *
     * @param matrices [n, rows, columns]
     */
    private static Tensor orthogonal(Tensor matrices) {
        boolean tall = matrices.size(1) > matrices.size(2);
        Tensor norms = matrices.square().sum(2).sum(1).sqrt().add(new Scalar(1e-7)).view(matrices.size(0), 1, 1);
        Tensor x = Tensors.to(matrices.div(norms), DType.BFLOAT16);
        x = tall ? x.transpose(1, 2).contiguous() : x;
        for (int i = 0; i < NEWTON_SCHULZ_STEPS; i++) {
            Tensor square = x.bmm(x.transpose(1, 2));
            Tensor correction = square.baddbmm(square, square, new Scalar(-4.7750), new Scalar(2.0315));
            x = x.baddbmm(correction, x, new Scalar(3.4445), new Scalar(1.0));
        }
        return Tensors.to(tall ? x.transpose(1, 2) : x, DType.FLOAT32);
    }

    private void publish(Tensor parameters, long start, long count, double averaging) {
        average.narrow(0, start, count).lerp_(parameters, new Scalar(1 - averaging));
        working.narrow(0, start, count).copy_(parameters);
    }

    /** The averaged parameters by name, float32; views that live as long as this object. */
    public Map<String, Tensor> averaged() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        long offset = 0;
        for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
            long count = Shapes.elements(entry.getValue());
            named.put(entry.getKey(), average.narrow(0, offset, count).view(entry.getValue()));
            offset += count;
        }
        return named;
    }

    /**
     * Writes the averaged parameters in bfloat16 for others to load, rounded to fewer significant bits than its eight: the file has
     * the same size and compresses better.
     *
     * @param significantBits 1 to 8
     */
    public void write(Path file, int significantBits) throws IOException {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Scalar split = new Scalar((1 << 24 - significantBits) + 1.0); // Veltkamp's splitting of a float32
            Map<String, Tensor> rounded = new LinkedHashMap<>();
            averaged().forEach((name, tensor) -> {
                Tensor scaled = tensor.mul(split);
                rounded.put(name, scaled.sub(scaled.sub(tensor)));
            });
            SafetensorsWriter.write(file, rounded, DType.BFLOAT16);
        }
    }

    /** The averaged parameters as a network takes them, copied in the element type given. */
    public Weights averagedWeights(DType dtype) {
        Map<String, Tensor> named = averaged();
        return new Weights() {
            @Override
            public Tensor get(String name, long... shape) {
                return Tensors.to(named.get(name), dtype);
            }

            @Override
            public boolean has(String name) {
                return named.containsKey(name);
            }
        };
    }

    /**
     * Starts from these parameters where they have the name, and from the initial values elsewhere; the moments of the gradient
     * start at zero.
     *
     * @param made updates that they have seen
     */
    public void startFrom(Map<String, Tensor> parameters, long made) {
        updates = made;
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            long offset = 0;
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                long count = Shapes.elements(entry.getValue());
                Tensor given = parameters.get(entry.getKey());
                if (given != null) {
                    master.narrow(0, offset, count).copy_(given.flatten());
                }
                offset += count;
            }
            average.copy_(master);
            working.copy_(master);
        }
    }

    /** Writes everything that {@link #restore} needs; written beside the target, then moved. */
    public void save(Path file) throws IOException {
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> all = new LinkedHashMap<>(state);
            all.put("updates", Tensors.of(new float[] {updates}, 1));
            SafetensorsWriter.write(file, all, DType.FLOAT32);
        }
    }

    public void restore(Path file) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Map<String, Tensor> saved = SafetensorsFile.open(file).readAll();
            state.forEach((name, tensor) -> tensor.copy_(saved.get(name)));
            working.copy_(master);
            updates = (long) Tensors.item(saved.get("updates"));
        }
    }
}
