"""LoRAs on the tiny dev-like transformer: one as diffusers and PEFT save and apply it, one in the keys of Kohya's scripts, whose
layers are Black Forest Labs' and hold several of diffusers'."""

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

from tiny import HERE, fresh, normal, write_tensors

RANK, ALPHA, PEFT_SCALE, KOHYA_SCALE = 3, 5, 0.75, 1.5
KOHYA_ALPHA = 2.0
PEFT_LAYERS = [
    "x_embedder", "context_embedder", "proj_out", "norm1.linear", "norm1_context.linear", "norm_out.linear",
    "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.to_add_out", "ff.net.0.proj", "ff.net.2",
    "ff_context.net.0.proj", "ff_context.net.2", "norm.linear", "proj_mlp", "time_text_embed.timestep_embedder.linear_1",
]


def transformer() -> FluxTransformer2DModel:
    return FluxTransformer2DModel.from_pretrained(HERE / "flux-tiny" / "transformer").eval()


def add_peft(model: FluxTransformer2DModel) -> None:
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=PEFT_LAYERS, init_lora_weights=False))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.copy_(normal(f"lora/{name}", *parameter.shape, std=0.3))


def kohya_layers(width: int) -> dict:
    """Kohya's name: rows, columns, and diffusers' layers whose weights, one below the other, are that layer's."""
    layers = {}
    for i in range(2):
        name, target = f"lora_unet_double_blocks_{i}_", f"transformer_blocks.{i}."
        layers |= {
            name + "img_attn_qkv": [target + f"attn.to_{x}" for x in "qkv"],
            name + "txt_attn_qkv": [target + f"attn.add_{x}_proj" for x in "qkv"],
            name + "img_attn_proj": [target + "attn.to_out.0"], name + "txt_attn_proj": [target + "attn.to_add_out"],
            name + "img_mlp_0": [target + "ff.net.0.proj"], name + "img_mlp_2": [target + "ff.net.2"],
            name + "txt_mlp_0": [target + "ff_context.net.0.proj"], name + "txt_mlp_2": [target + "ff_context.net.2"],
            name + "img_mod_lin": [target + "norm1.linear"], name + "txt_mod_lin": [target + "norm1_context.linear"],
        }
        name, target = f"lora_unet_single_blocks_{i}_", f"single_transformer_blocks.{i}."
        layers |= {
            name + "linear1": [target + f"attn.to_{x}" for x in "qkv"] + [target + "proj_mlp"],
            name + "linear2": [target + "proj_out"], name + "modulation_lin": [target + "norm.linear"],
        }
    return layers


def merge_kohya(model: FluxTransformer2DModel, lora: dict, scale: float) -> None:
    for name, targets in kohya_layers(model.inner_dim).items():
        down, up = lora[f"{name}.lora_down.weight"], lora[f"{name}.lora_up.weight"]
        change = scale * float(lora[f"{name}.alpha"]) / down.shape[0] * (up @ down)
        row = 0
        for target in targets:
            layer = model.get_submodule(target)
            weight = (layer.base_layer if hasattr(layer, "base_layer") else layer).weight
            weight += change[row:row + weight.shape[0]]
            row += weight.shape[0]
        assert row == change.shape[0]


@torch.no_grad()
def write() -> None:
    given = load_file(HERE / "flux-transformer.safetensors")
    inputs = dict(
        hidden_states=given["hidden_states"], encoder_hidden_states=given["encoder_hidden_states"],
        pooled_projections=given["pooled_projections"], timestep=given["timestep"], guidance=given["guidance"],
        img_ids=given["img_ids"], txt_ids=given["txt_ids"])
    folder, out = fresh("lora"), {}

    with_peft = transformer()
    add_peft(with_peft)
    FluxPipeline.save_lora_weights(
        folder, transformer_lora_layers=get_peft_model_state_dict(with_peft), weight_name="peft.safetensors",
        transformer_lora_adapter_metadata={**with_peft.peft_config["default"].to_dict(), "target_modules": sorted(PEFT_LAYERS)})
    again = transformer()  # what diffusers reads is what it wrote
    state, alphas, metadata = FluxPipeline.lora_state_dict(
        folder, weight_name="peft.safetensors", return_alphas=True, return_lora_metadata=True)
    FluxPipeline.load_lora_into_transformer(state, alphas, again, metadata=metadata)
    out["peft"] = with_peft(**inputs).sample
    assert torch.equal(out["peft"], again(**inputs).sample)
    again.set_adapters(again.active_adapters(), weights=[PEFT_SCALE])
    out["peft_scaled"] = again(**inputs).sample

    plain, lora = transformer(), {}
    for name, targets in kohya_layers(plain.inner_dim).items():
        weights = [plain.get_submodule(target).weight for target in targets]
        lora[f"{name}.lora_down.weight"] = normal(f"{name}/down", RANK, weights[0].shape[1], std=0.3)
        lora[f"{name}.lora_up.weight"] = normal(f"{name}/up", sum(len(weight) for weight in weights), RANK, std=0.3)
        lora[f"{name}.alpha"] = torch.tensor(KOHYA_ALPHA)
    write_tensors(folder / "kohya.safetensors", lora)
    merge_kohya(plain, lora, KOHYA_SCALE)
    out["kohya_scaled"] = plain(**inputs).sample
    merge_kohya(again, lora, KOHYA_SCALE)
    out["both"] = again(**inputs).sample
    base = transformer()(**inputs).sample
    for name, result in out.items():
        change = float((result - base).abs().max() / base.abs().max())
        print(f"  {name} changes the output by {change:.2f}")
        assert change > 0.05
    write_tensors(HERE / "lora.safetensors", out)


if __name__ == "__main__":
    write()
