"""A whole FLUX.1 folder with tiny random networks, and what the public FluxPipeline makes with it in two steps. Beside it,
noise of seeded CPU generators."""

import numpy as np
import torch
from diffusers import FluxPipeline

from golden_flux import transformer
from golden_text import clip, t5
from golden_tokenizers import T5_LENGTH, clip_tokenizer, t5_tokenizer
from golden_vae import vae
from tiny import HERE, fresh, spread, write_json, write_tensors

# The keys of FLUX.1-dev's model_index.json and scheduler/scheduler_config.json.
MODEL_INDEX = {
    "_class_name": "FluxPipeline", "_diffusers_version": "0.30.0.dev0",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
SCHEDULER = {
    "_class_name": "FlowMatchEulerDiscreteScheduler", "_diffusers_version": "0.30.0.dev0", "base_image_seq_len": 256,
    "base_shift": 0.5, "max_image_seq_len": 4096, "max_shift": 1.15, "num_train_timesteps": 1000, "shift": 3.0,
    "use_dynamic_shifting": True,
}
STEPS = 2
# name: (prompt, seed, width, height, guidance scale, true CFG scale, negative prompt)
RUNS = {
    "guidance": ("A photo of a red cat on the moon, it's night", 42, 48, 48, 3.5, 1.0, None),
    "true_cfg": ("the old robot under a tree", 7, 48, 48, 1.5, 4.0, "a small blue dog"),
    "true_cfg_empty_negative": ("caf\u00e9 with flowers", 2**33 + 5, 32, 64, 0.0, 2.0, ""),
    "landscape": ("", 0, 112, 48, 7.0, 1.0, None),
}
NOISE = {0: (1, 16, 8, 8), 42: (2, 3), 7: (1, 4, 6, 10), 2**31: (17,), 2**40 + 3: (3, 5, 7), -1: (33,), 123: (1,)}


def _folder():
    folder = fresh("pipeline-tiny")
    write_json(folder / "model_index.json", MODEL_INDEX)
    (folder / "scheduler").mkdir()
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    clip_tokens = clip_tokenizer(folder / "tokenizer")
    t5_tokens = t5_tokenizer(folder / "tokenizer_2")
    for name in ("text_encoder", "text_encoder_2"):
        (folder / name).mkdir()
    clip(folder / "text_encoder", "pipeline-tiny/clip", vocab_size=clip_tokens)
    t5(folder / "text_encoder_2", "pipeline-tiny/t5", vocab_size=t5_tokens)
    transformer("pipeline-tiny/transformer", num_layers=1, num_single_layers=1).save_pretrained(folder / "transformer")
    vae("pipeline-tiny/vae").save_pretrained(folder / "vae")
    return folder


@torch.no_grad()
def write() -> None:
    pipeline = FluxPipeline.from_pretrained(_folder(), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    out, runs = {}, []
    for name, (prompt, seed, width, height, guidance, true_cfg, negative) in RUNS.items():
        steps = []
        image = pipeline(
            prompt, negative_prompt=negative, width=width, height=height, num_inference_steps=STEPS,
            guidance_scale=guidance, true_cfg_scale=true_cfg, max_sequence_length=T5_LENGTH, output_type="np",
            generator=torch.Generator().manual_seed(seed),
            callback_on_step_end=lambda _, step, timestep, values: steps.append(values["latents"].clone()) or {},
        ).images
        out[f"{name}.noise"] = pipeline.prepare_latents(
            1, 4, height, width, torch.float32, torch.device("cpu"), torch.Generator().manual_seed(seed))[0]
        tokens, pooled, _ = pipeline.encode_prompt(prompt, max_sequence_length=T5_LENGTH)
        out[f"{name}.text"], out[f"{name}.pooled"] = tokens[:, :24], pooled
        for i, latents in enumerate(steps):
            out[f"{name}.step{i + 1}"] = latents
        out[f"{name}.image"] = torch.from_numpy(image)
        runs.append({"name": name, "prompt": prompt, "seed": seed, "width": width, "height": height, "steps": STEPS,
                     "guidance_scale": guidance, "true_cfg_scale": true_cfg, "negative_prompt": negative})
        spread(f"{name} latents", steps[-1])
        print(f"  {name} pixels at an end of the scale: {np.mean((image == 0) | (image == 1)):.1%}")
    for seed, shape in NOISE.items():
        out[f"noise.{seed}"] = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    write_json(HERE / "pipeline.json", runs)
    write_tensors(HERE / "pipeline.safetensors", out)


if __name__ == "__main__":
    write()
