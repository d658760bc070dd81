"""A LoRA for the tiny model, as a fixture with a meaning: pictures become stained glass, a style that the model has never
seen. Trained on a CPU in minutes; written as diffusers writes LoRAs (peft's names).
usage: train_lora.py MODEL_DIR OUT.safetensors [--steps 400] [--examples 220]"""
import argparse
import random

import torch
import torch.nn.functional as F

import captions
import lora
import sampler
import scene
import shapes
import style_fx
import trainlib
from artist import Artist
from train_vae import SCALING

WORDS = "stained glass window"


def stained_glass(canvas, generator=None, cell=22.0):
    """Cells of one colour with lead between them. canvas: [n, 5, h, w] -> [n, 3, h, w]."""
    c = style_fx.Ctx(canvas, generator)
    gx, gy = torch.floor(c.x / cell), torch.floor(c.y / cell)
    best = torch.full((1, 1, c.h, c.w), 1e9)
    second, px, py = best.clone(), best.clone(), best.clone()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            ix, iy = gx + dx + 0 * gy, gy + dy + 0 * gx
            sx = (ix + 0.5 + 0.4 * torch.sin(ix * 12.9 + iy * 78.2)) * cell
            sy = (iy + 0.5 + 0.4 * torch.sin(ix * 39.3 + iy * 11.1)) * cell
            d = torch.sqrt((c.x - sx) ** 2 + (c.y - sy) ** 2)
            nearer = d < best
            second = torch.where(nearer, best, torch.minimum(second, d))
            best, px, py = torch.where(nearer, d, best), torch.where(nearer, sx, px), torch.where(nearer, sy, py)
    grid = torch.stack([px / (256 * c.ar) * 2 - 1, py / 128 - 1], -1).squeeze(1).expand(c.n, c.h, c.w, 2)
    flat = F.grid_sample(c.blur(c.rgb, 2), grid, mode="nearest", padding_mode="border", align_corners=False)
    glass = style_fx.sat(0.55 * flat + 0.45 * c.rgb, 1.7) * 1.12 + 0.02
    lead = torch.maximum((1 - (second - best) / 2.6).clamp(0, 1), c.edges(1.4))
    return (glass * (1 - lead)).clamp(0, 1)


@torch.no_grad()
def examples(vae, tok, n, rng):
    """-> latents [n, 4, 32, 32], ids [n, 77]"""
    z, ids = [], []
    for _ in range(n):
        spec = scene.draw_spec(rng)
        canvas = shapes.paint_one(scene.compose(spec), 256, 256)[None]
        z.append(vae.encode(stained_glass(canvas) * 2 - 1)[0] * SCALING)
        ids.append(tok.encode(captions.caption(spec, rng)[0] + ", " + WORDS))
    return torch.cat(z), torch.tensor(ids)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--examples", type=int, default=220)
    parser.add_argument("--lr", type=float, default=2e-3)
    args = parser.parse_args()
    torch.manual_seed(3)
    rng = random.Random(3)
    artist = Artist(args.dir)
    tok, model = artist.tok, artist.model
    z, ids = examples(artist.vae, tok, args.examples, rng)
    parts = lora.add_lora(model.unet, args.rank)
    optimiser = torch.optim.AdamW(lora.parameters(parts), args.lr, weight_decay=0.0)
    ac, total = sampler.alphas_cumprod(), 0.0
    time_ids = torch.tensor([[256.0, 256, 0, 0, 256, 256]]).expand(args.batch, 6)
    for step in range(args.steps):
        trainlib.set_lr(optimiser, trainlib.learning_rate(args.lr, step, step / args.steps, 20))
        i = torch.randint(0, len(z), (args.batch,))
        t = torch.randint(0, sampler.N_TRAIN, (args.batch,))
        a, noise = ac[t].view(-1, 1, 1, 1), torch.randn_like(z[i])
        with torch.no_grad():
            context, pooled, _ = model.text(ids[i], tok.eos)
        eps = model.unet(a.sqrt() * z[i] + (1 - a).sqrt() * noise, t, context, pooled, time_ids)
        snr = a / (1 - a)
        loss = ((eps - noise) ** 2 * (snr.clamp(max=5.0) / snr)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
        if step % 25 == 24:
            print(step + 1, round(total / 25, 4), flush=True)
            total = 0.0
    lora.save(parts, args.out)


if __name__ == "__main__":
    main()
