package dev.likeness.segment;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/** How the subject's mask comes about: the value of {@code --segment}. */
public sealed interface Segmentation {

    /** From the picture's transparency. */
    record Alpha() implements Segmentation {
        @Override
        public String flag() {
            return "alpha";
        }
    }

    /** From the luminance of a mask file. */
    record File(Path path) implements Segmentation {
        @Override
        public String flag() {
            return "file:" + path;
        }

        @Override
        public Segmentation at(UnaryOperator<Path> place) {
            return new File(place.apply(path));
        }
    }

    /** From the diffusion model's attention to a word of the reference's caption. */
    record Attention(String word) implements Segmentation {
        @Override
        public String flag() {
            return "attention:" + word;
        }
    }

    /** What stands out inside a box, in pixels of the reference picture; see {@link GrabCut#box}. */
    record InBox(Box box) implements Segmentation {
        @Override
        public String flag() {
            return "box:%d,%d,%d,%d".formatted(box.x(), box.y(), box.width(), box.height());
        }
    }

    /** What a pixel of the reference picture belongs to; see {@link GrabCut#click}. */
    record Click(int x, int y) implements Segmentation {
        @Override
        public String flag() {
            return "click:%d,%d".formatted(x, y);
        }
    }

    /** By a segmentation network in a file; see {@link OnnxSegmenter}. */
    record Onnx(Path path, OnnxSegmenter.Options options) implements Segmentation {
        @Override
        public String flag() {
            return "onnx:" + path;
        }

        @Override
        public Segmentation at(UnaryOperator<Path> place) {
            return new Onnx(place.apply(path), options);
        }
    }

    /** The text that {@link #parse} reads as this. */
    String flag();

    /** The same with another path for its file, if it has one. */
    default Segmentation at(UnaryOperator<Path> place) {
        return this;
    }

    /**
     * Reads {@code alpha}, {@code file:PATH}, {@code attention:WORD}, {@code box:x,y,w,h}, {@code click:x,y} or
     * {@code onnx:PATH}. Files need not exist yet, and whether numbers lie inside a picture is not known here.
     *
     * @throws Refusal (usage) when the text is none of these
     */
    static Segmentation parse(String text) {
        if (text.equals("alpha")) {
            return new Alpha();
        }
        String[] parts = text.split(":", 2);
        try {
            if (parts.length == 2 && !parts[1].isBlank()) {
                return of(parts[0], parts[1]);
            }
        } catch (IllegalArgumentException e) {
            // told below, with the forms that are wanted
        }
        throw Refusal.usage("--segment %s says no way to find the subject; give alpha, file:PATH, attention:WORD, box:x,y,w,h, "
                + "click:x,y or onnx:PATH, with numbers in whole pixels of the reference picture.", text);
    }

    private static Segmentation of(String kind, String value) {
        return switch (kind) {
            case "file" -> new File(Path.of(value));
            case "attention" -> new Attention(value.strip());
            case "box" -> {
                int[] box = pixels(value, 4);
                yield new InBox(new Box(box[0], box[1], box[2], box[3]));
            }
            case "click" -> {
                int[] point = pixels(value, 2);
                yield new Click(point[0], point[1]);
            }
            case "onnx" -> new Onnx(Path.of(value), OnnxSegmenter.Options.DEFAULT);
            default -> throw new IllegalArgumentException(kind);
        };
    }

    /** Numbers from 0, with commas between. */
    private static int[] pixels(String text, int count) {
        String[] parts = text.split(",", -1);
        if (parts.length != count) {
            throw new IllegalArgumentException(text);
        }
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = Integer.parseInt(parts[i].strip());
            if (numbers[i] < 0) {
                throw new IllegalArgumentException(text);
            }
        }
        return numbers;
    }
}
