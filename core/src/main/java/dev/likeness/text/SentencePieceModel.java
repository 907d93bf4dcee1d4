package dev.likeness.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * A Unigram model of SentencePiece, a message of protocol buffers (sentencepiece_model.proto): only its pieces and its compiled
 * rules of normalisation are read.
 *
 * @param pieces in the order of their ids
 * @param rules precompiled_charsmap
 */
record SentencePieceModel(List<Piece> pieces, byte[] rules) {

    private static final String END = "</s>";
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    /** @param score logarithm of its probability */
    private record Piece(String text, float score, Kind kind) {}

    private enum Kind { UNSET, NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE }

    /** A field's value: of those that are read, either bytes or a number. */
    private record Value(ByteBuffer bytes, long number) {}

    /** @throws Refusal (model) when it is unreadable or no Unigram model that a T5 can have */
    static SentencePieceModel read(Path file) {
        List<Piece> pieces = new ArrayList<>();
        byte[][] rules = {new byte[0]};
        long[] type = {1};
        try {
            fields(ByteBuffer.wrap(Files.readAllBytes(file)), (field, value) -> {
                switch (field) {
                    case 1 -> pieces.add(piece(value.bytes));
                    // trainer_spec.model_type and normalizer_spec.precompiled_charsmap
                    case 2 -> fields(value.bytes, (inner, of) -> type[0] = inner == 3 ? of.number : type[0]);
                    case 3 -> fields(value.bytes, (inner, of) -> rules[0] = inner == 2 ? array(of.bytes) : rules[0]);
                    default -> { } // self-tests, rules of the way back
                }
            });
        } catch (IOException | BufferUnderflowException | IllegalArgumentException | NullPointerException e) {
            throw Refusal.model("%s is no readable SentencePiece model; download it again.", file, e);
        }
        if (type[0] != 1 || pieces.stream().noneMatch(piece -> piece.kind == Kind.UNKNOWN)
                || pieces.stream().noneMatch(piece -> piece.text.equals(END))) {
            throw Refusal.model("%s is no Unigram model with an unknown and an end token, as T5 has; download it again, or put "
                    + "the tokenizer.json beside it that transformers writes: "
                    + "AutoTokenizer.from_pretrained(folder).save_pretrained(folder).", file);
        }
        return new SentencePieceModel(List.copyOf(pieces), rules[0]);
    }

    private static Piece piece(ByteBuffer message) {
        Object[] read = {"", 0f, Kind.NORMAL};
        fields(message, (field, value) -> {
            switch (field) {
                case 1 -> read[0] = new String(array(value.bytes), StandardCharsets.UTF_8);
                case 2 -> read[1] = Float.intBitsToFloat((int) value.number);
                case 3 -> read[2] = Kind.values()[Math.toIntExact(Math.max(0, Math.min(6, value.number)))];
                default -> { } // none are known
            }
        });
        return new Piece((String) read[0], (float) read[1], (Kind) read[2]);
    }

    private static void fields(ByteBuffer message, BiConsumer<Integer, Value> reader) {
        ByteBuffer in = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            long tag = varint(in);
            int field = (int) (tag >>> 3);
            switch ((int) (tag & 7)) {
                case VARINT -> reader.accept(field, new Value(null, varint(in)));
                case FIXED64 -> reader.accept(field, new Value(null, in.getLong()));
                case FIXED32 -> reader.accept(field, new Value(null, in.getInt()));
                case BYTES -> {
                    long length = varint(in);
                    if (length < 0 || length > in.remaining()) {
                        throw new IllegalArgumentException("a field of " + length + " bytes in " + in.remaining());
                    }
                    reader.accept(field, new Value(in.slice(in.position(), (int) length), 0));
                    in.position(in.position() + (int) length);
                }
                default -> throw new IllegalArgumentException("tag " + tag);
            }
        }
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = in.get();
            value |= (next & 127L) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number of more than 64 bits");
    }

    private static byte[] array(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return copy;
    }

    /** The tokenizer.json that the public library's converter writes for a T5 of this vocabulary. */
    String tokenizerJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("version", "1.0");
        ArrayNode vocabulary = json.arrayNode();
        int unknown = 0;
        int end = 0;
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            vocabulary.addArray().add(piece.text).add((double) piece.score);
            unknown = piece.kind == Kind.UNKNOWN ? id : unknown;
            end = piece.text.equals(END) ? id : end;
            if (piece.kind == Kind.UNKNOWN || piece.kind == Kind.CONTROL) {
                json.withArray("added_tokens").addObject().put("id", id).put("content", piece.text).put("single_word", false)
                        .put("lstrip", false).put("rstrip", false).put("normalized", false).put("special", true);
            }
        }
        if (rules.length > 0) {
            json.putObject("normalizer").put("type", "Precompiled")
                    .put("precompiled_charsmap", Base64.getEncoder().encodeToString(rules));
        }
        ArrayNode pre = json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        pre.addObject().put("type", "WhitespaceSplit");
        pre.addObject().put("type", "Metaspace").put("replacement", "\u2581").put("prepend_scheme", "always").put("split", true);
        ObjectNode post = json.putObject("post_processor").put("type", "TemplateProcessing");
        for (String form : new String[] {"single", "pair"}) {
            ArrayNode template = post.putArray(form);
            for (String text : form.equals("single") ? new String[] {"A"} : new String[] {"A", "B"}) {
                template.addObject().putObject("Sequence").put("id", text).put("type_id", 0);
                template.addObject().putObject("SpecialToken").put("id", END).put("type_id", 0);
            }
        }
        ObjectNode special = post.putObject("special_tokens").putObject(END).put("id", END);
        special.putArray("ids").add(end);
        special.putArray("tokens").add(END);
        json.putObject("model").put("type", "Unigram").put("unk_id", unknown).put("byte_fallback", false)
                .set("vocab", vocabulary);
        return json.toString();
    }
}
