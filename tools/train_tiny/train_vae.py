"""Stage 1: the autoencoder, and the judge's first half, on fresh pictures.
Writes vae.safetensors (EMA, latents brought to mean 0 and deviation 1 / scaling_factor), judge.safetensors,
vae.png and a log. Several GPUs: see team.py. usage: train_vae.py --out DIR --seconds N [--device cuda]
[--init vae.safetensors | --init-dir models/lab-tiny-xl]"""
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
from team import Gradients, Graphed, Team, rank

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
    print("by style:", {name[:14]: round(sum(v) / len(v), 1) for name, v in by_style.items() if v})


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--init")
    parser.add_argument("--init-dir", help="go on from an exported folder")
    parser.add_argument("--init-judge")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--last", type=float, default=0.04, help="share of the rate at the end")
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--max-steps", type=int, default=10 ** 9)
    return parser.parse_args()


def step_of(vae, gradients, args):
    """The training step: pictures in -1..1 and noise for the latents -> loss and divergence."""
    on_gpu = args.device == "cuda"

    def loss_of(x, eps):
        with torch.autocast(args.device, torch.bfloat16, enabled=on_gpu, cache_enabled=False):
            mean, logvar = vae.encode(x)
            back = vae.decode(mean + eps * torch.exp(0.5 * logvar))
        mean, logvar = mean.float(), logvar.float()
        kl = 0.5 * (mean ** 2 + logvar.exp() - 1 - logvar).mean()
        loss = picture_loss(back.float() / 2, x / 2) + 2e-4 * kl
        return loss, torch.stack([loss, kl])

    size = stream.SQUARE
    x = torch.zeros(args.batch, 3, *size, device=args.device).contiguous(memory_format=torch.channels_last)
    eps = torch.zeros(args.batch, 4, size[0] // 8, size[1] // 8, device=args.device)
    return Graphed(torch.compile(loss_of, dynamic=False) if on_gpu else loss_of, (x, eps), gradients)


def train(team, vae, judge, source, gen, args):
    """-> the average of the weights, and how many steps were made."""
    device = args.device
    gradients = Gradients(vae.parameters())
    step_fn, clock = step_of(vae, gradients, args), trainlib.Clock(args.seconds)
    ema = Ema(vae, 0.999)
    optimiser = torch.optim.AdamW(vae.parameters(), args.lr, betas=(0.9, 0.99), weight_decay=1e-4, fused=device == "cuda")
    step, seen, t0 = 0, 0, time.time()
    while step < args.max_steps:
        fraction = team.agree(clock.fraction())
        if fraction >= 1:
            break
        chunk = source.next()
        pictures = stream.render(chunk, device, gen)
        for x in (pictures * 2 - 1).split(args.batch):
            lr = trainlib.learning_rate(args.lr, step, fraction, warm=300, last=args.last)
            trainlib.set_lr(optimiser, lr)
            loss = step_fn(x.contiguous(memory_format=torch.channels_last), torch.randn(len(x), 4, x.shape[2] // 8, x.shape[3] // 8, device=device))
            team.mean_(gradients.flat)
            gradients.clip_(1.0)
            optimiser.step()
            ema.update()
            step += 1
            seen += len(x) * team.size
        if team.leads:
            judge.step(pictures, stream.judge_labels(chunk).to(device), lr * 1.5)
        if team.leads and (clock.every("print", 15) or step <= 2):
            print(f"{clock.spent():6.1f}s step {step} loss {loss[0].item():.4f} kl {loss[1].item():.2f} lr {lr:.1e} "
                  f"{seen / (time.time() - t0):.0f} img/s judge {[round(v, 3) for v in judge.right.tolist()]}", flush=True)
            seen, t0 = 0, time.time()
        if team.leads and clock.every("save", 120):
            trainlib.save(ema.state(vae), os.path.join(args.out, "vae_raw.safetensors"))
    return ema, step


def main():
    args = parse()
    os.makedirs(args.out, exist_ok=True)
    source = stream.Stream(args.seed + 100 * rank(), os.path.join(os.path.dirname(os.path.abspath(__file__)), "merges.json"), args.workers)
    device, team = args.device, Team(args.device)
    trainlib.setup(device)
    torch.manual_seed(args.seed + team.rank)
    gen = torch.Generator(device).manual_seed(args.seed + team.rank)
    vae = Vae().to(device, memory_format=torch.channels_last)
    if args.init or args.init_dir:
        vae.load_state_dict(trainlib.load(args.init) if args.init else trainlib.load_folder(args.init_dir)[0])
    team.same_(vae)
    judge = Judge(device)
    if args.init_judge:
        judge.net.load_state_dict(trainlib.load(args.init_judge))
    ema, step = train(team, vae, judge, source, gen, args)
    if team.leads:
        vae.load_state_dict(ema.state(vae))
        vae.eval()
        on_gpu = device == "cuda"
        pictures = [stream.render(source.next(), device, gen)[:48] for _ in range(8 if on_gpu else 1)]
        mean, std = normalise(vae, pictures)
        print("latent mean", [round(v, 3) for v in mean], "std", [round(v, 3) for v in std], "scaling_factor", SCALING)
        trainlib.save(judge.net.state_dict(), os.path.join(args.out, "judge.safetensors"))
        trainlib.save(vae.state_dict(), os.path.join(args.out, "vae.safetensors"), {"scaling_factor": SCALING, "steps": step})
        report(vae, source, device, gen, args.out, 10 if on_gpu else 1)
        print("steps", step, "peak GB", round(torch.cuda.max_memory_allocated() / 1e9, 1) if on_gpu else 0, flush=True)
    source.close()


if __name__ == "__main__":
    main()
