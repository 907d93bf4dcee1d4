package dev.likeness.train;

import dev.likeness.model.vae.AutoencoderKl;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.train.Crops.Crop;
import dev.likeness.train.data.ToyPicture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Encoded pictures to draw training batches from. Encoding costs about a third of a training step, so a picture is used
 * several times (with other noise each time) before a newer one takes its place.
 */
final class LatentPool {

    private static final int CAPACITY = 24_000;

    /** An encoded picture. */
    static final class Entry {
        final float[] latents; // [z, h, w], normalised
        final float[] weights; // [rows * columns], share of the loss of each token, mean 1
        final String caption;
        final List<String> subjects;

        Entry(float[] latents, float[] weights, ToyPicture picture) {
            this.latents = latents;
            this.weights = weights;
            caption = picture.caption();
            subjects = picture.subjects();
        }
    }

    private final AutoencoderKl vae;
    private final List<Entry> entries = new ArrayList<>();
    private long added;

    /** @param vae in bfloat16 */
    LatentPool(AutoencoderKl vae) {
        this.vae = vae;
    }

    int size() {
        return entries.size();
    }

    /** Encodes pictures of one size and puts them in, over the oldest when the pool is full. */
    void add(List<ToyPicture> pictures) {
        for (Entry entry : encode(vae, pictures)) {
            if (entries.size() < CAPACITY) {
                entries.add(entry);
            } else {
                entries.set((int) (added % CAPACITY), entry);
            }
            added++;
        }
    }

    List<Entry> draw(int count, SplittableRandom random) {
        List<Entry> drawn = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            drawn.add(entries.get(random.nextInt(entries.size())));
        }
        return drawn;
    }

    static List<Entry> encode(AutoencoderKl vae, List<ToyPicture> pictures) {
        float[] all;
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            Tensor pixels = Tensors.to(Crops.pixels(pictures.stream().map(Crop::whole).toList()), DType.BFLOAT16);
            all = Tensors.floats(vae.normalise(Tensors.to(vae.encode(pixels), DType.FLOAT32)));
        }
        int each = all.length / pictures.size();
        List<Entry> encoded = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            float[] latents = Arrays.copyOfRange(all, i * each, (i + 1) * each);
            encoded.add(new Entry(latents, lossWeights(pictures.get(i)), pictures.get(i)));
        }
        return encoded;
    }

    /** Their latents as a batch [B, z, side, side]. */
    static Tensor latents(List<Entry> entries, int z, int side) {
        return batch(entries.stream().map(entry -> entry.latents).toList(), z, side, side);
    }

    /** Shares of the loss by token [B, rows, rows]. */
    static Tensor weights(List<Entry> entries, int rows) {
        return batch(entries.stream().map(entry -> entry.weights).toList(), rows, rows);
    }

    private static Tensor batch(List<float[]> parts, long... shapeOfOne) {
        int each = parts.get(0).length;
        float[] all = new float[parts.size() * each];
        for (int i = 0; i < parts.size(); i++) {
            System.arraycopy(parts.get(i), 0, all, i * each, each);
        }
        long[] shape = LongStream.concat(LongStream.of(parts.size()), Arrays.stream(shapeOfOne)).toArray();
        return Tensors.of(all, shape);
    }

    /** 0.5 + 3 x the subject's share of each token, scaled to mean 1: subjects are small and harder than their scene. */
    private static float[] lossWeights(ToyPicture picture) {
        int side = picture.size() / 16;
        float[] weights = new float[side * side];
        float sum = 0;
        for (int i = 0; i < picture.mask().length; i++) {
            int token = i / picture.size() / 16 * side + i % picture.size() / 16;
            weights[token] += picture.mask()[i] * 3 / 256;
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] += 0.5f;
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] *= weights.length / sum;
        }
        return weights;
    }
}
