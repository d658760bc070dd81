"""Stage 2 and later: text encoders and UNet together, on latents of fresh pictures kept in a ring on the device;
the judge goes on learning beside them. Writes unet_a, unet_b and text.safetensors (EMA), judge.safetensors,
samples.png and a log. Several GPUs: see team.py. usage: train_unet.py --out DIR --vae vae.safetensors --seconds N
[--init-unet F.. --init-text F | --init-dir models/lab-tiny-xl]"""
import argparse
import os
import random
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
from team import Gradients, Graphed, Team, rank
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
        aux = sum(F.cross_entropy(z.float(), mentions[:, i % 7], ignore_index=-1, reduction="sum") / (mentions[:, i % 7] >= 0).sum().clamp(min=1)
                  for i, z in enumerate(said))
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
    model = Model().to(device)
    if args.init_unet:
        model.unet.load_state_dict({k: v for path in args.init_unet for k, v in trainlib.load(path).items()})
        text = trainlib.load(args.init_text)
        model.text.load_state_dict(trainlib.part(text, "text."))
        model.heads.load_state_dict(trainlib.part(text, "heads."))
    if args.init_dir:
        autoencoder, unet, text = trainlib.load_folder(args.init_dir)
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


class Supply:
    """Fresh pictures into the rings; the leader's judge learns from them."""

    def __init__(self, args, team, source, vae, judge):
        self.source = source
        self.device, self.on_gpu = args.device, args.device == "cuda"
        self.gen = torch.Generator(args.device).manual_seed(args.seed + team.rank)
        self.judge = judge if team.leads else None  # of several, only the leader's learns
        self.encode = self.plain = lambda x: vae.encode(x)[0]
        if self.on_gpu:
            self.encode = torch.compile(self.plain, dynamic=False)
        sizes = (stream.SQUARE,) + (stream.OTHERS if args.share_other else ())
        self.rings = {size: Ring(args.capacity if size == stream.SQUARE else args.capacity // 8, size, args.device) for size in sizes}

    def warm(self):
        """Compile before there is anything to encode."""
        if self.on_gpu:
            with torch.no_grad(), torch.autocast(self.device, torch.bfloat16):
                z = torch.zeros(stream.CHUNK, 3, *stream.SQUARE, device=self.device)
                self.encode(z.contiguous(memory_format=torch.channels_last))

    def fill(self, lr):
        """One chunk."""
        chunk = self.source.next()
        square = chunk["size"] == stream.SQUARE
        pictures = stream.render(chunk, self.device, self.gen)
        with torch.no_grad(), torch.autocast(self.device, torch.bfloat16, enabled=self.on_gpu):
            z = (self.encode if square else self.plain)((pictures * 2 - 1).contiguous(memory_format=torch.channels_last))
        self.rings[chunk["size"]].add(z.float() * SCALING, chunk)
        if self.judge:
            self.judge.step(pictures, stream.judge_labels(chunk).to(self.device), lr)

    def prefill(self, chunks, least=4 * stream.CHUNK):
        """`chunks` chunks, and then until no ring is nearly empty."""
        done = 0
        while done < chunks or any(r.written < least for r in self.rings.values()):
            self.fill(1e-3)
            done += 1


def batch_of(n, size):
    """As many pictures of a size as have the pixels of n squares, in eights."""
    return max(8, round(n * stream.SQUARE[0] * stream.SQUARE[1] / (size[0] * size[1]) / 8) * 8)


def draw_batch(ring, n, ac, empty):
    """-> what Model.forward takes, but for `eos`. 6 % have zeros for embeddings, 4 % the empty text."""
    x, ids, time_ids, mentions = ring.draw(n)
    t = torch.randint(0, sampler.N_TRAIN, (n,), device=x.device)
    a = ac[t]
    noise = torch.randn_like(x) + 0.05 * torch.randn(n, 4, 1, 1, device=x.device)
    u = torch.rand(n, device=x.device)
    keep, blank = (u > 0.06).float(), ((u > 0.06) & (u < 0.10))[:, None]
    snr = a / (1 - a)
    last = torch.channels_last
    return (x.contiguous(memory_format=last), t, noise.contiguous(memory_format=last), a, torch.where(blank, empty[None], ids), keep, time_ids,
            torch.where(blank, torch.full_like(mentions, -1), mentions), snr.clamp(max=5.0) / snr)


def steps_of(model, gradients, args, sizes, eos, device):
    """size -> a Graphed step; all share one pool of memory."""
    on_gpu = device == "cuda"
    if on_gpu:
        from torch._dynamo import config
        config.recompile_limit = 32  # one program for each size
    compiled = torch.compile(model, dynamic=False) if on_gpu and not args.eager else model

    def loss_of(*inputs):
        with torch.autocast(device, torch.bfloat16, enabled=on_gpu, cache_enabled=False):
            loss, plain, aux = compiled(*inputs, eos)
        return loss + 0.02 * aux, torch.stack([plain, aux])

    steps, pool = {}, None
    for size in sizes:
        n, t0 = batch_of(args.batch, size), time.time()
        shape = (n, 4, size[0] // 8, size[1] // 8)
        z = torch.zeros(shape, device=device).contiguous(memory_format=torch.channels_last)
        whole = torch.zeros(n, dtype=torch.long, device=device)
        half = torch.full((n,), 0.5, device=device)
        ids = torch.full((n, 77), eos, dtype=torch.int16, device=device)
        steps[size] = Graphed(loss_of, (z, whole, z, half, ids, half, torch.zeros(n, 6, device=device), whole[:, None].repeat(1, 7), half),
                              gradients, pool)
        pool = steps[size].pool()
        print(f"step of {size}, batch {n}: ready after {time.time() - t0:.0f} s", flush=True)
    return steps


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
    parser.add_argument("--until", type=float, help="stop at this time (seconds since 1970) instead of after --seconds")
    parser.add_argument("--warm-only", action="store_true", help="compile the steps into the compiler's cache, and end")
    parser.add_argument("--eager", action="store_true", help="do not compile the step: for trying things out")
    parser.add_argument("--only-size", type=int, nargs=2, help="with --warm-only: only this height and width")
    return parser.parse_args()


def wait_for(path):
    """Until another process has written it."""
    while not os.path.exists(path):
        time.sleep(0.5)


def finish(team, model, ema, vae, tok, args, judge, step):
    """The leader writes the averaged weights and draws with them."""
    if not team.leads:
        return
    state = ema.state(model)
    save_all(state, args.out, judge, step)
    model.load_state_dict(state)
    model.eval()
    show(model, vae, tok, args.device, os.path.join(args.out, "samples.png"))
    if os.path.getsize(os.path.join(args.out, "unet_a.safetensors")) > 15_000_000:
        split_unet(args.out)
    print("steps", step, "peak GB", round(torch.cuda.max_memory_allocated() / 1e9, 1) if args.device == "cuda" else 0, flush=True)


def train(team, model, gradients, steps, supply, args, empty):
    """-> the average of the weights, and how many steps were made."""
    device, clock = args.device, trainlib.Clock(args.until - time.time() if args.until else args.seconds)
    ema, judge = Ema(model, 0.9995), supply.judge
    optimiser = torch.optim.AdamW(model.parameters(), args.lr, betas=(0.9, 0.98), weight_decay=0.01, fused=device == "cuda")
    ac = sampler.alphas_cumprod(device)
    supply.prefill(args.prefill)
    print(f"{clock.spent():.1f}s filled", {s: r.written for s, r in supply.rings.items()},
          f"latents std {supply.rings[stream.SQUARE].z[:2000].float().std().item():.3f}", flush=True)
    sizes, turn = list(supply.rings), random.Random(args.seed)
    step, sums, t0, s0, fraction = 0, torch.zeros(2, device=device), time.time(), 0, 0.0
    while step < args.max_steps:
        if step % 20 == 0:
            fraction = team.agree(clock.fraction())
            if fraction >= 1:
                break
        lr = trainlib.learning_rate(args.lr, step, fraction, 200, args.hold, args.last)
        if step % args.every == 0:
            supply.fill(lr)
        trainlib.set_lr(optimiser, lr)
        size = turn.choice(sizes[1:]) if len(sizes) > 1 and turn.random() < args.share_other else stream.SQUARE
        sums += steps[size](*draw_batch(supply.rings[size], batch_of(args.batch, size), ac, empty))
        team.mean_(gradients.flat)
        gradients.clip_(1.0)
        optimiser.step()
        ema.update()
        step += 1
        if team.leads and (step <= 2 or (step % 20 == 0 and clock.every("print", 20))):
            p, q = (sums / (step - s0)).tolist()
            print(f"{clock.spent():6.1f}s step {step} eps {p:.4f} aux {q:.2f} lr {lr:.1e} {(step - s0) / (time.time() - t0):.2f} step/s fresh "
                  f"{supply.rings[stream.SQUARE].written} judge {[round(v, 3) for v in judge.right.tolist()]}", flush=True)
            sums.zero_()
            s0, t0 = step, time.time()
        if team.leads and clock.every("save", 200):
            save_all(ema.state(model), args.out, judge, step)
    supply.source.close()
    return ema, step


def main():
    args = parse()
    os.makedirs(args.out, exist_ok=True)
    device = args.device
    source = stream.Stream(args.seed + 100 * rank(), os.path.join(HERE, "merges.json"), args.workers, args.share_other)
    team = Team(device)
    trainlib.setup(device)
    tok = tokenizer.load(os.path.join(HERE, "merges.json"))
    vae, model = build(args, device)
    team.same_(model)
    judge = Judge(device)
    supply = Supply(args, team, source, vae, judge)
    gradients = Gradients(model.parameters())
    sizes = [tuple(args.only_size)] if args.only_size else list(supply.rings)
    steps = steps_of(model, gradients, args, sizes, tok.eos, device)
    supply.warm()
    if args.warm_only:
        return source.close()
    if args.vae:
        wait_for(args.vae)
        vae.load_state_dict(trainlib.load(args.vae))
    if args.init_judge:
        judge.net.load_state_dict(trainlib.load(args.init_judge))
    torch.manual_seed(args.seed + 1000 * team.rank)
    ema, step = train(team, model, gradients, steps, supply, args, torch.tensor(tok.encode(""), device=device, dtype=torch.int16))
    finish(team, model, ema, vae, tok, args, judge, step)


if __name__ == "__main__":
    main()
