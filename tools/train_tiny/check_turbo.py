"""What the turbo LoRA draws in few steps and without guidance, judged on held-out prompts; beside it the model without
the LoRA in as many steps. usage: check_turbo.py MODEL_DIR TURBO.safetensors --judge F --out DIR [--n 100]"""
import argparse
import json
import os
import random

import torch

import eval_prompts
import lora
import sampler
from artist import Artist
from eval_judge import Eye, facts
from eval_sheets import found_lines, sheet
from train_unet import encoder_of
from train_vae import SCALING


@torch.no_grad()
def draw(artist, texts, steps, seed, batch=10):
    """Consistency sampling: guess the clean picture, add the noise of the next level; trailing spacing. -> pictures."""
    ac, out, gen = sampler.alphas_cumprod(), [], torch.Generator().manual_seed(seed)
    levels = [round(1000 - k * 1000 / steps) - 1 for k in range(steps)]
    for i in range(0, len(texts), batch):
        context, pooled = encoder_of(artist.model, artist.tok.eos, "cpu")(artist.ids(texts[i:i + batch]))
        n = len(context)
        time_ids = torch.tensor([[256.0, 256, 0, 0, 256, 256]]).expand(n, 6)
        clean = torch.zeros(n, 4, 32, 32)
        for t in levels:
            a = ac[t]
            x = a.sqrt() * clean + (1 - a).sqrt() * torch.randn(clean.shape, generator=gen)
            eps = artist.model.unet(x, torch.full((n,), t), context, pooled, time_ids)
            clean = (x - (1 - a).sqrt() * eps) / a.sqrt()
        out.append((artist.vae.decode(clean / SCALING) / 2 + 0.5).clamp(0, 1))
    return torch.cat(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("turbo")
    for name in ("--judge", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--rank", type=int, default=16)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    artist, eye = Artist(args.dir, "cpu", 10, 20), Eye(args.judge, "cpu")
    asks = eval_prompts.unseen(args.n, random.Random(2000))
    texts, result = [a.text for a in asks], {}
    parts = lora.add_lora(artist.model.unet, args.rank, everywhere=True)
    lora.load(parts, args.turbo)
    for on in (True, False):
        for part in parts.values():
            part.on = on
        for steps in (1, 2, 4):
            pictures = draw(artist, texts, steps, 2000)
            found = eye.look(pictures)
            result[f"{steps} steps, {'with' if on else 'without'} the LoRA"] = facts(found, asks)
            sheet(args.out, f"turbo_{steps}_{'with' if on else 'without'}", pictures[:32], found_lines(texts, found)[:32])
    with open(os.path.join(args.out, "turbo.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    for name, of in result.items():
        print(name, {k: v["share"] for k, v in of.items()})


if __name__ == "__main__":
    main()
