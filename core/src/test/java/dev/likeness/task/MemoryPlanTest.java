package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Component;
import dev.likeness.weights.Keeping;
import dev.likeness.weights.LoraFile;
import dev.likeness.weights.ModelFiles;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {

    private static final Sampling SAMPLING = new Sampling(TinyModel.SIDE, TinyModel.SIDE, TinyModel.STEPS, 0, 2, "", 8, 7, 1);

    @TempDir
    static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyModel.write(folder);
    }

    /** Two prompts, so that text encoders are asked for again after the transformer has computed. */
    private static List<Picture> story(MemoryPlan plan, DType dtype) {
        try (FluxModel model = FluxModel.open(ModelFiles.of(folder), List.of(), Device.CPU, dtype, plan)) {
            assertThat(model.memory().plan()).isEqualTo(plan);
            Picture picture = TinyModel.subject();
            List<Subject> subjects = List.of(ReferenceFit.fit(picture, Mask.ofAlpha(picture, "subject"), TinyModel.SIDE,
                    TinyModel.SIDE, "fox", null));
            List<Story.Panel> panels =
                    List.of(new Story.Panel("a fox in the snow", subjects), new Story.Panel("the house", subjects));
            return Story.run(model, panels, new Injection(0.3, TauBasis.SIGMA, ReplaceAt.ATTENTION, true), false, SAMPLING,
                    TaskListener.NONE).stream().map(generation -> generation.images().get(0).picture()).toList();
        }
    }

    @ParameterizedTest
    @CsvSource({"MODULATION_PRECOMPUTED, FLOAT32, 1", "STREAM, FLOAT32, 1", "STREAM, BFLOAT16, 12", "FP8, FLOAT32, 40"})
    void plansThatKeepLessMakeTheSamePictures(MemoryPlan plan, DType dtype, int furthest) {
        List<Picture> expected = story(MemoryPlan.RESIDENT, dtype);
        List<Picture> pictures = story(plan, dtype);
        assertThat(pictures.get(0)).isNotEqualTo(pictures.get(1));
        for (int i = 0; i < pictures.size(); i++) {
            assertThat(difference(pictures.get(i), expected.get(i))).as("picture %d", i).isLessThanOrEqualTo(furthest);
        }
    }

    /** Fails where both are in memory together, and takes the text encoders' files away once the transformer computes. */
    private record Watch(FluxModel model, Path files) implements TaskListener {

        @Override
        public void phase(String name) {
            assertThat(model.holds(Component.T5) && model.holds(Component.TRANSFORMER)).as("both in memory for %s", name).isFalse();
            if (name.equals("denoise")) {
                assertThat(model.holds(Component.TRANSFORMER)).isTrue();
                for (String encoder : List.of("text_encoder", "text_encoder_2")) {
                    files.resolve(encoder).resolve("model.safetensors").toFile().delete();
                }
            }
        }

        @Override
        public boolean step(int image, int images, int step, int steps, double sigma) {
            assertThat(model.holds(Component.T5)).as("text encoders while the transformer computes").isFalse();
            return true;
        }
    }

    @ParameterizedTest
    @EnumSource(names = "RESIDENT", mode = EnumSource.Mode.EXCLUDE)
    void textEncodersAreReadOnceAndGoBeforeTheTransformerComes(MemoryPlan plan, @TempDir Path own) throws IOException {
        TinyModel.write(own);
        try (FluxModel model = FluxModel.open(ModelFiles.of(own), List.of(), Device.CPU, DType.FLOAT32, plan)) {
            Watch watch = new Watch(model, own);
            Picture picture = TinyModel.subject();
            List<Subject> subjects = List.of(ReferenceFit.fit(picture, Mask.ofAlpha(picture, "subject"), TinyModel.SIDE,
                    TinyModel.SIDE, "fox", null));
            // More prompts than are usually kept.
            List<Story.Panel> panels = IntStream.range(0, 10).mapToObj(i -> new Story.Panel("the house ".repeat(1 + i % 2) + "a fox "
                    .repeat(i / 2), subjects)).toList();
            Injection injection = new Injection(0.3, TauBasis.SIGMA, ReplaceAt.ATTENTION, true);
            assertThat(Story.run(model, panels, injection, false, SAMPLING, watch)).hasSize(10);
            assertThat(own.resolve("text_encoder_2/model.safetensors")).doesNotExist();
        }
    }

    @ParameterizedTest
    @EnumSource(names = "RESIDENT", mode = EnumSource.Mode.EXCLUDE)
    void aPromptIsEncodedBeforeTheTransformerIsAskedFor(MemoryPlan plan) {
        try (FluxModel model = FluxModel.open(ModelFiles.of(folder), List.of(), Device.CPU, DType.FLOAT32, plan)) {
            for (String prompt : List.of("a fox in the snow", "the house")) { // the second one finds the transformer there
                assertThat(Generate.run(model, prompt, SAMPLING, new Watch(model, Path.of("none"))).images()).hasSize(1);
            }
            boolean[] all = new boolean[SAMPLING.rows() * SAMPLING.columns()];
            Arrays.fill(all, true);
            double[] errors = PromptLikelihood.errors(model, TinyModel.subject().flatten(0), List.of("a fox", "a house"), all, SAMPLING);
            assertThat(errors).hasSize(2).doesNotContain(0, Double.NaN);
        }
    }

    /** Queries, keys and values of a block are one layer in the file, and three here with the same first matrix. */
    @ParameterizedTest
    @EnumSource
    void lorasAreCountedAsTheyAreKept(MemoryPlan plan, @TempDir Path own) {
        Path file = own.resolve("lora.safetensors");
        try (Scope scope = Scope.open()) {
            SafetensorsWriter.write(file, Map.of("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", Tensors.noise(1, 2, 32),
                    "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", Tensors.noise(2, 96, 2)), DType.FLOAT32);
        }
        LoraFile lora = LoraFile.of(file.toString());
        long numbers = 3 * 2 * 32 + 96 * 2;
        for (DType dtype : List.of(DType.FLOAT32, DType.BFLOAT16)) {
            assertThat(bytes(List.of(lora, lora), dtype, plan) - bytes(List.of(), dtype, plan)).isEqualTo(2 * numbers * dtype.bytes());
        }
    }

    private static long bytes(List<LoraFile> loras, DType dtype, MemoryPlan plan) {
        try (FluxModel model = FluxModel.open(ModelFiles.of(folder), loras, Device.CPU, dtype, plan)) {
            return model.memory().bytes();
        }
    }

    private static int difference(Picture one, Picture other) {
        byte[] a = one.rgb();
        byte[] b = other.rgb();
        int furthest = 0;
        for (int i = 0; i < a.length; i++) {
            furthest = Math.max(furthest, Math.abs((a[i] & 255) - (b[i] & 255)));
        }
        return furthest;
    }

    @ParameterizedTest
    @CsvSource({
        "transformer_blocks.3.norm1.linear, STREAM, STREAM", "transformer_blocks.3.norm1_context.linear, STREAM, STREAM",
        "single_transformer_blocks.0.norm.linear, STREAM, STREAM", "norm_out.linear, STREAM, STREAM",
        "time_text_embed.text_embedder.linear_1, STREAM, STREAM", "transformer_blocks.3.attn.to_q, MEMORY, FLOAT8",
        "single_transformer_blocks.0.proj_mlp, MEMORY, FLOAT8", "x_embedder, MEMORY, MEMORY", "proj_out, MEMORY, MEMORY"
    })
    void modulationIsReadOnceAndBlocksAreNarrowed(String layer, Keeping precomputed, Keeping fp8) {
        assertThat(MemoryPlan.MODULATION_PRECOMPUTED.of(layer)).isEqualTo(precomputed);
        assertThat(MemoryPlan.FP8.of(layer)).isEqualTo(fp8);
        assertThat(MemoryPlan.STREAM.of(layer)).isEqualTo(Keeping.STREAM);
        assertThat(MemoryPlan.RESIDENT.of(layer)).isEqualTo(Keeping.MEMORY);
    }

    @ParameterizedTest
    @EnumSource
    void aPlanIsFoundByItsFlag(MemoryPlan plan) {
        assertThat(MemoryPlan.ofFlag(plan.flag())).isEqualTo(plan);
    }

    @Test
    void autoIsNoPlan() {
        assertThat(MemoryPlan.ofFlag("auto")).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "RESIDENT", "disk"})
    void otherFlagsAreRefused(String flag) {
        assertThatThrownBy(() -> MemoryPlan.ofFlag(flag)).isInstanceOf(Refusal.class).hasMessageContaining("modulation-precomputed");
    }
}
