package dev.likeness.inject;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.StepInjection;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.AttentionHook.Site;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.reference.Placement;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReferenceAttentionTest {

    private static final int ROWS = 2;
    private static final int COLUMNS = 3;
    private static final int TEXT = 4;

    private Scope scope;
    private FluxTransformer transformer;
    private ReferenceCache cache;

    @BeforeEach
    void make() {
        Ops.threads(1);
        scope = Scope.open();
        transformer = TinyModel.transformer();
        cache = ReferenceCache.inMemory(1 << 20);
    }

    @AfterEach
    void free() {
        cache.close();
        scope.close();
    }

    private ReferenceBranch branch(int seed) {
        Conditioning.Text text = new Conditioning.Text(Tensors.noise(seed, 1, TEXT, transformer.config().jointAttentionDim()),
                Tensors.noise(seed + 1, 1, transformer.config().pooledProjectionDim()));
        Tensor latents = Tensors.noise(seed + 2, 1, ROWS * COLUMNS, transformer.config().inChannels());
        return new ReferenceBranch(new Denoiser(transformer, Conditioning.of(text, null), ROWS, COLUMNS), step -> latents,
                cache, "r" + seed);
    }

    private static Placement to(long[] source, long... target) {
        return new Placement(source, target, new byte[source.length], 0);
    }

    @Test
    void referencesJoinInTheirOrderBetweenTheFirstStepAndTheLast() {
        Placed one = new Placed(branch(10), to(new long[] {4, 1}, 0, 3));
        Placed two = new Placed(branch(20), to(new long[] {2}, 5));
        StepInjection attention = new ReferenceAttention(List.of(one, two), Positions.TARGET, transformer, COLUMNS, 2, 4);
        assertThat(attention.hook(1, 0.8)).isSameAs(AttentionHook.NONE);
        assertThat(attention.hook(4, 0.2)).isSameAs(AttentionHook.NONE);
        assertThat(one.reference().evaluations() + two.reference().evaluations()).isZero();

        AttentionHook hook = attention.hook(2, 0.5);
        assertThat(one.reference().evaluations()).isEqualTo(1);
        assertThat(two.reference().evaluations()).isEqualTo(1);
        Tensor rotation = transformer.rotation(new double[] {0, 0, 0, 0, 1, 0, 0, 1, 2});
        for (int block = 0; block < 2; block++) {
            AttentionHook.Appended appended =
                    hook.appended(new Site(block, 2, 0.5, TEXT, ROWS * COLUMNS), Tensors.noise(1, 1, ROWS * COLUMNS, 32));
            List<float[]> inputs = List.of(inputs(one.reference(), block), inputs(two.reference(), block));
            float[] tokens = Tensors.floats(appended.tokens());
            assertThat(tokens).hasSize(3 * 32);
            assertRow(tokens, 0, inputs.get(0), 4);
            assertRow(tokens, 1, inputs.get(0), 1);
            assertRow(tokens, 2, inputs.get(1), 2);
            Tensor heads = Tensors.noise(1, 1, 2, 3, 16);
            assertThat(Tensors.floats(Ops.rotate(heads, appended.rotation())))
                    .isEqualTo(Tensors.floats(Ops.rotate(heads, rotation)));
        }
        assertThat(attention.hook(3, 0.3)).isNotSameAs(AttentionHook.NONE);
    }

    private static void assertRow(float[] tokens, int row, float[] inputs, int from) {
        assertThat(Arrays.copyOfRange(tokens, 32 * row, 32 * row + 32))
                .isEqualTo(Arrays.copyOfRange(inputs, 32 * from, 32 * from + 32));
    }

    /** Attention inputs of all tokens, by the branch itself; the test below has them from the network. */
    private float[] inputs(ReferenceBranch reference, int block) {
        long[] all = {0, 1, 2, 3, 4, 5};
        return Tensors.floats(reference.tokens(2, 0.5, all, ReplaceAt.ATTENTION).get(block));
    }

    @Test
    void theTokensAreTheAttentionInputsOrTheHiddenStatesOfThatStep() {
        List<float[]> seen = new ArrayList<>();
        AttentionHook watching = new AttentionHook() {
            @Override
            public Tensor hiddenStates(Site site, Tensor imageTokens) {
                seen.add(Tensors.floats(imageTokens));
                return imageTokens;
            }

            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                seen.add(Tensors.floats(imageTokens));
                return imageTokens;
            }
        };
        Conditioning.Text text = new Conditioning.Text(Tensors.noise(1, 1, TEXT, transformer.config().jointAttentionDim()),
                Tensors.noise(2, 1, transformer.config().pooledProjectionDim()));
        Denoiser denoiser = new Denoiser(transformer, Conditioning.of(text, null), ROWS, COLUMNS);
        Tensor latents = Tensors.noise(3, 1, ROWS * COLUMNS, transformer.config().inChannels());
        denoiser.velocity(latents, 1, 0.6, watching);
        ReferenceBranch reference = new ReferenceBranch(denoiser, step -> latents, cache, "r");
        long[] all = {0, 1, 2, 3, 4, 5};
        for (int block = 0; block < 2; block++) {
            assertThat(Tensors.floats(reference.tokens(1, 0.6, all, ReplaceAt.HIDDEN).get(block)))
                    .isEqualTo(seen.get(2 * block));
            assertThat(Tensors.floats(reference.tokens(1, 0.6, all, ReplaceAt.ATTENTION).get(block)))
                    .isEqualTo(seen.get(2 * block + 1));
        }
        assertThat(reference.evaluations()).isEqualTo(2);
    }
}
