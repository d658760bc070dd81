"""Low-rank additions to layers, named as diffusers and peft name them: scale 1, no alpha."""
import os

import torch.nn as nn
from safetensors.torch import load_file, save_file

from net_parts import Attention


class Lora(nn.Module):
    """layer(x) + up(down(x)), for a linear layer or a convolution."""

    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer
        if isinstance(layer, nn.Conv2d):
            self.lora_A = nn.Conv2d(layer.in_channels, rank, layer.kernel_size, layer.stride, layer.padding, bias=False)
            self.lora_B = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
            spread = self.lora_A.weight[0].numel() ** -0.5
        else:
            self.lora_A = nn.Linear(layer.in_features, rank, bias=False)
            self.lora_B = nn.Linear(rank, layer.out_features, bias=False)
            spread = 1 / rank
        nn.init.normal_(self.lora_A.weight, std=spread)
        nn.init.zeros_(self.lora_B.weight)
        self.on = True

    def forward(self, x):
        return self.layer(x) + self.lora_B(self.lora_A(x)) if self.on else self.layer(x)


def _layers(module):
    """Linear layers and convolutions below a module: name, parent, attribute, layer."""
    for name, parent in list(module.named_modules()):
        for attribute, layer in list(parent.named_children()):
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                yield f"{name}.{attribute}".lstrip("."), parent, attribute, layer


def add_lora(unet, rank, everywhere=False):
    """-> name -> Lora, in place of the projections of every attention, or of every layer between the first and the last."""
    out = {}
    attention = {name for name, module in unet.named_modules() if isinstance(module, Attention)}
    for name, parent, attribute, layer in list(_layers(unet)):
        inside = any(name.startswith(a + ".") for a in attention)
        if inside or (everywhere and "_block" in name):
            lora = Lora(layer, rank)
            if isinstance(parent, nn.ModuleList):
                parent[int(attribute)] = lora
            else:
                setattr(parent, attribute, lora)
            out[name] = lora
    return out


def parameters(loras):
    return [p for lora in loras.values() for p in (lora.lora_A.weight, lora.lora_B.weight)]


def save(loras, path):
    out = {}
    for name, lora in loras.items():
        out[f"unet.{name}.lora_A.weight"] = lora.lora_A.weight.detach().half().contiguous()
        out[f"unet.{name}.lora_B.weight"] = lora.lora_B.weight.detach().half().contiguous()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    save_file(out, path, {"format": "pt"})
    print(path, round(os.path.getsize(path) / 1e6, 2), "MB")


def load(loras, path):
    state = load_file(path)
    for name, part in loras.items():
        part.lora_A.weight.data = state[f"unet.{name}.lora_A.weight"].float()
        part.lora_B.weight.data = state[f"unet.{name}.lora_B.weight"].float()
