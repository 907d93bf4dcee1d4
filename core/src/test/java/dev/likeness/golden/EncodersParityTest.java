package dev.likeness.golden;

import dev.likeness.model.clip.ClipConfig;
import dev.likeness.model.clip.ClipModel;
import dev.likeness.model.clip.ClipVisionModel;
import dev.likeness.model.dino.Dinov2Config;
import dev.likeness.model.dino.Dinov2Model;
import dev.likeness.model.dino.VitConfig;
import dev.likeness.model.dino.VitModel;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Checkpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CLIP, DINO and DINOv2 against transformers' CLIPModel, ViTModel and Dinov2Model (golden/golden_encoders.py). */
class EncodersParityTest {

    private Scope scope;
    private Golden golden;

    @BeforeEach
    void open() {
        scope = Scope.open();
        golden = Golden.open("encoders.safetensors");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void clipPutsPicturesIntoTheSharedSpaceAndScalesTheirCosines() {
        try (Checkpoint weights = Golden.checkpoint("encoders/clip", "model")) {
            ClipModel model = new ClipModel(ClipConfig.read(Golden.path("encoders/clip/config.json")), weights);
            weights.finish(ClipModel.IGNORED_KEYS);
            golden.assertClose(model.imageFeatures(golden.get("clip.pixel_values")), "clip.image_features", Golden.NETWORK);
            golden.assertClose(model.logits(golden.get("clip.image_features"), golden.get("clip.text_features")),
                    "clip.logits_per_image", Golden.OP);
        }
    }

    /** The second time with a grid of 5 x 7 patches, of which the file knows 4 x 4. */
    @ParameterizedTest
    @CsvSource({"clip.pixel_values, clip.vision.pooler_output", "clip.larger.pixel_values, clip.larger.pooler_output"})
    void clipVisionTower(String pixels, String pooled) {
        try (Checkpoint weights = Golden.checkpoint("encoders/clip", "model")) {
            ClipConfig config = ClipConfig.read(Golden.path("encoders/clip/config.json"));
            ClipVisionModel model = new ClipVisionModel(config.vision(), weights);
            golden.assertClose(model.forward(golden.get(pixels)), pooled, Golden.NETWORK);
        }
    }

    /** The second time with a grid of 5 x 7 patches, of which the file knows 4 x 4, and rows of pixels that fill no patch. */
    @ParameterizedTest
    @ValueSource(strings = {"dino", "dino.larger"})
    void dino(String prefix) {
        try (Checkpoint weights = Golden.checkpoint("encoders/dino", "model")) {
            VitModel model = new VitModel(VitConfig.read(Golden.path("encoders/dino/config.json")), weights);
            weights.finish(VitModel.IGNORED_KEYS);
            golden.assertClose(model.forward(golden.get(prefix + ".pixel_values")), prefix + ".last_hidden_state",
                    Golden.NETWORK);
        }
    }

    /** Positions shrink from 14 x 14 to 6 x 6. */
    @Test
    void dinov2() {
        try (Checkpoint weights = Golden.checkpoint("encoders/dinov2", "model")) {
            Dinov2Model model = new Dinov2Model(Dinov2Config.read(Golden.path("encoders/dinov2/config.json")), weights);
            weights.finish(Dinov2Model.IGNORED_KEYS);
            golden.assertClose(model.forward(golden.get("dinov2.pixel_values")), "dinov2.last_hidden_state", Golden.NETWORK);
        }
    }
}
