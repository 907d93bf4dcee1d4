package dev.likeness.model.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** A pass for a hook's sake alone. */
class RecordTest {

    private static final int ROWS = 3;
    private static final int COLUMNS = 4;
    private static final int TEXT = 5;

    /** What a hook is asked about in every block, and the blocks whose attention was computed. */
    private static final class Recorder implements AttentionHook {
        private final Map<String, float[]> seen = new LinkedHashMap<>();
        private final Set<Integer> attended = new TreeSet<>();

        private void see(String what, Site site, Tensor tokens) {
            seen.put(what + " of " + site, Tensors.floats(Tensors.to(tokens, DType.FLOAT32)));
        }

        @Override
        public Tensor hiddenStates(Site site, Tensor imageTokens) {
            see("hidden states", site, imageTokens);
            return site.block() % 2 == 0 ? imageTokens : imageTokens.neg(); // an edit must reach what is shown after it
        }

        @Override
        public Tensor attentionInput(Site site, Tensor imageTokens) {
            see("attention input", site, imageTokens);
            return imageTokens;
        }

        @Override
        public Appended appended(Site site, Tensor imageTokens) {
            see("what may be appended to", site, imageTokens);
            return null;
        }

        @Override
        public void attention(Site site, Tensor q, Tensor k) {
            attended.add(site.block());
        }
    }

    @Test
    void showsWhatAWholePassShowsAndLeavesTheRestOfTheLastBlockOut() {
        Ops.threads(1);
        try (Scope scope = Scope.open()) {
            FluxTransformer transformer = TinyModel.transformer();
            FluxConfig config = transformer.config();
            FluxTransformer.Input input = new FluxTransformer.Input(
                    Tensors.noise(1, 2, ROWS * COLUMNS, config.inChannels()), Tensors.noise(2, 2, TEXT, config.jointAttentionDim()),
                    Tensors.noise(3, 2, config.pooledProjectionDim()), Tensors.of(new float[] {0.5f, 0.5f}, 2), null,
                    transformer.rotation(TEXT, ROWS, COLUMNS));
            FluxTransformer.Modulation modulation = transformer.modulation(input.pooledText(), input.sigmas(), null);

            Recorder whole = new Recorder();
            transformer.forward(input, modulation, 3, whole);
            Recorder alone = new Recorder();
            transformer.record(input, modulation, 3, alone);

            assertThat(alone.seen.keySet()).containsExactlyElementsOf(whole.seen.keySet());
            whole.seen.forEach((what, tokens) -> assertThat(alone.seen.get(what)).as(what).isEqualTo(tokens));
            int blocks = config.numLayers() + config.numSingleLayers();
            assertThat(whole.attended).hasSize(blocks);
            assertThat(alone.attended).hasSize(blocks - 1).doesNotContain(blocks - 1);
        }
    }
}
