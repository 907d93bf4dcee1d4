"""Seeded weights and file helpers of the golden files."""

import json
import math
import os
import shutil
import zlib
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

HERE = Path(__file__).resolve().parent


def generator(name: str) -> torch.Generator:
    """A stream of its own per name, so that adding one tensor leaves all others as they were."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(name: str, *shape: int, std: float = 1.0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(name)) * std


@torch.no_grad()
def reinit(model: torch.nn.Module, name: str, gain: float = 1.0, embedding_std: float = 0.5) -> torch.nn.Module:
    """Weights without zeros and ones that would hide a fault: matrices keep activations O(1), biases 0.1 to 0.2, norms near 1."""
    norms = {
        f"{prefix}.weight"
        for prefix, module in model.named_modules()
        if "Norm" in type(module).__name__ and isinstance(getattr(module, "weight", None), torch.Tensor)
    }
    embeddings = {f"{prefix}.weight" for prefix, m in model.named_modules() if isinstance(m, torch.nn.Embedding)}
    for key, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator(f"{name}/{key}"))
        if key in norms:
            parameter.copy_(1 + 0.1 * noise)
        elif key in embeddings:
            parameter.copy_(embedding_std * noise)
        elif parameter.ndim <= 1:
            parameter.copy_(0.15 * noise)
        else:
            fan_in = parameter[0].numel()
            modulation = ".linear.weight" in key  # adaLN: scales, shifts and gates of moderate size
            parameter.copy_((0.5 if modulation else gain) / math.sqrt(fan_in) * noise)
    return model.eval()


def fresh(*parts: str) -> Path:
    folder = HERE.joinpath(*parts)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    out = {}
    for key, tensor in tensors.items():
        tensor = tensor.detach()
        tensor = tensor.to(torch.int64 if not tensor.is_floating_point() else torch.float32).contiguous().clone()
        assert torch.isfinite(tensor.float()).all(), key
        out[key] = tensor
    save_file(out, path, metadata={"format": "pt"})


def spread(what: str, tensor: torch.Tensor) -> None:
    print(f"  {what}: shape {tuple(tensor.shape)}, mean {tensor.mean():.3f}, std {tensor.std():.3f}, "
          f"greatest {tensor.abs().max():.2f}")
