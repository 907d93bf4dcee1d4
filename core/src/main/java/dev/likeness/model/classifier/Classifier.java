package dev.likeness.model.classifier;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A small residual convolutional network that says which scene and which subject a picture shows, and where. Subjects are
 * told apart by the cosine between the picture's identity vector and one vector a subject (as in face recognition), so that
 * identity vectors compare subjects that it was never trained on.
 */
public final class Classifier {

    private static final int GROUPS = 16;
    private static final double EPSILON = 1e-5;

    private final Conv stem;
    private final List<Stage> stages = new ArrayList<>();
    private final Norm norm;
    private final Conv identity; // 1 x 1
    private final Conv saliency; // 1 x 1
    private final Tensor sceneWeight; // [S, C]
    private final Tensor sceneBias; // [S]
    private final Tensor subjects; // [K, D]

    public Classifier(ClassifierConfig config, Weights weights) {
        int in = config.widths().get(0);
        stem = new Conv(weights.at("stem"), 3, in, 3, 2);
        for (int i = 1; i < config.widths().size(); i++) {
            stages.add(new Stage(weights.at("stages", i - 1), in, config.widths().get(i)));
            in = config.widths().get(i);
        }
        norm = new Norm(weights.at("norm"), in);
        identity = new Conv(weights.at("identity"), in, config.identityWidth(), 1, 1);
        saliency = new Conv(weights.at("saliency"), in, 1, 1, 1);
        sceneWeight = weights.get("scene.weight", config.scenes().size(), in);
        sceneBias = weights.get("scene.bias", config.scenes().size());
        subjects = weights.get("subjects.weight", config.subjects().size() + config.unnamedSubjects(), config.identityWidth());
    }

    /**
     * What the network says.
     *
     * @param scenes [B, S] logits
     * @param identity [B, D], length 1
     * @param subjects [B, K] cosines
     * @param map [B, K, h, w] how much each position speaks for each subject: cosines times the position's share in the
     *     identity vector
     */
    public record Output(Tensor scenes, Tensor identity, Tensor subjects, Tensor map) {}

    /** @param pixels [B, 3, size, size] in [-1, 1] */
    public Output forward(Tensor pixels) {
        try (Scope scope = Scope.open()) {
            Tensor h = stem.forward(pixels);
            for (Stage stage : stages) {
                h = stage.forward(h);
            }
            h = Ops.silu(norm.forward(h)); // [B, C, h, w]
            Tensor pooled = h.flatten(2, 3).mean(2);
            Tensor vectors = identity.forward(h).flatten(2, 3); // [B, D, hw]
            Tensor share = Ops.softmax(saliency.forward(h).flatten(2, 3)); // [B, 1, hw]
            Tensor vector = Ops.unit(vectors.mul(share).sum(2)); // [B, D]
            Tensor classes = Ops.unit(subjects);
            Tensor map = classes.matmul(Ops.unit(vectors.transpose(1, 2)).transpose(1, 2)).mul(share);
            return new Output(scope.keep(Ops.linear(pooled, sceneWeight, sceneBias)), scope.keep(vector),
                    scope.keep(vector.matmul(classes.t())),
                    scope.keep(map.view(map.size(0), map.size(1), h.size(2), h.size(3))));
        }
    }

    private static final class Conv {
        private final Tensor weight; // [O, C, k, k]
        private final Tensor bias; // [O]
        private final int stride;

        Conv(Weights weights, int in, int out, int kernel, int stride) {
            weight = weights.get("weight", out, in, kernel, kernel);
            bias = weights.get("bias", out);
            this.stride = stride;
        }

        Tensor forward(Tensor x) {
            return Ops.conv2d(x, weight, bias, stride, weight.size(2) / 2);
        }
    }

    private static final class Norm {
        private final Tensor weight; // [C]
        private final Tensor bias; // [C]

        Norm(Weights weights, int channels) {
            weight = weights.get("weight", channels);
            bias = weights.get("bias", channels);
        }

        Tensor forward(Tensor x) {
            return Ops.groupNorm(x, GROUPS, weight, bias, EPSILON);
        }
    }

    /** Halves the size, then one residual block. */
    private static final class Stage {
        private final Conv halve;
        private final Norm norm1;
        private final Conv conv1;
        private final Norm norm2;
        private final Conv conv2;

        Stage(Weights weights, int in, int out) {
            halve = new Conv(weights.at("halve"), in, out, 3, 2);
            norm1 = new Norm(weights.at("norm1"), out);
            conv1 = new Conv(weights.at("conv1"), out, out, 3, 1);
            norm2 = new Norm(weights.at("norm2"), out);
            conv2 = new Conv(weights.at("conv2"), out, out, 3, 1);
        }

        Tensor forward(Tensor x) {
            try (Scope scope = Scope.open()) {
                Tensor h = halve.forward(x);
                Tensor update = conv1.forward(Ops.silu(norm1.forward(h)));
                return scope.keep(h.add(conv2.forward(Ops.silu(norm2.forward(update)))));
            }
        }
    }
}
