"""The folder as one safetensors file with the key names of SDXL's original release, a fixture for whatever reads
such files. Python's own library is enough. usage: single_file.py MODEL_DIR OUT.safetensors [--check]   (--check: loads
both in diffusers)"""
import json
import os
import struct
import sys
from collections import namedtuple

Tensor = namedtuple("Tensor", "dtype shape data")  # data: bytes, row by row
ITEM = {"F16": 2, "BF16": 2, "F32": 4, "I64": 8}

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def load_file(path):
    """A safetensors file -> name -> Tensor."""
    with open(path, "rb") as file:
        (n,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(n)), file.read()
    header.pop("__metadata__", None)
    return {k: Tensor(v["dtype"], v["shape"], data[slice(*v["data_offsets"])]) for k, v in header.items()}


def save_file(tensors, path):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": t.dtype, "shape": t.shape, "data_offsets": [at, at + len(t.data)]}
        at += len(t.data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            file.write(t.data)


def transposed(t):
    """A matrix, columns as rows."""
    (rows, columns), size = t.shape, ITEM[t.dtype]
    items = [t.data[i:i + size] for i in range(0, len(t.data), size)]
    return Tensor(t.dtype, [columns, rows], b"".join(items[r * columns + c] for c in range(columns) for r in range(rows)))


def stacked(tensors):
    """One below the other."""
    return Tensor(tensors[0].dtype, [sum(t.shape[0] for t in tensors), *tensors[0].shape[1:]], b"".join(t.data for t in tensors))


def _unet_prefixes(config):
    """diffusers prefix -> original prefix, for the modules that move."""
    n, levels = config["layers_per_block"], len(config["block_out_channels"])
    names = {"conv_in.": "input_blocks.0.0.", "conv_norm_out.": "out.0.", "conv_out.": "out.2.",
             "time_embedding.linear_1.": "time_embed.0.", "time_embedding.linear_2.": "time_embed.2.",
             "add_embedding.linear_1.": "label_emb.0.0.", "add_embedding.linear_2.": "label_emb.0.2.",
             "mid_block.resnets.0.": "middle_block.0.", "mid_block.attentions.0.": "middle_block.1.",
             "mid_block.resnets.1.": "middle_block.2."}
    at = 1
    for i in range(levels):
        for j in range(n):
            names[f"down_blocks.{i}.resnets.{j}."] = f"input_blocks.{at}.0."
            names[f"down_blocks.{i}.attentions.{j}."] = f"input_blocks.{at}.1."
            at += 1
        if i < levels - 1:
            names[f"down_blocks.{i}.downsamplers.0.conv."] = f"input_blocks.{at}.0.op."
            at += 1
    for i in range(levels):
        for j in range(n + 1):
            at = i * (n + 1) + j
            names[f"up_blocks.{i}.resnets.{j}."] = f"output_blocks.{at}.0."
            names[f"up_blocks.{i}.attentions.{j}."] = f"output_blocks.{at}.1."
        has_attention = config["up_block_types"][i].startswith("CrossAttn")
        names[f"up_blocks.{i}.upsamplers.0."] = f"output_blocks.{at}.{2 if has_attention else 1}."
    return names


def unet_keys(state, config):
    out, prefixes = {}, _unet_prefixes(config)
    for key, value in state.items():
        old = max((p for p in prefixes if key.startswith(p)), key=len)
        rest = key[len(old):]
        if ".resnets." in old:
            part, _, leaf = rest.partition(".")
            rest = RESNET[part] + "." + leaf
        out["model.diffusion_model." + prefixes[old] + rest] = value
    return out


def vae_keys(state, levels):
    out = {}
    for key, value in state.items():
        name = key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        for i in range(levels):
            name = name.replace(f"encoder.down_blocks.{i}.resnets.", f"encoder.down.{i}.block.")
            name = name.replace(f"encoder.down_blocks.{i}.downsamplers.0.", f"encoder.down.{i}.downsample.")
            name = name.replace(f"decoder.up_blocks.{i}.resnets.", f"decoder.up.{levels - 1 - i}.block.")
            name = name.replace(f"decoder.up_blocks.{i}.upsamplers.0.", f"decoder.up.{levels - 1 - i}.upsample.")
        name = name.replace("mid_block.resnets.0.", "mid.block_1.").replace("mid_block.resnets.1.", "mid.block_2.")
        if "mid_block.attentions.0." in name:
            name = name.replace("mid_block.attentions.0.", "mid.attn_1.").replace("group_norm", "norm")
            for a, b in (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
                name = name.replace(a, b)
            if len(value.shape) == 2:
                value = value._replace(shape=[*value.shape, 1, 1])
        out["first_stage_model." + name] = value
    return out


def open_clip_keys(state):
    """text_encoder_2 as OpenCLIP names it: q, k and v in one, the projection transposed."""
    out = {}
    head = "conditioner.embedders.1.model."
    simple = {"text_model.embeddings.token_embedding.weight": "token_embedding.weight",
              "text_model.embeddings.position_embedding.weight": "positional_embedding",
              "text_model.final_layer_norm.weight": "ln_final.weight", "text_model.final_layer_norm.bias": "ln_final.bias"}
    for key, value in state.items():
        if key in simple:
            out[head + simple[key]] = value
        elif key == "text_projection.weight":
            out[head + "text_projection"] = transposed(value)
        elif ".k_proj." in key or ".v_proj." in key:
            continue
        else:
            _, _, _, layer, rest = key.split(".", 4)
            base = head + f"transformer.resblocks.{layer}."
            if ".q_proj." in key:
                leaf = key.rsplit(".", 1)[1]
                out[base + "attn.in_proj_" + leaf] = stacked([state[key.replace("q_proj", p)] for p in ("q_proj", "k_proj", "v_proj")])
            else:
                rest = rest.replace("self_attn.out_proj", "attn.out_proj").replace("layer_norm1", "ln_1").replace("layer_norm2", "ln_2")
                out[base + rest.replace("mlp.fc1", "mlp.c_fc").replace("mlp.fc2", "mlp.c_proj")] = value
    return out


def convert(folder):
    def weights(*names):
        return load_file(os.path.join(folder, *names))
    with open(os.path.join(folder, "unet", "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(folder, "vae", "config.json"), encoding="utf-8") as file:
        levels = len(json.load(file)["block_out_channels"])
    out = unet_keys(weights("unet", "diffusion_pytorch_model.fp16.safetensors"), config)
    out.update(vae_keys(weights("vae", "diffusion_pytorch_model.fp16.safetensors"), levels))
    out.update({"conditioner.embedders.0.transformer." + k: v for k, v in weights("text_encoder", "model.fp16.safetensors").items()})
    out.update(open_clip_keys(weights("text_encoder_2", "model.fp16.safetensors")))
    return out


def check(folder, path):
    """The UNet and autoencoder of the file, converted back by diffusers, draw as those of the folder."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    for cls, part in ((UNet2DConditionModel, "unet"), (AutoencoderKL, "vae")):
        a = cls.from_pretrained(folder, subfolder=part, variant="fp16").state_dict()
        b = cls.from_single_file(path, config=folder, subfolder=part).state_dict()
        print(part, "keys equal", a.keys() == b.keys(), "largest difference",
              max((a[k].float() - b[k].float()).abs().max().item() for k in a))


def main():
    save_file(convert(sys.argv[1]), sys.argv[2])
    print(sys.argv[2], round(os.path.getsize(sys.argv[2]) / 1e6, 2), "MB")
    if "--check" in sys.argv:
        check(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    main()
