"""HunyuanDiT: the transformer of version 1.2 and the one up to 1.1, which knows style and sizes; its text encoders and
tokenizers; and what the public pipeline makes with all of them in two steps. Weights are not written: tests draw them anew
from the same seeds (tiny.reinit)."""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, HunyuanDiT2DModel, HunyuanDiTPipeline
from diffusers.models.embeddings import get_2d_rotary_pos_embed
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import get_resize_crop_region_for_grid
from transformers import BertConfig, BertModel, BertTokenizer, MT5Config, T5EncoderModel, T5TokenizerFast

from golden_tokenizers import CORPUS, LETTERS, SENTENCES, t5_tokenizer
from tiny import HERE, fresh, normal, reinit, spread, write_json, write_tensors

TINY = {
    "_class_name": "HunyuanDiT2DModel", "_diffusers_version": "0.30.0.dev0", "activation_fn": "gelu-approximate",
    "attention_head_dim": 8, "cross_attention_dim": 12, "cross_attention_dim_t5": 16, "hidden_size": 16, "in_channels": 4,
    "learn_sigma": True, "mlp_ratio": 2.3, "norm_type": "layer_norm", "num_attention_heads": 2, "num_layers": 6,
    "patch_size": 2, "pooled_projection_dim": 10, "sample_size": 8, "text_len": 5, "text_len_t5": 7,
    "use_style_cond_and_image_meta_size": False,
}
STYLED = {**TINY, "use_style_cond_and_image_meta_size": True}
# The key sets of HunyuanDiT's text_encoder/config.json and of mT5's config.json.
BERT_CONFIG = {
    "_name_or_path": "hfl/chinese-roberta-wwm-ext-large", "architectures": ["BertModel"],
    "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "classifier_dropout": None, "directionality": "bidi",
    "eos_token_id": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 12, "initializer_range": 0.02,
    "intermediate_size": 20, "layer_norm_eps": 1e-12, "max_position_embeddings": 80, "model_type": "bert",
    "num_attention_heads": 3, "num_hidden_layers": 2, "output_past": True, "pad_token_id": 0, "pooler_fc_size": 768,
    "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128,
    "pooler_type": "first_token_transform", "position_embedding_type": "absolute", "torch_dtype": "float32",
    "transformers_version": "4.22.1", "type_vocab_size": 2, "use_cache": True, "vocab_size": 70,
}
MT5_CONFIG = {
    "_name_or_path": "mt5", "architectures": ["T5EncoderModel"], "classifier_dropout": 0.0, "d_ff": 24, "d_kv": 4,
    "d_model": 16, "decoder_start_token_id": 0, "dense_act_fn": "gelu_new", "dropout_rate": 0.1, "eos_token_id": 1,
    "feed_forward_proj": "gated-gelu", "initializer_factor": 1.0, "is_encoder_decoder": True, "is_gated_act": True,
    "layer_norm_epsilon": 1e-06, "model_type": "mt5", "num_decoder_layers": 2, "num_heads": 3, "num_layers": 2,
    "output_past": True, "pad_token_id": 0, "relative_attention_max_distance": 128, "relative_attention_num_buckets": 32,
    "tie_word_embeddings": False, "tokenizer_class": "T5Tokenizer", "torch_dtype": "float32",
    "transformers_version": "4.40.2", "use_cache": True, "vocab_size": 60,
}
# Key sets of HunyuanDiT 1.2's scheduler_config.json, vae/config.json (SDXL's) and model_index.json.
SCHEDULER = {
    "_class_name": "DDPMScheduler", "_diffusers_version": "0.30.0.dev0", "beta_end": 0.018, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995,
    "num_train_timesteps": 1000, "prediction_type": "v_prediction", "rescale_betas_zero_snr": False,
    "sample_max_value": 1.0, "set_alpha_to_one": False, "steps_offset": 1, "thresholding": False,
    "timestep_spacing": "leading", "trained_betas": None, "variance_type": "fixed_small",
}
VAE = {
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0.dev0", "act_fn": "silu",
    "block_out_channels": [8, 16, 16, 16], "down_block_types": ["DownEncoderBlock2D"] * 4, "force_upcast": False,
    "in_channels": 3, "latent_channels": 4, "latents_mean": None, "latents_std": None, "layers_per_block": 1,
    "norm_num_groups": 4, "out_channels": 3, "sample_size": 64, "scaling_factor": 0.13025, "shift_factor": None,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
MODEL_INDEX = {
    "_class_name": "HunyuanDiTPipeline", "_diffusers_version": "0.30.0.dev0", "feature_extractor": [None, None],
    "requires_safety_checker": True, "safety_checker": [None, None], "scheduler": ["diffusers", "DDPMScheduler"],
    "text_encoder": ["transformers", "BertModel"], "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "BertTokenizer"], "tokenizer_2": ["transformers", "T5Tokenizer"],
    "transformer": ["diffusers", "HunyuanDiT2DModel"], "vae": ["diffusers", "AutoencoderKL"],
}
# name: (prompt, negative prompt, seed, width, height, guidance, styled, scheduler)
RUNS = {
    "guided": ("a photo of a red cat on the moon", "a small blue dog", 42, 48, 32, 6.0, False, DDPMScheduler),
    "styled": ("\u732b the old robot under a tree", None, 7, 32, 48, 1.0, True, DDPMScheduler),
    "ddim": ("a green teapot in the snow", None, 3, 32, 32, 4.0, False, DDIMScheduler),
}


def plain(config: dict) -> dict:
    return {key: value for key, value in config.items() if not key.startswith("_")}


def transformer(name: str, config: dict) -> HunyuanDiT2DModel:
    return reinit(HunyuanDiT2DModel.from_config(config), name)


def bert(name: str, config: dict) -> BertModel:
    return reinit(BertModel(BertConfig(**plain(config))), name)


def mt5(name: str, config: dict) -> T5EncoderModel:
    return reinit(T5EncoderModel(MT5Config(**plain(config))), name)


def rotation(rows: int, columns: int, width: int):
    crop = get_resize_crop_region_for_grid((rows, columns), 32)
    return get_2d_rotary_pos_embed(width, crop, (rows, columns), output_type="pt")


def masked(length: int, *counts: int) -> torch.Tensor:
    return torch.stack([(torch.arange(length) < count).long() for count in counts])


def bert_tokenizer(folder: Path) -> int:
    """The files of HunyuanDiT's tokenizer/: there is no tokenizer.json. Returns the number of tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word for line in CORPUS[::7] for word in line.lower().split() if word.isascii() and word.isalpha()})
    letters = sorted(set(LETTERS.lower()))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters if letter.isalpha()),
              *(word for word in words if len(word) > 1), "##ing", "##s", "\u732b", "\u72ac", "stra\u00dfe", "\u0439"]
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    special = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", {
        "clean_up_tokenization_spaces": True, "do_basic_tokenize": True, "do_lower_case": True, "model_max_length": 77,
        "never_split": None, "strip_accents": None, "tokenize_chinese_chars": True, "tokenizer_class": "BertTokenizer", **special})
    return len(tokens)


def mt5_tokenizer(folder: Path) -> int:
    """The files of HunyuanDiT's tokenizer_2/: spiece.model in place of tokenizer.json. Returns the number of tokens."""
    count = t5_tokenizer(folder, extra_ids=0, sentencepiece_too=True)
    (folder / "tokenizer.json").unlink()
    return count


def pipeline() -> dict[bool, HunyuanDiTPipeline]:
    """A folder without weights, and the pipelines of it by whether the transformer knows style and sizes."""
    folder = HERE / "hunyuan-tiny" / "pipeline"
    bert_config = {**BERT_CONFIG, "vocab_size": bert_tokenizer(folder / "tokenizer")}
    mt5_config = {**MT5_CONFIG, "vocab_size": t5_tokenizer(folder / "tokenizer_2", extra_ids=0)}
    ready = T5TokenizerFast.from_pretrained(folder / "tokenizer_2")  # the public library reads spiece.model of T5 only with extra ids
    mt5_tokenizer(folder / "tokenizer_2")
    tokenizer = BertTokenizer.from_pretrained(folder / "tokenizer")
    transformer_config = {**TINY, "text_len": 77, "text_len_t5": 256}
    for name, config in (("transformer", transformer_config), ("text_encoder", bert_config), ("text_encoder_2", mt5_config),
                         ("vae", VAE)):
        (folder / name).mkdir()
        write_json(folder / name / "config.json", config)
    (folder / "scheduler").mkdir()
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    write_json(folder / "model_index.json", MODEL_INDEX)
    cases = []
    for text in SENTENCES:
        for kind, public in (("bert", tokenizer), ("mt5", ready)):
            for length in (8, 77):
                encoded = public([text], padding="max_length", max_length=length, truncation=True, return_attention_mask=True)
                cases.append({"tokenizer": kind, "length": length, "text": text, "ids": encoded.input_ids[0][:sum(encoded.attention_mask[0])]})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "hunyuan-tiny" / "tokenizers.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    made = {}
    for styled in (False, True):
        config = {**transformer_config, "use_style_cond_and_image_meta_size": styled}
        made[styled] = HunyuanDiTPipeline(
            reinit(AutoencoderKL.from_config(VAE), "hunyuan-vae"), bert("hunyuan-bert", bert_config), tokenizer,
            transformer("hunyuan-styled" if styled else "hunyuan-plain", config), DDPMScheduler.from_config(SCHEDULER),
            None, None, False, mt5("hunyuan-mt5", mt5_config), ready)
        made[styled].set_progress_bar_config(disable=True)
    return made


def run(pipelines: dict[bool, HunyuanDiTPipeline]) -> dict:
    out, runs = {}, []
    for name, (prompt, negative, seed, width, height, guidance, styled, scheduler) in RUNS.items():
        pipe, steps = pipelines[styled], []
        pipe.scheduler = scheduler.from_config(SCHEDULER)
        image = pipe(prompt, negative_prompt=negative, width=width, height=height, num_inference_steps=2,
                     guidance_scale=guidance, use_resolution_binning=False, output_type="np",
                     generator=torch.Generator().manual_seed(seed),
                     callback_on_step_end=lambda _, step, timestep, values: steps.append(values["latents"].clone()) or {}).images
        for i, latents in enumerate(steps):
            out[f"{name}.step{i + 1}"] = latents
        if name == "ddim":
            out[f"{name}.image"] = torch.from_numpy(image)
        runs.append({"name": name, "prompt": prompt, "negative_prompt": negative, "seed": seed, "width": width,
                     "height": height, "steps": 2, "guidance_scale": guidance, "styled": styled,
                     "sampler": scheduler.__name__.removesuffix("Scheduler")})
        spread(f"{name} latents", steps[-1])
    write_json(HERE / "hunyuan-tiny" / "runs.json", runs)
    return out


@torch.no_grad()
def write() -> None:
    folder = fresh("hunyuan-tiny")
    for name, config in (("transformer", TINY), ("transformer-styled", STYLED), ("text_encoder", BERT_CONFIG),
                         ("text_encoder_2", MT5_CONFIG)):
        write_json(folder / f"{name}.config.json", config)
    rows, columns = 3, 5
    out = dict(
        hidden_states=normal("hunyuan/hidden_states", 2, 4, 2 * rows, 2 * columns), timestep=torch.tensor([981.0, 21.0]),
        encoder_hidden_states=normal("hunyuan/bert", 2, 5, 12), encoder_hidden_states_t5=normal("hunyuan/t5", 2, 7, 16),
        text_embedding_mask=masked(5, 5, 2), text_embedding_mask_t5=masked(7, 3, 7))
    sizes = torch.tensor([[1024.0, 1024, 96, 160, 0, 0], [768, 1280, 96, 160, 8, 24]])
    for name, config, extra in (("plain", TINY, {}), ("styled", STYLED, {"image_meta_size": sizes, "style": torch.tensor([0, 0])})):
        model = transformer(f"hunyuan-{name}", config)
        parts, handles = {}, []
        for i in (0, 1, 5):
            handles.append(model.blocks[i].norm1.register_forward_hook(
                lambda _, args, result, i=i: parts.__setitem__(f"{name}.attention_input{i}", result)))
        result = model(**out_inputs(out), **extra, image_rotary_emb=rotation(rows, columns, 8)).sample
        for handle in handles:
            handle.remove()
        out |= parts | {f"{name}.out": result}
        spread(f"{name}.out", result)
    out["image_meta_size"] = sizes
    for grid in ((3, 5), (6, 4), (10, 13)):
        cosine, sine = rotation(*grid, 8)
        out[f"rotation.{grid[0]}x{grid[1]}.cos"], out[f"rotation.{grid[0]}x{grid[1]}.sin"] = cosine[:, ::2], sine[:, ::2]

    ids = torch.randint(3, 60, (2, 9), generator=torch.Generator().manual_seed(11))
    mask = masked(9, 9, 4)
    ids = torch.where(mask.bool(), ids, 0)
    out |= {"text.ids": ids, "text.mask": mask}
    out["bert.last_hidden_state"] = bert("hunyuan-bert", BERT_CONFIG)(ids, attention_mask=mask)[0]
    out["mt5.last_hidden_state"] = mt5("hunyuan-mt5", MT5_CONFIG)(ids, attention_mask=mask)[0]
    spread("bert", out["bert.last_hidden_state"])
    spread("mt5", out["mt5.last_hidden_state"])
    out |= run(pipeline())
    write_tensors(HERE / "hunyuan.safetensors", out)


def out_inputs(out: dict) -> dict:
    names = ("hidden_states", "timestep", "encoder_hidden_states", "text_embedding_mask", "encoder_hidden_states_t5",
             "text_embedding_mask_t5")
    return {name: out[name] for name in names}


if __name__ == "__main__":
    write()
