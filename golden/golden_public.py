"""Token replacement and token concatenation as the public implementation of the method behaves, on the tiny FLUX.1 folder:
one and two subjects, each without and with concatenation.

This is the slow way: every network pass that the public implementation makes is made here too, also those whose result
cancels out, so that what follows from the formulas in closed form can be compared with it.
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import FluxPipeline
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttnProcessor
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from PIL import Image, ImageDraw

from golden_tokenizers import T5_LENGTH
from tiny import HERE, normal, spread, write_json, write_tensors

GRID, TOKEN = 8, 16  # tokens along a side, pixels along a token's side
CANVAS = GRID * TOKEN
STEPS, GUIDANCE, TAU, GAMMA, ETA, ETA_UNTIL = 8, 3.5, 0.6, 1.0, 1.0, 0.99
TARGET = {"prompt": "a photo of a red cat and a small blue dog on a beach", "seed": 5}
# shift: whole tokens to the right
REFERENCES = [
    {"name": "reference1", "prompt": "a photo of a red cat", "seed": 11, "shift": 2},
    {"name": "reference2", "prompt": "the small blue dog under a tree", "seed": 12, "shift": -3},
]
# name: (number of references, concatenation)
CASES = {
    "one_subject": (1, False), "one_subject_concat": (1, True),
    "two_subjects": (2, False), "two_subjects_concat": (2, True),
}


class SubjectAttention:
    """Attention of every block, with the references' tokens brought in. The batch holds one row per reference and, last, the
    target's. One instance serves both kinds of block: double-stream blocks pass text and image tokens separately, single-stream
    blocks joined, text first."""

    def __init__(self, regions: list[tuple[torch.Tensor, torch.Tensor]], concatenate: bool):
        self.regions = regions  # per reference the token numbers of its mask and of the target's mask
        self.concatenate = concatenate
        self.replace = False  # set before every pass

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None):
        double = encoder_hidden_states is not None
        if double:
            text, image = encoder_hidden_states, hidden_states
        else:
            text, image = hidden_states[:, :T5_LENGTH], hidden_states[:, T5_LENGTH:]

        def project(tokens, to_q, to_k, to_v, norm_q, norm_k):
            def heads(x):
                return x.unflatten(-1, (attn.heads, -1))
            return norm_q(heads(to_q(tokens))), norm_k(heads(to_k(tokens))), heads(to_v(tokens))

        of_image = attn.to_q, attn.to_k, attn.to_v, attn.norm_q, attn.norm_k
        of_text = of_image
        if double:
            of_text = attn.add_q_proj, attn.add_k_proj, attn.add_v_proj, attn.norm_added_q, attn.norm_added_k

        # A clone: the MLP path of single-stream blocks has the same input and is not to see the edit. (diffusers computes it
        # before the attention, but nothing here should depend on that.)
        edited = image.clone()
        if self.replace:
            for k, (source, target) in enumerate(self.regions):
                edited[-1, target] = image[k, source]
        parts = [project(text, *of_text), project(edited, *of_image)]
        positions = [torch.arange(T5_LENGTH + image.shape[1])]
        if self.concatenate:  # to every row, the references' own rows too, at the places in the target
            for k, (source, target) in enumerate(self.regions):
                parts.append(project(image[k, source].expand(len(image), -1, -1), *of_image))
                positions.append(T5_LENGTH + target)
        query, key, value = (torch.cat(part, dim=1) for part in zip(*parts))
        rotary = tuple(table[torch.cat(positions)] for table in image_rotary_emb)  # cosines and sines
        query, key = (apply_rotary_emb(x, rotary, sequence_dim=1) for x in (query, key))
        out = F.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (query, key, value)))
        out = out.transpose(1, 2).flatten(2)[:, : T5_LENGTH + image.shape[1]]  # what the added queries gave is dropped
        if double:
            return attn.to_out[1](attn.to_out[0](out[:, T5_LENGTH:])), attn.to_add_out(out[:, :T5_LENGTH])
        return out


class Network:
    """The transformer with what is the same in all its passes."""

    def __init__(self, pipeline: FluxPipeline):
        self.transformer = pipeline.transformer
        self.image_ids = pipeline._prepare_latent_image_ids(1, GRID, GRID, torch.device("cpu"), torch.float32)

    def __call__(self, processor, latents, timestep: float, texts: list[tuple]) -> torch.Tensor:
        """Noise - x0 as the network predicts it; texts holds one (tokens, pooled) per row."""
        self.transformer.set_attn_processor(processor)
        rows = len(texts)
        return self.transformer(
            hidden_states=latents, timestep=torch.full([rows], timestep), guidance=torch.full([rows], GUIDANCE),
            encoder_hidden_states=torch.cat([tokens for tokens, _ in texts]),
            pooled_projections=torch.cat([pooled for _, pooled in texts]),
            img_ids=self.image_ids, txt_ids=torch.zeros(T5_LENGTH, 3),
        ).sample


def invert(network: Network, x0, y1, sigmas: list[float], empty: tuple) -> torch.Tensor:
    """The controlled forward ODE from image to noise."""
    latents, count = x0, len(sigmas)
    for i in range(count - 1):
        t = i / count  # not (count - 1), and not the noise level of this step either
        velocity = network(FluxAttnProcessor(), latents, t, [empty])
        conditional = (y1 - latents) / (1 - t)
        velocity = velocity + GAMMA * (conditional - velocity)
        # The walk goes up, the differences come in the order of the way down.
        latents = latents + velocity * (sigmas[i] - sigmas[i + 1])
    return latents


def denoise(network: Network, sigmas: list[float], texts: list[tuple], x0s, starts, noise, regions, concatenate: bool):
    """The target's latents after every step."""
    processor = SubjectAttention(regions, concatenate)
    references, target, steps = torch.cat(starts + [noise[:0]]), noise, []
    clean = torch.cat(x0s + [noise[:0]])
    for i in range(STEPS):
        sigma, following = sigmas[i], sigmas[i + 1]
        processor.replace = sigma > TAU
        prediction = network(processor, torch.cat([references, target]), sigma, texts)
        velocity = -prediction[:-1]
        conditional = (clean - references) / (1 - (1 - sigma))
        eta = ETA if i < int(ETA_UNTIL * STEPS) else 0.0
        references = references + (velocity + eta * (conditional - velocity)) * (sigma - following)
        target = target + (following - sigma) * prediction[-1:]
        steps.append(target)
    return steps


def pixel_masks() -> list[Image.Image]:
    masks = [Image.new("L", (CANVAS, CANVAS), 0) for _ in REFERENCES]
    ImageDraw.Draw(masks[0]).ellipse((-3, -1, 99, 61), fill=255)
    ImageDraw.Draw(masks[1]).polygon([(94, 52), (127, 71), (121, 125), (61, 126), (49, 83)], fill=255)
    return masks


def token_masks(mask: Image.Image, shift: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The mask of a reference on the token grid, and that of its place in the target."""
    source = torch.from_numpy(np.array(mask.resize((GRID, GRID), Image.Resampling.NEAREST))) == 255
    target = torch.zeros_like(source)
    for row, column in source.nonzero().tolist():
        assert 0 <= column + shift < GRID, "a token would fall off the grid"
        target[row, column + shift] = True
    return source, target


def relative(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """As the tests measure it."""
    return float((actual - expected).abs().max() / expected.abs().max())


@torch.no_grad()
def write() -> None:
    pipeline = FluxPipeline.from_pretrained(HERE / "pipeline-tiny", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    network, out = Network(pipeline), {}

    def noise(seed: int) -> torch.Tensor:
        return pipeline.prepare_latents(
            1, 4, CANVAS, CANVAS, torch.float32, torch.device("cpu"), torch.Generator().manual_seed(seed))[0]

    def text(name: str, prompt: str) -> tuple:
        tokens, pooled, _ = pipeline.encode_prompt(prompt, max_sequence_length=T5_LENGTH)
        out[f"{name}.text"], out[f"{name}.pooled"] = tokens[:, :24], pooled  # the network sees all T5_LENGTH tokens
        return tokens, pooled

    mu = calculate_shift(GRID * GRID, *(pipeline.scheduler.config[key] for key in (
        "base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")))
    pipeline.scheduler.set_timesteps(sigmas=np.linspace(1, 1 / STEPS, STEPS), mu=mu)
    out["sigmas"] = pipeline.scheduler.sigmas
    sigmas = out["sigmas"].tolist()
    replaced = sum(sigma > TAU for sigma in sigmas)  # the shifted noise level counts, not the step's number
    assert 2 <= replaced <= 6
    print(f"  {replaced} of {STEPS} steps replace; sigmas {', '.join(f'{sigma:.4f}' for sigma in sigmas)}")

    empty, target_text = text("empty", ""), text("target", TARGET["prompt"])
    out["target.noise"] = noise(TARGET["seed"])
    texts, x0s, starts, regions = [], [], [], []
    for reference, mask in zip(REFERENCES, pixel_masks()):
        name = reference["name"]
        texts.append(text(name, reference["prompt"]))
        x0s.append(normal(f"public/{name}", 1, GRID * GRID, 16))
        y1 = noise(reference["seed"])
        starts.append(invert(network, x0s[-1], y1, sigmas, empty))
        source, target = token_masks(mask, reference["shift"])
        assert source.any() and not source.all()
        regions.append(tuple(m.flatten().nonzero()[:, 0] for m in (source, target)))  # row-major
        out[f"{name}.mask"] = torch.from_numpy(np.array(mask)) / 255
        out[f"{name}.tokens"], out[f"{name}.target_tokens"] = source.float(), target.float()
        out[f"{name}.x0"], out[f"{name}.noise"], out[f"{name}.start"] = x0s[-1], y1, starts[-1]
        rest = np.prod([1 - (sigmas[i] - sigmas[i + 1]) / (1 - i / len(sigmas)) for i in range(STEPS)])
        print(f"  {name}: {int(source.sum())} tokens; inversion against its closed form (c = {rest:.4f}): "
              f"{relative(starts[-1], y1 + rest * (x0s[-1] - y1)):.1e}")
    assert not (out["reference1.target_tokens"] * out["reference2.target_tokens"]).any(), "targets overlap"

    plain = pipeline(
        TARGET["prompt"], width=CANVAS, height=CANVAS, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
        max_sequence_length=T5_LENGTH, output_type="latent", latents=out["target.noise"]).images
    own = denoise(network, sigmas, [target_text], [], [], out["target.noise"], [], False)[-1]
    print(f"  without references against the public pipeline: {relative(own, plain):.1e}")
    assert relative(own, plain) < 1e-5
    out["plain.final"] = plain
    finals = {"plain": plain}
    for name, (count, concatenate) in CASES.items():
        steps = denoise(network, sigmas, texts[:count] + [target_text], x0s[:count], starts[:count], out["target.noise"],
                        regions[:count], concatenate)
        for i, latents in enumerate(steps):
            out[f"{name}.step{i + 1}"] = latents
        spread(name, steps[-1])
        others = {other: relative(steps[-1], latents) for other, latents in finals.items()}
        print(f"  {name} against {', '.join(f'{other}: {value:.4f}' for other, value in others.items())}")
        assert min(others.values()) > 0.005, "cases hardly differ"  # 50 times the tolerance of the tests
        finals[name] = steps[-1]
    write_json(HERE / "public.json", {
        "width": CANVAS, "height": CANVAS, "steps": STEPS, "replaced_steps": replaced, "tau": TAU, "guidance_scale": GUIDANCE,
        "target": TARGET, "references": REFERENCES,
        "cases": [{"name": name, "references": count, "concatenation": on} for name, (count, on) in CASES.items()],
    })
    write_tensors(HERE / "public.safetensors", out)


if __name__ == "__main__":
    write()
