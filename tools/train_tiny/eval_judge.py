"""The judge at work: pictures to labels, shares with their 95 % intervals, and fresh renders to measure the judge by."""
import math

import torch
import torch.nn.functional as F

import scene
import shapes
import style_fx
import stream
import styles
import trainlib
from classifier import Classifier
from world import COLOUR_NAMES, SUBJECT_NAMES

FACTS = stream.LABELS[:4]


def interval(right):
    """right: bools -> share in percent with its 95 % Wilson interval."""
    right = torch.as_tensor(right)
    n, z = len(right), 1.96
    p = right.float().mean().item() if n else 0.0
    if not n:
        return {"share": None, "low": None, "high": None, "n": 0}
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (max(0.0, min(1.0, (middle + s * half) / (1 + z * z / n))) for s in (-1, 1))
    return {"share": round(100 * p, 1), "low": round(100 * low, 1), "high": round(100 * high, 1), "n": n}


def facts(found, asks):
    """found: [n, 7] labels -> intervals of subject, colour, count, setting, and of all four at once."""
    right = found[:, :4] == torch.tensor([a.labels() for a in asks])
    return {**{name: interval(right[:, i]) for i, name in enumerate(FACTS)}, "all": interval(right.all(1))}


def confusions(found, asks, most=12):
    """The commonest errors of subject and colour: "asked -> found": times."""
    out = {}
    for which, (fact, names) in enumerate((("subject", SUBJECT_NAMES), ("colour", COLOUR_NAMES))):
        count = {}
        for f, a in zip(found[:, which].tolist(), asks):
            if f != a.labels()[which]:
                key = f"{names[a.labels()[which]]} -> {names[f]}"
                count[key] = count.get(key, 0) + 1
        out[fact] = dict(sorted(count.items(), key=lambda kv: -kv[1])[:most])
    return out


class Eye:
    """The judge, and the renderer on the same device."""

    def __init__(self, path, device, seed=9):
        self.device, self.net = device, Classifier()
        self.net.load_state_dict(trainlib.load(path))
        self.net.to(device).eval().requires_grad_(False)
        self.gen = torch.Generator(device).manual_seed(seed)

    @torch.no_grad()
    def look(self, pictures):
        """-> [n, 7] labels, on the CPU."""
        return torch.cat([torch.stack([z.argmax(1) for z in self.net(p)], 1) for p in pictures.split(64)]).cpu()

    def sides(self, pictures):
        """-> labels of the left and of the right half, each made a square by repeating its edges (the judge knows squares)."""
        half = pictures.shape[3] // 2
        wide = [F.pad(p, (half // 2, half - half // 2, 0, 0), mode="replicate") for p in (pictures[..., :half], pictures[..., half:])]
        return self.look(wide[0]), self.look(wide[1])

    def render(self, specs, size=(256, 256)):
        """-> fresh pictures [n, 3, h, w] of scenes, each in its style."""
        out = []
        for i in range(0, len(specs), 128):
            part = specs[i:i + 128]
            canvas = self._paint([scene.compose(s, size[1] / size[0], styles.scene_of(s.style)) for s in part], *size)
            out += [style_fx.apply(s.style, canvas[k:k + 1], self.gen).clamp(0, 1) for k, s in enumerate(part)]
        return torch.cat(out)

    def _paint(self, scenes, height, width):
        if torch.device(self.device).type == "cpu":
            return torch.stack([shapes.paint_one(rows, height, width) for rows in scenes])
        import shapes_triton
        view = torch.tensor([[height, 0.0, 0.0]], device=self.device).expand(len(scenes), 3).contiguous()
        return shapes_triton.paint(torch.from_numpy(stream.pack(scenes)).to(self.device), height, width, view)


def placed(eye, pictures, asks):
    """Are the two things of a relation where they belong? -> intervals."""
    left, right = eye.sides(pictures)
    first = torch.tensor([[a.spec.other[2] == "left of"] for a in asks])
    here, there = torch.where(first, left, right), torch.where(first, right, left)
    one = torch.tensor([a.labels()[:2] for a in asks])
    two = torch.tensor([(SUBJECT_NAMES.index(a.spec.other[0]), COLOUR_NAMES.index(a.spec.other[1])) for a in asks])
    named, other = here[:, 0] == one[:, 0], there[:, 0] == two[:, 0]
    coloured = (here[:, 1] == one[:, 1]) & (there[:, 1] == two[:, 1])
    swapped = (here[:, 0] == two[:, 0]) & (there[:, 0] == one[:, 0])
    return {"first in place": interval(named), "second in place": interval(other), "both in place": interval(named & other),
            "both with colours": interval(named & other & coloured), "sides swapped": interval(swapped)}
