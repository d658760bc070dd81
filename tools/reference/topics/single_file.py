"""What diffusers' converter makes of the names of an SDXL checkpoint in one file.

names.json  by component: number of tensors, and a digest of all lines "NAME ORIGINAL THIRD FORM":
            NAME is diffusers', ORIGINAL the tensor of the file, THIRD which third of its rows, from
            0 (fused weights of attention; else 0), FORM "turned" or "same". 64-bit FNV-1a of the
            lines in the order of their bytes, as in models/sdxl-configs/counts.json

The names of the file are those of the modules of SDXL's first implementation, written here; each
tensor holds a number of its own, by which it is found again in what the converter returns.
"""
import json
import types

import torch
from diffusers.loaders import single_file_utils as converter

UNET, VAE = "model.diffusion_model.", "first_stage_model."
TEXT, TEXT_2 = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."


def layers(prefix, *names, leaves=("weight", "bias")):
    return [f"{prefix}{name}.{leaf}" for name in names for leaf in leaves]


def transformer(prefix, depth):
    names = layers(prefix, "norm", "proj_in", "proj_out")
    for i in range(depth):
        block = f"{prefix}transformer_blocks.{i}."
        names += layers(block, "norm1", "norm2", "norm3", "attn1.to_out.0", "attn2.to_out.0",
                        "ff.net.0.proj", "ff.net.2")
        for attention in ("attn1.", "attn2."):
            names += layers(block + attention, "to_q", "to_k", "to_v", leaves=("weight",))
    return names


def unet():
    def resnet(prefix, changes):
        return layers(prefix, "in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0",
                      "out_layers.3", *(["skip_connection"] if changes else []))
    depth = [0, 2, 10]
    names = layers(UNET, "time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2",
                   "input_blocks.0.0", "out.0", "out.2")
    block = 1
    for level in range(3):
        for i in range(2):
            names += resnet(f"{UNET}input_blocks.{block}.0.", level > 0 and i == 0)
            if depth[level]:
                names += transformer(f"{UNET}input_blocks.{block}.1.", depth[level])
            block += 1
        if level < 2:
            names += layers(f"{UNET}input_blocks.{block}.0.", "op")
            block += 1
    names += resnet(UNET + "middle_block.0.", False) + resnet(UNET + "middle_block.2.", False)
    names += transformer(UNET + "middle_block.1.", 10)
    for block in range(9):
        level = 2 - block // 3
        names += resnet(f"{UNET}output_blocks.{block}.0.", True)
        if depth[level]:
            names += transformer(f"{UNET}output_blocks.{block}.1.", depth[level])
        if block % 3 == 2 and level:
            names += layers(f"{UNET}output_blocks.{block}.{2 if depth[level] else 1}.", "conv")
    return names


def vae():
    def resnet(prefix, changes):
        return layers(prefix, "norm1", "conv1", "norm2", "conv2",
                      *(["nin_shortcut"] if changes else []))
    names = layers(VAE, "quant_conv", "post_quant_conv")
    for half in ("encoder.", "decoder."):
        at = VAE + half
        names += layers(at, "conv_in", "norm_out", "conv_out")
        names += resnet(at + "mid.block_1.", False) + resnet(at + "mid.block_2.", False)
        names += layers(at + "mid.attn_1.", "norm", "q", "k", "v", "proj_out")
        for level in range(4):
            for i in range(2 if half == "encoder." else 3):
                # 128, 256, 512, 512 channels; the decoder comes from above.
                changes = i == 0 and level in ((1, 2) if half == "encoder." else (0, 1))
                way = "down" if half == "encoder." else "up"
                names += resnet(f"{at}{way}.{level}.block.{i}.", changes)
            if half == "encoder." and level < 3:
                names += layers(f"{at}down.{level}.", "downsample.conv")
            if half == "decoder." and level > 0:
                names += layers(f"{at}up.{level}.", "upsample.conv")
    return names


def text():
    names = layers(TEXT + "text_model.", "embeddings.token_embedding",
                   "embeddings.position_embedding", leaves=("weight",))
    names += layers(TEXT + "text_model.", "final_layer_norm")
    for i in range(12):
        names += layers(f"{TEXT}text_model.encoder.layers.{i}.", "layer_norm1", "layer_norm2",
                        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                        "self_attn.out_proj", "mlp.fc1", "mlp.fc2")
    return names


def text_2():
    names = [TEXT_2 + "token_embedding.weight", TEXT_2 + "positional_embedding",
             TEXT_2 + "text_projection", *layers(TEXT_2, "ln_final")]
    for i in range(32):
        at = f"{TEXT_2}transformer.resblocks.{i}."
        names += layers(at, "ln_1", "ln_2", "attn.out_proj", "mlp.c_fc", "mlp.c_proj")
        names += [at + "attn.in_proj_weight", at + "attn.in_proj_bias"]
    return names


def numbered(names):
    """Six numbers a tensor, [6, 1] or [6] or, of the projection, [2, 3]."""
    tensors = {}
    for i, name in enumerate(names):
        values = torch.arange(6) + 6 * i
        if name.endswith("text_projection"):
            values = values.reshape(2, 3)
        elif name.endswith("weight"):
            values = values.reshape(6, 1)
        tensors[name] = values
    return tensors


def lines(names, converted):
    result = []
    for name, tensor in converted.items():
        if name == "text_model.embeddings.position_ids":
            continue
        first = int(tensor.flatten()[0])
        turned = tensor.dim() == 2 and tensor.shape[1] > 1 and int(tensor[0, 1]) != first + 1
        third = first % 6 // 2
        result.append(f"{name} {names[first // 6]} {third} {'turned' if turned else 'same'}\n")
    return sorted(result)


def digest(texts):
    value = 0xCBF29CE484222325
    for byte in "".join(texts).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def make(out):
    config = json.loads((out.parent / "models/sdxl-configs/unet/config.json").read_text())
    vae_config = json.loads((out.parent / "models/sdxl-configs/vae/config.json").read_text())
    encoder = types.SimpleNamespace(config=types.SimpleNamespace(hidden_size=2))
    converters = {
        "unet": (unet(), lambda t: converter.convert_ldm_unet_checkpoint(t, config)),
        "vae": (vae(), lambda t: converter.convert_ldm_vae_checkpoint(t, vae_config)),
        "text_encoder": (text(), lambda t: converter.convert_ldm_clip_checkpoint(t, TEXT)),
        "text_encoder_2": (text_2(), lambda t: converter.convert_open_clip_checkpoint(
            encoder, t, prefix=TEXT_2)),
    }
    table = {}
    for component, (names, convert) in converters.items():
        found = lines(names, convert(numbered(names)))
        used = {line.split()[1] for line in found}
        assert used == set(names), sorted(set(names) - used)[:5]
        table[component] = {"tensors": len(found), "digest": digest(found)}
    (out / "names.json").write_text(json.dumps(table, indent=1) + "\n")
