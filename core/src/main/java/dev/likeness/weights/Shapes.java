package dev.likeness.weights;

import dev.likeness.error.Refusal;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Names and shapes of a network's weights, from which most of its configuration follows. */
public record Shapes(Path source, Map<String, long[]> byName) {

    /** How many numbers a tensor of that shape holds. */
    public static long elements(long[] shape) {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    public boolean has(String name) {
        return byName.containsKey(name);
    }

    /** @throws Refusal (model) when there is no such weight, or it has no such axis */
    public int size(String name, int axis) {
        long[] shape = byName.get(name);
        if (shape == null) {
            throw Refusal.model("%s lacks the weight %s; the file is incomplete or of another kind of model.", source, name);
        }
        if (axis >= shape.length || shape[axis] < 1 || shape[axis] > Integer.MAX_VALUE) {
            throw Refusal.model("%s: weight %s has the shape %s, which FLUX.1's networks do not have; the file is damaged "
                    + "or of another kind of model.", source, name, Arrays.toString(shape));
        }
        return (int) shape[axis];
    }

    /** How many blocks there are below a prefix: {@code prefix.0.}, {@code prefix.1.}, ... */
    public int count(String prefix) {
        String begin = prefix + '.';
        Set<String> numbers = new HashSet<>();
        for (String name : byName.keySet()) {
            int end = name.startsWith(begin) ? name.indexOf('.', begin.length()) : -1;
            if (end > 0) {
                numbers.add(name.substring(begin.length(), end));
            }
        }
        int count = 0;
        while (numbers.contains(String.valueOf(count))) {
            count++;
        }
        return count;
    }
}
