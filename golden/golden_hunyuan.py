"""HunyuanDiT: the transformer of version 1.2 and the one up to 1.1, which knows style and sizes; its text encoders. Weights are
not written: tests draw them anew from the same seeds (tiny.reinit)."""

import torch
from diffusers import HunyuanDiT2DModel
from diffusers.models.embeddings import get_2d_rotary_pos_embed
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import get_resize_crop_region_for_grid
from transformers import BertConfig, BertModel, MT5Config, T5EncoderModel

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
    write_tensors(HERE / "hunyuan.safetensors", out)


def out_inputs(out: dict) -> dict:
    names = ("hidden_states", "timestep", "encoder_hidden_states", "text_embedding_mask", "encoder_hidden_states_t5",
             "text_embedding_mask_t5")
    return {name: out[name] for name in names}


if __name__ == "__main__":
    write()
