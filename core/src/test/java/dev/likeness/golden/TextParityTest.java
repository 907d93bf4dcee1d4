package dev.likeness.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.model.t5.T5Config;
import dev.likeness.model.t5.T5EncoderModel;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.Checkpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The text encoders against transformers' CLIPTextModel and T5EncoderModel (golden/golden_text.py). */
class TextParityTest {

    /**
     * "clip" has the end token that old config.json files do not tell (the greatest id counts, the first of equals),
     * padding with the end token and with others; "clip_eos" a named one with greater ids around it, and exact GELU.
     */
    @ParameterizedTest
    @CsvSource({"clip-tiny, clip", "clip-tiny, clip.short", "clip-tiny, clip.full", "clip-tiny-eos, clip_eos"})
    void clip(String folder, String prefix) {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint(folder, "model")) {
            Golden golden = Golden.open("text.safetensors");
            ClipTextModel model = new ClipTextModel(ClipTextConfig.read(Golden.path(folder + "/config.json")), weights);
            weights.finish(ClipTextModel.IGNORED_KEYS);
            ClipTextModel.Output output = model.forward(golden.rows(prefix + ".ids"));
            golden.assertClose(output.lastHiddenState(), prefix + ".last_hidden_state", Golden.NETWORK);
            golden.assertClose(output.pooled(), prefix + ".pooler_output", Golden.NETWORK);
        }
    }

    /** The long sequence reaches the last bucket of relative positions. */
    @ParameterizedTest
    @CsvSource({"t5", "t5.long"})
    void t5(String prefix) {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint("t5-tiny", "model")) {
            Golden golden = Golden.open("text.safetensors");
            T5EncoderModel model = new T5EncoderModel(T5Config.read(Golden.path("t5-tiny/config.json")), weights);
            weights.finish(T5EncoderModel.IGNORED_KEYS);
            golden.assertClose(model.forward(golden.rows(prefix + ".ids")), prefix + ".last_hidden_state", Golden.NETWORK);
        }
    }

    /** Row by row and batched must agree: nothing of one text may reach another. */
    @Test
    void textsOfABatchDoNotMeet() {
        try (Scope scope = Scope.open(); Checkpoint weights = Golden.checkpoint("t5-tiny", "model")) {
            Golden golden = Golden.open("text.safetensors");
            T5EncoderModel model = new T5EncoderModel(T5Config.read(Golden.path("t5-tiny/config.json")), weights);
            long[][] rows = golden.rows("t5.ids");
            assertThat(rows.length).isGreaterThan(1);
            for (int i = 0; i < rows.length; i++) {
                Golden.assertClose("row " + i, model.forward(new long[][] {rows[i]}),
                        golden.get("t5.last_hidden_state").narrow(0, i, 1), Golden.NETWORK);
            }
            assertThat(Tensors.floats(golden.get("t5.ids"))).contains(0f, 1f); // padding and end token were there
        }
    }
}
