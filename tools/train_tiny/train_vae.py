"""Stage 1: the autoencoder, and the judge's first half, on fresh pictures.
Writes vae.safetensors (EMA, latents brought to mean 0 and deviation 1 / scaling_factor), judge.safetensors,
vae.png and a log. usage: train_vae.py --out DIR --seconds N [--device cuda] [--init vae.safetensors]"""
import argparse
import os
import time

import torch
import torch.nn.functional as F

import stream
import trainlib
from classifier import Judge
from net_parts import Ema
from net_vae import Vae

SCALING = 0.5


def picture_loss(a, b):
    """L1, squares, and differences of neighbours at three scales."""
    loss = (a - b).abs().mean() + 1.5 * ((a - b) ** 2).mean()
    for weight in (0.5, 0.35, 0.25):
        for dim in (2, 3):
            loss = loss + weight * (a.diff(dim=dim) - b.diff(dim=dim)).abs().mean()
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return loss


def psnr(a, b):
    """a, b in 0..1, [n, 3, h, w] -> [n] dB of 8-bit pictures."""
    a, b = ((z.clamp(0, 1) * 255).round() / 255 for z in (a, b))
    return -10 * torch.log10(((a - b) ** 2).mean((1, 2, 3)).clamp(min=1e-7))


@torch.no_grad()
def normalise(vae, pictures):
    """Fold mean and deviation of the latents into quant_conv and post_quant_conv. pictures: list of [n, 3, h, w]."""
    means = torch.cat([vae.encode(p * 2 - 1)[0].float() for p in pictures])
    mean, std = means.mean((0, 2, 3)), means.std((0, 2, 3))
    gain = 1 / (SCALING * std)
    w, b = vae.quant_conv.weight, vae.quant_conv.bias
    w[:4] *= gain.view(4, 1, 1, 1)
    b[:4] = (b[:4] - mean) * gain
    b[4:] += 2 * torch.log(gain)
    vae.post_quant_conv.bias += (vae.post_quant_conv.weight[:, :, 0, 0] @ mean)
    vae.post_quant_conv.weight /= gain.view(1, 4, 1, 1)
    return mean.tolist(), std.tolist()


@torch.no_grad()
def report(vae, source, device, gen, out, n=6):
    """Reconstruction of fresh pictures: mean dB, and by style; a sheet of pairs."""
    by_style, pairs = {}, []
    for k in range(n):
        chunk = source.next()
        pictures = stream.render(chunk, device, gen)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            back = torch.cat([vae.decode(vae.encode(p * 2 - 1)[0]) for p in pictures.split(64)])
        back = (back.float() + 1) / 2
        db = psnr(pictures, back)
        for name, a, b in chunk["spans"]:
            by_style.setdefault(name, []).extend(db[a:b].tolist())
        if k == 0:
            for name, a, b in chunk["spans"]:
                pairs += [z for i in range(a, min(a + 3, b)) for z in (pictures[i], back[i])]
    trainlib.picture_grid(torch.stack(pairs), 12, os.path.join(out, "vae.png"))
    everything = [v for values in by_style.values() for v in values]
    print("PSNR mean %.2f plain %.2f" % (sum(everything) / len(everything), sum(by_style[""]) / len(by_style[""])))
    print("by style:", {name[:14]: round(sum(v) / len(v), 1) for name, v in by_style.items()})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--init")
    parser.add_argument("--init-judge")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--max-steps", type=int, default=10 ** 9)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    source = stream.Stream(args.seed, os.path.join(os.path.dirname(os.path.abspath(__file__)), "merges.json"), args.workers)
    clock, device = trainlib.Clock(args.seconds), args.device
    trainlib.setup(device)
    on_gpu = device == "cuda"
    gen = torch.Generator(device).manual_seed(args.seed)
    vae = Vae().to(device, memory_format=torch.channels_last)
    if args.init:
        vae.load_state_dict(trainlib.load(args.init))
    judge = Judge(device)
    if args.init_judge:
        judge.net.load_state_dict(trainlib.load(args.init_judge))
    ema = Ema(vae, 0.999)
    optimiser = torch.optim.AdamW(vae.parameters(), args.lr, betas=(0.9, 0.99), weight_decay=1e-4, fused=on_gpu)

    def loss_of(x):
        with torch.autocast(device, torch.bfloat16, enabled=on_gpu):
            back, mean, logvar = vae(x)
        mean, logvar = mean.float(), logvar.float()
        kl = 0.5 * (mean ** 2 + logvar.exp() - 1 - logvar).mean()
        return picture_loss(back.float() / 2, x / 2) + 2e-4 * kl, kl

    step_of = torch.compile(loss_of) if on_gpu else loss_of
    step, shown, seen, t0, shown_render = 0, 0.0, 0, time.time(), False
    while clock.fraction() < 1 and step < args.max_steps:
        chunk = source.next()
        pictures = stream.render(chunk, device, gen)
        labels = torch.from_numpy(chunk["labels"]).long().to(device)
        for x in (pictures * 2 - 1).split(args.batch):
            lr = trainlib.learning_rate(args.lr, step, clock.fraction(), warm=300)
            trainlib.set_lr(optimiser, lr)
            loss, kl = step_of(x.contiguous(memory_format=torch.channels_last))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
            optimiser.step()
            ema.update()
            step += 1
            seen += len(x)
        judge.step(pictures, labels, lr * 1.5)
        if clock.every("print", 15) or step <= 4:
            print(f"{clock.spent():6.1f}s step {step} loss {loss.item():.4f} kl {kl.item():.2f} lr {lr:.1e} "
                  f"{seen / (time.time() - t0):.0f} img/s judge {[round(v, 3) for v in judge.right.tolist()]}", flush=True)
            if shown == 0 and step > 8:
                shown, seen, t0 = 1.0, 0, time.time()
        if on_gpu and shown == 1.0 and step > 40 * 2 and not shown_render:
            shown_render = True
            torch.cuda.synchronize()
            t1 = time.time()
            waits = [source.next() for _ in range(6)]
            t2 = time.time()
            for c in waits:
                stream.render(c, device, gen)
            torch.cuda.synchronize()
            print("render %.0f img/s, waiting for scenes %.3f s a chunk, rows %d" % (6 * len(c["rows"]) / (time.time() - t2), (t2 - t1) / 6, c["rows"].shape[1]), flush=True)
        if on_gpu and clock.spent() > 150 and step < 300:
            print("too slow, stopping")
            break
        if clock.every("save", 120):
            trainlib.save(ema.state(vae), os.path.join(args.out, "vae_raw.safetensors"))
    vae.load_state_dict(ema.state(vae))
    vae.eval()
    pictures = [stream.render(source.next(), device, gen)[:48] for _ in range(4 if on_gpu else 1)]
    mean, std = normalise(vae, pictures)
    print("latent mean", [round(v, 3) for v in mean], "std", [round(v, 3) for v in std], "scaling_factor", SCALING)
    trainlib.save(vae.state_dict(), os.path.join(args.out, "vae.safetensors"), {"scaling_factor": SCALING, "steps": step})
    trainlib.save(judge.net.state_dict(), os.path.join(args.out, "judge.safetensors"))
    report(vae, source, device, gen, args.out, 10 if on_gpu else 1)
    print("steps", step, "peak GB", round(torch.cuda.max_memory_allocated() / 1e9, 1) if on_gpu else 0, flush=True)
    source.close()


if __name__ == "__main__":
    main()
