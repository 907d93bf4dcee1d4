"""Weights in other projects' files: every encoding of GGUF and float8 with its numbers as the public packages read them, small
files under Black Forest Labs' and llama.cpp's names with the weights that the public converters make of them, and the names and
shapes of the real files."""

import re

import gguf
import numpy as np
import torch
from diffusers.loaders.single_file_utils import (convert_flux_transformer_checkpoint_to_diffusers,
                                                 convert_ldm_vae_checkpoint)
from gguf import GGMLQuantizationType as Type
from safetensors.torch import load_file, save_file

from golden_manifests import CHECKPOINTS, _rows
from tiny import HERE, fresh, generator, normal

PLAIN = {Type.F32: np.float32, Type.F16: np.float16}
BLOCKS = (Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q4_K, Type.Q5_K, Type.Q6_K)
# Where the float16 scales stand in a block.
SCALES = {Type.Q4_0: (0,), Type.Q4_1: (0, 2), Type.Q5_0: (0,), Type.Q5_1: (0, 2), Type.Q8_0: (0,), Type.Q4_K: (0, 2),
          Type.Q5_K: (0, 2), Type.Q6_K: (208,)}
# Greatest, least, subnormal, signed zeros, and what is no number.
EDGES = (1.0, -1.0, 0.0, -0.0, 65504.0, -65504.0, 6.0976e-05, 5.9605e-08, -5.9605e-08, float("inf"), float("-inf"), float("nan"))
CODES = np.arange(0, 64 * 60 * 17, 17, dtype=np.uint16)  # all signs and exponents of 16 bits, infinities and NaNs among them
ROWS = 8


def _bytes(name: str, *shape: int) -> np.ndarray:
    return torch.randint(0, 256, shape, generator=generator(name), dtype=torch.uint8).numpy()


def _blocks(kind: Type) -> np.ndarray:
    """Rows of blocks of random bits, with scales of every size and with all edges, and blocks of ones and zeros alone."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    if kind == Type.BF16:
        return CODES.view(np.uint8).reshape(64, -1)
    columns = 6
    blocks = _bytes(f"weights/{kind.name}", ROWS * columns, size)
    blocks[1], blocks[2] = 0, 255
    for place, at in enumerate(SCALES[kind]):
        scales = (normal(f"weights/{kind.name}/{at}", ROWS * columns) * 0.02).numpy()
        scales[4:4 + len(EDGES)] = np.roll(EDGES, place * 5)
        blocks[3:, at:at + 2] = scales[3:].astype(np.float16).view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, columns * size)


def _gguf(folder) -> None:
    writer = gguf.GGUFWriter(folder / "encodings.gguf", "flux")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", ""])
    writer.add_array("tokenizer.ggml.scores", [0.5, -1.0])
    expected = {}
    for kind, dtype in PLAIN.items():
        if kind == Type.F16:
            data = CODES.view(np.float16).reshape(64, -1)
        else:
            data = np.array([*EDGES, 1e-45, -1e-45, 3.4028235e38, 1 / 3], dtype=np.float32).reshape(4, 4)
        writer.add_tensor(kind.name, data)
        expected[kind.name] = torch.from_numpy(gguf.dequantize(data, kind).copy())
    for kind in BLOCKS:
        data = _blocks(kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        with np.errstate(all="ignore"):
            expected[kind.name] = torch.from_numpy(gguf.dequantize(data, kind).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, folder / "encodings.gguf.safetensors")
    print(f"  encodings.gguf: {', '.join(expected)}")


def _float8(folder) -> None:
    """Every code of both types, as it is and with a scale of its own, whose product is rounded once."""
    codes = torch.arange(256, dtype=torch.uint8).view(16, 16)
    stored, expected = {"scaled_fp8": torch.tensor([], dtype=torch.float8_e4m3fn)}, {}
    for name, dtype in (("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)):
        stored[f"{name}.weight"] = codes.view(dtype).clone()
        expected[f"{name}.weight"] = codes.view(dtype).to(torch.float32)
        for i, scale in enumerate((0.0123456789, 1e-40, 2.5)):
            key = f"{name}.scaled{i}"
            stored[f"{key}.weight"] = codes.view(dtype).clone()
            stored[f"{key}.scale_weight"] = torch.tensor(scale, dtype=torch.float32)
            expected[f"{key}.weight"] = codes.view(dtype).to(torch.float32) * stored[f"{key}.scale_weight"]
    save_file(stored, folder / "float8.safetensors")
    save_file(expected, folder / "float8.expected.safetensors")


def _bfl_shapes(width: int, mlp: int, head: int, double: int, single: int, text: int, pooled: int, latent: int, time: int,
                guidance: bool) -> dict[str, tuple]:
    """Black Forest Labs' names of the transformer's weights. `_converted` has the public converter confirm them."""
    shapes = {}

    def linear(name: str, out: int, into: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (out, into), (out,)

    linear("img_in", width, latent)
    linear("txt_in", width, text)
    for name, into in (("time_in", time), ("vector_in", pooled), *((("guidance_in", time),) if guidance else ())):
        linear(f"{name}.in_layer", width, into)
        linear(f"{name}.out_layer", width, width)
    for i in range(double):
        for stream in ("img", "txt"):
            block = f"double_blocks.{i}.{stream}"
            linear(f"{block}_mod.lin", 6 * width, width)
            linear(f"{block}_attn.qkv", 3 * width, width)
            shapes[f"{block}_attn.norm.query_norm.scale"] = shapes[f"{block}_attn.norm.key_norm.scale"] = (head,)
            linear(f"{block}_attn.proj", width, width)
            linear(f"{block}_mlp.0", mlp, width)
            linear(f"{block}_mlp.2", width, mlp)
    for i in range(single):
        block = f"single_blocks.{i}"
        linear(f"{block}.linear1", 3 * width + mlp, width)
        linear(f"{block}.linear2", width, width + mlp)
        shapes[f"{block}.norm.query_norm.scale"] = shapes[f"{block}.norm.key_norm.scale"] = (head,)
        linear(f"{block}.modulation.lin", 3 * width, width)
    linear("final_layer.linear", latent, width)
    linear("final_layer.adaLN_modulation.1", 2 * width, width)
    return shapes


def _converted(tensors: dict, width: int) -> dict:
    """What the public converter makes of a transformer, whose width it takes for FLUX.1's."""
    code = convert_flux_transformer_checkpoint_to_diffusers.__code__
    assert code.co_consts.count(3072) == 1
    convert = type(_converted)(code.replace(co_consts=tuple(width if c == 3072 else c for c in code.co_consts)),
                               convert_flux_transformer_checkpoint_to_diffusers.__globals__)
    return convert(dict(tensors))


def _ldm_shapes(levels: list[int], layers: int, latent: int) -> dict[str, tuple]:
    """Latent Diffusion's names of the autoencoder's weights, as Black Forest Labs use them."""
    shapes = {}

    def conv(name: str, out: int, into: int, kernel: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (out, into, kernel, kernel), (out,)

    def norm(name: str, channels: int) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (channels,)

    def resnet(name: str, into: int, out: int) -> None:
        norm(f"{name}.norm1", into)
        conv(f"{name}.conv1", out, into, 3)
        norm(f"{name}.norm2", out)
        conv(f"{name}.conv2", out, out, 3)
        if into != out:
            conv(f"{name}.nin_shortcut", out, into, 1)

    def middle(name: str, channels: int) -> None:
        resnet(f"{name}.block_1", channels, channels)
        norm(f"{name}.attn_1.norm", channels)
        for part in ("q", "k", "v", "proj_out"):
            conv(f"{name}.attn_1.{part}", channels, channels, 1)
        resnet(f"{name}.block_2", channels, channels)

    conv("encoder.conv_in", levels[0], 3, 3)
    into = levels[0]
    for i, out in enumerate(levels):
        for j in range(layers):
            resnet(f"encoder.down.{i}.block.{j}", into, out)
            into = out
        if i + 1 < len(levels):
            conv(f"encoder.down.{i}.downsample.conv", out, out, 3)
    middle("encoder.mid", into)
    norm("encoder.norm_out", into)
    conv("encoder.conv_out", 2 * latent, into, 3)
    conv("decoder.conv_in", into, latent, 3)
    middle("decoder.mid", into)
    for i in reversed(range(len(levels))):
        for j in range(layers + 1):
            resnet(f"decoder.up.{i}.block.{j}", into, levels[i])
            into = levels[i]
        if i > 0:
            conv(f"decoder.up.{i}.upsample.conv", into, into, 3)
    norm("decoder.norm_out", into)
    conv("decoder.conv_out", 3, into, 3)
    return shapes


def _vae_converted(tensors: dict, levels: int) -> dict:
    return convert_ldm_vae_checkpoint(dict(tensors), {"down_block_types": [""] * levels, "up_block_types": [""] * levels})


def _t5_names(names, blocks: int) -> dict[str, str]:
    """The names of transformers and those of llama.cpp."""
    table = gguf.get_tensor_name_map(gguf.MODEL_ARCH.T5ENCODER, blocks)
    return {name: table.get_name(name, try_suffixes=(".weight",)) for name in names}


def _meta(shapes: dict) -> dict:
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def _manifests(folder) -> None:
    """The real files' names and shapes. Converted, they are those that the public classes have."""
    for name in ("flux-dev", "flux-schnell", "flux-vae", "t5-xxl"):
        with torch.device("meta"):
            expected = {key: tuple(value.shape) for key, value in CHECKPOINTS[name][1]().items()}
        if name == "flux-vae":
            shapes = _ldm_shapes([128, 256, 512, 512], 2, 16)
            converted = _vae_converted(_meta(shapes), 4)
        elif name == "t5-xxl":
            names = _t5_names(expected, 24)
            shapes = {names[key]: shape for key, shape in expected.items()}
            converted = {key: torch.empty(shapes[names[key]], device="meta") for key in names}
        else:
            shapes = _bfl_shapes(3072, 12288, 128, 19, 38, 4096, 768, 64, 256, name == "flux-dev")
            converted = _converted(_meta(shapes), 3072)
        assert {key: tuple(value.shape) for key, value in converted.items()} == expected, name
        (folder / f"{name}.tsv").write_text("\n".join(_rows(shapes)) + "\n", encoding="utf-8")
        print(f"  {name}: {len(shapes)} weights under other names")


def _tiny(folder) -> None:
    """Small files with numbers: what is cut, turned round and renamed shows in them."""
    for guidance in (True, False):
        stem = "transformer" if guidance else "transformer-schnell"
        shapes = _bfl_shapes(16, 64, 8, 2, 3, 12, 10, 8, 256, guidance)
        tensors = {name: normal(f"weights/{stem}/{name}", *shape) for name, shape in shapes.items()}
        save_file(tensors, folder / f"{stem}.bfl.safetensors")
        save_file({key: value.contiguous() for key, value in _converted(tensors, 16).items()},
                  folder / f"{stem}.expected.safetensors")
    _comfy(folder)
    shapes = _ldm_shapes([4, 8, 8], 1, 2)
    tensors = {name: normal(f"weights/vae/{name}", *shape) for name, shape in shapes.items()}
    save_file(tensors, folder / "vae.ldm.safetensors")
    save_file({key: value.contiguous() for key, value in _vae_converted(tensors, 3).items()}, folder / "vae.expected.safetensors")
    t5 = load_file(HERE / "t5-tiny" / "model.safetensors")
    t5.pop("encoder.embed_tokens.weight", None)
    blocks = 1 + max(int(match.group(1)) for key in t5 if (match := re.match(r"encoder\.block\.(\d+)\.", key)))
    writer = gguf.GGUFWriter(folder / "t5.gguf", "t5encoder")
    writer.add_block_count(blocks)
    for key, name in sorted(_t5_names(t5, blocks).items()):
        writer.add_tensor(name, t5[key].numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _comfy(folder) -> None:
    """A transformer as ComfyUI stores it: matrices in float8, one scale each, in the older and in the newer way of writing it."""
    shapes = _bfl_shapes(16, 64, 8, 1, 1, 12, 10, 8, 256, False)
    prefix, older, newer, plain = "model.diffusion_model.", {}, {}, {}
    for name, shape in shapes.items():
        tensor = normal(f"weights/comfy/{name}", *shape)
        if len(shape) == 2:
            scale = tensor.abs().max() / 448
            stored = (tensor / scale).to(torch.float8_e4m3fn)
            plain[name] = stored.to(torch.float32) * scale
            stem = name.removesuffix(".weight")
            older[f"{prefix}{stem}.scale_weight"] = newer[f"{prefix}{stem}.weight_scale"] = scale
            older[f"{prefix}{stem}.scale_input"] = newer[f"{prefix}{stem}.input_scale"] = torch.tensor(1.0)
            mark = b'{"format": "float8_e4m3fn"}'
            newer[f"{prefix}{stem}.comfy_quant"] = torch.frombuffer(bytearray(mark), dtype=torch.uint8)
        else:
            stored = tensor.to(torch.bfloat16)
            plain[name] = stored.to(torch.float32)
        older[prefix + name] = newer[prefix + name] = stored
    older[f"{prefix}scaled_fp8"] = torch.tensor([], dtype=torch.float8_e4m3fn)
    save_file(older, folder / "comfy-older.safetensors")
    save_file(newer, folder / "comfy-newer.safetensors")
    save_file({key: value.contiguous() for key, value in _converted(plain, 16).items()}, folder / "comfy.expected.safetensors")


def write() -> None:
    folder = fresh("weights")
    _gguf(folder)
    _float8(folder)
    _tiny(folder)
    _manifests(fresh("weights", "manifests"))


if __name__ == "__main__":
    write()
