"""CLIP's text model and T5's encoder. Files have the classic keys that the real folders have."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel
from transformers.models.t5.modeling_t5 import T5Attention

from tiny import HERE, fresh, normal, reinit, spread, write_json, write_tensors

# The key sets of FLUX.1's text_encoder/config.json and text_encoder_2/config.json.
CLIP_CONFIG = {
    "_name_or_path": "openai/clip-vit-large-patch14", "architectures": ["CLIPTextModel"], "attention_dropout": 0.0,
    "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 20,
    "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 40, "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 2, "num_hidden_layers": 2,
    "pad_token_id": 1, "projection_dim": 20, "torch_dtype": "float32", "transformers_version": "4.43.3",
    "vocab_size": 60,
}
T5_CONFIG = {
    "_name_or_path": "google/t5-v1_1-xxl", "architectures": ["T5EncoderModel"], "classifier_dropout": 0.0, "d_ff": 40,
    "d_kv": 8, "d_model": 24, "decoder_start_token_id": 0, "dense_act_fn": "gelu_new", "dropout_rate": 0.1,
    "eos_token_id": 1, "feed_forward_proj": "gated-gelu", "initializer_factor": 1.0, "is_encoder_decoder": True,
    "is_gated_act": True, "layer_norm_epsilon": 1e-06, "model_type": "t5", "num_decoder_layers": 2, "num_heads": 2,
    "num_layers": 2, "output_past": True, "pad_token_id": 0, "relative_attention_max_distance": 128,
    "relative_attention_num_buckets": 32, "tie_word_embeddings": False, "torch_dtype": "float32",
    "transformers_version": "4.43.3", "use_cache": True, "vocab_size": 64,
}


def _save(folder: Path, config: dict, tensors: dict) -> None:
    write_json(folder / "config.json", config)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})


def clip(folder: Path, name: str, **changes) -> CLIPTextModel:
    """Saves under classic keys, and loads what it saved."""
    config = {**CLIP_CONFIG, **changes}
    model = reinit(CLIPTextModel(CLIPTextConfig(**config)), name)
    _save(folder, config, {f"text_model.{k}": v for k, v in model.state_dict().items()})
    loaded, info = CLIPTextModel.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in loaded.state_dict().items())
    assert loaded.config.eos_token_id == config["eos_token_id"]
    return loaded.eval()


def t5(folder: Path, name: str, **changes) -> T5EncoderModel:
    """Saves with shared.weight as the only embedding, as the real folder does, and loads what it saved."""
    config = {**T5_CONFIG, **changes}
    model = reinit(T5EncoderModel(T5Config(**config)), name, embedding_std=1.0)
    _save(folder, config, {k: v for k, v in model.state_dict().items() if k != "encoder.embed_tokens.weight"})
    loaded, info = T5EncoderModel.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    assert torch.equal(loaded.encoder.embed_tokens.weight, model.shared.weight)
    return loaded.eval()


@torch.no_grad()
def write() -> None:
    out = {}
    # Legacy rule (eos_token_id 2 in config.json): the pooled row is the one with the greatest id, first of equals.
    model = clip(fresh("clip-tiny"), "clip-tiny")
    ids = torch.randint(3, 58, (4, 13), generator=torch.Generator().manual_seed(5))
    ids[:, 0] = 58
    for row, end in enumerate((12, 1, 5, 7)):
        ids[row, end:] = 59  # end token, then padding with the same id
    ids[2, 6:] = 1  # other padding
    ids[3, 3] = 2  # id 2 is an ordinary token here
    short = ids[:1, :4].clone()
    for key, value in (("clip.ids", ids), ("clip.short.ids", short)):
        result = model(value)
        prefix = key.removesuffix(".ids")
        out[key] = value
        out[f"{prefix}.last_hidden_state"], out[f"{prefix}.pooler_output"] = result.last_hidden_state, result.pooler_output
    full = torch.randint(3, 58, (1, 77), generator=torch.Generator().manual_seed(6))
    full[0, 0], full[0, 20:] = 58, 59
    result = model(full)
    out.update({"clip.full.ids": full, "clip.full.last_hidden_state": result.last_hidden_state,
                "clip.full.pooler_output": result.pooler_output})

    # Explicit rule: the first row with the id; greater ids are around, and exact gelu instead of quick_gelu.
    model = clip(fresh("clip-tiny-eos"), "clip-tiny-eos", eos_token_id=57, bos_token_id=56, hidden_act="gelu", vocab_size=62)
    ids = torch.randint(3, 56, (4, 13), generator=torch.Generator().manual_seed(7))
    ids[:, 0] = 56
    for row, end in enumerate((12, 1, 5, 7)):
        ids[row, end:] = 57
    ids[0, 3] = ids[2, 9] = 60  # greater than the end token, before and after it
    ids[3, 8:] = 61
    result = model(ids)
    out.update({"clip_eos.ids": ids, "clip_eos.last_hidden_state": result.last_hidden_state,
                "clip_eos.pooler_output": result.pooler_output})
    spread("clip pooled", out["clip.pooler_output"])

    # T5 without attention mask: padding (0) is attended to. The long sequence reaches the last bucket.
    model = t5(fresh("t5-tiny"), "t5-tiny")
    ids = torch.randint(3, 60, (3, 24), generator=torch.Generator().manual_seed(8))
    for row, end in enumerate((23, 0, 9)):
        ids[row, end], ids[row, end + 1:] = 1, 0
    long = torch.randint(3, 60, (1, 180), generator=torch.Generator().manual_seed(9))
    long[0, 150], long[0, 151:] = 1, 0
    for prefix, value in (("t5", ids), ("t5.long", long)):
        hidden = []
        handle = model.encoder.block[0].register_forward_hook(lambda _, args, result: hidden.append(result[0]))
        out[f"{prefix}.ids"], out[f"{prefix}.last_hidden_state"] = value, model(value).last_hidden_state
        out[f"{prefix}.block0"] = hidden[0]
        handle.remove()
    distances = torch.arange(-600, 601)
    out["t5.bucket.distance"] = distances  # key position minus query position
    out["t5.bucket.bucket"] = T5Attention._relative_position_bucket(distances, True, 32, 128)
    spread("t5", out["t5.last_hidden_state"])
    write_tensors(HERE / "text.safetensors", out)
