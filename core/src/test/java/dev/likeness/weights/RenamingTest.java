package dev.likeness.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Other projects' names become those of the networks, as the public converters make them: golden/golden_weights.py. */
class RenamingTest {

    private static Map<String, String> texts(Map<String, long[]> shapes) {
        Map<String, String> texts = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> texts.put(name, Arrays.toString(shape)));
        return texts;
    }

    private static Map<String, Piece> renamed(Component component, Map<String, long[]> shapes) {
        Map<String, TensorFile.Entry> entries = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> entries.put(name, new TensorFile.Entry(Encoding.F32, shape, 0, 0)));
        return Renaming.of(component, Path.of("some.file"), entries);
    }

    @ParameterizedTest
    @CsvSource({"flux-dev, TRANSFORMER", "flux-schnell, TRANSFORMER", "flux-vae, VAE", "t5-xxl, T5"})
    void theRealFilesNamesAndShapesBecomeThoseOfThePublicClasses(String name, Component component) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        renamed(component, Golden.shapes("weights/manifests/" + name + ".tsv"))
                .forEach((key, piece) -> shapes.put(key, piece.shape()));
        assertThat(texts(shapes)).containsExactlyInAnyOrderEntriesOf(texts(Golden.shapes("manifests/" + name + ".tsv")));
    }

    @ParameterizedTest
    @CsvSource({"flux-dev, TRANSFORMER", "flux-vae, VAE", "t5-xxl, T5"})
    void namesOfTheNetworksStayAsTheyAre(String name, Component component) {
        Map<String, long[]> shapes = Golden.shapes("manifests/" + name + ".tsv");
        renamed(component, shapes).forEach((key, piece) -> {
            assertThat(piece.key()).isEqualTo(key);
            assertThat(piece.shape()).isEqualTo(shapes.get(key));
        });
    }

    @ParameterizedTest
    @CsvSource({"transformer.bfl.safetensors, transformer.expected.safetensors, TRANSFORMER",
        "transformer-schnell.bfl.safetensors, transformer-schnell.expected.safetensors, TRANSFORMER",
        "comfy-older.safetensors, comfy.expected.safetensors, TRANSFORMER",
        "comfy-newer.safetensors, comfy.expected.safetensors, TRANSFORMER",
        "vae.ldm.safetensors, vae.expected.safetensors, VAE", "t5.gguf, ../t5-tiny/model.safetensors, T5"})
    void numbersAreThoseOfThePublicConverter(String file, String expected, Component component) {
        try (Scope scope = Scope.open();
                Checkpoint checkpoint = Checkpoint.open(Golden.path("weights/" + file), component, DType.FLOAT32,
                        Device.CPU)) {
            Map<String, Tensor> tensors = SafetensorsFile.open(Golden.path("weights/" + expected)).readAll();
            assertThat(checkpoint.shapes()).containsOnlyKeys(tensors.keySet());
            tensors.forEach((name, tensor) -> assertThat(Tensors.floats(checkpoint.get(name, Tensors.shape(tensor))))
                    .as(name)
                    .isEqualTo(Tensors.floats(tensor)));
            checkpoint.finish();
        }
    }

    @Test
    void queriesKeysAndValuesAreCutInThisOrder() {
        Map<String, Piece> pieces = renamed(Component.TRANSFORMER, Map.of("double_blocks.3.txt_attn.qkv.bias",
                new long[] {9},
                "single_blocks.4.linear1.weight", new long[] {10, 2}, "single_blocks.4.linear1.bias", new long[] {10}));
        assertThat(pieces.get("transformer_blocks.3.attn.add_q_proj.bias").rows()).containsExactly(new Piece.Rows(0, 3));
        assertThat(pieces.get("transformer_blocks.3.attn.add_k_proj.bias").rows()).containsExactly(new Piece.Rows(3, 3));
        assertThat(pieces.get("transformer_blocks.3.attn.add_v_proj.bias").rows()).containsExactly(new Piece.Rows(6, 3));
        for (String kind : new String[] {"weight", "bias"}) {
            String block = "single_transformer_blocks.4.";
            assertThat(pieces.get(block + "attn.to_q." + kind).rows()).containsExactly(new Piece.Rows(0, 2));
            assertThat(pieces.get(block + "attn.to_k." + kind).rows()).containsExactly(new Piece.Rows(2, 2));
            assertThat(pieces.get(block + "attn.to_v." + kind).rows()).containsExactly(new Piece.Rows(4, 2));
            assertThat(pieces.get(block + "proj_mlp." + kind).rows()).containsExactly(new Piece.Rows(6, 4));
        }
        assertThat(pieces).hasSize(11);
    }

    @Test
    void theLastLayersScaleComesBeforeItsShift() {
        Map<String, Piece> pieces = renamed(Component.TRANSFORMER, Map.of("final_layer.adaLN_modulation.1.weight",
                new long[] {8, 4}));
        assertThat(pieces.get("norm_out.linear.weight").rows()).containsExactly(new Piece.Rows(4, 4), new Piece.Rows(0, 4));
        assertThat(pieces.get("norm_out.linear.weight").shape()).containsExactly(8, 4);
    }

    @Test
    void theDecodersLevelsAreCountedFromTheOtherEnd() {
        Map<String, Piece> pieces = renamed(Component.VAE, Map.of(
                "decoder.up.0.block.1.nin_shortcut.weight", new long[] {4, 8, 1, 1},
                "decoder.up.2.upsample.conv.bias", new long[] {8}, "encoder.down.1.downsample.conv.bias", new long[] {8},
                "encoder.mid.attn_1.proj_out.weight", new long[] {8, 8, 1, 1}));
        assertThat(pieces).containsOnlyKeys("decoder.up_blocks.2.resnets.1.conv_shortcut.weight",
                "decoder.up_blocks.0.upsamplers.0.conv.bias", "encoder.down_blocks.1.downsamplers.0.conv.bias",
                "encoder.mid_block.attentions.0.to_out.0.weight");
        assertThat(pieces.get("encoder.mid_block.attentions.0.to_out.0.weight").shape()).containsExactly(8, 8);
    }

    /** How often all names are gone through for that many of them. */
    private static <T> int passes(int names, T each, Consumer<Map<String, T>> over) {
        int[] passes = {0};
        Map<String, T> all = new LinkedHashMap<>() {
            @Override
            public Set<String> keySet() {
                passes[0]++;
                return super.keySet();
            }
        };
        for (int i = 0; i < names; i++) {
            all.put("decoder.up." + i + ".block.0.conv1.weight", each);
        }
        over.accept(all);
        return passes[0];
    }

    /** A file may hold hundreds of thousands of names. */
    @Test
    void moreNamesAreNotGoneThroughMoreOften() {
        TensorFile.Entry entry = new TensorFile.Entry(Encoding.F32, new long[] {1}, 0, 0);
        Consumer<Map<String, TensorFile.Entry>> renaming = names -> Renaming.of(Component.VAE, Path.of("some.file"), names);
        assertThat(passes(50, entry, renaming)).isEqualTo(passes(1, entry, renaming));
        Consumer<Map<String, long[]>> counting = names ->
                assertThat(new Shapes(Path.of("some.file"), names).count("decoder.up")).isEqualTo(names.size());
        assertThat(passes(50, new long[0], counting)).isEqualTo(passes(1, new long[0], counting));
    }

    @Test
    void blocksAreCountedUntilOneIsMissing() {
        Map<String, long[]> names = new LinkedHashMap<>();
        for (String name : new String[] {"a.0.w", "a.1.x.w", "a.3.w", "a.2", "b.a.2.w", "aa.2.w", "a.02.w"}) {
            names.put(name, new long[0]);
        }
        assertThat(new Shapes(Path.of("some.file"), names).count("a")).isEqualTo(2);
    }

    @Test
    void tensorsThatCannotBeCutAreRefusedByName() {
        for (Map<String, long[]> shapes : java.util.List.of(
                Map.of("double_blocks.0.img_attn.qkv.weight", new long[] {10, 3}),
                Map.of("double_blocks.0.img_attn.qkv.bias", new long[0]),
                Map.of("single_blocks.0.linear1.weight", new long[] {9, 3}),
                Map.of("final_layer.adaLN_modulation.1.weight", new long[] {9, 3}))) {
            assertThatThrownBy(() -> renamed(Component.TRANSFORMER, shapes)).isInstanceOf(Refusal.class)
                    .hasMessageContainingAll("some.file", shapes.keySet().iterator().next());
        }
    }

    @Test
    void oneWeightUnderTwoNamesIsRefused() {
        assertThatThrownBy(() -> renamed(Component.TRANSFORMER, Map.of("img_in.bias", new long[] {3}, "x_embedder.bias",
                new long[] {3})))
                .isInstanceOf(Refusal.class).hasMessageContainingAll("some.file", "img_in.bias", "x_embedder.bias");
    }
}
