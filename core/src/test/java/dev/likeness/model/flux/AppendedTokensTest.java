package dev.likeness.model.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.model.flux.AttentionHook.Appended;
import dev.likeness.model.flux.AttentionHook.Site;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What joins the attention of a block, seen from outside the network. */
class AppendedTokensTest {

    private static final int ROWS = 3;
    private static final int COLUMNS = 4;
    private static final int IMAGE = ROWS * COLUMNS;
    private static final int TEXT = 5;
    private static final int WIDTH = 32; // of a token inside the network
    private static final int HALF_HEAD = 8;
    private static final Site SITE = new Site(0, 0, 0.5, TEXT, IMAGE);

    private Scope scope;
    private FluxTransformer transformer;

    @BeforeEach
    void make() {
        Ops.threads(1);
        scope = Scope.open();
        transformer = TinyModel.transformer();
    }

    @AfterEach
    void free() {
        scope.close();
    }

    private float[] forward(int text, AttentionHook hook) {
        FluxConfig config = transformer.config();
        FluxTransformer.Input input = new FluxTransformer.Input(Tensors.noise(1, 1, IMAGE, config.inChannels()),
                Tensors.noise(2, 1, text, config.jointAttentionDim()), Tensors.noise(3, 1, config.pooledProjectionDim()),
                Tensors.of(new float[] {0.5f}, 1), null, transformer.rotation(text, ROWS, COLUMNS));
        return Tensors.floats(transformer.forward(input, 0, hook));
    }

    private static AttentionHook appending(Function<Tensor, Appended> appended) {
        return new AttentionHook() {
            @Override
            public Appended appended(Site site, Tensor imageTokens) {
                return appended.apply(imageTokens);
            }
        };
    }

    private static AttentionHook editing(UnaryOperator<Tensor> edit) {
        return new AttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor imageTokens) {
                return edit.apply(imageTokens);
            }
        };
    }

    private static double difference(float[] a, float[] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }

    /** Rotary unit vectors of the image grid, moved down by so many rows. */
    private Tensor grid(int down) {
        double[] ids = new double[3 * IMAGE];
        for (int i = 0; i < IMAGE; i++) {
            ids[3 * i + 1] = i / COLUMNS + down;
            ids[3 * i + 2] = i % COLUMNS;
        }
        return transformer.rotation(ids);
    }

    /** Image tokens once more, where they are. */
    private Appended chosen(Tensor tokens, long... rows) {
        Tensor index = Tensors.of(rows, rows.length);
        return new Appended(Ops.selectRows(tokens, index), grid(0).index_select(0, index));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, TEXT})
    void appendingNothingChangesNothing(int text) {
        float[] plain = forward(text, AttentionHook.NONE);
        assertThat(forward(text, appending(tokens -> null))).isEqualTo(plain);
        assertThat(forward(text, appending(this::chosen))).isEqualTo(plain);
    }

    /** Without text every key stands there twice then, and a softmax over doubled keys shares out as before. */
    @Test
    void allTokensOnceMoreAtTheirOwnPlacesChangeNothing() {
        float[] plain = forward(0, AttentionHook.NONE);
        assertThat(difference(forward(0, appending(tokens -> new Appended(tokens, grid(0)))), plain)).isLessThan(1e-5);
        assertThat(difference(forward(0, appending(tokens -> new Appended(tokens, grid(3)))), plain)).isGreaterThan(1e-3);
        assertThat(difference(forward(0, appending(tokens -> chosen(tokens, 0))), plain)).isGreaterThan(1e-3);
        assertThat(difference(forward(TEXT, appending(tokens -> new Appended(tokens, grid(0)))),
                forward(TEXT, AttentionHook.NONE))).as("the text is outvoted").isGreaterThan(1e-3);
    }

    @Test
    void appendedTokensAreASetWithRepetitions() {
        float[] one = forward(TEXT, appending(tokens -> chosen(tokens, 7, 2, 2, 11)));
        assertThat(difference(forward(TEXT, appending(tokens -> chosen(tokens, 2, 11, 7, 2))), one)).isLessThan(1e-5);
        assertThat(difference(forward(TEXT, appending(tokens -> chosen(tokens, 7, 2, 11))), one)).isGreaterThan(1e-3);
    }

    /** In the double-stream block, which is 0, and in the single-stream one. */
    @Test
    void queriesAreTextAndImageAndKeysTheAppendedTokensAsWell() {
        List<Integer> blocks = new ArrayList<>();
        forward(TEXT, appending(tokens -> chosen(tokens, 7, 2)).then(new AttentionHook() {
            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                blocks.add(site.block());
                assertThat(Tensors.shape(q)).containsExactly(1, 2, TEXT + IMAGE, 2 * HALF_HEAD);
                assertThat(Tensors.shape(k)).containsExactly(1, 2, TEXT + IMAGE + 2, 2 * HALF_HEAD);
                assertThat(site.textTokens()).isEqualTo(TEXT);
                assertThat(site.imageTokens()).isEqualTo(IMAGE);
                for (int i = 0; i < 2; i++) { // a token at its own place has the key that it has in the picture
                    float[] appended = Tensors.floats(k.select(2, TEXT + IMAGE + i));
                    float[] own = Tensors.floats(k.select(2, TEXT + (i == 0 ? 7 : 2)));
                    assertThat(appended).containsExactly(own, within(1e-5f));
                }
            }
        }));
        assertThat(blocks).containsExactly(0, 1);
    }

    @Test
    void whatIsAppendedIsMadeFromTheTokensBeforeTheirEdit() {
        List<float[]> seen = new ArrayList<>();
        AttentionHook watching = appending(tokens -> {
            seen.add(Tensors.floats(tokens));
            return null;
        });
        List<float[]> inputs = new ArrayList<>();
        AttentionHook halving = editing(tokens -> {
            inputs.add(Tensors.floats(tokens));
            return tokens.mul(new Scalar(0.5));
        });
        float[] halved = forward(TEXT, halving.then(watching));
        assertThat(halved).isNotEqualTo(forward(TEXT, AttentionHook.NONE));
        assertThat(seen).hasSize(2);
        assertThat(inputs).hasSize(2);
        assertThat(seen.get(0)).isEqualTo(inputs.get(0));
        assertThat(seen.get(1)).isEqualTo(inputs.get(1));
    }

    private static Appended numbered(int from, int count) {
        float[] tokens = new float[count * WIDTH];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = from + i;
        }
        double[] angles = new double[count * HALF_HEAD];
        Arrays.fill(angles, from);
        return new Appended(Tensors.of(tokens, 1, count, WIDTH), Ops.unitVectors(Tensors.of(angles, count, HALF_HEAD)));
    }

    @Test
    void hooksAppendOneAfterTheOther() {
        AttentionHook first = appending(tokens -> numbered(0, 2));
        AttentionHook second = appending(tokens -> numbered(1000, 3));
        Appended both = first.then(second).appended(SITE, null);
        assertThat(Tensors.shape(both.tokens())).containsExactly(1, 5, WIDTH);
        assertThat(Tensors.floats(both.tokens().narrow(1, 0, 2))).isEqualTo(Tensors.floats(numbered(0, 2).tokens()));
        assertThat(Tensors.floats(both.tokens().narrow(1, 2, 3))).isEqualTo(Tensors.floats(numbered(1000, 3).tokens()));
        assertThat(Tensors.shape(both.rotation())).containsExactly(5, HALF_HEAD);
        Tensor heads = Tensors.noise(1, 1, 2, 5, 2 * HALF_HEAD);
        Tensor apart = Ops.cat(2, Ops.rotate(heads.narrow(2, 0, 2), numbered(0, 2).rotation()),
                Ops.rotate(heads.narrow(2, 2, 3), numbered(1000, 3).rotation()));
        assertThat(Tensors.floats(Ops.rotate(heads, both.rotation()))).isEqualTo(Tensors.floats(apart));
    }

    @Test
    void aHookThatAppendsNothingLeavesTheOthersTokens() {
        AttentionHook some = appending(tokens -> numbered(0, 2));
        AttentionHook nothing = appending(tokens -> null);
        for (AttentionHook hook : List.of(some.then(nothing), nothing.then(some), some.then(AttentionHook.NONE),
                AttentionHook.NONE.then(some))) {
            assertThat(Tensors.floats(hook.appended(SITE, null).tokens())).isEqualTo(Tensors.floats(numbered(0, 2).tokens()));
        }
        assertThat(nothing.then(nothing).appended(SITE, null)).isNull();
        assertThat(AttentionHook.NONE.appended(SITE, null)).isNull();
    }

    @Test
    void hooksEditAndSeeInTheirOrder() {
        AttentionHook plusOne = editing(tokens -> tokens.add(new Scalar(1)));
        AttentionHook twice = editing(tokens -> tokens.mul(new Scalar(2)));
        Tensor three = Tensors.of(new float[] {3}, 1, 1, 1);
        assertThat(Tensors.item(plusOne.then(twice).attentionInput(SITE, three))).isEqualTo(8);
        assertThat(Tensors.item(twice.then(plusOne).attentionInput(SITE, three))).isEqualTo(7);
        List<String> shown = new ArrayList<>();
        showing(shown, "one").then(showing(shown, "two")).attention(SITE, three, three);
        assertThat(shown).containsExactly("one", "two");
    }

    private static AttentionHook showing(List<String> shown, String name) {
        return new AttentionHook() {
            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                shown.add(name);
            }
        };
    }
}
