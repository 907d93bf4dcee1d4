package dev.likeness.features;

import dev.likeness.image.Picture;
import dev.likeness.model.clip.ClipConfig;
import dev.likeness.model.clip.ClipModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.Tokenizer;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Path;

/** CLIP with its tokenizer and preprocessing: pictures and texts to vectors of one space. */
public final class ClipEncoder implements ImageEncoder {

    private final Checkpoint weights;
    private final ClipModel model;
    private final Tokenizer tokenizer;
    private final Preprocessing preprocessing;
    private final int textLength;

    private ClipEncoder(EncoderFolder folder, DType dtype, Device device) {
        ClipConfig config = ClipConfig.read(folder.config());
        textLength = config.text().maxPositionEmbeddings();
        preprocessing = folder.preprocessing();
        weights = folder.weights(dtype, device);
        try {
            model = new ClipModel(config, weights);
            weights.finish(ClipModel.IGNORED_KEYS);
            tokenizer = Tokenizer.clip(folder.path());
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /**
     * Opens a folder such as openai/clip-vit-base-patch32 or openai/clip-vit-large-patch14.
     *
     * @throws dev.likeness.error.Refusal (model) when a file is missing or does not fit
     */
    public static ClipEncoder open(Path folder, DType dtype, Device device) {
        return new ClipEncoder(new EncoderFolder(folder), dtype, device);
    }

    @Override
    public float[] features(Picture picture) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(model.imageFeatures(preprocessing.pixels(picture)));
        }
    }

    /** The text's vector, of any length; a text of more tokens than CLIP takes is cut. */
    public float[] features(String text) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(model.textFeatures(new long[][] {tokenizer.encode(text, textLength)}));
        }
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
    }
}
