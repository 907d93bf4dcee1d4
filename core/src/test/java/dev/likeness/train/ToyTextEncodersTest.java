package dev.likeness.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.TextEncoders;
import dev.likeness.weights.ModelFiles;
import dev.likeness.train.data.Captions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ToyTextEncodersTest {

    private static final int LENGTH = 24;

    private static TextEncoders encoders;

    @BeforeAll
    static void write(@TempDir Path folder) throws IOException {
        ToyTextEncoders.write(folder, Captions.words(), Captions.functionWords(), 1);
        encoders = TextEncoders.open(ModelFiles.of(folder), DType.FLOAT32, Device.CPU);
    }

    @AfterAll
    static void close() {
        encoders.close();
    }

    private static float[] pooled(String prompt) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(encoders.encode(List.of(prompt), LENGTH).pooled());
        }
    }

    private static float[] tokens(String prompt) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(encoders.encode(List.of(prompt), LENGTH).tokens());
        }
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double squareA = 0;
        double squareB = 0;
        for (int i = 0; i < a.length; i++) {
            product += a[i] * b[i];
            squareA += a[i] * a[i];
            squareB += b[i] * b[i];
        }
        return product / Math.sqrt(squareA * squareB);
    }

    @Test
    void thePooledVectorTellsNounsAndScenesApart() {
        float[] tiger = pooled("a tiger in the snow");
        assertThat(cosine(tiger, pooled("a penguin in the snow"))).isBetween(0.2, 0.75);
        assertThat(cosine(tiger, pooled("a tiger on a beach"))).isBetween(0.2, 0.75);
        assertThat(cosine(tiger, pooled("a penguin on a beach"))).isLessThan(0.3);
    }

    @Test
    void thePooledVectorHardlyHearsFunctionWords() {
        assertThat(cosine(pooled("a tiger in the snow"), pooled("a picture of the tiger in snow"))).isGreaterThan(0.9);
    }

    @Test
    void tokensKnowTheirNeighbours() {
        float[] leftTiger = tokens("a tiger on the left and a penguin on the right");
        float[] rightTiger = tokens("a penguin on the left and a tiger on the right");
        assertThat(cosine(row(leftTiger, 0, 1), row(rightTiger, 0, 7))).as("the same word at another place").isBetween(0.6, 0.995);
    }

    @Test
    void everyWordOfTheCaptionsIsOneToken() {
        List<String> words = Captions.words();
        List<String> prompts = new ArrayList<>(List.of(""));
        words.forEach(word -> prompts.add(word + " " + word));
        float[] all;
        try (Scope scope = Scope.open()) {
            all = Tensors.floats(encoders.encode(prompts, LENGTH).tokens()); // [1 + words, LENGTH, WIDTH]
        }
        float[] pad = row(all, 0, LENGTH - 1);
        for (int i = 1; i <= words.size(); i++) {
            assertThat(cosine(row(all, i, 0), pad)).as("the word %s is known", words.get(i - 1)).isLessThan(0.7);
            assertThat(cosine(row(all, i, 4), pad)).as("%s takes one token: word, word, end, then padding", words.get(i - 1))
                    .isGreaterThan(0.8);
        }
    }

    private static float[] row(float[] all, int prompt, int token) {
        int start = (prompt * LENGTH + token) * ToyTextEncoders.WIDTH;
        return Arrays.copyOfRange(all, start, start + ToyTextEncoders.WIDTH);
    }
}
