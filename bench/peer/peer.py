"""The Toybox job as the method's public implementation goes about it, on PyTorch and diffusers: the other side of bin/bench.

Written for this project from the description of how that implementation behaves: the reference is taken to noise by the
controlled forward ODE (gamma = 1, a network pass a step, whose result cancels out), then reference and picture run as a batch of
two through every step, the reference pulled to its image (eta = 1), the picture's attention inputs replaced while sigma > tau.
For 28 steps that is 28 + 2 * 28 = 84 network passes of batch one.

    python3 -m venv .venv && .venv/bin/pip install -r bench/peer/requirements.txt
    bin/bench --python .venv/bin/python

Prints one line of JSON: milliseconds of each job by phase (imports and the loading of the model are told apart), network passes,
peak memory. `--evaluations N` times N plain passes of batch one instead.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

STARTED = time.perf_counter()

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import FluxPipeline
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttnProcessor
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from PIL import Image

IMPORTED = time.perf_counter()
TOKEN = 16  # pixels along a token's side
ETA_UNTIL = 0.99


class ReplacingAttention:
    """Attention of every block for a batch of two, the reference first: while it is on, the picture's tokens at the subject's
    places are those of the reference. Double-stream blocks pass text and image tokens apart, single-stream blocks joined."""

    def __init__(self, text_length: int, subject: torch.Tensor):
        self.text_length = text_length
        self.subject = subject  # numbers of the subject's tokens
        self.on = False

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None):
        double = encoder_hidden_states is not None
        first = 0 if double else self.text_length
        if self.on:
            hidden_states = hidden_states.clone()  # the MLP path of single-stream blocks sees the unedited input
            hidden_states[1, first + self.subject] = hidden_states[0, first + self.subject]

        def heads(x):
            return x.unflatten(-1, (attn.heads, -1))

        query = attn.norm_q(heads(attn.to_q(hidden_states)))
        key = attn.norm_k(heads(attn.to_k(hidden_states)))
        value = heads(attn.to_v(hidden_states))
        if double:
            query = torch.cat([attn.norm_added_q(heads(attn.add_q_proj(encoder_hidden_states))), query], dim=1)
            key = torch.cat([attn.norm_added_k(heads(attn.add_k_proj(encoder_hidden_states))), key], dim=1)
            value = torch.cat([heads(attn.add_v_proj(encoder_hidden_states)), value], dim=1)
        query = apply_rotary_emb(query, image_rotary_emb, sequence_dim=1)
        key = apply_rotary_emb(key, image_rotary_emb, sequence_dim=1)
        out = F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
        out = out.transpose(1, 2).flatten(2)
        if double:
            return attn.to_out[0](out[:, self.text_length:]), attn.to_add_out(out[:, :self.text_length])
        return out


class Peer:

    def __init__(self, folder: Path):
        self.pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
        self.passes = 0
        settings = json.loads((folder / "likeness.json").read_text(encoding="utf-8"))
        self.width, self.height = settings["width"], settings["height"]
        self.text_length = settings["max_sequence_length"]
        self.ids = self.pipeline._prepare_latent_image_ids(
            1, self.height // TOKEN, self.width // TOKEN, torch.device("cpu"), torch.float32)

    def text(self, prompt: str) -> tuple:
        tokens, pooled, _ = self.pipeline.encode_prompt(prompt, max_sequence_length=self.text_length)
        return tokens, pooled

    def noise(self, seed: int) -> torch.Tensor:
        channels = self.pipeline.transformer.config.in_channels // 4
        return self.pipeline.prepare_latents(1, channels, self.height, self.width, torch.float32, torch.device("cpu"),
                                             torch.Generator().manual_seed(seed))[0]

    def encode(self, picture: Image.Image) -> torch.Tensor:
        pixels = self.pipeline.image_processor.preprocess(picture)
        vae = self.pipeline.vae
        latents = (vae.encode(pixels).latent_dist.mode() - vae.config.shift_factor) * vae.config.scaling_factor
        return self.pipeline._pack_latents(latents, *latents.shape)

    def decode(self, tokens: torch.Tensor) -> Image.Image:
        vae = self.pipeline.vae
        latents = self.pipeline._unpack_latents(tokens, self.height, self.width, self.pipeline.vae_scale_factor)
        pixels = vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor).sample
        return self.pipeline.image_processor.postprocess(pixels)[0]

    def sigmas(self, steps: int) -> list[float]:
        config = self.pipeline.scheduler.config
        mu = calculate_shift(self.ids.shape[0], config.base_image_seq_len, config.max_image_seq_len, config.base_shift,
                             config.max_shift)
        self.pipeline.scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), mu=mu)
        return self.pipeline.scheduler.sigmas.tolist()

    def velocity(self, processor, latents: torch.Tensor, level: float, texts: list[tuple]) -> torch.Tensor:
        """Noise - x0 as the network predicts it."""
        self.passes += len(texts)
        transformer = self.pipeline.transformer
        transformer.set_attn_processor(processor)
        return transformer(
            hidden_states=latents, timestep=torch.full([len(texts)], level),
            encoder_hidden_states=torch.cat([tokens for tokens, _ in texts]),
            pooled_projections=torch.cat([pooled for _, pooled in texts]),
            img_ids=self.ids, txt_ids=torch.zeros(self.text_length, 3), return_dict=False)[0]

    def invert(self, x0: torch.Tensor, y1: torch.Tensor, sigmas: list[float], empty: tuple) -> torch.Tensor:
        processor, latents, count = FluxAttnProcessor(), x0, len(sigmas)
        for i in range(count - 1):
            t = i / count
            velocity = self.velocity(processor, latents, t, [empty])
            velocity = velocity + 1.0 * ((y1 - latents) / (1 - t) - velocity)
            latents = latents + velocity * (sigmas[i] - sigmas[i + 1])
        return latents

    def denoise(self, reference, x0, target, sigmas: list[float], texts: list[tuple], subject, tau: float) -> torch.Tensor:
        processor, steps = ReplacingAttention(self.text_length, subject), len(sigmas) - 1
        for i in range(steps):
            sigma, following = sigmas[i], sigmas[i + 1]
            processor.on = sigma > tau
            predicted = self.velocity(processor, torch.cat([reference, target]), sigma, texts)
            velocity = -predicted[:1]
            eta = 1.0 if i < int(ETA_UNTIL * steps) else 0.0
            reference = reference + (velocity + eta * ((x0 - reference) / sigma - velocity)) * (sigma - following)
            target = target + (following - sigma) * predicted[1:]
        return target

    def job(self, args, prompt: str, subject: torch.Tensor, picture: Image.Image, output: Path) -> dict:
        self.passes, times, last = 0, {}, time.perf_counter()

        def done(phase: str) -> None:
            nonlocal last
            now = time.perf_counter()
            times[phase], last = 1000 * (now - last), now

        empty, target_text = self.text(""), self.text(prompt)
        sigmas = self.sigmas(args.steps)
        done("text")
        x0 = self.encode(picture)
        done("encode")
        start = self.invert(x0, self.noise(args.reference_seed), sigmas, empty)
        done("invert")
        latents = self.denoise(start, x0, self.noise(args.seed), sigmas, [empty, target_text], subject, args.tau)
        done("denoise")
        image = self.decode(latents)
        done("decode")
        image.save(output)
        done("write")
        return {"prompt": prompt, "evaluations": self.passes, "ms": times, "total_ms": sum(times.values())}


def subject_tokens(mask: Image.Image, rows: int, columns: int) -> torch.Tensor:
    """Numbers of the tokens whose nearest pixel of the mask is white."""
    grid = np.array(mask.convert("L").resize((columns, rows), Image.Resampling.NEAREST)) == 255
    return torch.from_numpy(grid).flatten().nonzero()[:, 0]


def peak_memory() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of Toybox: models/toybox")
    parser.add_argument("--reference", type=Path, help="picture of the subject, of the canvas's size")
    parser.add_argument("--mask", type=Path, help="white where the subject is")
    parser.add_argument("--prompt", action="append", default=[], help="a job each; may be repeated")
    parser.add_argument("--output", action="append", default=[], type=Path, help="the picture of each job")
    parser.add_argument("--steps", type=int, default=28, help="denoising steps (default: %(default)s)")
    parser.add_argument("--tau", type=float, default=0.8, help="tokens are replaced while sigma > tau (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the picture's noise (default: %(default)s)")
    parser.add_argument("--reference-seed", type=int, default=0, help="of the reference's noise (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves the number to PyTorch (default: %(default)s)")
    parser.add_argument("--evaluations", type=int, default=0, help="plain passes to time instead of jobs")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    before = time.perf_counter()
    peer = Peer(args.model)
    result = {"torch": torch.__version__, "threads": torch.get_num_threads(), "import_ms": 1000 * (IMPORTED - STARTED),
              "load_ms": 1000 * (time.perf_counter() - before)}
    if args.evaluations:
        text, latents = peer.text(""), peer.noise(args.seed)
        peer.velocity(FluxAttnProcessor(), latents, 1.0, [text])
        before = time.perf_counter()
        for _ in range(args.evaluations):
            peer.velocity(FluxAttnProcessor(), latents, 0.5, [text])
        result["evaluation_ms"] = 1000 * (time.perf_counter() - before) / args.evaluations
    else:
        picture = Image.open(args.reference).convert("RGB")
        with Image.open(args.mask) as mask:
            subject = subject_tokens(mask, peer.height // TOKEN, peer.width // TOKEN)
        result["jobs"] = [peer.job(args, prompt, subject, picture, output)
                          for prompt, output in zip(args.prompt, args.output, strict=True)]
    result["peak_memory_bytes"] = peak_memory()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
