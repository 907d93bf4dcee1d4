package dev.likeness.schedule;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Denoising diffusion: x_t = sqrt(a_t) x0 + sqrt(1 - a_t) noise, where a_t falls from nearly 1 to nearly 0 over the timesteps
 * of training. Timesteps and steps as in diffusers' DDIMScheduler, DDIMInverseScheduler and DDPMScheduler. A step of any of
 * them is a sum of what there is and what the network says, so it is three numbers here.
 */
public final class Diffusion {

    private static final double MAX_BETA = 0.999;

    private Diffusion() {}

    /** How to go from one noise level to the next. */
    public enum Sampler {
        /** Deterministic (eta = 0), which alone can be run backwards. */
        DDIM,
        /** With fresh noise at each step, of the smaller of the two usual variances. */
        DDPM
    }

    /**
     * One step of a run.
     *
     * @param timestep what the network is told
     * @param from a_t of the latents that it starts from
     * @param to a_t of those that it leads to
     */
    public record Step(int timestep, double from, double to) {}

    /** A sum: {@code sample} x + {@code prediction} network's output + {@code noise} fresh standard normal noise. */
    public record Update(double sample, double prediction, double noise) {}

    /** a_t by timestep: how much of the image's variance is left. */
    public static double[] alphas(DiffusionConfig config) {
        int count = config.numTrainTimesteps();
        double[] alphas = new double[count];
        double product = 1;
        for (int i = 0; i < count; i++) {
            product *= 1 - beta(config, i, count);
            alphas[i] = product;
        }
        if (config.rescaleBetasZeroSnr()) { // arXiv 2305.08891, algorithm 1: the last root is moved to 0, the first stays
            double first = Math.sqrt(alphas[0]);
            double last = Math.sqrt(alphas[count - 1]);
            for (int i = 0; i < count; i++) {
                double root = (Math.sqrt(alphas[i]) - last) * first / (first - last);
                alphas[i] = root * root;
            }
        }
        return alphas;
    }

    private static double beta(DiffusionConfig config, int timestep, int count) {
        double share = count == 1 ? 0 : (double) timestep / (count - 1);
        return switch (config.betaSchedule()) {
            case "linear" -> config.betaStart() + share * (config.betaEnd() - config.betaStart());
            case "scaled_linear" -> {
                double first = Math.sqrt(config.betaStart());
                double root = first + share * (Math.sqrt(config.betaEnd()) - first);
                yield root * root;
            }
            default -> Math.min(1 - cosine((timestep + 1.0) / count) / cosine((double) timestep / count), MAX_BETA);
        };
    }

    private static double cosine(double time) {
        double root = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
        return root * root;
    }

    /** Timesteps of a run, falling; @param steps 1 to num_train_timesteps */
    public static int[] timesteps(DiffusionConfig config, int steps) {
        int count = config.numTrainTimesteps();
        int[] timesteps = new int[steps];
        for (int i = 0; i < steps; i++) {
            int rising = steps - 1 - i;
            timesteps[i] = switch (config.timestepSpacing()) {
                case "leading" -> rising * (count / steps) + config.stepsOffset();
                case "trailing" -> (int) Math.rint(count - i * ((double) count / steps)) - 1;
                default -> steps == 1 ? 0 : (int) Math.rint((double) rising * (count - 1) / (steps - 1));
            };
            // the offset may lead past the end when every timestep is taken
            timesteps[i] = Math.min(timesteps[i], count - 1);
        }
        return timesteps;
    }

    /** A run from noise to image. @param steps 1 to num_train_timesteps */
    public static List<Step> steps(DiffusionConfig config, Sampler sampler, int steps) {
        double[] alphas = alphas(config);
        int[] timesteps = timesteps(config, steps);
        int stride = config.numTrainTimesteps() / steps;
        List<Step> run = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            double end = sampler == Sampler.DDPM || config.setAlphaToOne() ? 1 : alphas[0];
            // DDIM's next level is a stride away, whichever timestep the network is told next
            int next = sampler == Sampler.DDIM ? timesteps[i] - stride : i + 1 < steps ? timesteps[i + 1] : -1;
            run.add(new Step(timesteps[i], alphas[timesteps[i]], next < 0 ? end : alphas[next]));
        }
        return run;
    }

    /**
     * The same levels from image to noise: each step undoes one of DDIM's, with what the network says of the cleaner latents at
     * the timestep of the noisier ones.
     */
    public static List<Step> inverse(List<Step> steps) {
        List<Step> up = new ArrayList<>();
        steps.forEach(step -> up.add(new Step(step.timestep, step.to, step.from)));
        Collections.reverse(up);
        return up;
    }

    /** The step's sum by the sampler. */
    public static Update update(Sampler sampler, DiffusionConfig config, Step step) {
        Update clean = clean(config, step.from);
        if (sampler == Sampler.DDIM) {
            Update noise = noise(config, step.from);
            double image = Math.sqrt(step.to);
            double rest = Math.sqrt(1 - step.to);
            return new Update(image * clean.sample + rest * noise.sample, image * clean.prediction + rest * noise.prediction, 0);
        }
        double kept = step.from / step.to; // a of this step alone
        double image = Math.sqrt(step.to) * (1 - kept) / (1 - step.from); // arXiv 2006.11239, equation 7
        double present = Math.sqrt(kept) * (1 - step.to) / (1 - step.from);
        double variance = (1 - step.to) / (1 - step.from) * (1 - kept);
        return new Update(image * clean.sample + present, image * clean.prediction, Math.sqrt(variance));
    }

    /** The image x0 that a prediction at that level tells. */
    public static Update clean(DiffusionConfig config, double alpha) {
        return switch (config.predictionType()) {
            case "epsilon" -> new Update(1 / Math.sqrt(alpha), -Math.sqrt((1 - alpha) / alpha), 0);
            case "v_prediction" -> new Update(Math.sqrt(alpha), -Math.sqrt(1 - alpha), 0);
            default -> new Update(0, 1, 0);
        };
    }

    /** The noise that a prediction at that level tells. */
    private static Update noise(DiffusionConfig config, double alpha) {
        return switch (config.predictionType()) {
            case "epsilon" -> new Update(0, 1, 0);
            case "v_prediction" -> new Update(Math.sqrt(1 - alpha), Math.sqrt(alpha), 0);
            default -> alpha == 1 ? new Update(0, 0, 0) // an image has no noise to tell
                    : new Update(1 / Math.sqrt(1 - alpha), -Math.sqrt(alpha / (1 - alpha)), 0);
        };
    }
}
