package dev.likeness.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.weights.JsonFile;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads a config.json into a record whose components are its keys in camel case. A key that the record does not know is
 * an error unless it is listed as known and without effect: a model whose config says something we would ignore must not
 * load silently.
 */
public final class ConfigJson {

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes -Infinity
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();

    /** Keys that transformers writes into any config.json (old versions all of them) and that change nothing here. */
    public static final Set<String> PRETRAINED = Set.of("add_cross_attention", "architectures", "bad_words_ids",
            "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward", "cross_attention_hidden_size",
            "decoder_start_token_id", "diversity_penalty", "do_sample", "dtype", "early_stopping",
            "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id",
            "forced_eos_token_id", "gradient_checkpointing", "id2label", "initializer_factor", "initializer_range",
            "is_decoder", "is_encoder_decoder", "label2id", "length_penalty", "max_length", "min_length",
            "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_attentions",
            "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type", "pruned_heads",
            "remove_invalid_values", "repetition_penalty", "return_dict", "return_dict_in_generate", "sep_token_id",
            "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss", "tie_encoder_decoder",
            "tie_word_embeddings", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
            "transformers_version", "typical_p", "use_bfloat16");

    private ConfigJson() {}

    /** A set of keys and more of them. */
    public static Set<String> and(Set<String> keys, String... more) {
        return Stream.concat(keys.stream(), Stream.of(more)).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * @param unused keys that may stand in the file and change nothing here; keys that begin with {@code _} always may
     * @throws Refusal (model) when the file is missing, not JSON, or says something this version does not support
     */
    public static <T> T read(Path file, Class<T> type, Set<String> unused) {
        return read(file, type, unused, Map.of());
    }

    /**
     * @param fixed keys that may stand in the file with one value only, the one that the code computes with; for an array
     *     each element's value. {@code null} may stand for every one of them
     */
    public static <T> T read(Path file, Class<T> type, Set<String> unused, Map<String, String> fixed) {
        return parse(file, type, tree(file), unused, fixed);
    }

    /**
     * Reads a record from objects inside the file.
     *
     * @param defaults values of keys that none of the objects has
     * @param objects  their keys in the file; what a later one says holds, and one that is absent or null says nothing
     */
    public static <T> T readInside(Path file, Class<T> type, Map<String, Object> defaults, List<String> objects,
            Set<String> unused, Map<String, String> fixed) {
        ObjectNode whole = tree(file);
        ObjectNode json = MAPPER.valueToTree(defaults);
        for (String key : objects) {
            if (whole.path(key) instanceof ObjectNode object) {
                json.setAll(object);
            }
        }
        return parse(file, type, json, unused, fixed);
    }

    /** What a key says, empty when there is none and {@code null} for null. @throws Refusal (model) as {@link #read} does */
    public static String text(Path file, String key) {
        return tree(file).path(key).asText();
    }

    private static ObjectNode tree(Path file) {
        if (!Files.isRegularFile(file)) {
            throw Refusal.model("%s does not exist; point --model at a complete model folder in diffusers layout.", file);
        }
        if (!(JsonFile.read(file) instanceof ObjectNode json)) {
            throw Refusal.model("%s is no JSON object; download it again.", file);
        }
        return json;
    }

    private static <T> T parse(Path file, Class<T> type, ObjectNode json, Set<String> unused, Map<String, String> fixed) {
        try {
            fixed.forEach((key, value) -> requireFixed(file, key, json.path(key), value));
            json.remove(fixed.keySet());
            json.properties().removeIf(e -> e.getKey().startsWith("_") || unused.contains(e.getKey()));
            requireNumbers(file, type, json);
            return MAPPER.treeToValue(json, type);
        } catch (JsonProcessingException e) {
            throw unsupported(file, e);
        }
    }

    /** A number or a switch that is left out would be read as 0 or false. */
    private static void requireNumbers(Path file, Class<?> type, ObjectNode json) {
        for (RecordComponent component : type.getRecordComponents()) {
            String key = new SnakeCaseStrategy().translate(component.getName());
            if (component.getType().isPrimitive() && !json.hasNonNull(key)) {
                throw Refusal.model("%s is not supported: it has no %s.", file, key);
            }
        }
    }

    private static Refusal unsupported(Path file, JsonProcessingException e) {
        Throwable reason = e.getCause() == null ? e : e.getCause();
        return Refusal.model("%s is not supported: %s", file,
                String.valueOf(reason.getMessage()).lines().findFirst().orElse("unreadable"), e);
    }

    private static void requireFixed(Path file, String key, JsonNode actual, String expected) {
        if (actual.isArray()) {
            actual.forEach(element -> requireFixed(file, key, element, expected));
        } else if (!actual.isMissingNode() && !actual.isNull() && !actual.asText().equals(expected)) {
            throw Refusal.model("%s is not supported: %s is %s, and only %s is supported.", file, key, actual, expected);
        }
    }
}
