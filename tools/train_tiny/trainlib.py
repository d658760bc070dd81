"""What the trainers share: a clock that ends in time, learning rates, checkpoints as fp16 safetensors."""
import json
import os
import time

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file


class Clock:
    """fraction: 0 .. 1 over the seconds given. every(n): true once each n seconds."""

    def __init__(self, seconds):
        self.start, self.seconds, self.marks = time.time(), seconds, {}

    def spent(self):
        return time.time() - self.start

    def fraction(self):
        return min(1.0, self.spent() / self.seconds)

    def every(self, name, seconds):
        now = self.spent()
        if now - self.marks.get(name, 0.0) < seconds:
            return False
        self.marks[name] = now
        return True


def learning_rate(peak, step, fraction, warm=150, hold=0.55, last=0.04):
    """Warm-up by steps, then flat, then falling with the share of time spent."""
    fall = 1.0 if fraction < hold else last + (1 - last) * (1 - (fraction - hold) / (1 - hold))
    return peak * min(1.0, (step + 1) / warm) * fall


def set_lr(optimiser, lr):
    for group in optimiser.param_groups:
        group["lr"] = lr * group.get("scale", 1.0)


def save(state, path, meta=None):
    """state: name -> tensor; written as fp16, renamed into place."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    half = {k: v.detach().to("cpu", torch.float16 if v.is_floating_point() else v.dtype).contiguous() for k, v in state.items()}
    save_file(half, path + ".part", {"meta": json.dumps(meta or {})})
    os.replace(path + ".part", path)


def load(path):
    return {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}


def prefixed(state, prefix):
    return {prefix + k: v for k, v in state.items()}


def part(state, prefix):
    return {k[len(prefix):]: v for k, v in state.items() if k.startswith(prefix)}


def load_folder(path):
    """An exported diffusers folder -> vae, unet, text (with the trainers' prefixes)."""
    def read(*names):
        return load(os.path.join(path, *names))
    text = prefixed(read("text_encoder", "model.fp16.safetensors"), "text.one.")
    text.update(prefixed(read("text_encoder_2", "model.fp16.safetensors"), "text.two."))
    return (read("vae", "diffusion_pytorch_model.fp16.safetensors"), read("unet", "diffusion_pytorch_model.fp16.safetensors"), text)


def picture_grid(z, columns, path):
    """z: [n, 3, h, w] in 0..1 -> a PNG."""
    z = (z.detach().float().clamp(0, 1).cpu() * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    n, h, w, _ = z.shape
    rows = (n + columns - 1) // columns
    out = np.full((rows * (h + 4), columns * (w + 4), 3), 255, np.uint8)
    for i in range(n):
        y, x = i // columns * (h + 4), i % columns * (w + 4)
        out[y:y + h, x:x + w] = z[i]
    Image.fromarray(out).save(path)


def setup(device):
    torch.manual_seed(1)
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
