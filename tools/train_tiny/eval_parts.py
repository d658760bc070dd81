"""What is measured, one function each: (artist, eye, args) -> a part of evaluation.json. Each has its own generator,
so that a part alone gives the figures that it gives among the others."""
import dataclasses
import random

import torch
import torch.nn.functional as F

import eval_prompts
import scene
import styles
from eval_judge import confusions, facts, interval, placed
from eval_sheets import found_lines, sheet
from train_vae import psnr
from world import COLOUR_NAMES, OUTDOOR, TIME_NAMES

SIZES = ((192, 192), (256, 256), (320, 320), (384, 384), (256, 384), (384, 256), (320, 192))  # width, height
ELSEWHERE = 500000  # far from every seed that a batch gets


def _scaled(args, n):
    return max(4, round(n * args.n / 500))


def _mean(values, digits=4):
    return round(torch.as_tensor(values).float().mean().item(), digits)


def _luma(pictures):
    return (pictures * pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def layout(a, b):
    """Correlation of the luminance of 16x16 thumbnails, [n]."""
    x, y = (F.adaptive_avg_pool2d(_luma(z), 16).flatten(1) for z in (a, b))
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    return ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1) + 1e-6)).cpu()


def sharpness(pictures):
    """Mean absolute Laplacian of the luminance, [n]."""
    y = _luma(pictures)
    kernel = y.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return F.conv2d(y, kernel).abs().mean((1, 2, 3)).cpu()


def held_out(artist, eye, args):
    """Combinations that training never saw, with guidance and without; and the judge on the renderer's own pictures of them."""
    asks = eval_prompts.unseen(args.n, random.Random(args.seed))
    texts, out = [a.text for a in asks], {}
    for name, guidance in (("guided", args.guidance), ("unguided", 1.0)):
        pictures = artist.draw(texts, seed=args.seed, guidance=guidance)
        found = eye.look(pictures)
        out[name] = {"guidance": guidance, **facts(found, asks), "confusions": confusions(found, asks)}
        sheet(args.out, f"held_out_{name}", pictures[:48], found_lines(texts, found)[:48])
    specs = [a.spec for a in asks[:args.n_render]]
    found = eye.look(eye.render(specs))
    out["renders"] = {**facts(found, asks[:len(specs)]), "confusions": confusions(found, asks)}
    return out


def relations(artist, eye, args):
    """One thing left or right of another."""
    asks = eval_prompts.relations(_scaled(args, 120), random.Random(args.seed + 1))
    pictures = artist.draw([a.text for a in asks], seed=args.seed + 1000, guidance=args.guidance)
    sheet(args.out, "relations", pictures[:32], [a.text for a in asks[:32]])
    out = {"generated": placed(eye, pictures, asks)}
    for side in eval_prompts.RELATIONS:
        of = [i for i, a in enumerate(asks) if a.spec.other[2] == side]
        out["generated, " + side] = placed(eye, pictures[of], [asks[i] for i in of])
    return {**out, "renders": placed(eye, eye.render([a.spec for a in asks]), asks)}


def _negative_colour(artist, eye, args):
    asks = eval_prompts.uncoloured(_scaled(args, 100), random.Random(args.seed + 2))
    usual = torch.tensor([a.labels()[1] for a in asks])
    rng = random.Random(args.seed + 3)
    unrelated = [rng.choice([c for c in COLOUR_NAMES if c != a.negative]) for a in asks]
    named = [a.text.replace(eval_prompts.phrase(a.spec.subject), eval_prompts.phrase(a.spec.subject, a.negative)) for a in asks]
    texts, out, sets = [a.text for a in asks], {}, []
    for name, prompts, bad in (("without", texts, None), ("with", texts, [a.negative for a in asks]),
                               ("another colour as negative", texts, unrelated), ("colour in the prompt", named, None)):
        sets.append(artist.draw(prompts, bad, args.seed + 2000, args.guidance))
        found = eye.look(sets[-1])
        out[name] = interval(found[:, 1] == usual)
        out[name + ", subject"] = interval(found[:, 0] == torch.tensor([a.labels()[0] for a in asks]))
    _pairs(args, "negative_colour", sets[0], sets[1], [f"{a.text} | negative: {a.negative}" for a in asks])
    return out


def _negative_night(artist, eye, args):
    asks = eval_prompts.timeless(_scaled(args, 100), random.Random(args.seed + 4))
    texts, n = [a.text for a in asks], len(asks)
    night, day, out, sets = TIME_NAMES.index("night"), TIME_NAMES.index("day"), {}, []
    at_night = [t + " at night" for t in texts]
    for name, prompts, bad in (("without", texts, None), ("negative night", texts, ["night"] * n), ("negative day", texts, ["daylight"] * n),
                               ("night in the prompt", at_night, None), ("night in both", at_night, ["night"] * n)):
        sets.append(artist.draw(prompts, bad, args.seed + 3000, args.guidance))
        time = eye.look(sets[-1])[:, 5]
        out[name] = {"night": interval(time == night), "day": interval(time == day)}
    _pairs(args, "negative_night", sets[0], sets[1], [t + " | negative: night" for t in texts])
    specs = [a.spec for a in asks[:args.n_render]]
    for i, spec in enumerate(specs):
        spec.time = ("day", "night")[i % 2]
    time = eye.look(eye.render(specs))[:, 5]
    out["judge on renders"] = {"day is called night": interval(time[0::2] == night), "night is called night": interval(time[1::2] == night)}
    return out


def _negative_blur(artist, eye, args):
    asks = eval_prompts.timeless(_scaled(args, 100), random.Random(args.seed + 5))
    texts, words = [a.text for a in asks], "blurry, out of focus"
    plain = artist.draw(texts, None, args.seed + 4000, args.guidance)
    empty = artist.draw(texts, [""] * len(texts), args.seed + 4000, args.guidance)
    away = artist.draw(texts, [words] * len(texts), args.seed + 4000, args.guidance)
    blurred = artist.draw([f"{t}, {words}" for t in texts], None, args.seed + 4000, args.guidance)
    _pairs(args, "negative_blur", plain, away, [f"{t} | negative: {words}" for t in texts])
    s = {name: sharpness(p) for name, p in (("without", plain), ("empty negative", empty), ("with", away), ("words in the prompt", blurred))}
    return {"sharpness": {name: _mean(v) for name, v in s.items()}, "with is sharper than without": interval(s["with"] > s["without"]),
            "words in the prompt are less sharp": interval(s["words in the prompt"] < s["without"]),
            "renders": _mean(sharpness(eye.render([a.spec for a in asks[:args.n_render]])))}


def _pairs(args, name, without, with_it, lines, n=16):
    """A sheet of pairs: without the negative, with it."""
    both = torch.stack([without[:n], with_it[:n]], 1).flatten(0, 1)
    sheet(args.out, name, both, [f"{line}: {which}" for line in lines[:n] for which in ("without", "with")])


def negatives(artist, eye, args):
    """Do negative words take away what they name?"""
    return {"colour": _negative_colour(artist, eye, args), "night": _negative_night(artist, eye, args), "blur": _negative_blur(artist, eye, args)}


def sizes(artist, eye, args):
    """One thing in other sizes than the square that most pictures had; beside it the judge on renders of that size."""
    out, n = {}, _scaled(args, 60)
    asks = eval_prompts.unseen(n, random.Random(args.seed + 6), counts=(1,))
    for width, height in SIZES:
        pictures = artist.draw([a.text for a in asks], seed=args.seed + 5000, guidance=args.guidance, size=(height, width))
        found, part = eye.look(pictures), asks[:args.n_render]
        drawn = eye.look(eye.render([a.spec for a in part], (height, width)))
        out[f"{width}x{height}"] = {"generated": facts(found, asks), "renders": facts(drawn, part)}
        sheet(args.out, f"size_{width}x{height}", pictures[:16], found_lines([a.text for a in asks], found)[:16])
    return out


def style(artist, eye, args):
    """The 28 profiles as the lab composes them; beside it the judge on renders of the same scenes in the same styles."""
    asks = eval_prompts.styled(args.n_style, random.Random(args.seed + 7))
    pictures = artist.draw([a.text for a in asks], [a.negative for a in asks], args.seed + 6000, args.guidance)
    found, k = eye.look(pictures), min(args.n_style, args.n_render_style)
    some = [i for i in range(len(asks)) if i % args.n_style < k]
    renders = eye.look(eye.render([asks[i].spec for i in some]))
    wanted = torch.tensor([styles.NAMES.index(a.spec.style) + 1 for a in asks])
    subject = torch.tensor([a.labels()[0] for a in asks])
    right, each = found[:, 4] == wanted, {}
    for i, name in enumerate(styles.NAMES):
        of = wanted == i + 1
        wrong = [styles.NAMES[f - 1] if f else "no style" for f in found[of & ~right, 4].tolist()]
        each[name] = {**interval(right[of]), "subject": interval(found[of, 0] == subject[of]),
                      "renders": interval((renders[:, 4] == wanted[some])[of[some]]),
                      "taken for": {w: wrong.count(w) for w in sorted(set(wrong), key=wrong.count, reverse=True)}}
    first = [i * args.n_style + j for i in range(len(styles.NAMES)) for j in range(min(2, args.n_style))]
    sheet(args.out, "styles", pictures[first], [asks[i].spec.style + ": " + asks[i].text.split(",")[0] for i in first])
    return {"style": interval(right), "subject": interval(found[:, 0] == subject), "each": each,
            "renders": {"style": interval(renders[:, 4] == wanted[some]), "subject": interval(renders[:, 0] == subject[some])}}


def img2img(artist, eye, args):
    """Another prompt over the same picture: a little strength keeps the layout, much of it changes the picture."""
    n = _scaled(args, 64)
    rng = random.Random(args.seed + 8)
    asks, new = eval_prompts.unseen(n, rng, (1,)), []
    for old in asks:
        new.append(next(a for a in iter(lambda: eval_prompts.unseen(1, rng, (1,))[0], None) if a.spec.subject != old.spec.subject))
    texts, how = [a.text for a in new], {"seed": args.seed + 7000 + ELSEWHERE, "guidance": args.guidance}
    start = artist.draw([a.text for a in asks], seed=args.seed + 7000, guidance=args.guidance)
    before, after = (torch.tensor([a.labels()[0] for a in group]) for group in (asks, new))
    out, rows = {}, [start]
    for name in ("0.3", "0.5", "0.8", "from noise"):
        z = artist.draw(texts, **how) if name == "from noise" else artist.draw(texts, **how, start=start, strength=float(name))
        found = eye.look(z)[:, 0]
        out[name] = {"change of a pixel": _mean((z - start).abs()), "layout": _mean(layout(z, start), 3),
                     "old subject": interval(found == before), "new subject": interval(found == after)}
        rows.append(z)
    m = min(n, 12)
    sheet(args.out, "img2img", torch.stack([r[:m] for r in rows], 1).flatten(0, 1),
          [f"{a.text} -> {b.text}: {w}" for a, b in zip(asks[:m], new) for w in ("start", "0.3", "0.5", "0.8", "from noise")], 5)
    return {"n": n, **out}


def renders(artist, eye, args):
    """The judge and the autoencoder on fresh renders as training sees them: plain, and each style; no crops, nothing spoiled."""
    rng, out, db, found, specs = random.Random(args.seed + 9), {}, {}, [], []
    for name in [""] + styles.NAMES:
        part = [scene.draw_spec(rng, name) for _ in range(args.n_render_style if name else args.n_render)]
        pictures = eye.render(part)
        db[name or "no style"] = psnr(pictures, artist.there_and_back(pictures)).cpu()
        found.append(eye.look(pictures))
        specs += part
    found, asks = torch.cat(found), [eval_prompts.Ask("", s) for s in specs]
    kinds = {"plain": lambda s: not s.style, "plain, one kind of thing": lambda s: not s.style and not s.other,
             "plain, a second thing beside": lambda s: not s.style and s.other, "all styles": lambda s: s.style}
    for kind, wanted in kinds.items():
        of = [i for i, s in enumerate(specs) if wanted(s)]
        if not of:
            continue
        out[kind] = facts(found[of], [asks[i] for i in of])
        time = torch.tensor([TIME_NAMES.index(specs[i].time) for i in of if specs[i].setting in OUTDOOR])
        out[kind]["time, outdoors"] = interval(found[[i for i in of if specs[i].setting in OUTDOOR], 5] == time)
    styled = torch.cat([v for k, v in db.items() if k != "no style"])
    return {"judge": out, "vae_db": {"all styles": _mean(styled, 2), "n": len(styled), **{k: _mean(v, 2) for k, v in db.items()}}}


def seeds(artist, eye, args):
    """The same prompt twice: other seeds must differ, equal ones must not."""
    asks = eval_prompts.unseen(_scaled(args, 64), random.Random(args.seed + 10))
    texts = [a.text for a in asks]
    one, two, again = (artist.draw(texts, seed=args.seed + 8000 + s, guidance=args.guidance) for s in (0, ELSEWHERE, 0))
    part = [a.spec for a in asks[:args.n_render]]
    drawn = [eye.render([dataclasses.replace(s, seed=s.seed + k, extra={}) for s in part]) for k in (0, 1)]
    each = (one - two).abs().mean((1, 2, 3))
    return {"n": len(asks), "other seed, change of a pixel": _mean(each), "other seed, layout": _mean(layout(one, two), 3),
            "least change of a picture": _mean(each.min()), "same seed, most change of a pixel": _mean((one - again).abs().max(), 6),
            "renders, change of a pixel": _mean((drawn[0] - drawn[1]).abs()), "renders, layout": _mean(layout(*drawn), 3)}


PARTS = {"held_out": held_out, "relations": relations, "negatives": negatives, "sizes": sizes, "style": style, "img2img": img2img,
         "renders": renders, "seeds": seeds}
