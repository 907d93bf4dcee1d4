package dev.likeness.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The members of a JSON object that came with a request. What is missing or null is null; what has another type than asked
 * for is refused with its pointer.
 *
 * @param pointer JSON Pointer of the object
 */
record Fields(ObjectNode object, String pointer) {

    /** Refuses members of other names. @param whose what takes these, for the refusal */
    void allow(Collection<String> names, String whose) {
        object.fieldNames().forEachRemaining(name -> {
            if (!names.contains(name)) {
                String shown = name.length() > 40 ? name.substring(0, 40) + "..." : name;
                throw Problem.at(at(name), "%s takes no field '%s'; use %s.", whose, shown, String.join(", ", names));
            }
        });
    }

    String at(String name) {
        return pointer + "/" + name.replace("~", "~0").replace("/", "~1");
    }

    boolean has(String name) {
        return object.hasNonNull(name);
    }

    String text(String name) {
        return typed(name, JsonNode::isTextual, JsonNode::textValue,
                "%s is not a text; write one in double quotes.");
    }

    String text(String name, String otherwise) {
        String text = text(name);
        return text == null ? otherwise : text;
    }

    String requireText(String name) {
        String text = text(name);
        if (text == null) {
            throw Problem.at(at(name), "%s is missing; give it.", name);
        }
        return text;
    }

    Boolean flag(String name) {
        return typed(name, JsonNode::isBoolean, JsonNode::booleanValue,
                "%s is neither true nor false; write one of the two, without quotes.");
    }

    boolean flag(String name, boolean otherwise) {
        Boolean flag = flag(name);
        return flag == null ? otherwise : flag;
    }

    Integer integer(String name) {
        Long number = whole(name);
        if (number != null && number != number.intValue()) {
            throw Problem.at(at(name), "%s %d is out of range; write a smaller number.", name, number);
        }
        return number == null ? null : number.intValue();
    }

    int integer(String name, int otherwise) {
        Integer number = integer(name);
        return number == null ? otherwise : number;
    }

    Long whole(String name) {
        return typed(name, value -> value.isIntegralNumber() && value.canConvertToLong(), JsonNode::longValue,
                "%s is not a whole number of at most 64 bits; write one without quotes.");
    }

    Double number(String name) {
        return typed(name, JsonNode::isNumber, JsonNode::doubleValue,
                "%s is not a number; write one without quotes.");
    }

    <T> T oneOf(String name, T[] values, Function<T, String> nameOf) {
        String text = text(name);
        if (text == null) {
            return null;
        }
        return Arrays.stream(values).filter(value -> nameOf.apply(value).equals(text)).findFirst()
                .orElseThrow(() -> Problem.at(at(name), "%s is none of %s; use one of them.", name,
                        Arrays.stream(values).map(nameOf).collect(Collectors.joining(", "))));
    }

    /** The objects of a list; empty when there is none. */
    List<Fields> list(String name) {
        List<Fields> fields = new ArrayList<>();
        for (JsonNode element : elements(name)) {
            String place = at(name) + "/" + fields.size();
            if (!(element instanceof ObjectNode inner)) {
                throw Problem.at(place, "an object is needed here; write one in braces.");
            }
            fields.add(new Fields(inner, place));
        }
        return fields;
    }

    /** The texts of a list; empty when there is none. */
    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        for (JsonNode element : elements(name)) {
            if (!element.isTextual()) {
                throw Problem.at(at(name) + "/" + texts.size(), "a text is needed here; write one in double quotes.");
            }
            texts.add(element.textValue());
        }
        return texts;
    }

    private Iterable<JsonNode> elements(String name) {
        JsonNode value = value(name);
        if (value != null && !value.isArray()) {
            throw Problem.at(at(name), "%s is not a list; write one in square brackets.", name);
        }
        return value == null ? List.of() : value;
    }

    /** @param wrong what is told of a member of another type, with %s for its name */
    private <T> T typed(String name, Predicate<JsonNode> fits, Function<JsonNode, T> read, String wrong) {
        JsonNode value = value(name);
        if (value != null && !fits.test(value)) {
            throw Problem.at(at(name), wrong, name);
        }
        return value == null ? null : read.apply(value);
    }

    private JsonNode value(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** What the library says of a field: a refusal of its becomes one of the request. */
    <T> T said(String name, Supplier<T> what) {
        return Inputs.refused(at(name), what);
    }
}
