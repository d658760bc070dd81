"""Does the model draw what it is told? Held-out prompts, judged by the classifier that was trained beside it.
usage: evaluate.py MODEL_DIR --judge F --out DIR [--n 500] [--device cuda]"""
import argparse
import json
import os
import random

import torch

import sampler
import stream
import styles
import tokenizer
import trainlib
from classifier import Classifier
from net_vae import Vae
from train_unet import HERE, LOOK, Model, encoder_of
from train_vae import SCALING, psnr
from world import COLOUR_NAMES, COUNT_WORDS, SETTING_NAMES, SETTINGS, SUBJECT_NAMES, held_out, plural

NAMES = stream.LABELS


def held_out_prompts(n, rng):
    """-> texts and labels (subject, colour, count, setting) of combinations that training never saw."""
    texts, labels = [], []
    while len(texts) < n:
        subject, colour, setting = rng.choice(SUBJECT_NAMES), rng.choice(COLOUR_NAMES), rng.choice(SETTING_NAMES)
        if not held_out(subject, colour, setting):
            continue
        count = rng.choice((1, 1, 2, 3))
        noun = plural(subject) if count > 1 else subject
        article = "an" if count == 1 and colour[0] in "aeiou" else COUNT_WORDS[count][0]
        texts.append(f"{article} {colour} {noun} {SETTINGS[setting][0]}")
        labels.append((SUBJECT_NAMES.index(subject), COLOUR_NAMES.index(colour), count - 1, SETTING_NAMES.index(setting)))
    return texts, torch.tensor(labels)


class Artist:
    """The model with its tokenizer: draw(texts) -> pictures [n, 3, h, w] in 0..1 on the device."""

    def __init__(self, args):
        self.device = args.device
        self.tok = tokenizer.load(os.path.join(HERE, "merges.json"))
        self.model, self.vae = Model(), Vae()
        vae, unet, text = trainlib.load_folder(args.dir)
        self.model.unet.load_state_dict(unet)
        self.model.text.load_state_dict(trainlib.part(text, "text."))
        self.vae.load_state_dict(vae)
        for module in (self.model, self.vae):
            module.to(self.device).eval().requires_grad_(False)
        self.dtype = torch.bfloat16 if self.device == "cuda" else None
        self.batch = 128 if self.device == "cuda" else 4

    def ids(self, texts):
        return torch.tensor([self.tok.encode(t) for t in texts], device=self.device)

    @torch.no_grad()
    def draw(self, texts, negatives=None, seed=1, guidance=6.0, size=(256, 256), steps=20, start=None, strength=1.0):
        out = []
        for i in range(0, len(texts), self.batch):
            ids = self.ids(texts[i:i + self.batch])
            bad = self.ids(negatives[i:i + self.batch]) if negatives else None
            z0 = None
            if start is not None:
                z0 = self.vae.encode(start[i:i + self.batch] * 2 - 1)[0] * SCALING
            z = sampler.sample(self.model.unet, encoder_of(self.model, self.tok.eos, self.device), ids, bad, size, steps, guidance, seed + i,
                               self.device, z0, strength, self.dtype)
            out.append((self.vae.decode(z / SCALING) / 2 + 0.5).clamp(0, 1))
        return torch.cat(out)


@torch.no_grad()
def look(judge, pictures):
    return torch.cat([torch.stack([z.argmax(1) for z in judge(p)], 1) for p in pictures.split(64)]).cpu()


def share(a, b):
    return round((a == b).float().mean().item() * 100, 1)


@torch.no_grad()
def judge_itself(judge, vae, device, n_chunks, gen):
    """The judge on fresh renders: plain with up to three objects, and all styles; and reconstruction."""
    rng = random.Random(4711)
    tok = tokenizer.load(os.path.join(HERE, "merges.json"))
    plain, styled, db = [], [], []
    for _ in range(n_chunks):
        chunk = stream.make_chunk(rng, tok, stream.SQUARE)
        chunk["spoiled"] = []
        pictures = stream.render(chunk, device, gen)
        labels = torch.from_numpy(chunk["labels"]).long()
        found = look(judge, pictures) == labels
        ok = (labels[:, 4] == 0) & (labels[:, 2] < 3)
        plain.append(found[ok])
        styled.append(found)
        back = torch.cat([vae.decode(vae.encode(p * 2 - 1)[0]) for p in pictures.split(32)]) / 2 + 0.5
        db.append(psnr(pictures, back).cpu())
    plain, styled = torch.cat(plain).float().mean(0) * 100, torch.cat(styled).float().mean(0) * 100
    return ({k: round(v, 1) for k, v in zip(NAMES, plain.tolist())}, {k: round(v, 1) for k, v in zip(NAMES, styled.tolist())},
            round(torch.cat(db).mean().item(), 2))


def save(out, result):
    with open(os.path.join(out, "evaluation.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    for name in ("--judge", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--n-plain", type=int, default=500, help="pictures without guidance")
    parser.add_argument("--chunks", type=int, default=12, help="fresh renders for the judge and the autoencoder, in 128s")
    parser.add_argument("--n-style", type=int, default=8, help="pictures of each style")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    device, gen = args.device, torch.Generator(args.device).manual_seed(9)
    artist = Artist(args)
    judge = Classifier()
    judge.load_state_dict(trainlib.load(args.judge))
    judge.to(device).eval()
    result = {"seed": args.seed}
    result["judge_plain"], result["judge_styled"], result["vae_psnr"] = judge_itself(judge, artist.vae, device, args.chunks, gen)
    save(args.out, result)
    rng = random.Random(args.seed)
    texts, labels = held_out_prompts(args.n, rng)
    for guidance, n in ((6.0, args.n), (1.0, min(args.n, args.n_plain))):
        pictures = artist.draw(texts[:n], seed=args.seed, guidance=guidance)
        found = look(judge, pictures)
        result[f"held_out_g{guidance:g}"] = dict({k: share(found[:, i], labels[:n, i]) for i, k in enumerate(NAMES[:4])}, n=n)
        save(args.out, result)
        if guidance == 6.0:
            trainlib.picture_grid(pictures[:48], 8, os.path.join(args.out, "held_out.png"))
            first = pictures
            print("\n".join(f"{t}  ->  {SUBJECT_NAMES[f[0]]}, {COLOUR_NAMES[f[1]]}, {f[2] + 1}, {SETTING_NAMES[f[3]]}"
                            for t, f in list(zip(texts, found.tolist()))[:16]))
    names = [name for name in styles.NAMES for _ in range(args.n_style)]
    things = [f"a {rng.choice(SUBJECT_NAMES)} {SETTINGS[rng.choice(SETTING_NAMES)][0]}" for _ in names]
    pictures = artist.draw([f"{t}, {styles.PROFILES[n][0]}" for t, n in zip(things, names)], [styles.PROFILES[n][1] for n in names], args.seed)
    found = look(judge, pictures)[:, 4]
    wanted = torch.tensor([styles.NAMES.index(n) + 1 for n in names])
    result["style"] = share(found, wanted)
    result["style_each"] = {n: share(found[wanted == i + 1], wanted[wanted == i + 1]) for i, n in enumerate(styles.NAMES)}
    trainlib.picture_grid(torch.stack([pictures[i * args.n_style] for i in range(len(styles.NAMES))]), 7, os.path.join(args.out, "styles.png"))
    n = min(32, args.n)
    change = {}
    other = [texts[(i + 7) % len(texts)] for i in range(n)]
    for strength in (0.3, 0.8):
        again = artist.draw(other, seed=args.seed + 1, start=first[:n], strength=strength)
        change[str(strength)] = round((again - first[:n]).abs().mean().item(), 4)
    result["img2img_change"] = change
    trainlib.picture_grid(artist.draw(LOOK, seed=5), 8, os.path.join(args.out, "samples.png"))
    print(json.dumps(save(args.out, result), indent=1))


if __name__ == "__main__":
    main()
