package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxConfig;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.SafetensorsFile;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The FLUX transformer against diffusers' FluxTransformer2DModel (golden/golden_flux.py): 7 text tokens, a 3 x 5 grid. */
class FluxParityTest {

    private static final String STEM = "diffusion_pytorch_model";
    private static final String DEV = "flux-tiny/transformer";
    private static final String SCHNELL = "flux-tiny-schnell/transformer";
    private static final int TEXT = 7;
    private static final int ROWS = 3;
    private static final int COLUMNS = 5;

    private Scope scope;
    private Golden golden;

    @BeforeEach
    void open() {
        scope = Scope.open();
        golden = Golden.open("flux-transformer.safetensors");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /** Keeps what enters each block; changes nothing. */
    private static final class Recorder implements AttentionHook {
        private final Map<Integer, Tensor> hiddenStates = new HashMap<>();
        private final Map<Integer, Tensor> attentionInputs = new HashMap<>();

        @Override
        public Tensor hiddenStates(Site site, Tensor imageTokens) {
            hiddenStates.put(site.block(), Scope.own(imageTokens));
            return imageTokens;
        }

        @Override
        public Tensor attentionInput(Site site, Tensor imageTokens) {
            attentionInputs.put(site.block(), Scope.own(imageTokens));
            return imageTokens;
        }
    }

    private static FluxTransformer transformer(String folder, Checkpoint weights) {
        FluxTransformer transformer = new FluxTransformer(FluxConfig.read(Golden.path(folder + "/config.json")), weights);
        weights.finish();
        return transformer;
    }

    private FluxTransformer.Input input(Tensor rotation, boolean guidance) {
        return new FluxTransformer.Input(golden.get("hidden_states"), golden.get("encoder_hidden_states"),
                golden.get("pooled_projections"), golden.get("timestep"), guidance ? golden.get("guidance") : null, rotation);
    }

    /** The image part of a joint sequence [B, L + N, d]. */
    private static Tensor image(Tensor joint) {
        return joint.narrow(1, TEXT, ROWS * COLUMNS);
    }

    @Test
    void devLikeNetwork() {
        try (Checkpoint weights = Golden.checkpoint(DEV, STEM)) {
            FluxTransformer transformer = transformer(DEV, weights);
            Tensor rotation = transformer.rotation(TEXT, ROWS, COLUMNS);
            golden.assertClose(transformer.forward(input(rotation, true), 0, AttentionHook.NONE), "dev.out", Golden.NETWORK);
        }
    }

    @Test
    void schnellLikeNetworkFromShards() {
        try (Checkpoint weights = Golden.checkpoint(SCHNELL, STEM)) {
            FluxTransformer transformer = transformer(SCHNELL, weights);
            Tensor rotation = transformer.rotation(TEXT, ROWS, COLUMNS);
            golden.assertClose(transformer.forward(input(rotation, false), 0, AttentionHook.NONE), "schnell.out",
                    Golden.NETWORK);
        }
    }

    @Test
    void everyDevBlockIsFedAsInThePublicCode() {
        try (Checkpoint weights = Golden.checkpoint(DEV, STEM)) {
            FluxTransformer transformer = transformer(DEV, weights);
            Recorder recorder = new Recorder();
            transformer.forward(input(transformer.rotation(TEXT, ROWS, COLUMNS), true), 0, recorder);
            assertThat(recorder.hiddenStates).containsOnlyKeys(0, 1, 2, 3);
            golden.assertClose(recorder.hiddenStates.get(0), "dev.x_embedder", Golden.OP);
            golden.assertClose(recorder.hiddenStates.get(1), "dev.double0.image", Golden.OP);
            golden.assertClose(recorder.hiddenStates.get(2), "dev.double1.image", Golden.OP);
            golden.assertClose(recorder.hiddenStates.get(3), "dev.single0.image", Golden.OP);
            golden.assertClose(recorder.attentionInputs.get(0), "dev.double0.attn.in.image", Golden.OP);
            Golden.assertClose("single0.attn.in", recorder.attentionInputs.get(2), image(golden.get("dev.single0.attn.in")),
                    Golden.OP);
        }
    }

    @Test
    void everySchnellBlockIsFedAsInThePublicCode() {
        try (Checkpoint weights = Golden.checkpoint(SCHNELL, STEM)) {
            FluxTransformer transformer = transformer(SCHNELL, weights);
            Recorder recorder = new Recorder();
            transformer.forward(input(transformer.rotation(TEXT, ROWS, COLUMNS), false), 0, recorder);
            assertThat(recorder.hiddenStates).containsOnlyKeys(0, 1);
            golden.assertClose(recorder.hiddenStates.get(0), "schnell.x_embedder", Golden.OP);
            golden.assertClose(recorder.hiddenStates.get(1), "schnell.double0.image", Golden.OP);
            golden.assertClose(recorder.attentionInputs.get(0), "schnell.double0.attn.in.image", Golden.OP);
            Golden.assertClose("single0.attn.in", recorder.attentionInputs.get(1),
                    image(golden.get("schnell.single0.attn.in")), Golden.OP);
        }
    }

    /** A hook that changes nothing takes other paths through the code (it cuts the joint sequence apart). */
    @Test
    void watchingChangesNothing() {
        try (Checkpoint weights = Golden.checkpoint(DEV, STEM)) {
            FluxTransformer transformer = transformer(DEV, weights);
            FluxTransformer.Input input = input(transformer.rotation(TEXT, ROWS, COLUMNS), true);
            float[] plain = Tensors.floats(transformer.forward(input, 0, AttentionHook.NONE));
            assertThat(Tensors.floats(transformer.forward(input, 0, new Recorder()))).isEqualTo(plain);
        }
    }

    @Test
    void tokensAtMovedPositions() {
        try (Checkpoint weights = Golden.checkpoint(DEV, STEM)) {
            FluxTransformer transformer = transformer(DEV, weights);
            double[] moved = golden.doubles("moved.img_ids");
            double[] positions = new double[3 * TEXT + moved.length]; // text stays at the origin
            System.arraycopy(moved, 0, positions, 3 * TEXT, moved.length);
            Tensor rotation = transformer.rotation(positions);
            Tensor pairs = torch.view_as_real(rotation);
            Golden.assertClose("moved.rope.cos", pairs.select(2, 0), everySecond(golden.get("moved.rope.cos")), Golden.OP);
            Golden.assertClose("moved.rope.sin", pairs.select(2, 1), everySecond(golden.get("moved.rope.sin")), Golden.OP);
            Tensor out = transformer.forward(input(rotation, true), 0, AttentionHook.NONE);
            golden.assertClose(out, "moved.dev.out", Golden.NETWORK);
            assertThat(Golden.relativeError(Tensors.floats(out), Tensors.floats(golden.get("dev.out"))))
                    .as("positions matter").isGreaterThan(100 * Golden.NETWORK);
        }
    }

    /** The public code writes every number of a pair's angle twice: [S, D] to [S, D/2]. */
    private static Tensor everySecond(Tensor x) {
        return x.view(x.size(0), x.size(1) / 2, 2).select(2, 0);
    }

    @Test
    void shardsAndOneFileGiveTheSameBits(@TempDir Path folder) throws IOException {
        Map<String, Tensor> all = new LinkedHashMap<>();
        try (Stream<Path> files = Files.list(Golden.path(SCHNELL))) {
            files.filter(file -> file.toString().endsWith(".safetensors"))
                    .forEach(file -> all.putAll(SafetensorsFile.open(file).readAll()));
        }
        SafetensorsWriter.write(folder.resolve(STEM + ".safetensors"), all, DType.FLOAT32);
        try (Checkpoint shards = Golden.checkpoint(SCHNELL, STEM);
                Checkpoint single = Checkpoint.open(folder, STEM, DType.FLOAT32, Device.CPU)) {
            FluxTransformer first = transformer(SCHNELL, shards);
            FluxTransformer second = transformer(SCHNELL, single);
            FluxTransformer.Input input = input(first.rotation(TEXT, ROWS, COLUMNS), false);
            assertThat(Tensors.floats(second.forward(input, 0, AttentionHook.NONE)))
                    .isEqualTo(Tensors.floats(first.forward(input, 0, AttentionHook.NONE)));
        }
    }
}
