package dev.likeness.task;

import dev.likeness.denoise.Conditioning;
import dev.likeness.denoise.Denoiser;
import dev.likeness.denoise.Evaluations;
import dev.likeness.denoise.StepInjection;
import dev.likeness.inject.Concatenation;
import dev.likeness.inject.Placed;
import dev.likeness.inject.ReferenceAttention;
import dev.likeness.inject.ReferenceBranch;
import dev.likeness.inject.ReferenceNoise;
import dev.likeness.inject.TokenReplacement;
import dev.likeness.inversion.Inversion;
import dev.likeness.inversion.Trajectory;
import dev.likeness.inversion.Velocity;
import dev.likeness.model.flux.AttentionHook;
import dev.likeness.model.flux.FluxTransformer;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Puts the subjects of reference pictures into a new picture (paper, section 3): one subject, several, or subjects and the
 * scene that they stand in.
 */
public final class Personalize {

    /**
     * The noise that the reference's trajectory starts from. It is the same for every picture: so the reference's tokens serve
     * all of them, and a picture does not depend on which others were made with it. Were it the picture's own seed, reference
     * and target would share their noise token by token, and replacement would look better than it is.
     */
    public static final long REFERENCE_SEED = 0x4C696B656E657373L;

    private Personalize() {}

    /**
     * @param subjects of two on one place the later one stands in front
     * @param strict refuses what would else be clipped with a warning
     * @throws dev.likeness.denoise.Cancelled when the listener asked for it
     */
    public static Generation run(FluxModel model, String prompt, List<Subject> subjects, Injection injection, boolean strict,
            Sampling sampling, TaskListener listener) {
        return run(model, prompt, subjects, injection, strict, sampling, AttentionHook.NONE, listener);
    }

    /** @param watch sees every step of the picture last, after what the injection puts in */
    static Generation run(FluxModel model, String prompt, List<Subject> subjects, Injection injection, boolean strict,
            Sampling sampling, AttentionHook watch, TaskListener listener) {
        Stopwatch stopwatch = new Stopwatch(listener);
        Arrangement arrangement = Arrangement.of(subjects, injection, strict);
        try (Scope scope = Scope.open()) {
            stopwatch.phase("load");
            model.load();
            double[] sigmas = model.sigmas(sampling);

            stopwatch.phase("text");
            Conditioning target = model.conditioning(prompt, sampling);
            List<Conditioning.Text> captions = subjects.stream().map(s -> model.text(s.caption(), sampling)).toList();
            Denoiser denoiser =
                    new Denoiser(model.transformer(), target, sampling.rows(), sampling.columns()).prepare(sigmas);

            stopwatch.phase("encode");
            List<Tensor> clean = subjects.stream().map(subject -> model.encode(subject.picture())).toList();

            if (injection.inversion().method() != Inversion.Method.EXACT) {
                stopwatch.phase("invert");
            }
            AtomicInteger inversions = new AtomicInteger();
            List<Placed> references = new ArrayList<>();
            for (int i = 0; i < subjects.size() && injection.mode() != Injection.Mode.NONE; i++) {
                String key =
                        ReferenceKey.of(model, subjects.get(i), injection.inversion(), REFERENCE_SEED, sigmas, sampling);
                Trajectory trajectory = invert(model, clean.get(i), captions.get(i), injection.inversion(), key, sigmas,
                        sampling, inversions);
                Denoiser source = new Denoiser(model.transformer(),
                        Conditioning.of(captions.get(i), model.guidance(sampling)), sampling.rows(), sampling.columns());
                if (injection.runsReferences()) {
                    source.prepare(sigmas);
                }
                references.add(new Placed(new ReferenceBranch(source, trajectory, model.cache(), key),
                        arrangement.placements().get(i)));
            }

            StepInjection steps =
                    injection(model, references, captions, injection, sampling, sigmas).then(StepInjection.always(watch));
            List<Generation.Image> images =
                    Generate.images(model, denoiser, sigmas, steps, sampling, listener, stopwatch);
            int passes = references.stream().mapToInt(placed -> placed.reference().evaluations()).sum();
            Evaluations evaluations = denoiser.evaluations(sampling.steps() * sampling.count())
                    .plus(new Evaluations(0, 0, passes, inversions.get()));
            List<String> warnings = new ArrayList<>(arrangement.warnings());
            model.cache().trouble().ifPresent(warnings::add);
            return new Generation(images, evaluations, stopwatch.stop(), warnings);
        }
    }

    /** What is put in at which step. @param captions by reference */
    static StepInjection injection(FluxModel model, List<Placed> references, List<Conditioning.Text> captions,
            Injection injection, Sampling sampling, double[] sigmas) {
        int replaced = injection.replacedSteps(sigmas);
        int steps = sampling.steps();
        int columns = sampling.columns();
        FluxTransformer transformer = model.transformer();
        StepInjection noise =
                injection.referenceNoise() && replaced > 0 ? new ReferenceNoise(references) : StepInjection.NONE;
        StepInjection replacement = new TokenReplacement(references, injection.replaceAt(), replaced);
        return switch (injection.mode()) {
            case NONE -> StepInjection.NONE;
            case REPLACE -> noise.then(replacement);
            case REPLACE_MMA -> noise.then(replacement).then(
                    new ReferenceAttention(references, injection.positions(), transformer, columns, replaced, steps));
            case REPLACE_CONCAT -> noise.then(new Concatenation(references,
                    new Denoiser(transformer, Conditioning.of(together(captions), model.guidance(sampling)), sampling.rows(),
                            columns).prepare(sigmas),
                    transformer, columns, replaced));
            case SHARING -> new ReferenceAttention(references, injection.positions(), transformer, columns, 0, steps);
        };
    }

    /** Captions of one length as one batch. */
    private static Conditioning.Text together(List<Conditioning.Text> captions) {
        return new Conditioning.Text(
                Ops.cat(0, captions.stream().map(Conditioning.Text::tokens).toArray(Tensor[]::new)),
                Ops.cat(0, captions.stream().map(Conditioning.Text::pooled).toArray(Tensor[]::new)));
    }

    /** The reference's trajectory; where it takes network passes, the cache may have it. */
    private static Trajectory invert(FluxModel model, Tensor clean, Conditioning.Text caption, Inversion inversion, String key,
            double[] sigmas, Sampling sampling, AtomicInteger evaluations) {
        Tensor noise = model.noise(REFERENCE_SEED, sampling);
        Velocity velocity = velocity(model, caption, sampling, evaluations);
        if (inversion.method() == Inversion.Method.EXACT) {
            return inversion.trajectory(clean, noise, sigmas, velocity);
        }
        long[] all = LongStream.range(0, clean.size(1)).toArray();
        Map<Integer, Tensor> points = model.cache().get(key, "trajectory", all, rows -> {
            Trajectory trajectory = inversion.trajectory(clean, noise, sigmas, velocity);
            Map<Integer, Tensor> byStep = new TreeMap<>();
            for (int step = 0; step < sigmas.length; step++) {
                byStep.put(step, trajectory.at(step));
            }
            return byStep;
        });
        points.replaceAll((step, tokens) -> Tensors.onDeviceOf(tokens, clean));
        return points::get;
    }

    /** What inversion follows: the caption alone, without guidance. */
    static Velocity velocity(FluxModel model, Conditioning.Text caption, Sampling sampling, AtomicInteger evaluations) {
        Denoiser denoiser = new Denoiser(model.transformer(), Conditioning.of(caption, model.noGuidance()), sampling.rows(),
                sampling.columns());
        return (latents, sigma) -> {
            evaluations.incrementAndGet();
            return denoiser.velocity(latents, 0, sigma, AttentionHook.NONE);
        };
    }
}
