"""CLIP, DINO and DINOv2: tiny networks as save_pretrained writes them, the public preprocessors over small pictures, what both
make of them, and Pillow's resampling that the preprocessors rest on."""

import math
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, Dinov2Config, Dinov2Model, ViTConfig, ViTModel
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from golden_tokenizers import clip_tokenizer
from tiny import HERE, fresh, generator, normal, reinit, spread, write_json, write_tensors

SIZES = {"wide": (310, 205), "tall": (61, 90), "small": (21, 17)}  # width, height; crops are 32 to 48
PROMPTS = ["a photo of a red cat on a beach", "", "A painting of an old robot, under a tree!", "toy " * 90]
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
# Settings in the forms that preprocessor_config.json files have: old ones with bare numbers, and new ones.
PREPROCESSORS = {
    "clip-old": (CLIPImageProcessorPil, {
        "crop_size": 32, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 32}),
    "vit-old": (ViTImageProcessorPil, {
        "do_normalize": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", **IMAGENET, "resample": 2,
        "size": 32}),
    "vit-shortest": (ViTImageProcessorPil, {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_processor_type": "ViTImageProcessor", **IMAGENET,
        "resample": 3, "rescale_factor": 1 / 255, "size": {"shortest_edge": 40}}),
    "bit": (BitImageProcessorPil, {
        "crop_size": {"height": 31, "width": 40}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
        "do_rescale": True, "do_resize": True, **IMAGENET, "image_processor_type": "BitImageProcessor", "resample": 3,
        "rescale_factor": 1 / 255, "size": {"shortest_edge": 48}}),
}
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# picture, filter, width, height: shrinking, growing, both, one axis only, one pixel.
RESAMPLED = [("wide", "bicubic", 96, 63), ("wide", "bilinear", 32, 32), ("wide", "bicubic", 339, 224),
             ("wide", "bicubic", 1, 1), ("tall", "bicubic", 110, 100), ("tall", "bilinear", 61, 33),
             ("tall", "bicubic", 32, 90), ("small", "bicubic", 55, 40), ("small", "bilinear", 32, 32)]


def across_first(resize):
    """Pillow resampled across, then down, when scores were published; version 13 turns that round where much more of the
    height goes than of the width. Pictures here are such that it makes no difference."""
    def checked(image, size, resample, **others):
        resized = resize(image, size, resample, **others)
        steps = resize(resize(image, (size[0], image.height), resample), size, resample)
        assert resized.tobytes() == steps.tobytes(), (image.size, size)
        return resized
    return checked


def picture(name: str) -> Image.Image:
    """Waves, hard edges and noise, so that rounding and overshoot show."""
    width, height = SIZES[name]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    planes = [127 + 90 * torch.sin(x / (5.0 + 4 * c)) * torch.cos(y / (9.0 - 2 * c)) for c in range(3)]
    pixels = torch.stack(planes, -1) + 25 * torch.randn(height, width, 3, generator=generator(f"picture/{name}"))
    pixels[height // 3:height // 2, width // 4:width // 2] = torch.tensor([255.0, 0.0, 255.0])
    pixels[height // 2:, width // 2:width // 2 + max(1, width // 40)] = 0.0
    return Image.fromarray(pixels.round().clamp(0, 255).to(torch.uint8).numpy())


@torch.no_grad()
def init(model: torch.nn.Module, name: str) -> torch.nn.Module:
    """As reinit, and what it takes for matrices or leaves too small to matter."""
    reinit(model, name)
    for key, parameter in model.named_parameters():
        if key.endswith(("position_embeddings", "cls_token", "mask_token", "class_embedding")):
            parameter.copy_(normal(f"{name}/{key}", *parameter.shape, std=0.5))
        elif key.endswith("lambda1"):
            parameter.copy_(0.8 + normal(f"{name}/{key}", *parameter.shape, std=0.3))
        elif key == "logit_scale":
            parameter.fill_(math.log(14.0))
    return model


def save(model, processor, folder: Path) -> None:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def pixels(processor, image: Image.Image) -> torch.Tensor:
    return processor(images=image, return_tensors="pt")["pixel_values"]


def clip(images: dict, out: dict) -> None:
    folder = fresh("encoders", "clip")
    tokens = clip_tokenizer(folder)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 12}
    config = CLIPConfig(
        text_config={**sizes, "vocab_size": tokens, "hidden_size": 20, "intermediate_size": 40, "bos_token_id": 0,
                     "eos_token_id": 2},  # as the published files have it
        vision_config={**sizes, "hidden_size": 24, "intermediate_size": 48, "image_size": 32, "patch_size": 8},
        projection_dim=12)
    model = init(CLIPModel(config), "encoders/clip")
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    save(model, processor, folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    text = tokenizer(PROMPTS, padding=True, truncation=True, max_length=77, return_tensors="pt")
    batch = torch.cat([pixels(processor, image) for image in images.values()])
    result = model(**text, pixel_values=batch)
    out["clip.pixel_values"] = batch
    out["clip.vision.pooler_output"] = model.vision_model(batch).pooler_output
    out["clip.image_features"] = model.get_image_features(batch).pooler_output  # projected, of any length
    out["clip.text_features"] = model.get_text_features(**text).pooler_output
    out["clip.logits_per_image"] = result.logits_per_image
    larger = normal("encoders/clip/larger", 2, 3, 40, 56)
    hidden = model.vision_model(larger, interpolate_pos_encoding=True)
    out["clip.larger.pixel_values"], out["clip.larger.pooler_output"] = larger, hidden.pooler_output


def dino(images: dict, out: dict) -> None:
    folder = fresh("encoders", "dino")
    config = ViTConfig(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, image_size=32,
                       patch_size=8)
    model = init(ViTModel(config), "encoders/dino")  # with a pooler, which the published DINO has not: nothing here uses it
    processor = ViTImageProcessorPil(size={"height": 32, "width": 32}, **IMAGENET)
    save(model, processor, folder)
    batch = torch.cat([pixels(processor, image) for image in images.values()])
    out["dino.pixel_values"], out["dino.last_hidden_state"] = batch, model(batch).last_hidden_state
    larger = normal("encoders/dino/larger", 2, 3, 43, 56)  # the grid is 5 x 7, and three rows of pixels are left over
    out["dino.larger.pixel_values"] = larger
    out["dino.larger.last_hidden_state"] = model(larger, interpolate_pos_encoding=True).last_hidden_state


def dinov2(images: dict, out: dict) -> None:
    folder = fresh("encoders", "dinov2")
    config = Dinov2Config(hidden_size=24, mlp_ratio=2, num_hidden_layers=2, num_attention_heads=3, image_size=112,
                          patch_size=8)  # a grid of 14 x 14, of which 6 x 6 is made: near the 37 and 16 of the published one
    model = init(Dinov2Model(config), "encoders/dinov2")
    processor = BitImageProcessorPil(size={"shortest_edge": 55}, crop_size={"height": 48, "width": 48}, **IMAGENET)
    save(model, processor, folder)
    batch = torch.cat([pixels(processor, image) for image in images.values()])
    out["dinov2.pixel_values"], out["dinov2.last_hidden_state"] = batch, model(batch).last_hidden_state


@torch.no_grad()
def write() -> None:
    out = {}
    Image.Image.resize = across_first(Image.Image.resize)
    images = {name: picture(name) for name in SIZES}
    fresh("encoders")
    folder = fresh("encoders", "pictures")
    for name, image in images.items():
        image.save(folder / f"{name}.png")
    for name, filter_name, width, height in RESAMPLED:
        resized = images[name].resize((width, height), FILTERS[filter_name])
        resized.save(folder / f"{name}.{filter_name}.{width}x{height}.png")
    for name, (kind, settings) in PREPROCESSORS.items():
        folder = fresh("encoders", "preprocessors", name)
        write_json(folder / "preprocessor_config.json", settings)
        processor = kind.from_pretrained(folder)
        for key, image in images.items():
            out[f"{name}.{key}.pixel_values"] = pixels(processor, image)
    clip(images, out)
    dino(images, out)
    dinov2(images, out)
    for key in ("clip.image_features", "clip.text_features", "dino.last_hidden_state", "dinov2.last_hidden_state"):
        spread(key, out[key])
    write_tensors(HERE / "encoders.safetensors", out)
