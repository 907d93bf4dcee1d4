"""The same picture from the public FluxPipeline and from bin/likeness: `python golden/toybox_parity.py MODEL_DIR`.

MODEL_DIR is a model folder with a likeness.json, such as models/toybox. Both sides compute in float32 on the CPU with the
settings of likeness.json, the same prompt and the same seed. Prints the PSNR between the two pictures; exits with 1 when it
is under 45 dB (differences of rounding), with 2 when a picture cannot be made. The environment is that of make.py.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from diffusers import FluxPipeline
from PIL import Image

LIKENESS = Path(__file__).resolve().parent.parent / "bin" / "likeness"


def public_picture(folder: Path, settings: dict, prompt: str, negative: str, seed: int) -> Image.Image:
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    guided = settings["true_cfg_scale"] > 1
    return pipeline(
        prompt, negative_prompt=negative if guided else None, true_cfg_scale=settings["true_cfg_scale"],
        guidance_scale=settings["guidance_scale"], width=settings["width"], height=settings["height"],
        num_inference_steps=settings["steps"], max_sequence_length=settings["max_sequence_length"],
        generator=torch.Generator().manual_seed(seed), output_type="pil",
    ).images[0]


def likeness_picture(folder: Path, prompt: str, negative: str, seed: int, output: Path) -> Image.Image:
    command = [str(LIKENESS), "generate", "--device", "cpu", "--dtype", "float32", "--model", str(folder),
               "--prompt", prompt, "--negative-prompt", negative, "--seed", str(seed), "--output", str(output)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        print(f"toybox_parity: bin/likeness generate ended with exit code {done.returncode}", file=sys.stderr)
        sys.exit(2)
    return Image.open(output)


def psnr(first: Image.Image, second: Image.Image) -> float:
    a, b = (np.asarray(image.convert("RGB"), dtype=np.float64) for image in (first, second))
    if a.shape != b.shape:
        print(f"toybox_parity: the pictures have different sizes, {first.size} and {second.size}", file=sys.stderr)
        sys.exit(2)
    error = np.mean((a - b) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255 ** 2 / error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("--prompt", default="a red cat on a beach")
    parser.add_argument("--negative-prompt", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=45.0, metavar="DB", help="PSNR to reach (default: %(default)s)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder to keep both pictures in")
    args = parser.parse_args()
    file = args.model / "likeness.json"
    if not file.is_file():
        print(f"toybox_parity: {file} does not exist; name a model folder with the settings to compare", file=sys.stderr)
        sys.exit(2)
    settings = json.loads(file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        ours = likeness_picture(args.model, args.prompt, args.negative_prompt, args.seed, folder / "likeness.png")
        public = public_picture(args.model, settings, args.prompt, args.negative_prompt, args.seed)
        public.save(folder / "public.png")
        value = psnr(public, ours)
    print(f"PSNR {value:.2f} dB (at least {args.least:.2f} asked for): {args.prompt!r}, seed {args.seed}, "
          f"{settings['width']} x {settings['height']}, {settings['steps']} steps")
    sys.exit(0 if value >= args.least else 1)


if __name__ == "__main__":
    main()
