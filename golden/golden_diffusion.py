"""Stable Diffusion folders with tiny random networks, what the public pipelines make with them in few steps, DDIM backwards,
and the schedulers alone. The folders are put together of what other parts made: see FOLDER."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import (DDIMInverseScheduler, DDIMScheduler, DDPMScheduler, StableDiffusionPipeline,
                       StableDiffusionXLPipeline)
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from golden_text import CLIP_CONFIG
from golden_unet import POOLED, TEXT
from tiny import HERE, fresh, normal, reinit, spread, write_json, write_tensors

FOLDER = {"unet": "unet-{family}", "vae": "vae-tiny-quant", "text_encoder": "pipeline-tiny/text_encoder",
          "tokenizer": "pipeline-tiny/tokenizer", ".": "stable-diffusion/{family}"}
SECOND_TOKENIZER = ("vocab.json", "merges.txt")  # as the first one's; it pads with something else

# The keys of the real folders' scheduler_config.json: each names another class.
SD15 = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
    "trained_betas": None, "clip_sample": False,
}
SCHEDULERS = {
    "sd15": SD15,
    "sd21": {**SD15, "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "prediction_type": "v_prediction"},
    "sdxl": {**SD15, "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0",
             "interpolation_type": "linear", "prediction_type": "epsilon", "sample_max_value": 1.0,
             "timestep_spacing": "leading", "use_karras_sigmas": False},
}
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0", "feature_extractor": [None, None],
    "requires_safety_checker": False, "safety_checker": [None, None], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
INDEX_XL = {
    **{key: value for key, value in INDEX.items() if "safety" not in key}, "_class_name": "StableDiffusionXLPipeline",
    "_diffusers_version": "0.19.0.dev0", "force_zeros_for_empty_prompt": True, "image_encoder": [None, None],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer_2": ["transformers", "CLIPTokenizer"],
}
# name: (family, sampler, prompt, negative prompt, seed, width, height, steps, guidance)
RUNS = {
    "guided": ("sd15", "ddim", "A photo of a red cat on the moon, it's night", "a small blue dog", 42, 48, 32, 2, 4.0),
    "wide": ("sd15", "ddim", "", None, 7, 80, 48, 3, 1.0),
    "ancestral": ("sd15", "ddpm", "the old robot under a tree", None, 3, 32, 32, 3, 2.0),
    "v": ("sd21", "ddim", "caf\u00e9 with flowers", None, 1, 32, 48, 3, 3.0),
    "v_ancestral": ("sd21", "ddpm", "a small blue dog", None, 2, 32, 32, 2, 1.0),
    "xl": ("sdxl", "ddim", "A photo of a red cat on the moon, it's night", None, 5, 48, 32, 2, 5.0),
    "xl_negative": ("sdxl", "ddpm", "the old robot", "a small blue dog", 6, 32, 48, 2, 3.0),
    "xl_plain": ("sdxl", "ddim", "", None, 8, 32, 32, 2, 1.0),
}
# Keys of schedulers as people have them, and as none has them but the public code allows.
SCHEDULES = {
    "stable_diffusion": {key: value for key, value in SD15.items() if not key.startswith("_")},
    "linear": dict(timestep_spacing="linspace", prediction_type="sample", clip_sample=False),
    "cosine": dict(beta_schedule="squaredcos_cap_v2", timestep_spacing="trailing", prediction_type="v_prediction",
                   num_train_timesteps=400, clip_sample=False),
    "zero_snr": dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True,
                     timestep_spacing="trailing", prediction_type="v_prediction", set_alpha_to_one=False, clip_sample=False),
}
COUNTS = (1, 2, 3, 7, 50)
CHAIN = 3


def _parts() -> None:
    """What no other part makes."""
    folder = fresh("stable-diffusion")
    for family, scheduler in SCHEDULERS.items():
        (folder / family / "scheduler").mkdir(parents=True)
        write_json(folder / family / "scheduler" / "scheduler_config.json", scheduler)
        write_json(folder / family / "model_index.json",
                   {**(INDEX_XL if family == "sdxl" else INDEX), "scheduler": ["diffusers", scheduler["_class_name"]]})
    first = json.loads((HERE / "pipeline-tiny" / "text_encoder" / "config.json").read_text())
    config = {**CLIP_CONFIG, "architectures": ["CLIPTextModelWithProjection"], "hidden_act": "gelu",
              "hidden_size": TEXT["sdxl"] - TEXT["sd15"], "intermediate_size": 16, "projection_dim": POOLED,
              "vocab_size": first["vocab_size"], "torch_dtype": "bfloat16"}
    model = reinit(CLIPTextModelWithProjection(CLIPTextConfig(**config)), "sdxl/text_encoder_2")
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    model.save_pretrained(folder / "sdxl" / "text_encoder_2")
    write_json(folder / "sdxl" / "text_encoder_2" / "config.json", config)
    tokenizer = HERE / "pipeline-tiny" / "tokenizer"
    second = folder / "sdxl" / "tokenizer_2"
    second.mkdir()
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        written = json.loads((tokenizer / name).read_text())
        written["pad_token"] = "!"
        write_json(second / name, written)


def assemble(family: str, folder: Path) -> Path:
    for name, source in FOLDER.items():
        shutil.copytree(HERE / source.format(family=family), folder / name, dirs_exist_ok=True)
    if family == "sdxl":
        for name in SECOND_TOKENIZER:
            shutil.copy(folder / "tokenizer" / name, folder / "tokenizer_2" / name)
    return folder


def _run(pipeline, name: str, out: dict) -> dict:
    family, sampler, prompt, negative, seed, width, height, steps, guidance = RUNS[name]
    scheduler = {"ddim": DDIMScheduler, "ddpm": DDPMScheduler}[sampler]
    pipeline.scheduler = scheduler.from_config({k: v for k, v in SCHEDULERS[family].items() if not k.startswith("_")})
    kept = []
    image = pipeline(
        prompt, negative_prompt=negative, width=width, height=height, num_inference_steps=steps, guidance_scale=guidance,
        generator=torch.Generator().manual_seed(seed), output_type="np",
        callback_on_step_end=lambda _, step, timestep, values: kept.append(values["latents"].clone()) or {}).images
    for i, latents in enumerate(kept):
        out[f"{name}.step{i + 1}"] = latents
    if name == "guided":
        out[f"{name}.image"] = torch.from_numpy(image)
    spread(f"{name} latents", kept[-1])
    return dict(name=name, family=family, sampler=sampler, prompt=prompt, negative_prompt=negative, seed=seed, width=width,
                height=height, steps=steps, guidance=guidance)


def _invert(pipeline, family: str, prompt: str, steps: int, out: dict) -> None:
    """Latents up to noise and down again, as DiffEdit and null-text inversion walk, without guidance."""
    config = {k: v for k, v in SCHEDULERS[family].items() if not k.startswith("_")}
    text = pipeline.encode_prompt(prompt, "cpu", 1, False)[0]
    up, down = DDIMInverseScheduler.from_config(config), DDIMScheduler.from_config(config)
    x = out["inversion.clean"]
    for name, scheduler in (("up", up), ("down", down)):
        scheduler.set_timesteps(steps)
        for timestep in scheduler.timesteps:
            x = scheduler.step(pipeline.unet(x, timestep, text).sample, timestep, x).prev_sample
        out[f"inversion.{family}.{name}"] = x
    error = (x - out["inversion.clean"]).norm() / x.norm()
    print(f"  {family} inverted and back in {steps} steps: {error:.3f} of the latents' norm is lost")


def _schedules(out: dict) -> None:
    told = normal("diffusion/told", CHAIN, 4, 2, 2)
    out["chain.told"] = told
    for name, config in SCHEDULES.items():
        ddim, ddpm, up = (kind.from_config(config) for kind in (DDIMScheduler, DDPMScheduler, DDIMInverseScheduler))
        out[f"{name}.alphas"] = ddim.alphas_cumprod[::9]
        for count in COUNTS:
            ddim.set_timesteps(count)
            out[f"{name}.timesteps.{count}"] = ddim.timesteps
        for kind, scheduler in (("ddim", ddim), ("ddpm", ddpm), ("up", up)):
            if kind == "up" and config.get("timestep_spacing") == "linspace":
                continue  # which the public scheduler has not
            scheduler.set_timesteps(CHAIN)
            generator = torch.Generator().manual_seed(11)
            x = torch.randn(1, 4, 2, 2, generator=generator)
            for i, timestep in enumerate(scheduler.timesteps):
                more = {"generator": generator} if kind == "ddpm" else {}
                x = scheduler.step(told[i:i + 1], timestep, x, **more).prev_sample
            out[f"{name}.{kind}"] = x


@torch.no_grad()
def write() -> None:
    _parts()
    out, runs = {"inversion.clean": normal("diffusion/clean", 1, 4, 4, 6)}, []
    for family in SCHEDULERS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = assemble(family, Path(temporary))
            kind = StableDiffusionXLPipeline if family == "sdxl" else StableDiffusionPipeline
            pipeline = kind.from_pretrained(folder, dtype=torch.float32)
            pipeline.set_progress_bar_config(disable=True)
            runs += [_run(pipeline, name, out) for name, run in RUNS.items() if run[0] == family]
            if family != "sdxl":
                _invert(pipeline, family, "a red cat", 4, out)
    _schedules(out)
    write_json(HERE / "diffusion.json", {"runs": runs, "schedules": SCHEDULES})
    write_tensors(HERE / "diffusion.safetensors", out)


if __name__ == "__main__":
    write()
