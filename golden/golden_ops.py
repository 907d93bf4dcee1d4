"""Single operations, with their weights, and the noise schedules."""

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline
from diffusers.models.attention import FeedForward
from diffusers.models.embeddings import TimestepEmbedding, Timesteps, apply_rotary_emb
from diffusers.models.normalization import AdaLayerNormContinuous, AdaLayerNormZero, AdaLayerNormZeroSingle
from diffusers.models.transformers.transformer_flux import FluxPosEmbed
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from transformers.models.t5.modeling_t5 import T5LayerNorm

from tiny import HERE, normal, reinit, write_tensors

DEV_SCHEDULER = dict(
    num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
    base_image_seq_len=256, max_image_seq_len=4096,
)


def scheduled(scheduler: FlowMatchEulerDiscreteScheduler, steps: int, mu: float):
    """As FluxPipeline does it: sigmas are given and mu is passed whether or not it is used."""
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
    return scheduler.sigmas, scheduler.timesteps


def every_count(scheduler: FlowMatchEulerDiscreteScheduler, mu: float) -> torch.Tensor:
    """The noise levels of 1, 2, ... 50 steps, one schedule after the other."""
    return torch.cat([scheduled(scheduler, steps, mu)[0] for steps in range(1, 51)])


@torch.no_grad()
def write() -> None:
    out = {}

    def weights(prefix, module):
        module = reinit(module, f"ops/{prefix}")
        for key, value in module.state_dict().items():
            out[f"{prefix}.{key}"] = value
        return module

    # timestep embedding: sigma -> x1000 in fp32 -> [cos | sin]
    sigma = torch.tensor([1.0, 0.9, 0.5, 1 / 3, 0.037, 0.001, 0.0])
    out["timestep.sigma"] = sigma
    out["timestep.sinusoid"] = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)(sigma * 1000)
    out["timestep.embedding"] = weights("timestep", TimestepEmbedding(256, 24))(out["timestep.sinusoid"])

    # rotary embedding; x is [B, L, heads, head]
    ids = torch.cat([torch.zeros(3, 3), FluxPipeline._prepare_latent_image_ids(1, 4, 2, torch.device("cpu"), torch.float32),
                     torch.tensor([[0.0, 63, 127], [2.0, -3, 0.5]])])
    x = normal("ops/rope", 2, len(ids), 3, 32)
    cos, sin = FluxPosEmbed(10000, (8, 12, 12))(ids)
    out.update({"rope.ids": ids, "rope.cos": cos, "rope.sin": sin, "rope.x": x,
                "rope.out": apply_rotary_emb(x, (cos, sin), sequence_dim=1)})

    # norms
    x = normal("ops/rms", 2, 5, 3, 16, std=2.0)
    x[0, 0] *= 1e-3  # where epsilon counts
    out["rms_norm.x"] = x
    out["rms_norm.out"] = weights("rms_norm", torch.nn.RMSNorm(16, eps=1e-6))(x)
    out["t5_layer_norm.x"] = x
    out["t5_layer_norm.out"] = weights("t5_layer_norm", T5LayerNorm(16, eps=1e-6))(x)
    x, emb = normal("ops/adaln/x", 2, 5, 24, std=1.5) + 0.3, normal("ops/adaln/emb", 2, 24)
    out["adaln.x"], out["adaln.emb"] = x, emb
    results = weights("adaln_zero", AdaLayerNormZero(24))(x, emb=emb)
    for name, value in zip(("out", "gate_msa", "shift_mlp", "scale_mlp", "gate_mlp"), results):
        out[f"adaln_zero.{name}"] = value
    results = weights("adaln_zero_single", AdaLayerNormZeroSingle(24))(x, emb=emb)
    out["adaln_zero_single.out"], out["adaln_zero_single.gate"] = results
    out["adaln_continuous.out"] = weights(
        "adaln_continuous", AdaLayerNormContinuous(24, 24, elementwise_affine=False, eps=1e-6))(x, emb)

    # feed-forward and activations
    out["feed_forward.x"] = x
    out["feed_forward.out"] = weights("feed_forward", FeedForward(24, dim_out=24, activation_fn="gelu-approximate"))(x)
    x = torch.linspace(-6, 6, 49)
    out["activation.x"] = x
    out["activation.gelu_tanh"] = torch.nn.functional.gelu(x, approximate="tanh")
    out["activation.gelu"] = torch.nn.functional.gelu(x)
    out["activation.quick_gelu"] = x * torch.sigmoid(1.702 * x)
    out["activation.silu"] = torch.nn.functional.silu(x)

    # attention without and with a bias; [B, heads, L, head]
    q, k, v = (normal(f"ops/attention/{name}", 2, 3, length, 16) for name, length in (("q", 6), ("k", 9), ("v", 9)))
    bias = normal("ops/attention/bias", 1, 3, 6, 9)
    out.update({"attention.q": q, "attention.k": k, "attention.v": v, "attention.bias": bias})
    attend = torch.nn.functional.scaled_dot_product_attention
    out["attention.out"] = attend(q, k, v)
    out["attention.out_bias_unscaled"] = attend(q, k, v, attn_mask=bias, scale=1.0)

    # packing; 6 x 10 latents are 3 x 5 tokens
    latents = normal("ops/pack", 2, 4, 6, 10)
    packed = FluxPipeline._pack_latents(latents, 2, 4, 6, 10)
    assert torch.equal(FluxPipeline._unpack_latents(packed, 48, 80, 8), latents)
    out.update({"pack.latents": latents, "pack.packed": packed,
                "pack.ids": FluxPipeline._prepare_latent_image_ids(2, 3, 5, torch.device("cpu"), torch.float32)})

    # schedules
    for shift in (1.0, 3.0):
        scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=shift)
        for steps in (1, 2, 4, 28, 50):
            key = f"schedule.static{shift:.0f}.s{steps}"
            out[f"{key}.sigmas"], out[f"{key}.timesteps"] = scheduled(scheduler, steps, 0.7)
        out[f"schedule.static{shift:.0f}.every"] = every_count(scheduler, 0.7)
    scheduler = FlowMatchEulerDiscreteScheduler(**DEV_SCHEDULER)
    for tokens in (12, 256, 1024, 4096):
        mu = calculate_shift(tokens, 256, 4096, 0.5, 1.15)
        out[f"schedule.dynamic.n{tokens}.mu"] = torch.tensor([mu])
        for steps in (1, 2, 4, 28, 50):
            key = f"schedule.dynamic.n{tokens}.s{steps}"
            out[f"{key}.sigmas"], out[f"{key}.timesteps"] = scheduled(scheduler, steps, mu)
        out[f"schedule.dynamic.n{tokens}.every"] = every_count(scheduler, mu)

    # one step, from the tenth to the eleventh of 28 noise levels
    scheduled(scheduler, 28, calculate_shift(1024, 256, 4096, 0.5, 1.15))
    scheduler.set_begin_index(9)
    sample, velocity = normal("ops/step/sample", 1, 6, 16), normal("ops/step/velocity", 1, 6, 16)
    out.update({"step.sample": sample, "step.velocity": velocity, "step.sigma": scheduler.sigmas[9:10],
                "step.sigma_next": scheduler.sigmas[10:11],
                "step.out": scheduler.step(velocity, scheduler.timesteps[9], sample).prev_sample})
    write_tensors(HERE / "ops.safetensors", out)
