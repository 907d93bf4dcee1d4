package dev.likeness.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.data.Recipe;
import dev.likeness.train.data.SyntheticSprites;
import dev.likeness.train.data.ToyboxData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UNetTrainingTest {

    private static final int SIDE = 32;
    private static final UNet2DConditionConfig CONFIG = new UNet2DConditionConfig(null, 4, 4,
            List.of("DownBlock2D", "CrossAttnDownBlock2D"), List.of("CrossAttnUpBlock2D", "UpBlock2D"), List.of(8, 16), 1, 8,
            List.of(2), List.of(1), 4, 1e-5, true, false, null, null, null);
    private static final Recipe RECIPE = Recipe.ANYWHERE.withMaxSubjects(80);

    @TempDir
    private static Path folder;
    private static ToyboxData data;
    private static AutoencoderKl vae;

    @BeforeAll
    static void load() throws IOException {
        SyntheticSprites.writeAll(folder.resolve("sprites"));
        data = ToyboxData.load(folder.resolve("sprites"));
        AutoencoderKlConfig config = new AutoencoderKlConfig(3, 3, List.of(8, 8, 8, 8), 1, 4, 4, 1.0, 0.0, false, false, false);
        TrainableWeights random = new TrainableWeights(w -> new AutoencoderKl(config, w), Initial.scaled(1, name -> false, 1),
                name -> false);
        vae = new AutoencoderKl(config, random.averagedWeights(DType.BFLOAT16));
    }

    private static Tensor captions(List<String> captions) {
        return Ops.stack(0, captions.stream().map(caption -> Tensors.noise(caption.hashCode(), 2, 8)).toArray(Tensor[]::new));
    }

    private static UNetTraining.Stage stage(long until) {
        return new UNetTraining.Stage(until, SIDE, 4, 1, RECIPE);
    }

    private static UNetTraining training(Path work, long until) {
        return new UNetTraining(data, vae, UNetTrainingTest::captions, CONFIG, work.resolve("state.safetensors"),
                List.of(stage(until)), 0.02);
    }

    private static List<String> run(UNetTraining training) throws IOException {
        List<String> log = new ArrayList<>();
        training.run(log::add, () -> {});
        return log;
    }

    private static double loss(UNetTraining training) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            LatentPool pool = new LatentPool(vae);
            pool.add(List.of(data.draw(1, SIDE, RECIPE), data.draw(2, SIDE, RECIPE), data.draw(3, SIDE, RECIPE)));
            double sum = 0;
            for (int i = 0; i < 8; i++) {
                SplittableRandom random = new SplittableRandom(i);
                sum += Tensors.item(training.loss(stage(1), pool.draw(8, random), i, random));
            }
            return sum / 8;
        }
    }

    private static Map<String, float[]> weights(UNetTraining training) {
        Map<String, float[]> values = new TreeMap<>();
        training.weights().averaged().forEach((name, tensor) -> values.put(name, Tensors.floats(tensor)));
        return values;
    }

    @Test
    void theLossFallsAndAStoppedRunGoesOnFromTheSameWeights(@TempDir Path work) throws IOException {
        UNetTraining first = training(work, 40);
        double before = loss(first);
        run(first);
        assertThat(loss(first)).isLessThan(0.9 * before);

        UNetTraining resumed = training(work, 41);
        assertThat(resumed.weights().updates()).isEqualTo(40);
        assertThat(loss(resumed)).isEqualTo(loss(first));
        Map<String, float[]> mine = weights(first);
        weights(resumed).forEach((name, values) -> assertThat(values).as(name).isEqualTo(mine.get(name)));
        run(resumed);
        assertThat(resumed.weights().updates()).isEqualTo(41);
        assertThat(run(training(work, 41))).as("nothing is left to do").hasSize(1);
        assertThat(work.resolve("samples-unet-000041.png")).exists();
    }
}
