package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.SelfAttentionHook;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.unet.UNet2DConditionModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.TrainableWeights;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The U-Net against diffusers' UNet2DConditionModel (golden/golden_unet.py), and what its hooks may do. */
class UnetParityTest {

    private interface Check {
        void of(UNet2DConditionModel unet, UNet2DConditionModel.Input input, Golden golden);
    }

    private static UNet2DConditionConfig config(String family) {
        return UNet2DConditionConfig.read(Golden.path("unet-" + family + "/config.json"));
    }

    private static void with(String family, Check check) {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint("unet-" + family, "diffusion_pytorch_model")) {
            UNet2DConditionModel unet = new UNet2DConditionModel(config(family), weights);
            weights.finish();
            Golden golden = Golden.open("unet.safetensors");
            check.of(unet, input(unet.config(), golden), golden);
        }
    }

    private static UNet2DConditionModel.Input input(UNet2DConditionConfig config, Golden golden) {
        boolean added = config.pooledWidth() > 0;
        return new UNet2DConditionModel.Input(golden.get("latents"), golden.get("timesteps"),
                golden.get("text").narrow(2, 0, config.crossAttentionDim()), added ? golden.get("pooled") : null,
                added ? golden.get("time_ids") : null);
    }

    /** Keeps what is shown; changes nothing. */
    private static final class Recorder implements SelfAttentionHook {
        private final List<Site> sites = new ArrayList<>();
        private final List<Tensor> inputs = new ArrayList<>();
        private final List<String> shapes = new ArrayList<>();

        @Override
        public Tensor attentionInput(Site site, Tensor tokens) {
            sites.add(site);
            inputs.add(Scope.own(tokens));
            return tokens;
        }

        @Override
        public void attention(Site site, Tensor q, Tensor k) {
            shapes.add(List.of(q.size(1), q.size(2), k.size(2), q.size(3)).toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sd21", "sdxl"})
    void wholeNetwork(String family) {
        with(family, (unet, input, golden) ->
                golden.assertClose(unet.forward(input, 0, SelfAttentionHook.NONE), family + ".out", Golden.NETWORK));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sd21", "sdxl"})
    void hooksSeeEveryLayerInTheOrderOfTheDataFlowAndChangeNothing(String family) {
        with(family, (unet, input, golden) -> {
            Recorder recorder = new Recorder();
            golden.assertClose(unet.forward(input, 3, recorder), family + ".out", Golden.NETWORK);
            assertThat(recorder.sites).hasSize(unet.layers());
            for (int i = 0; i < unet.layers(); i++) {
                SelfAttentionHook.Site site = recorder.sites.get(i);
                assertThat(site.layer()).isEqualTo(i);
                assertThat(site.layers()).isEqualTo(unet.layers());
                assertThat(site.step()).isEqualTo(3);
                assertThat(site.timestep()).isEqualTo(981);
                assertThat(recorder.inputs.get(i).size(1)).isEqualTo((long) site.rows() * site.columns());
            }
        });
    }

    @Test
    void layersAreTokensOfTheirOwnLevelsGrid() {
        with("sd15", (unet, input, golden) -> {
            Recorder recorder = new Recorder();
            unet.forward(input, 0, recorder);
            assertThat(recorder.sites.stream().map(site -> site.rows() + "x" + site.columns()))
                    .containsExactly("5x6", "3x3", "5x6", "5x6");
            // two heads at each level, however wide: attention_head_dim holds their number
            assertThat(recorder.shapes).startsWith("[2, 30, 30, 2]", "[2, 9, 9, 4]");
            golden.assertClose(recorder.inputs.get(1), "sd15.mid_input", Golden.NETWORK);
        });
    }

    /** Attention is the same with every key twice; and the layers' own weights make keys and values of what is appended. */
    @Test
    void appendedTokensJoinKeysAndValues() {
        with("sdxl", (unet, input, golden) -> {
            List<String> shapes = new ArrayList<>();
            SelfAttentionHook twice = new SelfAttentionHook() {
                @Override
                public Appended appended(Site site, Tensor tokens) {
                    return new Appended(tokens, null);
                }

                @Override
                public void attention(Site site, Tensor q, Tensor k) {
                    shapes.add(q.size(2) + " " + k.size(2));
                }
            };
            golden.assertClose(unet.forward(input, 0, twice), "sdxl.out", Golden.NETWORK);
            assertThat(shapes).startsWith("9 18");
            SelfAttentionHook strange = new SelfAttentionHook() {
                @Override
                public Appended appended(Site site, Tensor tokens) {
                    return new Appended(tokens.mul(new Scalar(-2.0)), null);
                }
            };
            assertThat(Golden.relativeError(Tensors.floats(unet.forward(input, 0, strange)),
                    Tensors.floats(golden.get("sdxl.out")))).isGreaterThan(100 * Golden.NETWORK);
            unet.forward(input, 0, twice.then(strange));
            assertThat(shapes).contains("9 27");
        });
    }

    /** Rows of the batch given another row's tokens at every layer attend as that row does. */
    @Test
    void editedTokensAreWhatIsAttended() {
        with("sd21", (unet, input, golden) -> {
            Tensor latents = Ops.repeat(input.latents().narrow(0, 0, 1), 2, 1, 1, 1);
            UNet2DConditionModel.Input same = new UNet2DConditionModel.Input(latents, input.timesteps(), input.text(), null, null);
            SelfAttentionHook second = new SelfAttentionHook() {
                @Override
                public Tensor attentionInput(Site site, Tensor tokens) {
                    return Ops.cat(0, tokens.narrow(0, 1, 1), tokens.narrow(0, 1, 1));
                }
            };
            Recorder own = new Recorder();
            unet.forward(same, 0, own);
            assertThat(own.inputs).anySatisfy(tokens ->
                    assertThat(Tensors.floats(tokens.select(0, 0))).isNotEqualTo(Tensors.floats(tokens.select(0, 1))));
            List<Integer> seen = new ArrayList<>();
            unet.forward(same, 0, second.then(new SelfAttentionHook() {
                @Override
                public void attention(Site site, Tensor q, Tensor k) {
                    seen.add(site.layer());
                    assertThat(Tensors.floats(q.select(0, 0))).isEqualTo(Tensors.floats(q.select(0, 1)));
                    assertThat(Tensors.floats(k.select(0, 0))).isEqualTo(Tensors.floats(k.select(0, 1)));
                }
            }));
            assertThat(seen).hasSize(unet.layers());
        });
    }

    /** As 2.1's are, whose config.json therefore has upcast_attention. */
    @Test
    void scoresBeyondFloat16DoNotOverflow() {
        try (Scope scope = Scope.open();
                Checkpoint stored = Checkpoint.open(Golden.path("unet-sd21"), "diffusion_pytorch_model", DType.FLOAT16, Device.CPU)) {
            Weights large = new Weights() {
                @Override
                public Tensor get(String name, long... shape) {
                    Tensor weight = stored.get(name, shape);
                    return name.matches(".*attn1\\.to_[qk]\\.weight") ? weight.mul(new Scalar(1000.0)) : weight;
                }

                @Override
                public boolean has(String name) {
                    return stored.has(name);
                }
            };
            UNet2DConditionModel unet = new UNet2DConditionModel(config("sd21"), large);
            UNet2DConditionModel.Input wide = input(unet.config(), Golden.open("unet.safetensors"));
            Tensor told = unet.forward(new UNet2DConditionModel.Input(Tensors.to(wide.latents(), DType.FLOAT16), wide.timesteps(),
                    Tensors.to(wide.text(), DType.FLOAT16), null, null), 0, SelfAttentionHook.NONE);
            for (float number : Tensors.floats(told)) {
                assertThat(number).isFinite();
            }
        }
    }

    /** In bfloat16, as the trainer runs networks; each weight matters to the loss. */
    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sdxl"})
    void gradientsReachEveryWeight(String family) {
        try (Scope scope = Scope.open()) {
            UNet2DConditionConfig config = config(family);
            long[] seed = {1};
            TrainableWeights weights = new TrainableWeights(given -> new UNet2DConditionModel(config, given),
                    (name, shape) -> Tensors.noise(seed[0]++, shape).mul(new Scalar(0.3)), name -> false);
            Set<String> names = weights.averaged().keySet();
            UNet2DConditionModel unet = new UNet2DConditionModel(config, weights);
            UNet2DConditionModel.Input wide = input(config, Golden.open("unet.safetensors"));
            UNet2DConditionModel.Input input = new UNet2DConditionModel.Input(half(wide.latents()), wide.timesteps(),
                    half(wide.text()), half(wide.pooled()), wide.timeIds());
            unet.forward(input, 0, SelfAttentionHook.NONE).square().sum().backward();
            for (String name : names) {
                Tensor gradient = weights.get(name).grad();
                assertThat(gradient.defined()).as("gradient of %s", name).isTrue();
                assertThat(Tensors.item(gradient.abs().sum())).as("gradient of %s", name).isPositive();
            }
            assertThat(weights.update(1e-3, 0, 0.9)).isFinite().isPositive();
        }
    }

    private static Tensor half(Tensor tensor) {
        return tensor == null ? null : Tensors.to(tensor, DType.BFLOAT16);
    }
}
