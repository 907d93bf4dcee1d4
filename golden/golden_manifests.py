"""Names and shapes of the weights of the real checkpoints, from the public classes on the meta device (no memory, no
download), with the config.json that goes with them. The configurations are those of FLUX.1, of HunyuanDiT and of the encoders
that scores of personalization are published with, written down here as facts."""

import copy

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, HunyuanDiT2DModel, UNet2DConditionModel
from transformers import (BertConfig, BertModel, CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection,
                          Dinov2Config, Dinov2Model, MT5Config, T5Config, T5EncoderModel, ViTConfig, ViTModel)
from transformers.core_model_loading import revert_weight_conversion

from golden_hunyuan import BERT_CONFIG, MT5_CONFIG, TINY
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
# runwayml/stable-diffusion-v1-5, stabilityai/stable-diffusion-2-1 and stabilityai/stable-diffusion-xl-base-1.0.
SD15 = {
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": False, "cross_attention_dim": 768,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], "downsample_padding": 1, "flip_sin_to_cos": True,
    "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05,
    "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}
SD21 = {
    **SD15, "_diffusers_version": "0.10.0.dev0", "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024,
    "dual_cross_attention": False, "num_class_embeds": None, "only_cross_attention": False, "sample_size": 96,
    "upcast_attention": True, "use_linear_projection": True,
}
SDXL = {
    **SD15, "_diffusers_version": "0.19.0.dev0", "addition_embed_type": "text_time", "addition_embed_type_num_heads": 64,
    "addition_time_embed_dim": 256, "attention_head_dim": [5, 10, 20], "block_out_channels": [320, 640, 1280],
    "class_embed_type": None, "class_embeddings_concat": False, "conv_in_kernel": 3, "conv_out_kernel": 3,
    "cross_attention_dim": 2048, "cross_attention_norm": None,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], "dual_cross_attention": False,
    "encoder_hid_dim": None, "encoder_hid_dim_type": None, "mid_block_only_cross_attention": None,
    "mid_block_type": "UNetMidBlock2DCrossAttn", "num_attention_heads": None, "num_class_embeds": None,
    "only_cross_attention": False, "projection_class_embeddings_input_dim": 2816, "resnet_out_scale_factor": 1.0,
    "resnet_skip_time_act": False, "resnet_time_scale_shift": "default", "sample_size": 128, "time_cond_proj_dim": None,
    "time_embedding_act_fn": None, "time_embedding_dim": None, "time_embedding_type": "positional",
    "timestep_post_act": None, "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "upcast_attention": None,
    "use_linear_projection": True,
}
SDXL_VAE = {
    **{key: value for key, value in VAE.items() if not key.startswith("_") and key not in (
        "shift_factor", "use_quant_conv", "use_post_quant_conv", "latents_mean", "latents_std", "mid_block_add_attention")},
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.20.0.dev0", "latent_channels": 4, "scaling_factor": 0.13025,
}
SD21_TEXT = {**CLIP_CONFIG, "hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
             "num_hidden_layers": 23, "projection_dim": 512, "vocab_size": 49408}
SDXL_TEXT_2 = {**SD21_TEXT, "architectures": ["CLIPTextModelWithProjection"], "hidden_size": 1280, "intermediate_size": 5120,
               "num_attention_heads": 20, "num_hidden_layers": 32, "projection_dim": 1280, "torch_dtype": "float16"}
# FLUX.1-schnell's scheduler: levels are not shifted.
SCHNELL_SCHEDULER = {**SCHEDULER, "shift": 1.0, "use_dynamic_shifting": False}
# What transformers 4 wrote of every part of a model, whether or not it meant anything there.
OLD_KEYS = {
    "_name_or_path": "", "add_cross_attention": False, "architectures": None, "bad_words_ids": None,
    "chunk_size_feed_forward": 0, "cross_attention_hidden_size": None, "decoder_start_token_id": None,
    "diversity_penalty": 0.0, "do_sample": False, "early_stopping": False, "encoder_no_repeat_ngram_size": 0,
    "exponential_decay_length_penalty": None, "finetuning_task": None, "forced_bos_token_id": None,
    "forced_eos_token_id": None, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "is_decoder": False,
    "is_encoder_decoder": False, "label2id": {"LABEL_0": 0, "LABEL_1": 1}, "length_penalty": 1.0, "max_length": 20,
    "min_length": 0, "no_repeat_ngram_size": 0, "num_beam_groups": 1, "num_beams": 1, "num_return_sequences": 1,
    "output_attentions": False, "output_hidden_states": False, "output_scores": False, "prefix": None,
    "problem_type": None, "pruned_heads": {}, "remove_invalid_values": False, "repetition_penalty": 1.0,
    "return_dict": True, "return_dict_in_generate": False, "sep_token_id": None, "task_specific_params": None,
    "temperature": 1.0, "tf_legacy_loss": False, "tie_encoder_decoder": False, "tie_word_embeddings": True,
    "tokenizer_class": None, "top_k": 50, "top_p": 1.0, "torch_dtype": None, "torchscript": False,
    "transformers_version": "4.16.0.dev0", "typical_p": 1.0, "use_bfloat16": False,
}
_CLIP_PART = {**OLD_KEYS, "attention_dropout": 0.0, "dropout": 0.0, "hidden_act": "quick_gelu", "initializer_factor": 1.0,
              "initializer_range": 0.02, "layer_norm_eps": 1e-05, "num_hidden_layers": 12, "projection_dim": 512}
CLIP_B32 = {
    "_name_or_path": "openai/clip-vit-base-patch32", "architectures": ["CLIPModel"], "initializer_factor": 1.0,
    "logit_scale_init_value": 2.6592, "model_type": "clip", "projection_dim": 512,
    "text_config": {**_CLIP_PART, "bos_token_id": 0, "eos_token_id": 2, "hidden_size": 512, "intermediate_size": 2048,
                    "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 8,
                    "pad_token_id": 1, "vocab_size": 49408},
    "text_config_dict": None, "transformers_version": None,
    "vision_config": {**_CLIP_PART, "bos_token_id": None, "eos_token_id": None, "hidden_size": 768, "image_size": 224,
                      "intermediate_size": 3072, "model_type": "clip_vision_model", "num_attention_heads": 12,
                      "num_channels": 3, "pad_token_id": None, "patch_size": 32},
    "vision_config_dict": None,
}
_L14_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
             "projection_dim": 768}
_L14_VISION = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24,
               "patch_size": 14, "projection_dim": 768}
CLIP_L14 = {**CLIP_B32, "_name_or_path": "clip-vit-large-patch14/", "projection_dim": 768,
            "text_config": {**CLIP_B32["text_config"], **_L14_TEXT}, "text_config_dict": _L14_TEXT, "torch_dtype": "float32",
            "vision_config": {**CLIP_B32["vision_config"], **_L14_VISION}, "vision_config_dict": _L14_VISION}
DINO_S16 = {
    "architectures": ["ViTModel"], "attention_probs_dropout_prob": 0.0, "hidden_act": "gelu", "hidden_dropout_prob": 0.0,
    "hidden_size": 384, "image_size": 224, "initializer_range": 0.02, "intermediate_size": 1536, "layer_norm_eps": 1e-12,
    "model_type": "vit", "num_attention_heads": 6, "num_channels": 3, "num_hidden_layers": 12, "patch_size": 16,
    "qkv_bias": True, "torch_dtype": "float32", "transformers_version": "4.11.0.dev0",
}
DINOV2_S = {
    "apply_layernorm": True, "architectures": ["Dinov2Model"], "attention_probs_dropout_prob": 0.0, "drop_path_rate": 0.0,
    "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "hidden_size": 384, "image_size": 518, "initializer_range": 0.02,
    "layer_norm_eps": 1e-06, "layerscale_value": 1.0, "mlp_ratio": 4, "model_type": "dinov2", "num_attention_heads": 6,
    "num_channels": 3, "num_hidden_layers": 12, "out_features": ["stage12"], "out_indices": [12], "patch_size": 14,
    "qkv_bias": True, "reshape_hidden_states": True, "stage_names": ["stem", *(f"stage{i}" for i in range(1, 13))],
    "torch_dtype": "float32", "transformers_version": "4.32.0.dev0", "use_swiglu_ffn": False,
}
# HunyuanDiT 1.2; up to 1.1 the transformer knows style and sizes.
HUNYUAN = {**TINY, "attention_head_dim": 88, "cross_attention_dim": 1024, "cross_attention_dim_t5": 2048,
           "hidden_size": 1408, "mlp_ratio": 4.3637, "num_attention_heads": 16, "num_layers": 40,
           "pooled_projection_dim": 1024, "sample_size": 128, "text_len": 77, "text_len_t5": 256}
HUNYUAN_BERT = {**BERT_CONFIG, "hidden_size": 1024, "intermediate_size": 4096, "max_position_embeddings": 512,
                "num_attention_heads": 16, "num_hidden_layers": 24, "vocab_size": 47020}
MT5_XL = {**MT5_CONFIG, "d_ff": 5120, "d_kv": 64, "d_model": 2048, "num_decoder_layers": 24, "num_heads": 32,
          "num_layers": 24, "vocab_size": 250112}


def _plain(config: dict) -> dict:
    return {key: value for key, value in config.items() if not key.startswith("_")}


def _clip_keys(model) -> dict:
    return {f"text_model.{key}": value for key, value in model.state_dict().items()}


def _t5_keys(model) -> dict:
    return {key: value for key, value in model.state_dict().items() if key != "encoder.embed_tokens.weight"}


def _flux(config: dict):
    return config, lambda: FluxTransformer2DModel.from_config(config).state_dict()


def _hunyuan(config: dict):
    return config, lambda: HunyuanDiT2DModel.from_config(config).state_dict()


def _unet(config: dict):
    return config, lambda: UNet2DConditionModel.from_config(config).state_dict()


def _clip(config: dict):
    # A copy, because CLIPConfig writes its defaults into what it is given.
    return config, lambda: CLIPModel(CLIPConfig(**copy.deepcopy(_plain(config)))).state_dict()


def _dino(config: dict):
    """DINO was published without a pooler."""
    return config, lambda: _as_published(ViTModel(ViTConfig(**_plain(config)), add_pooling_layer=False))


def _as_published(model) -> dict:
    """Under the names that save_pretrained writes."""
    return revert_weight_conversion(model, model.state_dict())


CHECKPOINTS = {
    "flux-dev": _flux(FLUX),
    "flux-schnell": _flux({**FLUX, "guidance_embeds": False}),
    "flux-vae": (VAE, lambda: AutoencoderKL.from_config(VAE).state_dict()),
    "sd15-unet": _unet(SD15),
    "sd21-unet": _unet(SD21),
    "sdxl-unet": _unet(SDXL),
    "sdxl-vae": (SDXL_VAE, lambda: AutoencoderKL.from_config(SDXL_VAE).state_dict()),
    "sd21-text": (SD21_TEXT, lambda: _clip_keys(CLIPTextModel(CLIPTextConfig(**_plain(SD21_TEXT))))),
    "sdxl-text-2": (SDXL_TEXT_2, lambda: CLIPTextModelWithProjection(CLIPTextConfig(**_plain(SDXL_TEXT_2))).state_dict()),
    "clip-l": (CLIP_L, lambda: _clip_keys(CLIPTextModel(CLIPTextConfig(**_plain(CLIP_L))))),
    "t5-xxl": (T5_XXL, lambda: _t5_keys(T5EncoderModel(T5Config(**_plain(T5_XXL))))),
    "clip-vit-base-patch32": _clip(CLIP_B32),
    "clip-vit-large-patch14": _clip(CLIP_L14),
    "dino-vits16": _dino(DINO_S16),
    "dino-vits8": _dino({**DINO_S16, "patch_size": 8}),
    "dinov2-small": (DINOV2_S, lambda: _as_published(Dinov2Model(Dinov2Config(**_plain(DINOV2_S))))),
    "hunyuan-dit-1.2": _hunyuan(HUNYUAN),
    "hunyuan-dit-1.1": _hunyuan({**HUNYUAN, "use_style_cond_and_image_meta_size": True}),
    "hunyuan-bert": (HUNYUAN_BERT, lambda: BertModel(BertConfig(**_plain(HUNYUAN_BERT))).state_dict()),
    "mt5-xl": (MT5_XL, lambda: _t5_keys(T5EncoderModel(MT5Config(**_plain(MT5_XL))))),
}
# Number of parameters as it is known of the published files; a slip in a configuration would show here.
PARAMETERS = {"flux-dev": 11_901_408_320, "flux-schnell": 11_891_178_560, "flux-vae": 83_819_683,
              "sd15-unet": 859_520_964, "sd21-unet": 865_910_724, "sdxl-unet": 2_567_463_684,
              "sdxl-vae": 83_653_863, "sd21-text": 340_387_840, "sdxl-text-2": 694_659_840, "clip-l": 123_060_480,
              "t5-xxl": 4_762_310_656, "clip-vit-base-patch32": 151_277_313, "clip-vit-large-patch14": 427_616_513,
              "dino-vits16": 21_665_664, "dino-vits8": 21_670_272, "dinov2-small": 22_056_576,
              "hunyuan-dit-1.2": 1_499_952_032, "hunyuan-dit-1.1": 1_516_534_048, "hunyuan-bert": 352_035_840,
              "mt5-xl": 1_669_958_656}


def _rows(shapes: dict[str, tuple]) -> list[str]:
    """One row per weight: name, shape, counts. `*` in a name stands for the numbers from 0 up to its count; a number is
    collapsed so when all shapes agree."""
    rows = {name: (shape, ()) for name, shape in shapes.items()}
    for place in range(max(name.count(".") for name in shapes)):
        groups = {}
        for name in rows:
            groups.setdefault(_starred(name, place), []).append(name)
        collapsed = {}
        for pattern, names in groups.items():
            same = len({rows[name] for name in names}) == 1
            if same and len(names) > 1 and names == [_starred(pattern, place, i) for i in range(len(names))]:
                before = pattern.split(".")[:place].count("*")
                shape, counts = rows[names[0]]
                collapsed[pattern] = shape, (*counts[:before], len(names), *counts[before:])
            else:
                collapsed.update({name: rows[name] for name in names})
        rows = collapsed
    return [f"{name}\t{','.join(map(str, shape))}\t{','.join(map(str, counts))}".rstrip()
            for name, (shape, counts) in rows.items()]


def _starred(name: str, place: int, put="*") -> str:
    """The number at that place of a dotted name replaced; other names as they are."""
    parts = name.split(".")
    if place < len(parts) and (parts[place].isdigit() or parts[place] == "*"):
        parts[place] = str(put)
    return ".".join(parts)


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
