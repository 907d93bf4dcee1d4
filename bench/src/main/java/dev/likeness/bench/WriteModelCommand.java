package dev.likeness.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.Shapes;
import dev.likeness.weights.Weights;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A model folder of the real shapes with generated weights, to measure memory and time where the real ones are not. */
@Command(name = "write-model", mixinStandardHelpOptions = true,
        description = "Writes a model folder with a transformer of FLUX.1-dev's size (11.9 B parameters; 24 GB in bf16, 12 in fp8, 7 in "
                + "q4_0) and generated weights, tiny text encoders and Toybox's autoencoder. It draws nothing but noise.")
final class WriteModelCommand implements Callable<Integer> {

    /** Of the transformer. */
    enum Size {
        /** FLUX.1-dev. */
        DEV(19, 38, 24),
        /** 0.6 B parameters. */
        MID(4, 6, 12),
        /** 1.6 M parameters: to see that the commands work. */
        TINY(1, 1, 1);

        private final int doubleBlocks;
        private final int singleBlocks;
        private final int heads;

        Size(int doubleBlocks, int singleBlocks, int heads) {
            this.doubleBlocks = doubleBlocks;
            this.singleBlocks = singleBlocks;
            this.heads = heads;
        }
    }

    /** Types of the transformer's matrices. */
    enum Format { BF16, FP8, Q4_0 }

    /** The transformer's file where the format is q4_0. */
    static final String GGUF = "transformer.gguf";

    private static final int BLOCK = 1 << 20; // numbers that are drawn; tensors repeat them
    private static final int GGUF_ALIGNMENT = 32;
    private static final int T5_WIDTH = 4096;
    private static final int CLIP_WIDTH = 768;

    @Parameters(paramLabel = "DIR", description = "folder to write, which must not exist")
    Path folder;

    @Option(names = "--size", defaultValue = "DEV", description = "dev, mid (0.6 B parameters) or tiny (default: dev)")
    Size size;

    @Option(names = "--format", defaultValue = "BF16", description = "bf16, fp8 or q4_0 (default: bf16)")
    Format format;

    private final Path toybox = Path.of(System.getProperty("likeness.home"), "models/toybox");
    private final Map<String, byte[]> blocks = new HashMap<>();

    static void write(Path folder, Size size, Format format) throws IOException {
        WriteModelCommand command = new WriteModelCommand();
        command.folder = folder;
        command.size = size;
        command.format = format;
        command.call();
    }

    @Override
    public Integer call() throws IOException {
        if (Files.exists(folder)) {
            throw new FileAlreadyExistsException(folder.toString());
        }
        for (String part : List.of("scheduler", "tokenizer", "tokenizer_2", "vae")) {
            copy(toybox.resolve(part), folder.resolve(part));
        }
        Files.copy(toybox.resolve("model_index.json"), folder.resolve("model_index.json"));
        json("likeness.json", toybox.resolve("likeness.json"), json -> json.put("guidance_scale", 3.5).put("true_cfg_scale", 1)
                .put("max_sequence_length", 512));
        json("transformer/config.json", toybox.resolve("transformer/config.json"), json -> {
            json.put("attention_head_dim", 128).put("num_attention_heads", size.heads).put("num_layers", size.doubleBlocks);
            json.put("num_single_layers", size.singleBlocks).put("joint_attention_dim", T5_WIDTH);
            json.put("pooled_projection_dim", CLIP_WIDTH).put("guidance_embeds", true);
            json.putArray("axes_dims_rope").add(16).add(56).add(56);
        });
        json("text_encoder/config.json", toybox.resolve("text_encoder/config.json"), json -> json.put("hidden_size", CLIP_WIDTH)
                .put("intermediate_size", CLIP_WIDTH).put("num_attention_heads", 12).put("projection_dim", CLIP_WIDTH));
        json("text_encoder_2/config.json", toybox.resolve("text_encoder_2/config.json"), json -> json.put("d_model", T5_WIDTH));
        ModelFiles files = ModelFiles.of(folder);
        safetensors("text_encoder/model", Format.BF16,
                Weights.shapes(weights -> new ClipTextModel(ClipTextConfig.read(files), weights)));
        safetensors("text_encoder_2/model", Format.BF16, Weights.shapes(weights -> new T5EncoderModel(T5Config.read(files), weights)));
        Map<String, long[]> transformer =
                Weights.shapes(weights -> new FluxTransformer(FluxConfig.read(folder.resolve("transformer/config.json")), weights));
        if (format == Format.Q4_0) {
            gguf(transformer);
        } else {
            safetensors("transformer/diffusion_pytorch_model", format, transformer);
        }
        System.err.printf("%s: %d parameters of the transformer%s%n", folder,
                transformer.values().stream().mapToLong(Shapes::elements).sum(),
                format == Format.Q4_0 ? "; use it with --transformer " + folder.resolve(GGUF) : "");
        return 0;
    }

    private void safetensors(String name, Format kind, Map<String, long[]> shapes) throws IOException {
        ObjectNode header = new ObjectMapper().createObjectNode();
        long at = 0;
        for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
            boolean narrow = kind == Format.FP8 && tensor.getValue().length == 2;
            ObjectNode place = header.putObject(tensor.getKey()).put("dtype", narrow ? "F8_E4M3" : "BF16");
            Arrays.stream(tensor.getValue()).forEach(place.withArray("shape")::add);
            long end = at + Shapes.elements(tensor.getValue()) * (narrow ? 1 : 2);
            place.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        String text = header.toString();
        text += " ".repeat((8 - text.length() % 8) % 8);
        try (OutputStream out = output(name + ".safetensors")) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length()).array());
            out.write(text.getBytes(StandardCharsets.US_ASCII));
            for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
                boolean narrow = kind == Format.FP8 && tensor.getValue().length == 2;
                write(out, tensor.getKey(), tensor.getValue(), narrow ? DType.FLOAT8_E4M3 : DType.BFLOAT16);
            }
        }
    }

    /** Numbers drawn once, from another place on for each tensor. */
    private void write(OutputStream out, String name, long[] shape, DType dtype) throws IOException {
        double deviation = shape.length == 1 ? 0.1 : 1 / Math.sqrt(shape[1]);
        double mean = shape.length == 1 && name.endsWith("weight") ? 1 : 0;
        byte[] block = blocks.computeIfAbsent(dtype + " " + deviation + " " + mean, key -> draw(deviation, mean, dtype));
        repeat(out, block, Shapes.elements(shape) * dtype.bytes(), Math.floorMod(name.hashCode(), BLOCK) * dtype.bytes());
    }

    private static byte[] draw(double deviation, double mean, DType dtype) {
        SplittableRandom random = new SplittableRandom(1);
        float[] numbers = new float[BLOCK];
        for (int i = 0; i < BLOCK; i++) {
            numbers[i] = (float) (mean + deviation * random.nextGaussian());
        }
        try (Scope scope = Scope.open()) {
            return Tensors.bytes(Tensors.of(numbers, BLOCK), dtype);
        }
    }

    private static void repeat(OutputStream out, byte[] block, long bytes, int from) throws IOException {
        for (long left = bytes; left > 0;) {
            int count = (int) Math.min(left, block.length - from);
            out.write(block, from, count);
            left -= count;
            from = 0;
        }
    }

    /** The transformer in diffusers' names; matrices in blocks of 32 numbers of four bits with a scale. */
    private void gguf(Map<String, long[]> shapes) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0x46554747).putInt(3).putLong(shapes.size()).putLong(0);
        long at = 0;
        for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
            long[] shape = tensor.getValue();
            boolean matrix = shape.length == 2;
            byte[] name = tensor.getKey().getBytes(StandardCharsets.US_ASCII);
            header.putLong(name.length).put(name).putInt(shape.length);
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                header.putLong(shape[axis]);
            }
            header.putInt(matrix ? 2 : 0).putLong(at);
            at = aligned(at + ggufBytes(shape));
        }
        try (OutputStream out = output(GGUF)) {
            out.write(header.array(), 0, header.position());
            out.write(new byte[(int) (aligned(header.position()) - header.position())]);
            for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
                long[] shape = tensor.getValue();
                long bytes = ggufBytes(shape);
                if (shape.length == 2) {
                    repeat(out, blocks.computeIfAbsent("q4_0 " + shape[1], key -> fourBits(1 / Math.sqrt(shape[1]))), bytes, 0);
                } else {
                    write(out, tensor.getKey(), shape, DType.FLOAT32);
                }
                out.write(new byte[(int) (aligned(bytes) - bytes)]);
            }
        }
    }

    private static long ggufBytes(long[] shape) {
        return shape.length == 2 ? Shapes.elements(shape) / 32 * 18 : Shapes.elements(shape) * 4;
    }

    private static long aligned(long at) {
        return (at + GGUF_ALIGNMENT - 1) / GGUF_ALIGNMENT * GGUF_ALIGNMENT;
    }

    private static byte[] fourBits(double deviation) {
        SplittableRandom random = new SplittableRandom(1);
        ByteBuffer block = ByteBuffer.allocate(BLOCK / 32 * 18).order(ByteOrder.LITTLE_ENDIAN);
        byte[] nibbles = new byte[16];
        try (Scope scope = Scope.open()) {
            // Sixteen equally likely numbers have a deviation of 4.6 steps.
            byte[] scale = Tensors.bytes(Tensors.of(new float[] {(float) (deviation / 4.6)}, 1), DType.FLOAT16);
            while (block.hasRemaining()) {
                random.nextBytes(nibbles);
                block.put(scale).put(nibbles);
            }
        }
        return block.array();
    }

    private OutputStream output(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return new BufferedOutputStream(Files.newOutputStream(file), 1 << 20);
    }

    private void json(String name, Path like, Consumer<ObjectNode> change) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = (ObjectNode) mapper.readTree(like.toFile());
        change.accept(json);
        Files.createDirectories(folder.resolve(name).getParent());
        mapper.writerWithDefaultPrettyPrinter().writeValue(folder.resolve(name).toFile(), json);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> all = Files.list(from)) {
            all.forEach(file -> {
                try {
                    Files.copy(file, to.resolve(file.getFileName()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
