package dev.likeness.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A tokenizer of the Hugging Face tokenizers library, from the files of a model folder. Nothing is ever downloaded.
 */
public final class Tokenizer implements AutoCloseable {

    static {
        // Without these the library looks for a CUDA flavour of itself on the network where it sees a GPU.
        System.setProperty("RUST_FLAVOR", "cpu");
        System.setProperty("DJL_OFFLINE", "true");
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String CLIP_START = "<|startoftext|>";
    private static final String CLIP_END = "<|endoftext|>";
    private static final String BERT_START = "[CLS]";
    private static final String BERT_END = "[SEP]";
    private static final List<String> BERT_SPECIAL = List.of("[PAD]", "[UNK]", BERT_START, BERT_END, "[MASK]");

    private final HuggingFaceTokenizer tokenizer;
    private final long padId;

    private Tokenizer(HuggingFaceTokenizer tokenizer, long padId) {
        this.tokenizer = tokenizer;
        this.padId = padId;
    }

    /**
     * CLIP's byte-level BPE from {@code vocab.json} and {@code merges.txt}, or from {@code tokenizer.json} where there is one.
     *
     * @throws Refusal (model) when the files are missing or unreadable
     */
    public static Tokenizer clip(Path folder) {
        Path ready = folder.resolve("tokenizer.json");
        String padToken = padToken(folder, CLIP_END);
        String json = Files.exists(ready) ? read(ready) : clipJson(folder, padToken);
        return open(folder, json, padToken);
    }

    /**
     * T5's Unigram from {@code tokenizer.json}, or from {@code spiece.model} where there is none, as in folders of mT5.
     *
     * @throws Refusal (model) when both are missing or the one that is read is unreadable
     */
    public static Tokenizer t5(Path folder) {
        Path ready = folder.resolve("tokenizer.json");
        Path model = folder.resolve("spiece.model");
        String json = !Files.exists(ready) && Files.exists(model) ? SentencePieceModel.read(model).tokenizerJson() : read(ready);
        return open(folder, json, padToken(folder, "<pad>"));
    }

    /**
     * BERT's WordPiece from {@code vocab.txt}, or from {@code tokenizer.json} where there is one.
     *
     * @throws Refusal (model) when the files are missing or unreadable
     */
    public static Tokenizer bert(Path folder) {
        Path ready = folder.resolve("tokenizer.json");
        String json = Files.exists(ready) ? read(ready) : bertJson(folder);
        return open(folder, json, padToken(folder, "[PAD]"));
    }

    /** Number of ids of a text with its special tokens, where it is cut to a length: the others of {@link #encode} are padding. */
    public int count(String text, int length) {
        return Math.min(length, tokenizer.encode(text, true, false).getIds().length);
    }

    /**
     * Ids of a text with its special tokens, cut or padded to a length; the closing token stays when the text is cut.
     *
     * @param length number of ids, at least 2
     */
    public long[] encode(String text, int length) {
        long[] ids = tokenizer.encode(text, true, false).getIds();
        long[] fitted = Arrays.copyOf(ids, length);
        if (ids.length > length) {
            fitted[length - 1] = ids[ids.length - 1];
        } else {
            Arrays.fill(fitted, ids.length, length, padId);
        }
        return fitted;
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    private static Tokenizer open(Path folder, String json, String padToken) {
        try (InputStream in = new ByteArrayInputStream(withoutFitting(json).getBytes(StandardCharsets.UTF_8))) {
            HuggingFaceTokenizer tokenizer =
                    HuggingFaceTokenizer.newInstance(in, Map.of("padding", "false", "truncation", "false"));
            return new Tokenizer(tokenizer, id(json, padToken, folder));
        } catch (IOException | RuntimeException e) {
            if (e instanceof Refusal refusal) {
                throw refusal;
            }
            throw Refusal.model("%s holds no usable tokenizer (%s); download the folder again.", folder, e.getMessage(), e);
        }
    }

    /** Cutting and padding are done here, so what the file says about them must not apply as well. */
    private static String withoutFitting(String json) throws IOException {
        ObjectNode tree = (ObjectNode) MAPPER.readTree(json);
        return tree.putNull("truncation").putNull("padding").toString();
    }

    private static long id(String json, String token, Path folder) throws IOException {
        JsonNode tree = MAPPER.readTree(json);
        for (JsonNode added : tree.path("added_tokens")) {
            if (added.path("content").asText().equals(token)) {
                return added.path("id").asLong();
            }
        }
        JsonNode vocabulary = tree.path("model").path("vocab");
        if (vocabulary.has(token)) {
            return vocabulary.path(token).asLong();
        }
        throw Refusal.model("%s: the padding token %s is not in the vocabulary; download the folder again.", folder, token);
    }

    /** The padding token that special_tokens_map.json or tokenizer_config.json names. */
    private static String padToken(Path folder, String otherwise) {
        for (String name : new String[] {"special_tokens_map.json", "tokenizer_config.json"}) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                JsonNode pad = parse(file).path("pad_token");
                String token = pad.isObject() ? pad.path("content").asText("") : pad.asText("");
                if (!token.isEmpty()) {
                    return token;
                }
            }
        }
        return otherwise;
    }

    /**
     * The tokenizer.json that the library's own converter writes for a CLIP vocabulary. The padding token is a special one there
     * whatever it is: SD 2.1 and SDXL's second encoder pad with "!", and read every "!" of a text as that.
     */
    private static String clipJson(Path folder, String padToken) {
        JsonNode vocabulary = parse(folder.resolve("vocab.json"));
        if (!vocabulary.has(CLIP_START) || !vocabulary.has(CLIP_END)) {
            throw Refusal.model("%s/vocab.json lacks %s or %s; download the folder again.", folder, CLIP_START, CLIP_END);
        }
        ObjectNode json = MAPPER.createObjectNode();
        json.put("version", "1.0");
        for (String token : Stream.of(CLIP_START, CLIP_END, padToken).distinct().filter(vocabulary::has).toList()) {
            json.withArray("added_tokens").addObject().put("id", vocabulary.path(token).asLong()).put("content", token)
                    .put("single_word", false).put("lstrip", false).put("rstrip", false)
                    .put("normalized", token.equals(CLIP_START)).put("special", true);
        }
        ObjectNode normalizer = json.putObject("normalizer").put("type", "Sequence");
        normalizer.withArray("normalizers").addObject().put("type", "NFC");
        ObjectNode spaces = normalizer.withArray("normalizers").addObject().put("type", "Replace").put("content", " ");
        spaces.putObject("pattern").put("Regex", "\\s+");
        normalizer.withArray("normalizers").addObject().put("type", "Lowercase");
        ObjectNode pre = json.putObject("pre_tokenizer").put("type", "Sequence");
        ObjectNode split = pre.withArray("pretokenizers").addObject().put("type", "Split");
        split.putObject("pattern").put("Regex",
                "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+");
        split.put("behavior", "Removed").put("invert", true);
        pre.withArray("pretokenizers").addObject().put("type", "ByteLevel").put("add_prefix_space", false)
                .put("trim_offsets", true).put("use_regex", true);
        ObjectNode post = json.putObject("post_processor").put("type", "RobertaProcessing");
        post.withArray("sep").add(CLIP_END).add(vocabulary.path(CLIP_END).asLong());
        post.withArray("cls").add(CLIP_START).add(vocabulary.path(CLIP_START).asLong());
        post.put("trim_offsets", false).put("add_prefix_space", false);
        ObjectNode model = json.putObject("model").put("type", "BPE").put("unk_token", CLIP_END)
                .put("continuing_subword_prefix", "").put("end_of_word_suffix", "</w>").put("fuse_unk", false);
        model.set("vocab", vocabulary);
        read(folder.resolve("merges.txt")).lines().filter(line -> !line.isBlank() && !line.startsWith("#version"))
                .forEach(model.withArray("merges")::add);
        return json.toString();
    }

    /** The tokenizer.json that the library's own converter writes for a BERT vocabulary. */
    private static String bertJson(Path folder) {
        ObjectNode vocabulary = MAPPER.createObjectNode();
        List<String> lines = read(folder.resolve("vocab.txt")).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            vocabulary.put(lines.get(i), i);
        }
        Path config = folder.resolve("tokenizer_config.json");
        JsonNode settings = Files.exists(config) ? parse(config) : MAPPER.createObjectNode();
        ObjectNode json = MAPPER.createObjectNode();
        json.put("version", "1.0");
        for (String token : BERT_SPECIAL) {
            if (!vocabulary.has(token)) {
                throw Refusal.model("%s/vocab.txt lacks %s; download the folder again.", folder, token);
            }
            json.withArray("added_tokens").addObject().put("id", vocabulary.path(token).asLong()).put("content", token)
                    .put("single_word", false).put("lstrip", false).put("rstrip", false).put("normalized", false)
                    .put("special", true);
        }
        ObjectNode normalizer = json.putObject("normalizer").put("type", "BertNormalizer").put("clean_text", true)
                .put("handle_chinese_chars", settings.path("tokenize_chinese_chars").asBoolean(true))
                .put("lowercase", settings.path("do_lower_case").asBoolean(true));
        normalizer.set("strip_accents", settings.path("strip_accents").isBoolean() ? settings.path("strip_accents") : null);
        json.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
        ObjectNode post = json.putObject("post_processor").put("type", "BertProcessing");
        post.withArray("sep").add(BERT_END).add(vocabulary.path(BERT_END).asLong());
        post.withArray("cls").add(BERT_START).add(vocabulary.path(BERT_START).asLong());
        ObjectNode model = json.putObject("model").put("type", "WordPiece").put("unk_token", "[UNK]")
                .put("continuing_subword_prefix", "##").put("max_input_chars_per_word", 100);
        model.set("vocab", vocabulary);
        return json.toString();
    }

    private static JsonNode parse(Path file) {
        try {
            return MAPPER.readTree(read(file));
        } catch (IOException e) {
            throw Refusal.model("%s is not readable JSON (%s); download it again.", file, e.getMessage(), e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw Refusal.model("%s is missing or unreadable; point --model at a complete model folder.", file, e);
        }
    }
}
