package dev.likeness.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.likeness.error.Refusal;
import dev.likeness.golden.Golden;
import dev.likeness.task.TinyStableDiffusion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Token ids against transformers' CLIPTokenizer and T5TokenizerFast (golden/golden_tokenizers.py). */
class TokenizerParityTest {

    private static Tokenizer clip;
    private static Tokenizer t5;

    @BeforeAll
    static void open() {
        clip = Tokenizer.clip(Golden.path("tokenizer-clip"));
        t5 = Tokenizer.t5(Golden.path("tokenizer-t5"));
    }

    @AfterAll
    static void close() {
        clip.close();
        t5.close();
    }

    /** One call of the public tokenizer: {@code length} ids, cut or padded. */
    private record Case(String tokenizer, int length, String text, List<Long> ids) {
        static Case of(JsonNode json) {
            List<Long> ids = StreamSupport.stream(json.path("ids").spliterator(), false).map(JsonNode::asLong).toList();
            return new Case(json.path("tokenizer").asText(), json.path("length").asInt(), json.path("text").asText(), ids);
        }

        @Override
        public String toString() {
            return tokenizer + ", " + length + " ids, \"" + (text.length() > 40 ? text.substring(0, 40) + "..." : text) + '"';
        }
    }

    static Stream<Case> cases() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("tokenizers.json").toFile());
        List<Case> cases = StreamSupport.stream(json.spliterator(), false).map(Case::of).toList();
        assertThat(cases).hasSizeGreaterThan(90);
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void idsAreThoseOfThePublicTokenizers(Case expected) {
        Tokenizer tokenizer = expected.tokenizer().equals("clip") ? clip : t5;
        long[] ids = tokenizer.encode(expected.text(), expected.length());
        assertThat(ids).isEqualTo(expected.ids().stream().mapToLong(Long::longValue).toArray());
    }

    static Stream<Case> casesOfHunyuan() throws IOException {
        JsonNode json = new ObjectMapper().readTree(Golden.path("hunyuan-tiny/tokenizers.json").toFile());
        List<Case> cases = StreamSupport.stream(json.spliterator(), false).map(Case::of).toList();
        assertThat(cases).hasSizeGreaterThan(90);
        return cases.stream();
    }

    /** From vocab.txt and spiece.model; the golden file has the ids without padding. */
    @ParameterizedTest
    @MethodSource("casesOfHunyuan")
    void idsOfVocabularyFilesAreThoseOfThePublicTokenizers(Case expected) {
        boolean isBert = expected.tokenizer().equals("bert");
        Path folder = Golden.path("hunyuan-tiny/pipeline").resolve(isBert ? "tokenizer" : "tokenizer_2");
        try (Tokenizer tokenizer = isBert ? Tokenizer.bert(folder) : Tokenizer.t5(folder)) {
            long[] ids = tokenizer.encode(expected.text(), expected.length());
            assertThat(tokenizer.count(expected.text(), expected.length())).isEqualTo(expected.ids().size());
            assertThat(Arrays.copyOf(ids, expected.ids().size()))
                    .isEqualTo(expected.ids().stream().mapToLong(Long::longValue).toArray());
            assertThat(Arrays.stream(ids).skip(expected.ids().size())).allMatch(id -> id == 0);
        }
    }

    /** As CLIPTokenizer of transformers 5.24 reads SDXL's second folder, whose padding token is "!". */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {"a fox! | 634 320 69 78 343 0 635",
        "A cat !! on the moon! | 634 320 612 0 0 518 516 573 0 635",
        "wow!night it's!s | 634 86 537 0 575 72 339 6 338 0 338 635"})
    void paddingTokensAreSpecialInATextToo(String text, String expected, @TempDir Path folder) throws IOException {
        Path second = TinyStableDiffusion.write(folder, "sdxl").resolve("tokenizer_2");
        try (Tokenizer tokenizer = Tokenizer.clip(second)) {
            long[] ids = Arrays.stream(expected.split(" ")).mapToLong(Long::parseLong).toArray();
            assertThat(tokenizer.encode(text, ids.length)).isEqualTo(ids);
            assertThat(tokenizer.count(text, 77)).isEqualTo(ids.length);
        }
    }

    @Test
    void brokenVocabulariesAreRefused(@TempDir Path folder) throws IOException {
        byte[] model = Files.readAllBytes(Golden.path("hunyuan-tiny/pipeline/tokenizer_2/spiece.model"));
        for (byte[] broken : new byte[][] {{}, {1}, "[]".getBytes(), Arrays.copyOf(model, model.length / 2),
            Arrays.copyOfRange(model, 1, model.length)}) {
            Files.write(folder.resolve("spiece.model"), broken);
            assertThatThrownBy(() -> Tokenizer.t5(folder)).isInstanceOf(Refusal.class).hasMessageContaining("spiece.model");
        }
        assertThatThrownBy(() -> Tokenizer.bert(folder)).isInstanceOf(Refusal.class).hasMessageContaining("vocab.txt");
        Files.writeString(folder.resolve("vocab.txt"), "a\nb\n");
        assertThatThrownBy(() -> Tokenizer.bert(folder)).isInstanceOf(Refusal.class).hasMessageContaining("[PAD]");
    }

    @Test
    void missingVocabularyIsRefused(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> Tokenizer.clip(folder)).isInstanceOf(Refusal.class).hasMessageContaining("vocab.json");
        assertThatThrownBy(() -> Tokenizer.t5(folder)).isInstanceOf(Refusal.class).hasMessageContaining("tokenizer.json");
        Files.copy(Golden.path("tokenizer-clip").resolve("vocab.json"), folder.resolve("vocab.json"));
        assertThatThrownBy(() -> Tokenizer.clip(folder)).isInstanceOf(Refusal.class).hasMessageContaining("merges.txt");
    }

    @Test
    void brokenTokenizerFilesAreRefused(@TempDir Path folder) throws IOException {
        for (String broken : new String[] {"", "[]", "null", "{", "{}", "{\"model\": 3}"}) {
            Files.writeString(folder.resolve("tokenizer.json"), broken);
            assertThatThrownBy(() -> Tokenizer.t5(folder)).as("tokenizer.json: %s", broken).isInstanceOf(Refusal.class)
                    .hasMessageContaining(folder.toString());
        }
        Files.delete(folder.resolve("tokenizer.json"));
        for (String broken : new String[] {"", "[]", "{", "{}", "3"}) {
            Files.writeString(folder.resolve("vocab.json"), broken);
            Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
            assertThatThrownBy(() -> Tokenizer.clip(folder)).as("vocab.json: %s", broken).isInstanceOf(Refusal.class)
                    .hasMessageContaining("vocab.json");
        }
    }
}
