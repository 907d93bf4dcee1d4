"""AutoencoderKL: FLUX's kind (attention, no quant convolutions) and the other kind."""

import torch
from diffusers import AutoencoderKL

from tiny import HERE, fresh, normal, reinit, spread, write_tensors

TINY = dict(
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    block_out_channels=(8, 16, 16, 16), layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=64,
    scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False,
    mid_block_add_attention=True,
)


@torch.no_grad()
def vae(name: str, **changes) -> AutoencoderKL:
    model = reinit(AutoencoderKL(**{**TINY, **changes}), name)
    model.decoder.conv_out.weight.mul_(0.5)  # most pixels stay inside -1..1
    return model


def record(model, out, prefix):
    parts = {
        "encoder.conv_in": model.encoder.conv_in,
        "encoder.down0": model.encoder.down_blocks[0],
        "encoder.mid": model.encoder.mid_block,
        "decoder.conv_in": model.decoder.conv_in,
        "decoder.mid": model.decoder.mid_block,
        "decoder.up0": model.decoder.up_blocks[0],
        "decoder.norm_out": model.decoder.conv_norm_out,
    }
    if model.encoder.mid_block.attentions[0] is not None:
        parts["encoder.mid.attention"] = model.encoder.mid_block.attentions[0]
    return [module.register_forward_hook(lambda _, args, result, key=f"{prefix}.{name}": out.__setitem__(key, result))
            for name, module in parts.items()]


@torch.no_grad()
def write() -> None:
    image = torch.tanh(normal("vae/image", 1, 3, 40, 56)) * 0.5
    image += torch.linspace(-0.4, 0.4, 56) + torch.linspace(0.1, -0.1, 40)[:, None]
    latents = normal("vae/latents", 1, 4, 5, 7)
    out = {"image": image, "latents": latents}
    for name, changes in (("vae-tiny", {}),
                          ("vae-tiny-quant", dict(use_quant_conv=True, use_post_quant_conv=True, shift_factor=None,
                                                  scaling_factor=0.18215, mid_block_add_attention=False))):
        model = vae(name, **changes)
        model.save_pretrained(fresh(name))
        key = name.replace("vae-tiny", "vae")
        handles = record(model, out, key)
        posterior = model.encode(image).latent_dist
        out[f"{key}.moments"], out[f"{key}.mean"] = posterior.parameters, posterior.mean
        out[f"{key}.logvar"] = posterior.logvar
        out[f"{key}.decoded"] = model.decode(latents).sample
        scaling, shift = model.config.scaling_factor, model.config.shift_factor or 0.0
        out[f"{key}.scaled"] = (posterior.mean - shift) * scaling
        for handle in handles:
            handle.remove()
        spread(f"{key} mean", out[f"{key}.mean"])
        spread(f"{key} decoded", out[f"{key}.decoded"])
    write_tensors(HERE / "vae.safetensors", out)
