"""Stage 2 and later: text encoders and UNet together, on latents of fresh pictures kept in a ring on the device;
the judge goes on learning beside them. Writes unet.safetensors and text.safetensors (EMA), judge.safetensors,
samples.png and a log. usage: train_unet.py --out DIR --vae vae.safetensors --seconds N
[--init-unet F.. --init-text F | --init-dir models/lab-tiny-xl]"""
import argparse
import os
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import sampler
import stream
import tokenizer
import trainlib
from classifier import Judge
from net_parts import Ema
from net_text import TextEncoders
from net_unet import UNet
from net_vae import Vae
from train_vae import SCALING

HERE = os.path.dirname(os.path.abspath(__file__))
LOOK = ["a red ball on the beach", "a blue car in the city at night", "two white rabbits in a meadow", "a green dragon in front of a volcano",
        "three yellow mushrooms in the forest", "a purple castle in the mountains at sunset", "an orange cat in a cozy room",
        "an astronaut in space", "a red boat on the sea at sunset", "a pink flower in a garden", "a teal robot on an alien planet",
        "a black horse in the desert", "a penguin in the snow, pencil sketch", "a red fox in the forest, watercolor painting",
        "a yellow submarine underwater", "a brown owl in the forest at night, pixel art"]


class Ring:
    """The newest `capacity` training examples of one picture size, on the device."""

    def __init__(self, capacity, size, device):
        h, w = size[0] // 8, size[1] // 8
        self.z = torch.zeros(capacity, 4, h, w, dtype=torch.float16, device=device)
        self.ids = torch.zeros(capacity, 77, dtype=torch.int16, device=device)
        self.time_ids = torch.zeros(capacity, 6, device=device)
        self.mentions = torch.zeros(capacity, 7, dtype=torch.int16, device=device)
        self.capacity, self.written = capacity, 0

    def add(self, z, chunk):
        n = len(z)
        at = (torch.arange(n, device=z.device) + self.written) % self.capacity
        self.z[at] = z.to(torch.float16)
        for name in ("ids", "time_ids", "mentions"):
            getattr(self, name)[at] = torch.from_numpy(chunk[name]).to(z.device)
        self.written += n

    def draw(self, n):
        i = torch.randint(0, min(self.written, self.capacity), (n,), device=self.z.device)
        return self.z[i].float(), self.ids[i], self.time_ids[i], self.mentions[i].long()


class Model(nn.Module):
    """Everything that is trained: loss of a batch."""

    def __init__(self):
        super().__init__()
        self.text, self.unet = TextEncoders(), UNet()
        self.heads = nn.ModuleList([nn.Linear(d, n) for d in (192, 128) for n in stream.N_LABELS])

    def forward(self, x, t, noise, a, ids, keep, time_ids, mentions, weight, eos):
        """x, noise: [n, 4, h, w]; a: alphas_cumprod at t; keep: [n], 0 where the embeddings are zeroed."""
        context, pooled, hint = self.text(ids, eos)
        said = [head(z) for head, z in zip(self.heads, [pooled] * 7 + [hint] * 7)]
        keep = keep.to(context.dtype)
        noisy = a.sqrt().view(-1, 1, 1, 1) * x + (1 - a).sqrt().view(-1, 1, 1, 1) * noise
        out = self.unet(noisy, t, context * keep.view(-1, 1, 1), pooled * keep.view(-1, 1), time_ids)
        each = ((out.float() - noise) ** 2).mean((1, 2, 3))
        aux = sum(F.cross_entropy(z.float(), mentions[:, i % 7], ignore_index=-1) for i, z in enumerate(said))
        return (each * weight).mean(), each.mean(), aux


def encoder_of(model, eos, device):
    def encode(ids):
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            context, pooled, _ = model.text(ids.to(device), eos)
        return context.float(), pooled.float()
    return encode


@torch.no_grad()
def show(model, vae, tok, device, path, prompts=LOOK, seed=5, guidance=6.0, size=(256, 256), steps=20):
    """Draw prompts into a sheet; -> pictures."""
    ids = torch.tensor([tok.encode(p) for p in prompts], device=device)
    z = sampler.sample(model.unet, encoder_of(model, tok.eos, device), ids, None, size, steps, guidance, seed, device,
                       dtype=torch.bfloat16 if device == "cuda" else None)
    pictures = torch.cat([vae.decode(q / SCALING).float() / 2 + 0.5 for q in z.split(32)]).clamp(0, 1)
    trainlib.picture_grid(pictures, 8, path)
    return pictures


def build(args, device):
    vae = Vae().to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    if args.vae:
        vae.load_state_dict(trainlib.load(args.vae))
    model = Model().to(device)
    if args.init_unet:
        model.unet.load_state_dict({k: v for path in args.init_unet for k, v in trainlib.load(path).items()})
        text = trainlib.load(args.init_text)
        model.text.load_state_dict(trainlib.part(text, "text."))
        model.heads.load_state_dict(trainlib.part(text, "heads."))
    if args.init_dir:
        autoencoder, unet, text = trainlib.load_folder(args.init_dir)
        if not args.vae:
            vae.load_state_dict(autoencoder)
        model.unet.load_state_dict(unet)
        model.text.load_state_dict(trainlib.part(text, "text."))
    model.unet.to(memory_format=torch.channels_last)
    return vae, model


def save_all(state, out, judge, step):
    trainlib.save(trainlib.part(state, "unet."), os.path.join(out, "unet_a.safetensors"))
    trainlib.save({k: v for k, v in state.items() if not k.startswith("unet.")}, os.path.join(out, "text.safetensors"), {"step": step})
    trainlib.save(judge.net.state_dict(), os.path.join(out, "judge.safetensors"))


def split_unet(out):
    """unet_a.safetensors in two files, each small enough to travel."""
    state = trainlib.load(os.path.join(out, "unet_a.safetensors"))
    names = sorted(state)
    half, total, seen = {}, sum(v.numel() for v in state.values()), 0
    for name in names:
        if seen < total / 2:
            half[name] = state[name]
        seen += state[name].numel()
    trainlib.save(half, os.path.join(out, "unet_a.safetensors"))
    trainlib.save({k: v for k, v in state.items() if k not in half}, os.path.join(out, "unet_b.safetensors"))


def fill(source, vae_encode, device, gen, rings, judge, lr, on_gpu):
    """One fresh chunk into its ring; the judge learns from it when it is square."""
    chunk = source.next()
    pictures = stream.render(chunk, device, gen)
    with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=on_gpu):
        z = vae_encode((pictures * 2 - 1).contiguous(memory_format=torch.channels_last)).float() * SCALING
    rings[chunk["size"]].add(z, chunk)
    if chunk["size"] == stream.SQUARE:
        judge.step(pictures, torch.from_numpy(chunk["labels"]).long().to(device), lr)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--vae")
    parser.add_argument("--init-unet", nargs="+")
    parser.add_argument("--init-text")
    parser.add_argument("--init-dir", help="go on from an exported folder; the auxiliary heads start anew")
    parser.add_argument("--init-judge")
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--last", type=float, default=0.04, help="share of the rate at the end")
    parser.add_argument("--hold", type=float, default=0.55)
    parser.add_argument("--workers", type=int, default=9)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--share-other", type=float, default=0.0, help="share of chunks in other sizes")
    parser.add_argument("--prefill", type=int, default=160, help="chunks before the first step")
    parser.add_argument("--every", type=int, default=2, help="steps for each fresh chunk")
    parser.add_argument("--capacity", type=int, default=250000)
    parser.add_argument("--max-steps", type=int, default=10 ** 9)
    return parser.parse_args()


def main():
    args = parse()
    os.makedirs(args.out, exist_ok=True)
    clock, device = trainlib.Clock(args.seconds), args.device
    merges = os.path.join(HERE, "merges.json")
    source = stream.Stream(args.seed, merges, args.workers, args.share_other)
    tok = tokenizer.load(merges)
    trainlib.setup(device)
    torch.manual_seed(args.seed)
    on_gpu = device == "cuda"
    gen = torch.Generator(device).manual_seed(args.seed)
    vae, model = build(args, device)
    judge = Judge(device)
    if args.init_judge:
        judge.net.load_state_dict(trainlib.load(args.init_judge))
    vae_encode = torch.compile(lambda x: vae.encode(x)[0]) if on_gpu and not args.share_other else (lambda x: vae.encode(x)[0])
    step_of = torch.compile(model) if on_gpu else model
    rings = {size: Ring(args.capacity if size == stream.SQUARE else args.capacity // 16, size, device)
             for size in ((stream.SQUARE,) + (stream.OTHERS if args.share_other else ()))}
    ema = Ema(model, 0.9992)
    optimiser = torch.optim.AdamW(model.parameters(), args.lr, betas=(0.9, 0.98), weight_decay=0.01, fused=on_gpu)
    ac = sampler.alphas_cumprod(device)
    empty = torch.tensor(tok.encode(""), device=device, dtype=torch.int16)
    for _ in range(args.prefill):
        fill(source, vae_encode, device, gen, rings, judge, 1e-3, on_gpu)
    print(f"{clock.spent():.1f}s filled {rings[stream.SQUARE].written} latents std {rings[stream.SQUARE].z[:2000].float().std().item():.3f}", flush=True)
    step, sums, t0, s0 = 0, torch.zeros(2, device=device), time.time(), 0
    n = args.batch
    while clock.fraction() < 1 and step < args.max_steps:
        lr = trainlib.learning_rate(args.lr, step, clock.fraction(), 200, args.hold, args.last)
        if step % args.every == 0:
            fill(source, vae_encode, device, gen, rings, judge, lr, on_gpu)
        trainlib.set_lr(optimiser, lr)
        ready = [s for s in rings if rings[s].written >= min(512, 4 * stream.CHUNK)]
        other = len(ready) > 1 and torch.rand(()).item() < args.share_other
        size = ready[1 + int(torch.randint(0, len(ready) - 1, ()))] if other else stream.SQUARE
        x, ids, time_ids, mentions = rings[size].draw(n)
        t = torch.randint(0, sampler.N_TRAIN, (n,), device=device)
        a = ac[t]
        noise = torch.randn_like(x) + 0.05 * torch.randn(n, 4, 1, 1, device=device)
        u = torch.rand(n, device=device)
        keep = (u > 0.06).float()
        ids = torch.where(((u > 0.06) & (u < 0.10))[:, None], empty[None], ids)
        mentions = torch.where((u > 0.06)[:, None] & (u < 0.10)[:, None], torch.full_like(mentions, -1), mentions)
        snr = a / (1 - a)
        weight = snr.clamp(max=5.0) / snr
        with torch.autocast(device, torch.bfloat16, enabled=on_gpu):
            loss, plain, aux = (model if other else step_of)(x.contiguous(memory_format=torch.channels_last), t, noise, a, ids, keep,
                                                             time_ids, mentions, weight, tok.eos)
        optimiser.zero_grad(set_to_none=True)
        (loss + 0.02 * aux).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        ema.update()
        step += 1
        sums += torch.stack([plain.detach(), aux.detach()])
        if step <= 2 or clock.every("print", 20):
            p, q = (sums / (step - s0)).tolist()
            print(f"{clock.spent():6.1f}s step {step} eps {p:.4f} aux {q:.2f} lr {lr:.1e} {(step - s0) / (time.time() - t0):.2f} step/s fresh "
                  f"{rings[stream.SQUARE].written} judge {[round(v, 3) for v in judge.right.tolist()]}", flush=True)
            sums.zero_()
            s0, t0 = step, time.time()
        if clock.every("save", 150):
            save_all(ema.state(model), args.out, judge, step)
    source.close()
    save_all(ema.state(model), args.out, judge, step)
    model.load_state_dict(ema.state(model))
    model.eval()
    show(model, vae, tok, device, os.path.join(args.out, "samples.png"))
    if os.path.getsize(os.path.join(args.out, "unet_a.safetensors")) > 15_000_000:
        split_unet(args.out)
    print("steps", step, "peak GB", round(torch.cuda.max_memory_allocated() / 1e9, 1) if on_gpu else 0, flush=True)


if __name__ == "__main__":
    main()
