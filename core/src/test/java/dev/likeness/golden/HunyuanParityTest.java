package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.bert.BertConfig;
import dev.likeness.model.bert.BertModel;
import dev.likeness.model.hunyuan.HunyuanDit2DConfig;
import dev.likeness.model.hunyuan.HunyuanDit2DModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HunyuanDiT's networks against diffusers' HunyuanDiT2DModel and transformers' BertModel and mT5 (golden/golden_hunyuan.py). */
class HunyuanParityTest {

    private static final int ROWS = 3;
    private static final int COLUMNS = 5;
    private static final int TOKENS = ROWS * COLUMNS;

    private Scope scope;
    private Golden golden;

    @BeforeEach
    void open() {
        scope = Scope.open();
        golden = Golden.open("hunyuan.safetensors");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /** Keeps what enters each self-attention; changes nothing. */
    private static final class Recorder implements SelfAttentionHook {
        private final Map<Integer, Tensor> inputs = new HashMap<>();
        private Site last;
        private long[] keys;

        @Override
        public Tensor attentionInput(Site site, Tensor tokens) {
            inputs.put(site.layer(), Scope.own(tokens));
            last = site;
            return tokens;
        }

        @Override
        public void attention(Site site, Tensor q, Tensor k) {
            keys = Tensors.shape(k);
        }
    }

    private static HunyuanDit2DModel model(String kind) {
        String file = "hunyuan-tiny/transformer" + (kind.equals("styled") ? "-styled" : "") + ".config.json";
        return new HunyuanDit2DModel(HunyuanDit2DConfig.read(Golden.path(file)), new SeededWeights("hunyuan-" + kind));
    }

    private HunyuanDit2DModel.Input input(HunyuanDit2DModel model, Tensor rotation) {
        Tensor sizes = model.config().useStyleCondAndImageMetaSize() ? golden.get("image_meta_size") : null;
        HunyuanDit2DModel.Condition condition = model.condition(golden.get("encoder_hidden_states"),
                golden.get("text_embedding_mask"), golden.get("encoder_hidden_states_t5"),
                golden.get("text_embedding_mask_t5"), sizes);
        return new HunyuanDit2DModel.Input(golden.get("hidden_states"), golden.get("timestep"), condition,
                rotation);
    }

    private HunyuanDit2DModel.Input input(HunyuanDit2DModel model) {
        return input(model, model.rotation(ROWS, COLUMNS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "styled"})
    void network(String kind) {
        HunyuanDit2DModel model = model(kind);
        Tensor out = model.forward(input(model), 0, SelfAttentionHook.NONE);
        Golden.assertClose(kind + ".out", out, golden.get(kind + ".out").narrow(1, 0, 4), Golden.NETWORK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "styled"})
    void everyBlockIsFedAsInThePublicCode(String kind) {
        HunyuanDit2DModel model = model(kind);
        Recorder recorder = new Recorder();
        model.forward(input(model), 7, recorder);
        assertThat(recorder.inputs).hasSize(model.layers());
        assertThat(recorder.last).isEqualTo(new SelfAttentionHook.Site(5, 6, 7, 981, ROWS, COLUMNS));
        golden.assertClose(recorder.inputs.get(0), kind + ".attention_input0", Golden.OP);
        golden.assertClose(recorder.inputs.get(1), kind + ".attention_input1", Golden.OP);
        golden.assertClose(recorder.inputs.get(5), kind + ".attention_input5", Golden.NETWORK); // with its skip
    }

    @ParameterizedTest
    @CsvSource({"3, 5", "6, 4", "10, 13"})
    void rotationOfGridsOfOtherProportions(int rows, int columns) {
        Tensor pairs = torch.view_as_real(model("plain").rotation(rows, columns));
        String name = "rotation." + rows + "x" + columns;
        golden.assertClose(pairs.select(2, 0), name + ".cos", 1e-5);
        golden.assertClose(pairs.select(2, 1), name + ".sin", 1e-5);
    }

    @Test
    void positionsOfTheUsualCanvasAreHalvesOfThoseAtHalfItsSize() {
        double[] large = HunyuanDit2DModel.positions(64, 64);
        assertThat(large[2 * 65]).isEqualTo(0.5); // second row, second column
        assertThat(large[2 * 65 + 1]).isEqualTo(0.5);
        assertThat(HunyuanDit2DModel.positions(32, 32)[2 * 33]).isEqualTo(1);
    }

    @Test
    void editedAttentionInputsReachTheOutputAndWatchingThemDoesNot() {
        HunyuanDit2DModel model = model("plain");
        float[] plain = Tensors.floats(model.forward(input(model), 0, SelfAttentionHook.NONE));
        assertThat(Tensors.floats(model.forward(input(model), 0, new Recorder()))).isEqualTo(plain);
        SelfAttentionHook doubled = new SelfAttentionHook() {
            @Override
            public Tensor attentionInput(Site site, Tensor tokens) {
                return site.layer() == 2 ? tokens.mul(new Scalar(2.0)) : tokens;
            }
        };
        assertThat(Tensors.floats(model.forward(input(model), 0, doubled))).isNotEqualTo(plain);
    }

    /** Each key twice, with its value and at its position, leaves every softmax what it was. */
    @Test
    void aSecondCopyOfAllTokensAtTheirOwnPositionsChangesNothingAndOneElsewhereDoes() {
        HunyuanDit2DModel model = model("plain");
        float[] plain = Tensors.floats(model.forward(input(model), 0, SelfAttentionHook.NONE));
        Recorder recorder = new Recorder();
        float[] same = Tensors.floats(model.forward(input(model), 0, copies(model.rotation(ROWS, COLUMNS)).then(recorder)));
        assertThat(recorder.keys).containsExactly(2, 2, 2 * TOKENS, 8);
        assertThat(Golden.relativeError(same, plain)).isLessThan(Golden.NETWORK);
        double[] moved = HunyuanDit2DModel.positions(ROWS, COLUMNS);
        for (int i = 1; i < moved.length; i += 2) {
            moved[i] += 32;
        }
        float[] elsewhere = Tensors.floats(model.forward(input(model), 0, copies(model.rotation(moved))));
        assertThat(Golden.relativeError(elsewhere, plain)).isGreaterThan(100 * Golden.NETWORK);
    }

    private static SelfAttentionHook copies(Tensor rotation) {
        return new SelfAttentionHook() {
            @Override
            public Appended appended(Site site, Tensor tokens) {
                return new Appended(tokens, rotation);
            }
        };
    }

    /** 0 where there is text, minus infinity where padding is: [B, 1, 1, L]. */
    private Tensor keyMask() {
        return torch.log(golden.get("text.mask").to(torch.ScalarType.Float)).unsqueeze(1).unsqueeze(1);
    }

    @Test
    void bertWithPadding() {
        BertModel model = new BertModel(BertConfig.read(Golden.path("hunyuan-tiny/text_encoder.config.json")),
                new SeededWeights("hunyuan-bert"));
        golden.assertClose(model.forward(golden.rows("text.ids"), keyMask()), "bert.last_hidden_state", Golden.NETWORK);
    }

    @Test
    void mt5WithPadding() {
        T5EncoderModel model = new T5EncoderModel(T5Config.read(Golden.path("hunyuan-tiny/text_encoder_2.config.json")),
                new SeededWeights("hunyuan-mt5"));
        golden.assertClose(model.forward(golden.rows("text.ids"), keyMask()), "mt5.last_hidden_state", Golden.NETWORK);
    }
}
