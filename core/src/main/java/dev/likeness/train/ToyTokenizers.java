package dev.likeness.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds Toybox's two tokenizers from a closed list of words, each of which becomes one token. */
final class ToyTokenizers {

    static final String CLIP_START = "<|startoftext|>";
    static final String CLIP_END = "<|endoftext|>";
    private static final String WORD_END = "</w>";
    private static final char WORD_START = '▁';
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ToyTokenizers() {}

    /**
     * Byte-level BPE, trained to the end: merging goes on until every word is one token, so encoding a listed word gives
     * exactly that token.
     *
     * @return the vocabulary, token to id
     */
    static Map<String, Integer> writeClip(Path folder, List<String> words, int maxLength) throws IOException {
        List<String> merges = new ArrayList<>();
        List<List<String>> split = new ArrayList<>();
        for (String word : words) {
            List<String> symbols = new ArrayList<>();
            word.chars().forEach(letter -> symbols.add(String.valueOf((char) letter)));
            symbols.set(symbols.size() - 1, symbols.get(symbols.size() - 1) + WORD_END);
            split.add(symbols);
        }
        for (String[] pair = commonest(split); pair != null; pair = commonest(split)) {
            merges.add(pair[0] + " " + pair[1]);
            for (List<String> symbols : split) {
                for (int i = 0; i + 1 < symbols.size(); i++) {
                    if (symbols.get(i).equals(pair[0]) && symbols.get(i + 1).equals(pair[1])) {
                        symbols.set(i, pair[0] + pair[1]);
                        symbols.remove(i + 1);
                    }
                }
            }
        }
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (String ending : new String[] {"", WORD_END}) {
            for (int code : byteSymbols()) {
                vocabulary.put(Character.toString(code) + ending, vocabulary.size());
            }
        }
        merges.forEach(merge -> vocabulary.putIfAbsent(merge.replace(" ", ""), vocabulary.size()));
        vocabulary.put(CLIP_START, vocabulary.size());
        vocabulary.put(CLIP_END, vocabulary.size());

        Files.createDirectories(folder);
        Files.writeString(folder.resolve("vocab.json"), MAPPER.writeValueAsString(vocabulary) + "\n");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
        ObjectNode special = MAPPER.createObjectNode().put("bos_token", CLIP_START).put("eos_token", CLIP_END)
                .put("pad_token", CLIP_END).put("unk_token", CLIP_END);
        Files.writeString(folder.resolve("special_tokens_map.json"), special.toPrettyString() + "\n");
        ObjectNode config = special.deepCopy().put("tokenizer_class", "CLIPTokenizer").put("model_max_length", maxLength)
                .put("add_prefix_space", false).put("do_lower_case", true);
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
        return vocabulary;
    }

    /** The most frequent pair of neighbouring symbols, the alphabetically first among equals; null when none is left. */
    private static String[] commonest(List<List<String>> split) {
        Map<String, Integer> counts = new HashMap<>();
        for (List<String> symbols : split) {
            for (int i = 0; i + 1 < symbols.size(); i++) {
                counts.merge(symbols.get(i) + " " + symbols.get(i + 1), 1, Integer::sum);
            }
        }
        String best = null;
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            int ahead = best == null ? 1 : entry.getValue() - counts.get(best);
            if (ahead > 0 || ahead == 0 && entry.getKey().compareTo(best) < 0) {
                best = entry.getKey();
            }
        }
        return best == null ? null : best.split(" ");
    }

    /** The characters that stand for the 256 bytes, printable ones for themselves (GPT-2's table). */
    private static List<Integer> byteSymbols() {
        List<Integer> symbols = new ArrayList<>();
        int next = 256;
        for (int code = 0; code < 256; code++) {
            boolean printable = code >= '!' && code <= '~' || code >= 0xA1 && code <= 0xAC || code >= 0xAE;
            symbols.add(printable ? code : next++);
        }
        symbols.sort(null);
        return symbols;
    }

    /**
     * Unigram with one piece a word, and single letters for whatever else is written.
     *
     * @return the vocabulary, piece to id
     */
    static Map<String, Integer> writeT5(Path folder, List<String> words, int maxLength) throws IOException {
        Map<String, Double> pieces = new LinkedHashMap<>();
        pieces.put("<pad>", 0.0);
        pieces.put("</s>", 0.0);
        pieces.put("<unk>", 0.0);
        words.forEach(word -> pieces.put(WORD_START + word, -5.0));
        pieces.putIfAbsent(String.valueOf(WORD_START), -8.0);
        for (char letter = '!'; letter <= '~'; letter++) {
            if (!Character.isUpperCase(letter)) {
                pieces.putIfAbsent(String.valueOf(letter), -10.0);
            }
        }
        ObjectNode json = MAPPER.createObjectNode().put("version", "1.0").putNull("truncation").putNull("padding");
        for (int id = 0; id < 3; id++) {
            json.withArray("added_tokens").addObject().put("id", id).put("content", List.copyOf(pieces.keySet()).get(id))
                    .put("single_word", false).put("lstrip", false).put("rstrip", false).put("normalized", false)
                    .put("special", true);
        }
        ObjectNode normalizer = json.putObject("normalizer").put("type", "Sequence");
        normalizer.withArray("normalizers").addObject().put("type", "NFKC");
        normalizer.withArray("normalizers").addObject().put("type", "Lowercase");
        ObjectNode pre = json.putObject("pre_tokenizer").put("type", "Sequence");
        pre.withArray("pretokenizers").addObject().put("type", "WhitespaceSplit");
        pre.withArray("pretokenizers").addObject().put("type", "Metaspace").put("replacement", String.valueOf(WORD_START))
                .put("prepend_scheme", "always").put("split", true);
        ObjectNode post = json.putObject("post_processor").put("type", "TemplateProcessing");
        post.withArray("single").addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        post.withArray("single").addObject().putObject("SpecialToken").put("id", "</s>").put("type_id", 0);
        post.withArray("pair").addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        post.withArray("pair").addObject().putObject("SpecialToken").put("id", "</s>").put("type_id", 0);
        post.withArray("pair").addObject().putObject("Sequence").put("id", "B").put("type_id", 0);
        post.withArray("pair").addObject().putObject("SpecialToken").put("id", "</s>").put("type_id", 0);
        ObjectNode end = post.putObject("special_tokens").putObject("</s>").put("id", "</s>");
        end.withArray("ids").add(1);
        end.withArray("tokens").add("</s>");
        json.putObject("decoder").put("type", "Metaspace").put("replacement", String.valueOf(WORD_START))
                .put("prepend_scheme", "always").put("split", true);
        ObjectNode model = json.putObject("model").put("type", "Unigram").put("unk_id", 2);
        Map<String, Integer> vocabulary = new HashMap<>();
        pieces.forEach((piece, score) -> {
            vocabulary.put(piece, vocabulary.size());
            model.withArray("vocab").addArray().add(piece).add(score);
        });
        model.put("byte_fallback", false);

        Files.createDirectories(folder);
        Files.writeString(folder.resolve("tokenizer.json"), json.toPrettyString() + "\n");
        ObjectNode special = MAPPER.createObjectNode().put("eos_token", "</s>").put("pad_token", "<pad>")
                .put("unk_token", "<unk>");
        Files.writeString(folder.resolve("special_tokens_map.json"), special.toPrettyString() + "\n");
        // The public T5 class takes the pieces and leaves the normalizer behind; the general class reads the file as it stands.
        ObjectNode config = special.deepCopy().put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("model_max_length", maxLength);
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
        return vocabulary;
    }
}
