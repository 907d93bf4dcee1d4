package dev.likeness.train;

import dev.likeness.denoise.Conditioning;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.text.TextEncoders;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Captions through the frozen text encoders, each encoded once while it is in use. */
final class CachedCaptions implements FluxTraining.Captioner {

    private static final int CAPACITY = 20_000;

    private record Encoded(float[] tokens, float[] pooled) {}

    private final TextEncoders encoders;
    private final int length;
    private final Map<String, Encoded> cache = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Encoded> eldest) {
            return size() > CAPACITY;
        }
    };

    /** @param length text tokens given to the transformer */
    CachedCaptions(TextEncoders encoders, int length) {
        this.encoders = encoders;
        this.length = length;
    }

    @Override
    public Conditioning.Text apply(List<String> captions) {
        List<String> missing = captions.stream().distinct().filter(caption -> !cache.containsKey(caption)).toList();
        if (!missing.isEmpty()) {
            encode(missing);
        }
        List<Encoded> encoded = captions.stream().map(cache::get).toList();
        int width = encoded.get(0).tokens().length / length;
        return new Conditioning.Text(
                Tensors.of(joined(encoded.stream().map(Encoded::tokens).toList()), captions.size(), length, width),
                Tensors.of(joined(encoded.stream().map(Encoded::pooled).toList()), captions.size(),
                        encoded.get(0).pooled().length));
    }

    private void encode(List<String> captions) {
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            TextEncoders.Embedding all = encoders.encode(captions, length);
            for (int i = 0; i < captions.size(); i++) {
                cache.put(captions.get(i), new Encoded(row(all.tokens(), i), row(all.pooled(), i)));
            }
        }
    }

    private static float[] row(Tensor batch, int index) {
        return Tensors.floats(batch.narrow(0, index, 1));
    }

    private static float[] joined(List<float[]> rows) {
        float[] all = new float[rows.size() * rows.get(0).length];
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, all, i * rows.get(i).length, rows.get(i).length);
        }
        return all;
    }
}
