package dev.likeness.features;

import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.model.ConfigJson;
import dev.likeness.model.dino.Dinov2Config;
import dev.likeness.model.dino.Dinov2Model;
import dev.likeness.model.dino.VitConfig;
import dev.likeness.model.dino.VitModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** DINO or DINOv2 with its preprocessing; a picture's vector is the class token after the final norm. */
public final class DinoEncoder implements ImageEncoder {

    private final Checkpoint weights;
    private final UnaryOperator<Tensor> model; // pixels [B, 3, h, w] to tokens [B, 1 + N, d]
    private final Preprocessing preprocessing;

    private DinoEncoder(EncoderFolder folder, Preprocessing preprocessing, DType dtype, Device device) {
        this.preprocessing = preprocessing;
        String type = ConfigJson.text(folder.config(), "model_type");
        weights = folder.weights(dtype, device);
        try {
            model = switch (type) {
                case "vit" -> {
                    VitModel vit = new VitModel(VitConfig.read(folder.config()), weights);
                    weights.finish(VitModel.IGNORED_KEYS);
                    yield vit::forward;
                }
                case "dinov2" -> {
                    Dinov2Model dinov2 = new Dinov2Model(Dinov2Config.read(folder.config()), weights);
                    weights.finish(Dinov2Model.IGNORED_KEYS);
                    yield dinov2::forward;
                }
                default -> throw Refusal.model("%s is not supported: model_type is \"%s\", and only vit (DINO) and dinov2 are.",
                        folder.config(), type);
            };
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /**
     * Opens a folder such as facebook/dino-vits16, facebook/dino-vits8 or facebook/dinov2-small; pictures are preprocessed as
     * its preprocessor_config.json says.
     *
     * @throws Refusal (model) when a file is missing or does not fit
     */
    public static DinoEncoder open(Path path, DType dtype, Device device) {
        EncoderFolder folder = new EncoderFolder(path);
        return new DinoEncoder(folder, folder.preprocessing(), dtype, device);
    }

    /** The same with other preprocessing than the folder's, such as {@link Preprocessing#DINO_SCORES}. */
    public static DinoEncoder open(Path path, Preprocessing preprocessing, DType dtype, Device device) {
        return new DinoEncoder(new EncoderFolder(path), preprocessing, dtype, device);
    }

    @Override
    public float[] features(Picture picture) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(model.apply(preprocessing.pixels(picture)).select(1, 0));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
