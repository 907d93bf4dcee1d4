package dev.likeness.train;

import dev.likeness.model.clip.ClipTextConfig;
import dev.likeness.model.clip.ClipTextModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Scope;
import dev.likeness.text.Tokenizer;
import dev.likeness.weights.Checkpoint;
import dev.likeness.weights.Component;
import dev.likeness.weights.ModelFiles;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Captions through the frozen CLIP encoder: its last hidden states, as Stable Diffusion takes them. */
final class ClipCaptions implements UNetTraining.Captioner, AutoCloseable {

    private final Tokenizer tokenizer;
    private final Checkpoint weights;
    private final ClipTextModel clip;

    ClipCaptions(ModelFiles files) {
        tokenizer = Tokenizer.clip(files.folder().resolve("tokenizer"));
        weights = files.open(Component.CLIP, DType.BFLOAT16, Device.CPU);
        clip = new ClipTextModel(ClipTextConfig.read(files), weights);
        weights.finish(ClipTextModel.IGNORED_KEYS);
    }

    @Override
    public Tensor apply(List<String> captions) {
        int length = clip.config().maxPositionEmbeddings();
        long[][] ids = captions.stream().map(caption -> tokenizer.encode(caption, length)).toArray(long[][]::new);
        try (Scope scope = Scope.open(); Gradients off = Gradients.off()) {
            return scope.keep(clip.forward(ids).lastHiddenState());
        }
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
    }
}
