"""A LoRA with which the tiny model draws in one to four steps without guidance: latent consistency distillation on a
CPU in half an hour. The student's guess of the clean picture from one noise level must be its guess from the next lower
one, where the teacher arrives with guidance. Noise levels: the 20 of trailing spacing, so that 4, 2 and 1 steps are among
them. Source: Luo et al. 2023, "Latent Consistency Models", and "LCM-LoRA".
usage: train_turbo.py MODEL_DIR EXAMPLES.pt --render N [--seed S]    renders examples, as often as wanted, side by side
       train_turbo.py MODEL_DIR OUT.safetensors --examples EXAMPLES.pt.. [--seconds N]"""
import argparse
import random

import torch

import captions
import lora
import sampler
import scene
import shapes
import style_fx
import styles
import trainlib
from artist import Artist
from net_parts import Ema
from train_vae import SCALING

LEVELS = torch.arange(49, 1000, 50)  # timesteps of 20 trailing steps, from the last to the first


@torch.no_grad()
def render(vae, tok, n, rng):
    """-> latents [n, 4, 32, 32], ids [n, 77]; two in five in a style."""
    z, ids, gen = [], [], torch.Generator().manual_seed(rng.getrandbits(30))
    for i in range(n):
        style = rng.choice(styles.NAMES) if rng.random() < 0.4 else ""
        spec = scene.draw_spec(rng, style)
        canvas = shapes.paint_one(scene.compose(spec, 1.0, styles.scene_of(style)), 256, 256)[None]
        z.append(vae.encode(style_fx.apply(style, canvas, gen) * 2 - 1)[0] * SCALING)
        ids.append(tok.encode(captions.caption(spec, rng)[0]))
        if i % 100 == 99:
            print(i + 1, flush=True)
    return torch.cat(z).half(), torch.tensor(ids, dtype=torch.int16)


class Distiller:
    """One UNet that is teacher (LoRA off) and student (on)."""

    def __init__(self, model, rank, guidance):
        self.unet, self.guidance = model.unet, guidance
        self.parts = lora.add_lora(model.unet, rank, everywhere=True)
        self.ac = sampler.alphas_cumprod()

    def clean(self, x, t, context, pooled, student):
        """The guess of the clean picture, and of the noise."""
        for part in self.parts.values():
            part.on = student
        time_ids = torch.tensor([[256.0, 256, 0, 0, 256, 256]]).expand(len(x), 6)
        with torch.autocast("cpu", torch.bfloat16):
            eps = self.unet(x, t, context, pooled, time_ids)
        a = self.ac[t].view(-1, 1, 1, 1)
        return (x - (1 - a).sqrt() * eps.float()) / a.sqrt(), eps.float()

    @torch.no_grad()
    def teacher_step(self, x, t, lower, context, pooled):
        """DDIM with guidance from t to lower (-1: to the clean picture)."""
        both = torch.cat([torch.zeros_like(context), context]), torch.cat([torch.zeros_like(pooled), pooled])
        _, eps = self.clean(torch.cat([x, x]), torch.cat([t, t]), *both, student=False)
        without, with_it = eps.chunk(2)
        eps = without + self.guidance * (with_it - without)
        a = self.ac[t].view(-1, 1, 1, 1)
        b = torch.where(lower >= 0, self.ac[lower.clamp(min=0)], torch.ones_like(lower, dtype=torch.float32)).view(-1, 1, 1, 1)
        return b.sqrt() * (x - (1 - a).sqrt() * eps) / a.sqrt() + (1 - b).sqrt() * eps

    def loss(self, z, context, pooled):
        n = len(z)
        t = LEVELS[torch.randint(0, len(LEVELS), (n,))]
        lower = torch.where(t > LEVELS[0], t - 50, torch.full_like(t, -1))
        a = self.ac[t].view(-1, 1, 1, 1)
        x = a.sqrt() * z + (1 - a).sqrt() * torch.randn_like(z)
        below = self.teacher_step(x, t, lower, context, pooled)
        with torch.no_grad():
            target, _ = self.clean(below, lower.clamp(min=0), context, pooled, student=True)
            target = torch.where((lower >= 0).view(-1, 1, 1, 1), target, below)
        guess, _ = self.clean(x, t, context, pooled, student=True)
        return (((guess - target) ** 2 + 1e-2).sqrt() - 0.1).mean()


def train(model, tok, args):
    parts = [torch.load(path) for path in args.examples]
    z, ids = torch.cat([p[0] for p in parts]).float(), torch.cat([p[1] for p in parts])
    distiller = Distiller(model, args.rank, args.guidance)
    trained = torch.nn.ParameterList(lora.parameters(distiller.parts))
    optimiser, ema = torch.optim.AdamW(trained, args.lr, betas=(0.9, 0.98), weight_decay=0.0), Ema(trained, 0.99)
    clock, step, total = trainlib.Clock(args.seconds), 0, 0.0
    while clock.fraction() < 1:
        trainlib.set_lr(optimiser, trainlib.learning_rate(args.lr, step, clock.fraction(), 50, 0.5, 0.05))
        i = torch.randint(0, len(z), (args.batch,))
        with torch.no_grad():
            context, pooled, _ = model.text(ids[i], tok.eos)
        loss = distiller.loss(z[i], context, pooled)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        ema.update()
        step, total = step + 1, total + loss.item()
        if step % 25 == 0:
            print(f"{clock.spent():.0f} s, step {step}: {total / 25:.4f}", flush=True)
            total = 0.0
        if clock.every("save", 240):
            lora.save(distiller.parts, args.out)
    trained.load_state_dict(ema.state(trained))
    lora.save(distiller.parts, args.out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("out")
    parser.add_argument("--render", type=int)
    parser.add_argument("--examples", nargs="+")
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    artist = Artist(args.dir)
    if args.render:
        return torch.save(render(artist.vae, artist.tok, args.render, random.Random(args.seed)), args.out)
    artist.model.unet.to(memory_format=torch.channels_last)
    return train(artist.model, artist.tok, args)


if __name__ == "__main__":
    main()
