package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/layout.schema.json accepts the files that {@link LayoutFile} reads, and no others. */
class LayoutSchemaTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path DOCS = Path.of("..", "docs"); // tests run in their module's folder

    /** Values of every kind; each stands in for each field. */
    private static final List<String> ANY = List.of("null", "true", "false", "0", "\"\"", "\"@\"", "\"@Robot\"", "\"@robot\"",
            "\"a.png\"", "[]", "{}");

    private static JsonNode schema;

    @TempDir
    Path folder;

    @BeforeAll
    static void readSchema() throws IOException {
        schema = MAPPER.readTree(DOCS.resolve("layout.schema.json").toFile());
    }

    private static JsonNode subjectSchema() {
        return schema.at("/$defs/subject");
    }

    private boolean parserAccepts(JsonNode document) throws IOException {
        try {
            LayoutFile.read(Files.writeString(folder.resolve("layout.json"), document.toString()));
            return true;
        } catch (Refusal e) {
            return false;
        }
    }

    private void assertAgreement(JsonNode document) throws IOException {
        assertThat(parserAccepts(document)).as(document.toString()).isEqualTo(valid(document, schema));
    }

    private static ObjectNode layout(JsonNode... subjects) {
        ObjectNode document = MAPPER.createObjectNode();
        document.putArray("subjects").addAll(List.of(subjects));
        return document;
    }

    private static ObjectNode subject() {
        return MAPPER.createObjectNode().put("reference", "a.png");
    }

    @Test
    void everyFieldIsDescribed() {
        subjectSchema().get("properties").forEach(field -> assertThat(field.path("description").asText()).isNotBlank());
    }

    @Test
    void theEndsOfEveryRangeAreThoseOfTheParser() throws IOException {
        for (String field : List.of("x", "y", "scale")) {
            for (String end : List.of("minimum", "maximum")) {
                double limit = subjectSchema().at("/properties/" + field + "/" + end).doubleValue();
                double beyond = end.equals("minimum") ? Math.nextDown(limit) : Math.nextUp(limit);
                ObjectNode subject = subject().put("x", 0.5).put("y", 0.5).put("scale", 1.5);
                assertThat(parserAccepts(layout(subject.put(field, limit)))).isTrue();
                assertThat(parserAccepts(layout(subject.put(field, beyond)))).isFalse();
            }
        }
        assertThat(schema.at("/properties/subjects/maxItems").intValue()).isEqualTo(LayoutFile.MAX_SUBJECTS);
    }

    @Test
    void everyFieldAloneAgreesForEveryKindOfValue() throws IOException {
        for (String field : fields()) {
            for (String value : ANY) {
                ObjectNode subject = subject();
                subject.set(field, MAPPER.readTree(value));
                assertAgreement(layout(subject));
                ObjectNode document = layout(subject());
                document.set(field, MAPPER.readTree(value));
                assertAgreement(document);
                document = layout(subject());
                document.set("subjects", MAPPER.readTree(value));
                assertAgreement(document);
                assertAgreement(layout(MAPPER.readTree(value)));
            }
        }
        assertAgreement(MAPPER.createObjectNode());
        for (int count = 1; count <= LayoutFile.MAX_SUBJECTS + 1; count++) {
            assertAgreement(layout(Stream.generate(LayoutSchemaTest::subject).limit(count)
                    .toArray(JsonNode[]::new)));
        }
    }

    @Test
    void randomFilesAgree() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        int accepted = 0;
        for (int i = 0; i < 1500; i++) {
            JsonNode[] subjects = new JsonNode[1 + random.nextInt(3)];
            for (int j = 0; j < subjects.length; j++) {
                subjects[j] = randomSubject(random);
            }
            ObjectNode document = layout(subjects);
            assertAgreement(document);
            accepted += valid(document, schema) ? 1 : 0;
        }
        assertThat(accepted).isBetween(200, 1300); // else one side would hardly be tested
    }

    /** Mostly sound, so that rules between fields are met as well as those of one field. */
    private static ObjectNode randomSubject(SplittableRandom random) throws IOException {
        ObjectNode subject = MAPPER.createObjectNode();
        if (random.nextInt(30) > 0) {
            subject.put("reference", random.nextInt(4) > 0 ? "a.png" : "@robot");
        }
        for (String field : fields()) {
            JsonNode rule = subjectSchema().at("/properties/" + field);
            if (field.equals("reference") || random.nextInt(6) > 0) {
                continue;
            }
            if (random.nextInt(25) == 0) {
                subject.set(field, MAPPER.readTree(ANY.get(random.nextInt(ANY.size()))));
            } else if (rule.path("type").asText().equals("number")) {
                subject.put(field, random.nextInt(15) == 0 ? 9 : 0.5);
            } else if (rule.path("type").asText().equals("boolean")) {
                subject.put(field, random.nextBoolean());
            } else {
                subject.put(field, "text");
            }
        }
        if (subject.has("x") && random.nextInt(4) > 0) {
            subject.put("y", 0.5);
        }
        return subject;
    }

    private static List<String> fields() {
        List<String> names = new ArrayList<>();
        subjectSchema().get("properties").fieldNames().forEachRemaining(names::add);
        names.add("unknown");
        names.add("$schema");
        return names;
    }

    private static List<String> examplesOfThePage() throws IOException {
        return Pattern.compile("```\n(\\{.*?)```", Pattern.DOTALL).matcher(Files.readString(DOCS.resolve("layout.md"))).results()
                .map(example -> example.group(1)).toList();
    }

    @Test
    void theExamplesOfThePageAreRead() throws IOException {
        assertThat(examplesOfThePage()).hasSize(2);
        for (String example : examplesOfThePage()) {
            JsonNode document = MAPPER.readTree(example);
            assertThat(valid(document, schema)).isTrue();
            assertThat(parserAccepts(document)).isTrue();
        }
    }

    @Test
    void theMistakeOfThePageIsToldAsItSays() throws IOException {
        Path file = folder.resolve("layout.json");
        Files.writeString(file, examplesOfThePage().get(0).replace("\"x\": 0.75", "\"x\": 1.75"));
        assertThatThrownBy(() -> LayoutFile.read(file)).satisfies(e -> assertThat(Files.readString(DOCS.resolve("layout.md")))
                .contains(e.getMessage().substring(folder.toString().length() + 1)));
    }

    /** The part of JSON Schema 2020-12 that our schema uses; another keyword is an error. */
    private static boolean valid(JsonNode value, JsonNode rules) {
        if (rules.isBoolean()) {
            return rules.booleanValue();
        }
        return rules.properties().stream().allMatch(rule -> holds(value, rule.getKey(), rule.getValue(), rules));
    }

    private static boolean holds(JsonNode value, String keyword, JsonNode rule, JsonNode rules) {
        return switch (keyword) {
            case "$schema", "$defs", "title", "description", "default", "then", "minContains", "maxContains" -> true;
            case "$ref" -> valid(value, schema.at(rule.asText().substring(1)));
            case "type" -> value.getNodeType().name().equalsIgnoreCase(rule.asText());
            case "const" -> value.equals(rule);
            case "minimum" -> !value.isNumber() || value.doubleValue() >= rule.doubleValue();
            case "maximum" -> !value.isNumber() || value.doubleValue() <= rule.doubleValue();
            case "minLength" -> !value.isTextual() || value.asText().length() >= rule.intValue();
            case "pattern" -> !value.isTextual() || Pattern.compile(rule.asText()).matcher(value.asText()).find();
            case "required" -> !value.isObject() || all(rule).allMatch(key -> value.has(key.asText()));
            case "dependentRequired" -> rule.properties().stream()
                    .allMatch(e -> !value.has(e.getKey()) || all(e.getValue()).allMatch(key -> value.has(key.asText())));
            case "properties" -> rule.properties().stream()
                    .allMatch(e -> !value.has(e.getKey()) || valid(value.get(e.getKey()), e.getValue()));
            case "additionalProperties" -> {
                assertThat(rule.asText()).isEqualTo("false");
                yield value.properties().stream().allMatch(e -> rules.get("properties").has(e.getKey()));
            }
            case "minItems" -> !value.isArray() || value.size() >= rule.intValue();
            case "maxItems" -> !value.isArray() || value.size() <= rule.intValue();
            case "items" -> !(value instanceof ArrayNode) || all(value).allMatch(item -> valid(item, rule));
            case "contains" -> {
                long count = all(value).filter(item -> valid(item, rule)).count();
                yield !value.isArray() || count >= rules.path("minContains").asInt(1)
                        && count <= rules.path("maxContains").asInt(Integer.MAX_VALUE);
            }
            case "allOf" -> all(rule).allMatch(part -> valid(value, part));
            case "not" -> !valid(value, rule);
            case "if" -> !valid(value, rule) || valid(value, rules.get("then"));
            default -> throw new AssertionError("the schema uses " + keyword + ", which this test does not know");
        };
    }

    private static Stream<JsonNode> all(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }
}
