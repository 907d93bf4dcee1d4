package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.bert.BertConfig;
import dev.likeness.model.bert.BertModel;
import dev.likeness.model.clip.ClipConfig;
import dev.likeness.model.clip.ClipModel;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.dino.Dinov2Config;
import dev.likeness.model.dino.Dinov2Model;
import dev.likeness.model.dino.VitConfig;
import dev.likeness.model.dino.VitModel;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.hunyuan.HunyuanDit2DConfig;
import dev.likeness.model.hunyuan.HunyuanDit2DModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.model.unet.UNet2DConditionConfig;
import dev.likeness.model.unet.UNet2DConditionModel;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Real checkpoints load although they are not here: each network is built over the names and shapes that the public classes
 * have (golden/golden_manifests.py), on the meta device.
 */
class ManifestTest {

    /** Names and shapes in place of weights. Counts what is taken. */
    private static final class Manifest implements Weights {
        private final Map<String, long[]> shapes;
        private final Set<String> taken = new LinkedHashSet<>();

        private Manifest(Map<String, long[]> shapes) {
            this.shapes = shapes;
        }

        static Manifest read(String name) {
            return new Manifest(Golden.shapes("manifests/" + name + ".tsv"));
        }

        @Override
        public Tensor get(String name, long... shape) {
            assertThat(shapes).as("the checkpoint's weights").containsKey(name);
            assertThat(shape).as("shape of %s", name).isEqualTo(shapes.get(name));
            assertThat(taken.add(name)).as("%s is taken for the first time", name).isTrue();
            return Tensors.meta(shape);
        }

        @Override
        public boolean has(String name) {
            return shapes.containsKey(name);
        }

        long parameters() {
            return shapes.values().stream().mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b)).sum();
        }
    }

    private static void build(String name, Manifest manifest) {
        Path config = Golden.path("manifests/" + name + ".config.json");
        switch (name) {
            case "flux-dev", "flux-schnell" -> new FluxTransformer(FluxConfig.read(config), manifest);
            case "flux-vae", "sdxl-vae" -> new AutoencoderKl(AutoencoderKlConfig.read(config), manifest);
            case "sd15-unet", "sd21-unet", "sdxl-unet" ->
                new UNet2DConditionModel(UNet2DConditionConfig.read(config), manifest);
            case "clip-l", "sd21-text" -> new ClipTextModel(ClipTextConfig.read(config), manifest);
            case "sdxl-text-2" -> {
                ClipTextConfig text = ClipTextConfig.read(config);
                new ClipTextModel(text, manifest);
                manifest.get("text_projection.weight", text.projectionDim(), text.hiddenSize());
            }
            case "t5-xxl" -> new T5EncoderModel(T5Config.read(config), manifest);
            case "clip-vit-base-patch32", "clip-vit-large-patch14" -> new ClipModel(ClipConfig.read(config), manifest);
            case "dino-vits16", "dino-vits8" -> new VitModel(VitConfig.read(config), manifest);
            case "dinov2-small" -> {
                new Dinov2Model(Dinov2Config.read(config), manifest);
                manifest.shapes.keySet().removeAll(Set.of(Dinov2Model.IGNORED_KEYS));
            }
            case "hunyuan-dit-1.2", "hunyuan-dit-1.1" -> new HunyuanDit2DModel(HunyuanDit2DConfig.read(config), manifest);
            case "hunyuan-bert" -> {
                new BertModel(BertConfig.read(config), manifest);
                manifest.shapes.keySet().removeAll(Set.of(BertModel.IGNORED_KEYS));
            }
            case "mt5-xl" -> new T5EncoderModel(T5Config.read(config), manifest);
            default -> throw new IllegalArgumentException(name);
        }
    }

    @ParameterizedTest
    @CsvSource({"flux-dev, 1160, 11901408320", "flux-schnell, 1156, 11891178560", "flux-vae, 244, 83819683",
        "sd15-unet, 686, 859520964", "sd21-unet, 686, 865910724", "sdxl-unet, 1680, 2567463684",
        "sdxl-vae, 248, 83653863", "sd21-text, 372, 340387840", "sdxl-text-2, 517, 694659840", "clip-l, 196, 123060480", "t5-xxl, 219, 4762310656", "clip-vit-base-patch32, 398, 151277313",
        "clip-vit-large-patch14, 590, 427616513", "dino-vits16, 198, 21665664", "dino-vits8, 198, 21670272",
        "dinov2-small, 223, 22056576", "hunyuan-dit-1.2, 1544, 1499952032", "hunyuan-dit-1.1, 1545, 1516534048",
        "hunyuan-bert, 391, 352035840", "mt5-xl, 219, 1669958656"})
    void everyWeightOfTheCheckpointIsTakenOnceWithItsShape(String name, int weights, long parameters) {
        try (Scope scope = Scope.open()) {
            Manifest manifest = Manifest.read(name);
            assertThat(manifest.shapes).hasSize(weights);
            assertThat(manifest.parameters()).isEqualTo(parameters);
            build(name, manifest);
            assertThat(manifest.taken).containsExactlyInAnyOrderElementsOf(manifest.shapes.keySet());
        }
    }

    @Test
    void configurationsOfTheEncodersAreRead() {
        ClipConfig clip = ClipConfig.read(Golden.path("manifests/clip-vit-large-patch14.config.json"));
        assertThat(clip.projectionDim()).isEqualTo(768);
        assertThat(clip.text().eosTokenId()).isEqualTo(2);
        assertThat(clip.vision().grid()).isEqualTo(16);
        assertThat(clip.vision().hiddenAct()).isEqualTo("quick_gelu");
        assertThat(VitConfig.read(Golden.path("manifests/dino-vits8.config.json")).layerNormEps()).isEqualTo(1e-12);
        assertThat(Dinov2Config.read(Golden.path("manifests/dinov2-small.config.json")).imageSize()).isEqualTo(518);
    }

    @Test
    void configurationsOfStableDiffusionAreRead() {
        UNet2DConditionConfig old = UNet2DConditionConfig.read(Golden.path("manifests/sd15-unet.config.json"));
        assertThat(old.attentionHeadDim()).containsExactly(8, 8, 8, 8); // numbers of heads
        assertThat(old.useLinearProjection()).isFalse();
        assertThat(old.pooledWidth()).isZero();
        UNet2DConditionConfig xl = UNet2DConditionConfig.read(Golden.path("manifests/sdxl-unet.config.json"));
        assertThat(xl.transformerLayersPerBlock()).containsExactly(1, 2, 10);
        assertThat(xl.pooledWidth()).isEqualTo(1280);
        assertThat(AutoencoderKlConfig.read(Golden.path("manifests/sdxl-vae.config.json")).scalingFactor()).isEqualTo(0.13025);
    }

    @Test
    void configurationsOfFlux1AreRead() {
        FluxConfig dev = FluxConfig.read(Golden.path("manifests/flux-dev.config.json"));
        assertThat(dev.guidanceEmbeds()).isTrue();
        assertThat(dev.width()).isEqualTo(3072);
        assertThat(dev.axesDimsRope()).containsExactly(16, 56, 56); // not in the file: the public default
        assertThat(FluxConfig.read(Golden.path("manifests/flux-schnell.config.json")).guidanceEmbeds()).isFalse();
        AutoencoderKlConfig vae = AutoencoderKlConfig.read(Golden.path("manifests/flux-vae.config.json"));
        assertThat(vae.scalingFactor()).isEqualTo(0.3611);
        assertThat(vae.shiftFactor()).isEqualTo(0.1159);
        assertThat(vae.pixelsPerLatent()).isEqualTo(8);
        assertThat(ClipTextConfig.read(Golden.path("manifests/clip-l.config.json")).eosTokenId()).isEqualTo(2);
        assertThat(T5Config.read(Golden.path("manifests/t5-xxl.config.json")).feedForwardProj()).isEqualTo("gated-gelu");
        assertThat(SchedulerConfig.read(Golden.path("manifests/scheduler-dev.config.json")))
                .isEqualTo(new SchedulerConfig(3.0, true, 0.5, 1.15, 256, 4096));
        SchedulerConfig schnell = SchedulerConfig.read(Golden.path("manifests/scheduler-schnell.config.json"));
        assertThat(schnell.useDynamicShifting()).isFalse();
    }
}
