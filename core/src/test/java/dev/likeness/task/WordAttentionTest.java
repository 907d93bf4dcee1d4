package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.image.TestPictures;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WordAttentionTest {

    private static final String PROMPT = "a fox in the snow";
    private static final int WIDTH = 80;
    private static final int HEIGHT = 48;
    private static final int TOKENS = 5 * 3;
    private static final Sampling SAMPLING = new Sampling(WIDTH, HEIGHT, TinyModel.STEPS, 0, 1, "", 8, 1, 1);

    @TempDir
    static Path folder;

    private static FluxModel model;

    @BeforeAll
    static void open() throws IOException {
        model = FluxModel.open(TinyModel.write(folder), Device.CPU, DType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static float[] shares(String prompt, String word) {
        Picture picture = TestPictures.varied(WIDTH, HEIGHT, false, 1);
        return WordAttention.of(model, picture, prompt, word, SAMPLING);
    }

    private static float[] sum(float[]... parts) {
        float[] sum = new float[TOKENS];
        for (float[] part : parts) {
            for (int i = 0; i < TOKENS; i++) {
                sum[i] += part[i];
            }
        }
        return sum;
    }

    @Test
    void everyTokenGivesEachWordAShareAndAllWordsAtMostAWhole() {
        float[] all = new float[TOKENS];
        for (String word : PROMPT.split(" ")) {
            float[] shares = shares(PROMPT, word);
            assertThat(shares).hasSize(TOKENS).doesNotHaveDuplicates();
            for (float share : shares) {
                assertThat(share).isGreaterThan(0).isLessThan(1);
            }
            all = sum(all, shares);
        }
        for (float share : all) {
            assertThat(share).isGreaterThan(0).isLessThan(1); // the rest goes to the end of the text and to the picture
        }
    }

    @Test
    void aPhraseGetsWhatItsWordsGet() {
        assertThat(shares(PROMPT, "the snow"))
                .containsExactly(sum(shares(PROMPT, "the"), shares(PROMPT, "snow")), within(1e-5f));
        assertThat(shares(PROMPT, PROMPT)).containsExactly(sum(shares(PROMPT, "a fox"), shares(PROMPT, "in the snow")),
                within(1e-5f));
    }

    /** A word that stands there twice counts twice: with the words between, it is what remains of the whole. */
    @Test
    void aWordIsFoundWhereverItStands() {
        String prompt = "a fox on a house";
        assertThat(shares(prompt, "a"))
                .containsExactly(sum(shares(prompt, "a fox on a house"), minus(shares(prompt, "fox on")),
                        minus(shares(prompt, "house"))), within(1e-5f));
    }

    private static float[] minus(float[] values) {
        float[] negative = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            negative[i] = -values[i];
        }
        return negative;
    }

    @Test
    void theSameQuestionGetsTheSameAnswer() {
        assertThat(shares(PROMPT, "fox")).isEqualTo(shares(PROMPT, "fox")).isNotEqualTo(shares(PROMPT, "snow"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"house", "fox snow", "snow in", ""})
    void whatIsNotInThePromptIsRefused(String word) {
        assertThatThrownBy(() -> shares(PROMPT, word))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining("'" + word + "'").hasMessageContaining(PROMPT);
    }
}
