package dev.likeness.model.clip;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/** CLIP's two towers and the space they share, in the layout of transformers' {@code CLIPModel} (modeling_clip.py). */
public final class ClipModel {

    /** Keys that files may carry without use. */
    public static final String[] IGNORED_KEYS =
            Stream.of(ClipTextModel.IGNORED_KEYS, ClipVisionModel.IGNORED_KEYS).flatMap(Stream::of).toArray(String[]::new);

    private final ClipTextModel textModel;
    private final ClipVisionModel visionModel;
    private final Tensor visualProjection; // [p, d of the vision model]
    private final Tensor textProjection; // [p, d of the text model]
    private final Tensor logitScale; // []

    public ClipModel(ClipConfig config, Weights weights) {
        textModel = new ClipTextModel(config.text(), weights);
        visionModel = new ClipVisionModel(config.vision(), weights);
        visualProjection = weights.get("visual_projection.weight", config.projectionDim(), config.vision().hiddenSize());
        textProjection = weights.get("text_projection.weight", config.projectionDim(), config.text().hiddenSize());
        logitScale = weights.get("logit_scale");
    }

    /** @param pixels [B, 3, h, w], normalised @return [B, p], not normalised */
    public Tensor imageFeatures(Tensor pixels) {
        try (Scope scope = Scope.open()) {
            return scope.keep(Ops.linear(visionModel.forward(pixels), visualProjection, null));
        }
    }

    /** @param ids [B, L], L at most max_position_embeddings @return [B, p], not normalised */
    public Tensor textFeatures(long[][] ids) {
        try (Scope scope = Scope.open()) {
            return scope.keep(Ops.linear(textModel.forward(ids).pooled(), textProjection, null));
        }
    }

    /** Cosines of features [B, p] and [T, p] times the learned scale: [B, T], {@code logits_per_image}. */
    public Tensor logits(Tensor imageFeatures, Tensor textFeatures) {
        try (Scope scope = Scope.open()) {
            Tensor cosines = Ops.linear(Ops.unit(imageFeatures), Ops.unit(textFeatures), null);
            return scope.keep(cosines.mul(logitScale.exp()));
        }
    }
}
