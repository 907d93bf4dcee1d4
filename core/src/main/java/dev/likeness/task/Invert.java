package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.DiffusionSampler;
import dev.likeness.denoise.Evaluations;
import dev.likeness.denoise.StepListener;
import dev.likeness.image.Picture;
import dev.likeness.inversion.Inversion;
import dev.likeness.inversion.Trajectory;
import dev.likeness.inversion.Velocity;
import dev.likeness.schedule.Diffusion;
import dev.likeness.tensor.Scope;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;

/** From a picture to noise and back: what an inversion keeps of it. */
public final class Invert {

    private Invert() {}

    /**
     * @param picture of the canvas's size
     * @param caption what it shows; may be empty
     * @return the reconstruction; its evaluations are those of both ways
     */
    public static Generation run(FluxModel model, Picture picture, String caption, Inversion inversion, Sampling sampling,
            TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        try (Scope scope = Scope.open()) {
            stopwatch.phase("load");
            model.load();
            double[] sigmas = model.sigmas(sampling);
            stopwatch.phase("text");
            Conditioning.Text text = model.text(caption, sampling);
            stopwatch.phase("encode");
            Tensor clean = model.encode(picture);
            AtomicInteger evaluations = new AtomicInteger();
            Velocity velocity = Personalize.velocity(model, text, sampling, evaluations);
            stopwatch.phase("invert");
            Trajectory trajectory =
                    inversion.trajectory(clean, model.noise(sampling.seed(), sampling), sigmas, velocity);
            stopwatch.phase("denoise");
            Tensor back = inversion.reconstruct(trajectory, clean, sigmas, velocity);
            stopwatch.phase("decode");
            Generation.Image image = new Generation.Image(model.decode(back, sampling), sampling.seed());
            return new Generation(List.of(image), new Evaluations(0, 0, 0, evaluations.get()), stopwatch.stop(), List.of());
        }
    }

    /**
     * The same by DDIM, up and down without guidance.
     *
     * @param picture of the canvas's size
     * @param caption what it shows; may be empty
     * @return the reconstruction; its evaluations are those of both ways
     */
    public static Generation run(DiffusionModel model, Picture picture, String caption, Sampling sampling, TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        try (Scope scope = Scope.open()) {
            List<Diffusion.Step> down = model.steps(Diffusion.Sampler.DDIM, sampling);
            List<Diffusion.Step> up = Diffusion.inverse(down);
            stopwatch.phase("load");
            model.load();
            stopwatch.phase("text");
            DiffusionSampler denoiser = model.unguided(caption, sampling);
            stopwatch.phase("encode");
            Tensor clean = model.encode(picture);
            stopwatch.phase("invert");
            Tensor noise = denoiser.run(clean, Diffusion.Sampler.DDIM, up, null, DiffusionSampler.NO_HOOKS, StepListener.NONE);
            stopwatch.phase("denoise");
            Tensor back = denoiser.run(noise, Diffusion.Sampler.DDIM, down, null, DiffusionSampler.NO_HOOKS, StepListener.NONE);
            stopwatch.phase("decode");
            Generation.Image image = new Generation.Image(model.decode(back), sampling.seed());
            return new Generation(List.of(image), new Evaluations(0, 0, 0, up.size() + down.size()), stopwatch.stop(), List.of());
        }
    }
}
