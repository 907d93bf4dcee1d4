"""The conditional U-Net at tiny sizes: like Stable Diffusion 1.5, 2.1 and SDXL. Weights are rounded to bfloat16 and stored so;
what they make is computed from them in float32."""

import torch
from diffusers import UNet2DConditionModel

from tiny import HERE, fresh, normal, reinit, spread, write_tensors

TEXT = {"sd15": 20, "sd21": 20, "sdxl": 32}  # widths of text tokens: the encoder of pipeline-tiny, and with SDXL's second one
POOLED = 10  # width of a pooled text, SDXL's kind
SIZES_WIDTH = 4
# The trap: attention_head_dim holds numbers of heads, in 1.5 one number for levels of different widths.
FAMILIES = {
    "sd15": dict(
        block_out_channels=(4, 8), attention_head_dim=2, layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
    "sd21": dict(
        block_out_channels=(4, 8), attention_head_dim=(1, 4), layers_per_block=1, use_linear_projection=True,
        upcast_attention=True, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
    "sdxl": dict(
        block_out_channels=(4, 8), attention_head_dim=(1, 2), layers_per_block=1, use_linear_projection=True,
        transformer_layers_per_block=(1, 2), addition_embed_type="text_time", addition_time_embed_dim=SIZES_WIDTH,
        projection_class_embeddings_input_dim=POOLED + 6 * SIZES_WIDTH,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")),
}


def rounded(model: torch.nn.Module, folder) -> torch.nn.Module:
    """Stored in bfloat16, and exactly what is stored in float32."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    model.save_pretrained(folder)
    return model.float()


@torch.no_grad()
def unet(family: str, folder) -> UNet2DConditionModel:
    model = UNet2DConditionModel(sample_size=8, norm_num_groups=2, cross_attention_dim=TEXT[family], **FAMILIES[family])
    return rounded(reinit(model, f"unet-{family}"), folder)


@torch.no_grad()
def write() -> None:
    out = {
        "latents": normal("unet/latents", 2, 4, 5, 6),  # five rows: halved, they are three
        "text": normal("unet/text", 2, 7, max(TEXT.values())),
        "pooled": normal("unet/pooled", 2, POOLED),
        "timesteps": torch.tensor([981.0, 20.0]),
        "time_ids": torch.tensor([[1024.0, 768, 0, 16, 512, 640], [40, 48, 0, 0, 40, 48]]),
    }
    for family in FAMILIES:
        model = unet(family, fresh(f"unet-{family}"))
        attentions = [block.attn1 for block in model.modules() if type(block).__name__ == "BasicTransformerBlock"]
        print(f"  {family}: {sum(p.numel() for p in model.parameters())} parameters, {len(attentions)} layers")
        keep = model.mid_block.attentions[0].transformer_blocks[0].attn1.register_forward_pre_hook(
            lambda _, args, kwargs, family=family: out.__setitem__(f"{family}.mid_input", (args or list(kwargs.values()))[0]),
            with_kwargs=True)
        added = {"text_embeds": out["pooled"], "time_ids": out["time_ids"]} if family == "sdxl" else None
        out[f"{family}.out"] = model(out["latents"], out["timesteps"], out["text"][..., :TEXT[family]], added_cond_kwargs=added).sample
        keep.remove()
        spread(f"{family}.out", out[f"{family}.out"])
    write_tensors(HERE / "unet.safetensors", out)


if __name__ == "__main__":
    write()
