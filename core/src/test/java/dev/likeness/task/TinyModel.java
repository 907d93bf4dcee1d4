package dev.likeness.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Picture;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.model.vae.AutoencoderKlConfig;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.ToyTextEncoders;
import dev.likeness.weights.SafetensorsWriter;
import dev.likeness.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/** A whole FLUX.1 model folder with random weights, small enough to draw a picture in a fraction of a second. */
public final class TinyModel {

    /** Side of the pictures that it draws by default: 4 x 4 tokens. */
    public static final int SIDE = 64;
    public static final int STEPS = 4;

    private static final int LATENT_CHANNELS = 4;
    private static final FluxConfig TRANSFORMER = new FluxConfig(4 * LATENT_CHANNELS, null, 1, 1, 16, 2,
            ToyTextEncoders.WIDTH, ToyTextEncoders.WIDTH, false, List.of(4, 6, 6), null);
    private static final AutoencoderKlConfig VAE =
            new AutoencoderKlConfig(3, 3, List.of(8, 8, 16, 16), 1, LATENT_CHANNELS, 4, 1.0, 0.0, false, false, false);

    private TinyModel() {}

    /** Writes the folder; the same files every time. */
    public static Path write(Path folder) throws IOException {
        Ops.threads(1); // tensors this small are slower on several
        ToyTextEncoders.write(folder, List.of("a", "fox", "house", "in", "on", "snow", "the"), Set.of("a", "in", "on", "the"), 1);
        writeWeights(folder.resolve("transformer"), weights -> new FluxTransformer(TRANSFORMER, weights));
        writeWeights(folder.resolve("vae"), weights -> new AutoencoderKl(VAE, weights));
        Files.writeString(folder.resolve("transformer/config.json"), """
                {"_class_name": "FluxTransformer2DModel", "attention_head_dim": 16, "axes_dims_rope": [4, 6, 6],
                 "guidance_embeds": false, "in_channels": 16, "joint_attention_dim": %d, "num_attention_heads": 2,
                 "num_layers": 1, "num_single_layers": 1, "out_channels": null, "patch_size": 1,
                 "pooled_projection_dim": %d}
                """.formatted(ToyTextEncoders.WIDTH, ToyTextEncoders.WIDTH));
        Files.writeString(folder.resolve("vae/config.json"), """
                {"_class_name": "AutoencoderKL", "block_out_channels": [8, 8, 16, 16], "in_channels": 3,
                 "latent_channels": 4, "layers_per_block": 1, "mid_block_add_attention": false, "norm_num_groups": 4,
                 "out_channels": 3, "scaling_factor": 1.0, "shift_factor": 0.0, "use_quant_conv": false,
                 "use_post_quant_conv": false}
                """);
        write(folder, "scheduler/scheduler_config.json", json -> json
                .put("_class_name", "FlowMatchEulerDiscreteScheduler").put("shift", 3.0).put("use_dynamic_shifting", true));
        write(folder, "model_index.json", json -> json.put("_class_name", "FluxPipeline"));
        write(folder, "likeness.json", json -> json.put("width", SIDE).put("height", SIDE).put("steps", STEPS)
                .put("guidance_scale", 0).put("true_cfg_scale", 2).put("max_sequence_length", 8).put("tau", 0.5)
                .put("replace_at", "ATTENTION").put("reference_noise", true)
                .put("perturb", false).put("inpaint_tau", 0.2).put("outpaint_tau", 0.3));
        return folder;
    }

    /** The folder's transformer alone, its weights owned by the open scope. */
    public static FluxTransformer transformer() {
        SplittableRandom random = new SplittableRandom(3);
        return new FluxTransformer(TRANSFORMER, new Weights() {
            @Override
            public Tensor get(String name, long... shape) {
                return random(random, name, shape);
            }

            @Override
            public boolean has(String name) {
                return true;
            }
        });
    }

    /** A subject with alpha on a transparent ground: an orange box with a dark stripe, 32 x 32 in a picture of 64 x 64. */
    public static Picture subject() {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        byte[] alpha = new byte[SIDE * SIDE];
        for (int y = 16; y < 48; y++) {
            for (int x = 16; x < 48; x++) {
                int i = y * SIDE + x;
                alpha[i] = (byte) 255;
                rgb[3 * i] = (byte) (x % 8 < 2 ? 40 : 240);
                rgb[3 * i + 1] = (byte) (x % 8 < 2 ? 20 : 130);
                rgb[3 * i + 2] = (byte) (4 * y);
            }
        }
        return Picture.of(SIDE, SIDE, rgb, alpha);
    }

    private static void write(Path folder, String name, Consumer<ObjectNode> content) throws IOException {
        ObjectNode json = new ObjectMapper().createObjectNode();
        content.accept(json);
        Files.createDirectories(folder.resolve(name).getParent());
        Files.writeString(folder.resolve(name), json.toPrettyString());
    }

    private static void writeWeights(Path folder, Consumer<Weights> network) throws IOException {
        Files.createDirectories(folder);
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            SplittableRandom random = new SplittableRandom(3);
            network.accept(new Weights() {
                @Override
                public Tensor get(String name, long... shape) {
                    Tensor tensor = random(random, name, shape);
                    tensors.put(name, tensor);
                    return tensor;
                }

                @Override
                public boolean has(String name) {
                    return true;
                }
            });
            SafetensorsWriter.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors, DType.FLOAT32);
        }
    }

    /** Every weight matters, and signals keep about their size from layer to layer. */
    private static Tensor random(SplittableRandom random, String name, long[] shape) {
        int count = 1;
        int inputs = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            count *= (int) shape[axis];
            inputs *= axis == 0 ? 1 : (int) shape[axis];
        }
        boolean scale = shape.length == 1 && name.endsWith("weight");
        double deviation = shape.length == 1 ? 0.1 : 1 / Math.sqrt(inputs);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) ((scale ? 1 : 0) + deviation * random.nextGaussian());
        }
        return Tensors.of(values, shape);
    }
}
