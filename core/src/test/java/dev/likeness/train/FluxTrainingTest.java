package dev.likeness.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.denoise.Conditioning;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
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
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxTrainingTest {

    private static final int SIDE = 32;
    private static final double RATE = 1; // the first updates take a hundredth of it
    private static final FluxConfig CONFIG = new FluxConfig(16, null, 1, 1, 8, 2, 8, 8, false, List.of(4, 2, 2), null);
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

    private static Conditioning.Text captions(List<String> captions) {
        Tensor[] tokens = captions.stream().map(caption -> Tensors.noise(caption.hashCode(), 2, 8)).toArray(Tensor[]::new);
        Tensor[] pooled = captions.stream().map(caption -> Tensors.noise(caption.hashCode(), 8)).toArray(Tensor[]::new);
        return new Conditioning.Text(Ops.stack(0, tokens), Ops.stack(0, pooled));
    }

    private static FluxTraining training(Path work, long until) {
        return new FluxTraining(data, vae, FluxTrainingTest::captions, CONFIG, work.resolve("state.safetensors"),
                List.of(new FluxTraining.Stage(until, SIDE, 2, 2, RECIPE)), RATE);
    }

    private static List<String> run(FluxTraining training) throws IOException {
        List<String> log = new ArrayList<>();
        training.run(log::add, () -> {});
        return log;
    }

    private static float[] velocity(FluxTraining training, Float guidance) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            FluxTransformer network = new FluxTransformer(training.config(), training.weights().averagedWeights(DType.FLOAT32));
            Tensor scale = guidance == null ? null : Tensors.of(new float[] {guidance}, 1);
            FluxTransformer.Input input = new FluxTransformer.Input(Tensors.noise(5, 1, 4, 16), Tensors.noise(6, 1, 2, 8),
                    Tensors.noise(7, 1, 8), Tensors.of(new float[] {0.6f}, 1), scale, network.rotation(2, 2, 2));
            return Tensors.floats(network.forward(input, 0, AttentionHook.NONE));
        }
    }

    @Test
    void aStoppedRunGoesOnWhereItWas(@TempDir Path work) throws IOException {
        run(training(work, 2));
        FluxTraining resumed = training(work, 3);
        assertThat(resumed.weights().updates()).isEqualTo(2);
        run(resumed);
        assertThat(resumed.weights().updates()).isEqualTo(3);
        assertThat(run(training(work, 3))).as("nothing is left to do").hasSize(1);
    }

    @Test
    void distillationBeginsAsItsTeacherWhateverTheGuidanceAndThenHeedsIt(@TempDir Path work) throws IOException {
        FluxTraining taught = training(work, 2);
        run(taught);
        FluxTraining student = taught.distillation(work.resolve("distilled.safetensors"),
                List.of(new FluxTraining.Stage(3, SIDE, 2, 2, RECIPE)), RATE);
        assertThat(velocity(student, 1f)).containsExactly(velocity(taught, null));
        assertThat(velocity(student, 4f)).containsExactly(velocity(taught, null));

        run(student);
        assertThat(velocity(student, 4f)).isNotEqualTo(velocity(student, 1f));
        assertThat(velocity(taught, null)).as("the teacher stays").isEqualTo(velocity(training(work, 2), null));
    }
}
