package dev.likeness.model.vae;

import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The convolutional autoencoder of latent diffusion, in the layout of diffusers' {@code AutoencoderKL}
 * (models/autoencoders/autoencoder_kl.py and vae.py). Pixels are in [-1, 1], shapes [B, C, h, w].
 */
public final class AutoencoderKl {

    private static final double EPSILON = 1e-6;

    private final AutoencoderKlConfig config;
    private final Encoder encoder;
    private final Decoder decoder;
    private final Conv quantConv;
    private final Conv postQuantConv;

    public AutoencoderKl(AutoencoderKlConfig config, Weights weights) {
        this.config = config;
        int z = config.latentChannels();
        encoder = new Encoder(config, weights.at("encoder"));
        quantConv = config.useQuantConv() ? new Conv(weights.at("quant_conv"), 2 * z, 2 * z, 1) : null;
        postQuantConv = config.usePostQuantConv() ? new Conv(weights.at("post_quant_conv"), z, z, 1) : null;
        decoder = new Decoder(config, weights.at("decoder"));
    }

    public AutoencoderKlConfig config() {
        return config;
    }

    /** Pixels [B, 3, h, w] to mean and log variance [B, 2z, h/8, w/8] of the latent's Gaussian. */
    public Tensor moments(Tensor pixels) {
        Tensor h = encoder.forward(pixels);
        return quantConv == null ? h : quantConv.forward(h);
    }

    /** Pixels [B, 3, h, w] to the mean latent [B, z, h/8, w/8] (the distribution's mode). */
    public Tensor encode(Tensor pixels) {
        return moments(pixels).narrow(1, 0, config.latentChannels());
    }

    /** Latents [B, z, h/8, w/8] to pixels [B, 3, h, w], not clamped. */
    public Tensor decode(Tensor latents) {
        return decoder.forward(postQuantConv == null ? latents : postQuantConv.forward(latents));
    }

    /** Latents as the denoising network sees them: (z - shift) * scaling. */
    public Tensor normalise(Tensor latents) {
        return latents.sub(new Scalar(config.shiftFactor())).mul(new Scalar(config.scalingFactor()));
    }

    /** The inverse of {@link #normalise}. */
    public Tensor denormalise(Tensor latents) {
        return latents.div(new Scalar(config.scalingFactor())).add(new Scalar(config.shiftFactor()));
    }

    private static final class Conv {
        private final Tensor weight; // [O, C, k, k]
        private final Tensor bias; // [O]

        Conv(Weights weights, int in, int out, int kernel) {
            weight = weights.get("weight", out, in, kernel, kernel);
            bias = weights.get("bias", out);
        }

        Tensor forward(Tensor x) {
            return Ops.conv2d(x, weight, bias, 1, weight.size(2) / 2);
        }

        /** Halves the size; the public code pads right and bottom only. */
        Tensor forwardHalving(Tensor x) {
            return Ops.conv2d(Ops.pad(x, 0, 1, 0, 1), weight, bias, 2, 0);
        }
    }

    private static final class Norm {
        private final Tensor weight; // [C]
        private final Tensor bias; // [C]
        private final int groups;

        Norm(Weights weights, int channels, int groups) {
            weight = weights.get("weight", channels);
            bias = weights.get("bias", channels);
            this.groups = groups;
        }

        Tensor forward(Tensor x) {
            return Ops.groupNorm(x, groups, weight, bias, EPSILON);
        }
    }

    private static final class ResnetBlock {
        private final Norm norm1;
        private final Conv conv1;
        private final Norm norm2;
        private final Conv conv2;
        private final Conv shortcut;

        ResnetBlock(Weights weights, int in, int out, int groups) {
            norm1 = new Norm(weights.at("norm1"), in, groups);
            conv1 = new Conv(weights.at("conv1"), in, out, 3);
            norm2 = new Norm(weights.at("norm2"), out, groups);
            conv2 = new Conv(weights.at("conv2"), out, out, 3);
            shortcut = in == out ? null : new Conv(weights.at("conv_shortcut"), in, out, 1);
        }

        Tensor forward(Tensor x) {
            try (Scope scope = Scope.open()) {
                Tensor h = conv1.forward(Ops.silu(norm1.forward(x)));
                h = conv2.forward(Ops.silu(norm2.forward(h)));
                return scope.keep((shortcut == null ? x : shortcut.forward(x)).add(h));
            }
        }
    }

    /** Single-head self-attention over all positions of the smallest level. */
    private static final class SpatialAttention {
        private final Norm norm;
        private final Linear toQ;
        private final Linear toK;
        private final Linear toV;
        private final Linear toOut;

        SpatialAttention(Weights weights, int channels, int groups) {
            norm = new Norm(weights.at("group_norm"), channels, groups);
            boolean today = weights.has("to_q.weight"); // files of Stable Diffusion 1 and 2 have the names of before
            toQ = new Linear(weights.at(today ? "to_q" : "query"), channels);
            toK = new Linear(weights.at(today ? "to_k" : "key"), channels);
            toV = new Linear(weights.at(today ? "to_v" : "value"), channels);
            toOut = new Linear(weights.at(today ? "to_out.0" : "proj_attn"), channels);
        }

        Tensor forward(Tensor x) {
            try (Scope scope = Scope.open()) {
                long channels = x.size(1);
                Tensor tokens = norm.forward(x).flatten(2, 3).transpose(1, 2).unsqueeze(1); // [B, 1, h*w, C]
                Tensor attended = Ops.attention(toQ.forward(tokens), toK.forward(tokens), toV.forward(tokens), null,
                        1 / Math.sqrt(channels));
                Tensor out = toOut.forward(attended).squeeze(1).transpose(1, 2).contiguous().view_as(x);
                return scope.keep(x.add(out));
            }
        }

    }

    private static final class Linear {
        private final Tensor weight; // [C, C]
        private final Tensor bias; // [C]

        Linear(Weights weights, int channels) {
            weight = weights.get("weight", channels, channels);
            bias = weights.get("bias", channels);
        }

        Tensor forward(Tensor x) {
            return Ops.linear(x, weight, bias);
        }
    }

    private static final class MidBlock {
        private final ResnetBlock first;
        private final SpatialAttention attention;
        private final ResnetBlock second;

        MidBlock(AutoencoderKlConfig config, Weights weights, int channels) {
            first = new ResnetBlock(weights.at("resnets", 0), channels, channels, config.normNumGroups());
            attention = config.midBlockAddAttention()
                    ? new SpatialAttention(weights.at("attentions", 0), channels, config.normNumGroups())
                    : null;
            second = new ResnetBlock(weights.at("resnets", 1), channels, channels, config.normNumGroups());
        }

        Tensor forward(Tensor x) {
            Tensor h = first.forward(x);
            return second.forward(attention == null ? h : attention.forward(h));
        }
    }

    /** Residual blocks of one level and, but for the last level, the convolution that changes the size. */
    private record Level(List<ResnetBlock> resnets, Conv resize) {}

    private static final class Encoder {
        private final Conv convIn;
        private final List<Level> levels = new ArrayList<>();
        private final MidBlock mid;
        private final Norm normOut;
        private final Conv convOut;

        Encoder(AutoencoderKlConfig config, Weights weights) {
            List<Integer> widths = config.blockOutChannels();
            convIn = new Conv(weights.at("conv_in"), config.inChannels(), widths.get(0), 3);
            int in = widths.get(0);
            for (int i = 0; i < widths.size(); i++) {
                int out = widths.get(i);
                Weights level = weights.at("down_blocks", i);
                List<ResnetBlock> resnets = new ArrayList<>();
                for (int j = 0; j < config.layersPerBlock(); j++) {
                    resnets.add(new ResnetBlock(level.at("resnets", j), j == 0 ? in : out, out, config.normNumGroups()));
                }
                boolean last = i == widths.size() - 1;
                levels.add(new Level(resnets, last ? null : new Conv(level.at("downsamplers", 0, "conv"), out, out, 3)));
                in = out;
            }
            mid = new MidBlock(config, weights.at("mid_block"), in);
            normOut = new Norm(weights.at("conv_norm_out"), in, config.normNumGroups());
            convOut = new Conv(weights.at("conv_out"), in, 2 * config.latentChannels(), 3);
        }

        Tensor forward(Tensor pixels) {
            try (Scope scope = Scope.open()) {
                Tensor h = convIn.forward(Ops.channelsLast(pixels));
                for (Level level : levels) {
                    for (ResnetBlock resnet : level.resnets()) {
                        h = resnet.forward(h);
                    }
                    if (level.resize() != null) {
                        h = level.resize().forwardHalving(h);
                    }
                }
                h = mid.forward(h);
                return scope.keep(convOut.forward(Ops.silu(normOut.forward(h))).contiguous()); // the layout stays in here
            }
        }
    }

    private static final class Decoder {
        private final Conv convIn;
        private final MidBlock mid;
        private final List<Level> levels = new ArrayList<>();
        private final Norm normOut;
        private final Conv convOut;

        Decoder(AutoencoderKlConfig config, Weights weights) {
            List<Integer> widths = config.blockOutChannels();
            int in = widths.get(widths.size() - 1);
            convIn = new Conv(weights.at("conv_in"), config.latentChannels(), in, 3);
            mid = new MidBlock(config, weights.at("mid_block"), in);
            for (int i = 0; i < widths.size(); i++) {
                int out = widths.get(widths.size() - 1 - i);
                Weights level = weights.at("up_blocks", i);
                List<ResnetBlock> resnets = new ArrayList<>();
                for (int j = 0; j < config.layersPerBlock() + 1; j++) {
                    resnets.add(new ResnetBlock(level.at("resnets", j), j == 0 ? in : out, out, config.normNumGroups()));
                }
                boolean last = i == widths.size() - 1;
                levels.add(new Level(resnets, last ? null : new Conv(level.at("upsamplers", 0, "conv"), out, out, 3)));
                in = out;
            }
            normOut = new Norm(weights.at("conv_norm_out"), in, config.normNumGroups());
            convOut = new Conv(weights.at("conv_out"), in, config.outChannels(), 3);
        }

        Tensor forward(Tensor latents) {
            try (Scope scope = Scope.open()) {
                Tensor h = mid.forward(convIn.forward(Ops.channelsLast(latents)));
                for (Level level : levels) {
                    for (ResnetBlock resnet : level.resnets()) {
                        h = resnet.forward(h);
                    }
                    if (level.resize() != null) {
                        h = level.resize().forward(Ops.upsampleNearest2x(h));
                    }
                }
                return scope.keep(convOut.forward(Ops.silu(normOut.forward(h))).contiguous()); // the layout stays in here
            }
        }
    }
}
