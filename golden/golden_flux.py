"""The FLUX transformer: a dev-like and a schnell-like network, whole and in parts."""

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel

from tiny import fresh, normal, reinit, spread, write_tensors, HERE

TINY = dict(
    patch_size=1, in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16, num_attention_heads=3,
    joint_attention_dim=24, pooled_projection_dim=20, guidance_embeds=True, axes_dims_rope=(4, 6, 6),
)


def transformer(name: str, **changes) -> FluxTransformer2DModel:
    return reinit(FluxTransformer2DModel(**{**TINY, **changes}), name)


def record(model: FluxTransformer2DModel, out: dict, prefix: str):
    """Hooks that keep what passes between the parts. The text stream comes first in diffusers' tuples."""
    handles = []

    def keep(module, name, write):
        def hook(_, args, kwargs, result):
            write(f"{prefix}{name}", args, kwargs, result)
        handles.append(module.register_forward_hook(hook, with_kwargs=True))

    def plain(key, args, kwargs, result):
        out[key] = result

    def rope(key, args, kwargs, result):
        out[f"{key}.cos"], out[f"{key}.sin"] = result

    def double(key, args, kwargs, result):
        out[f"{key}.text"], out[f"{key}.image"] = result

    def attention(key, args, kwargs, result):
        out[f"{key}.in.image"], out[f"{key}.in.text"] = kwargs["hidden_states"], kwargs["encoder_hidden_states"]
        out[f"{key}.out.image"], out[f"{key}.out.text"] = result

    def single(key, args, kwargs, result):
        out[f"{key}.text"], out[f"{key}.image"] = result
        out[f"{key}.out"] = torch.cat(result, dim=1)

    def single_attention(key, args, kwargs, result):
        out[f"{key}.in"], out[f"{key}.out"] = kwargs["hidden_states"], result

    keep(model.pos_embed, "rope", rope)
    keep(model.time_text_embed, "temb", plain)
    keep(model.x_embedder, "x_embedder", plain)
    keep(model.context_embedder, "context_embedder", plain)
    keep(model.transformer_blocks[0].attn, "double0.attn", attention)
    for i, block in enumerate(model.transformer_blocks):
        keep(block, f"double{i}", double)
    keep(model.single_transformer_blocks[0].attn, "single0.attn", single_attention)
    for i, block in enumerate(model.single_transformer_blocks):
        keep(block, f"single{i}", single)
    keep(model.norm_out, "norm_out", plain)
    keep(model.proj_out, "out", plain)
    return handles


@torch.no_grad()
def write() -> None:
    dev = transformer("flux-tiny")
    dev.save_pretrained(fresh("flux-tiny", "transformer"))
    schnell = transformer("flux-tiny-schnell", guidance_embeds=False, num_layers=1, num_single_layers=1)
    schnell.save_pretrained(fresh("flux-tiny-schnell", "transformer"), max_shard_size="250KB")

    rows, columns, text = 3, 5, 7
    inputs = dict(
        hidden_states=normal("flux/hidden_states", 2, rows * columns, 16),
        encoder_hidden_states=normal("flux/encoder_hidden_states", 2, text, 24),
        pooled_projections=normal("flux/pooled", 2, 20),
        timestep=torch.tensor([0.8125, 0.037]),
        img_ids=FluxPipeline._prepare_latent_image_ids(2, rows, columns, torch.device("cpu"), torch.float32),
        txt_ids=torch.zeros(text, 3),
    )
    guidance = torch.tensor([3.5, 1.0])
    out = dict(inputs, guidance=guidance)
    handles = record(dev, out, "dev.")
    dev(**inputs, guidance=guidance)
    for handle in handles:
        handle.remove()
    handles = record(schnell, out, "schnell.")
    schnell(**inputs)
    for handle in handles:
        handle.remove()

    # The same tokens elsewhere: rows from 40 on, columns from -2 on, and a text axis that is not zero.
    moved = inputs["img_ids"] + torch.tensor([1.0, 40.0, -2.0])
    out["moved.img_ids"] = moved
    out["moved.rope.cos"], out["moved.rope.sin"] = dev.pos_embed(torch.cat([inputs["txt_ids"], moved]))
    out["moved.dev.out"] = dev(**{**inputs, "img_ids": moved}, guidance=guidance).sample
    for key in ("dev.temb", "dev.double0.image", "dev.double1.text", "dev.single1.out", "dev.out", "schnell.out"):
        spread(key, out[key])
    write_tensors(HERE / "flux-transformer.safetensors", out)
