package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Weights;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The autoencoder against diffusers' AutoencoderKL (golden/golden_vae.py): FLUX's kind, and Stable Diffusion's kind. */
class VaeParityTest {

    private interface Check {
        void of(AutoencoderKl vae, Golden golden);
    }

    private static void with(String folder, Check check) {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint(folder, "diffusion_pytorch_model")) {
            AutoencoderKlConfig config = AutoencoderKlConfig.read(Golden.path(folder + "/config.json"));
            AutoencoderKl vae = new AutoencoderKl(config, weights);
            weights.finish();
            check.of(vae, Golden.open("vae.safetensors"));
        }
    }

    @ParameterizedTest
    @CsvSource({"vae-tiny, vae", "vae-tiny-quant, vae-quant"})
    void pixelsToLatents(String folder, String prefix) {
        with(folder, (vae, golden) -> {
            golden.assertClose(vae.moments(golden.get("image")), prefix + ".moments", Golden.NETWORK);
            Tensor mean = vae.encode(golden.get("image"));
            golden.assertClose(mean, prefix + ".mean", Golden.NETWORK);
            golden.assertClose(vae.normalise(mean), prefix + ".scaled", Golden.NETWORK);
        });
    }

    @ParameterizedTest
    @CsvSource({"vae-tiny, vae", "vae-tiny-quant, vae-quant"})
    void latentsToPixels(String folder, String prefix) {
        with(folder, (vae, golden) -> {
            golden.assertClose(vae.decode(golden.get("latents")), prefix + ".decoded", Golden.NETWORK);
            golden.assertClose(vae.denormalise(golden.get(prefix + ".scaled")), prefix + ".mean", Golden.OP);
        });
    }

    @ParameterizedTest
    @CsvSource({"vae-tiny, vae", "vae-tiny-quant, vae-quant"})
    void logVarianceFollowsTheMean(String folder, String prefix) {
        with(folder, (vae, golden) -> {
            Tensor moments = vae.moments(golden.get("image"));
            long channels = vae.config().latentChannels();
            assertThat(moments.size(1)).isEqualTo(2 * channels);
            golden.assertClose(moments.narrow(1, channels, channels), prefix + ".logvar", Golden.NETWORK);
        });
    }

    /** Stable Diffusion 1 and 2 were published with other names in the attention. */
    @Test
    void attentionUnderItsOldNames() {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint("vae-tiny", "diffusion_pytorch_model")) {
            Map<String, String> names = Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");
            Weights old = new Weights() {
                private String today(String name) {
                    String part = name.replaceFirst(".*\\.mid_block\\.attentions\\.0\\.(.*)\\.(weight|bias)$", "$1");
                    return names.containsKey(part) ? name.replace(part, names.get(part)) : name;
                }

                @Override
                public Tensor get(String name, long... shape) {
                    return weights.get(today(name), shape);
                }

                @Override
                public boolean has(String name) {
                    return names.values().stream().noneMatch(name::contains) && weights.has(today(name));
                }
            };
            AutoencoderKl vae = new AutoencoderKl(AutoencoderKlConfig.read(Golden.path("vae-tiny/config.json")), old);
            weights.finish();
            Golden golden = Golden.open("vae.safetensors");
            golden.assertClose(vae.encode(golden.get("image")), "vae.mean", Golden.NETWORK);
        }
    }
}
