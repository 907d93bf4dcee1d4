"""Names and shapes of the weights of the real checkpoints, from the public classes on the meta device (no memory, no
download), with the config.json that goes with them. The configurations are FLUX.1's, written down here as facts."""

import re

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from golden_pipeline import SCHEDULER
from golden_text import CLIP_CONFIG, T5_CONFIG
from tiny import fresh, write_json

FLUX = {
    "_class_name": "FluxTransformer2DModel", "_diffusers_version": "0.30.0.dev0", "attention_head_dim": 128,
    "guidance_embeds": True, "in_channels": 64, "joint_attention_dim": 4096, "num_attention_heads": 24, "num_layers": 19,
    "num_single_layers": 38, "patch_size": 1, "pooled_projection_dim": 768,
}
VAE = {
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0.dev0", "_name_or_path": "../checkpoints/flux-dev",
    "act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D"] * 4,
    "force_upcast": True, "in_channels": 3, "latent_channels": 16, "latents_mean": None, "latents_std": None,
    "layers_per_block": 2, "mid_block_add_attention": True, "norm_num_groups": 32, "out_channels": 3, "sample_size": 1024,
    "scaling_factor": 0.3611, "shift_factor": 0.1159, "up_block_types": ["UpDecoderBlock2D"] * 4,
    "use_post_quant_conv": False, "use_quant_conv": False,
}
CLIP_L = {**CLIP_CONFIG, "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
          "projection_dim": 768, "torch_dtype": "bfloat16", "vocab_size": 49408}
T5_XXL = {**T5_CONFIG, "d_ff": 10240, "d_kv": 64, "d_model": 4096, "num_decoder_layers": 24, "num_heads": 64,
          "num_layers": 24, "torch_dtype": "bfloat16", "vocab_size": 32128}
# FLUX.1-schnell's scheduler: levels are not shifted.
SCHNELL_SCHEDULER = {**SCHEDULER, "shift": 1.0, "use_dynamic_shifting": False}


def _plain(config: dict) -> dict:
    return {key: value for key, value in config.items() if not key.startswith("_")}


def _clip_keys(model) -> dict:
    return {f"text_model.{key}": value for key, value in model.state_dict().items()}


def _t5_keys(model) -> dict:
    return {key: value for key, value in model.state_dict().items() if key != "encoder.embed_tokens.weight"}


def _flux(config: dict):
    return config, lambda: FluxTransformer2DModel.from_config(config).state_dict()


CHECKPOINTS = {
    "flux-dev": _flux(FLUX),
    "flux-schnell": _flux({**FLUX, "guidance_embeds": False}),
    "flux-vae": (VAE, lambda: AutoencoderKL.from_config(VAE).state_dict()),
    "clip-l": (CLIP_L, lambda: _clip_keys(CLIPTextModel(CLIPTextConfig(**_plain(CLIP_L))))),
    "t5-xxl": (T5_XXL, lambda: _t5_keys(T5EncoderModel(T5Config(**_plain(T5_XXL))))),
}
# Number of parameters as it is known of the published files; a slip in a configuration would show here.
PARAMETERS = {"flux-dev": 11_901_408_320, "flux-schnell": 11_891_178_560, "flux-vae": 83_819_683, "clip-l": 123_060_480,
              "t5-xxl": 4_762_310_656}


def _rows(shapes: dict[str, tuple]) -> list[str]:
    """One row per weight: name, shape, count. With a count, `*` in the name stands for the numbers from 0 up to it; only the
    first number of a name is collapsed, and only when all shapes agree."""
    groups = {}
    for name in shapes:
        groups.setdefault(re.sub(r"\.\d+\.", ".*.", name, count=1), []).append(name)
    rows = []
    for pattern, names in groups.items():
        same = len({shapes[name] for name in names}) == 1
        if same and len(names) > 1 and names == [pattern.replace("*", str(i)) for i in range(len(names))]:
            rows.append((pattern, shapes[names[0]], len(names)))
        else:
            rows += [(name, shapes[name], "") for name in names]
    return [f"{name}\t{','.join(map(str, shape))}\t{count}".rstrip() for name, shape, count in rows]


def write() -> None:
    folder = fresh("manifests")
    for name, (config, build) in CHECKPOINTS.items():
        with torch.device("meta"):
            shapes = {key: tuple(value.shape) for key, value in build().items()}
        parameters = sum(torch.Size(shape).numel() for shape in shapes.values())
        assert parameters == PARAMETERS[name], (name, parameters)
        (folder / f"{name}.tsv").write_text("\n".join(_rows(shapes)) + "\n", encoding="utf-8")
        write_json(folder / f"{name}.config.json", config)
        print(f"  {name}: {len(shapes)} weights, {parameters} parameters")
    write_json(folder / "scheduler-dev.config.json", SCHEDULER)
    write_json(folder / "scheduler-schnell.config.json", SCHNELL_SCHEDULER)


if __name__ == "__main__":
    write()
