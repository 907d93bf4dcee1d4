"""Makes every file of this folder anew: `python golden/make.py`.

The public libraries are pinned beside it; from the repository root:

    python3 -m venv .venv
    .venv/bin/pip install -r golden/requirements.txt
    .venv/bin/python golden/make.py
    git status --short golden      # shows nothing: all files are made again byte for byte

Everything is seeded and runs on one CPU thread. On another kind of processor, or with other versions, the last bits of the
results (diffusion, encoders, flux-transformer, hunyuan, lora, ops, pipeline, public, segment, text, unet, vae .safetensors) may differ, within the tests'
tolerances; weights, noise, tokenizers and manifests may not. Give names of parts to make only those:
`python golden/make.py vae text`. Takes some seconds and needs no network.
"""

import importlib
import sys
import time

PARTS = ("ops", "flux", "unet", "lora", "vae", "text", "tokenizers", "pipeline", "diffusion", "public", "hunyuan", "manifests", "onnx",
         "encoders", "weights")


def main(names: list[str]) -> None:
    unknown = set(names) - set(PARTS)
    if unknown:
        sys.exit(f"make.py: no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in names or PARTS:
        start = time.monotonic()
        print(f"{name} ...", flush=True)
        importlib.import_module(f"golden_{name}").write()
        print(f"{name} done in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
