package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.error.Refusal;
import dev.likeness.image.Picture;
import dev.likeness.image.TestPictures;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
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

    /** By hand, from queries and keys: rows of image tokens, the softmax over all keys, the columns of the word. */
    @Test
    void theShareIsTheMeanOverHeadsBlocksAndNoiseLevels() {
        int text = SAMPLING.maxSequenceLength();
        double[] sums = new double[TOKENS];
        int[] maps = new int[1];
        AttentionHook recorder = new AttentionHook() {
            @Override
            public void attention(Site site, Tensor q, Tensor k) {
                int length = text + TOKENS;
                int width = (int) q.size(3);
                float[] queries = Tensors.floats(q);
                float[] keys = Tensors.floats(k);
                for (int head = 0; head < q.size(1); head++) {
                    maps[0]++;
                    for (int token = 0; token < TOKENS; token++) {
                        double whole = 0;
                        double toWord = 0;
                        for (int key = 0; key < length; key++) {
                            double product = 0;
                            for (int i = 0; i < width; i++) {
                                product += queries[(head * length + text + token) * width + i]
                                        * keys[(head * length + key) * width + i];
                            }
                            double weight = Math.exp(product / Math.sqrt(width));
                            whole += weight;
                            toWord += key == 3 || key == 4 ? weight : 0; // a fox in the snow
                        }
                        sums[token] += toWord / whole;
                    }
                }
            }
        };
        try (Scope scope = Scope.open()) {
            Denoiser denoiser = new Denoiser(model.transformer(), Conditioning.of(model.text(PROMPT, SAMPLING), null),
                    SAMPLING.rows(), SAMPLING.columns());
            Tensor clean = model.encode(TestPictures.varied(WIDTH, HEIGHT, false, 1));
            for (double sigma : new double[] {0.3, 0.5, 0.7}) {
                denoiser.velocity(clean.lerp(model.noise(1, SAMPLING), new Scalar(sigma)), 0, sigma, recorder);
            }
        }
        assertThat(maps[0]).isEqualTo(3 * 2 * 2);
        float[] mean = new float[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            mean[i] = (float) (sums[i] / maps[0]);
        }
        assertThat(shares(PROMPT, "the snow")).containsExactly(mean, within(1e-5f));
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
