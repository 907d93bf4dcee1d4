package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LatentColoursTest {

    @Test
    void theEmbeddedModelsLatentsShowTheColoursOfThePictureThatTheyEncode() {
        Picture picture = Pictures.read(Path.of("../examples/teapot-scene.png")).resize(256, 256).flatten(0xFFFFFF);
        Sampling sampling = new Sampling(256, 256, 1, 0, 1, "", 24, 0, 1);
        try (FluxModel model = FluxModel.open(Path.of("../models/toybox"), Device.CPU, DType.FLOAT32);
                Scope scope = Scope.open()) {
            Picture preview = model.preview(model.encode(picture), sampling);
            Picture small = picture.resize(32, 32);
            assertThat(preview.width()).isEqualTo(32);
            double error = distance(preview, small);
            double flat = distance(Picture.filled(32, 32, mean(small)), small);
            assertThat(error).as("%.1f levels, %.1f for the mean colour", error, flat).isLessThan(flat / 3);
        }
    }

    /** Root of the mean squared difference, in levels of 255. */
    private static double distance(Picture a, Picture b) {
        byte[] left = a.rgb();
        byte[] right = b.rgb();
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            double difference = (left[i] & 255) - (right[i] & 255);
            sum += difference * difference;
        }
        return Math.sqrt(sum / left.length);
    }

    private static int mean(Picture picture) {
        return picture.resize(1, 1).colour(0, 0);
    }
}
