"""Fresh pictures with captions, without end: worker processes compose scenes and captions, the device paints
them. One chunk holds `CHUNK` scenes of one size, sorted by style."""
import os
import random

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import captions
import scene
import shapes
import style_fx
import styles
import tokenizer
from world import COLOUR_NAMES, SETTING_NAMES, SUBJECT_NAMES, TIME_NAMES, WEATHER_NAMES

CHUNK = int(os.environ.get("TINY_CHUNK", "128"))  # smaller for trying things on a CPU
LABELS = ("subject", "colour", "count", "setting", "style", "time", "weather")
N_LABELS = (len(SUBJECT_NAMES), len(COLOUR_NAMES), 5, len(SETTING_NAMES), len(styles.NAMES) + 1, len(TIME_NAMES), len(WEATHER_NAMES))
# height and width of the training pictures: mostly the square
SQUARE = (256, 256)
OTHERS = ((384, 384), (192, 192), (256, 384), (384, 256))


def pack(scenes):
    """Scenes' rows as one array [n, P, K], the short ones filled up with rows that paint nothing."""
    most = (max(map(len, scenes)) + 15) // 16 * 16
    rows = np.zeros((len(scenes), most, shapes.K), np.float32)
    rows[:, :, [shapes.A, shapes.B, shapes.C, shapes.EX, shapes.EY, shapes.COS]] = 1.0
    rows[:, :, [shapes.DEPTH, shapes.ID]] = -1.0
    for i, scene_rows in enumerate(scenes):
        rows[i, :len(scene_rows)] = np.asarray(scene_rows, np.float32)
    return rows


def words_for(spec, rng):
    """-> (caption, mentions, what spoils the picture or "")."""
    draw = rng.random()
    if draw < 0.04:
        text, bad = captions.negative_caption(spec.style, rng)
        return text, captions.NOTHING_SAID, bad
    if draw < 0.07:
        return (*captions.terse_caption(spec, rng), "")
    bad = rng.choice(captions.SPOILED_NAMES) if rng.random() < 0.05 else ""
    return (*captions.caption(spec, rng, bad), bad)


def make_chunk(rng, tok, size, plain_share=0.3, styles_per_chunk=7):
    """-> dict of numpy arrays: rows [n, P, K], ids [n, 77], labels and mentions [n, 7], time_ids [n, 6], view [n, 3]
    (original height, top, left), alone [n] (no second object), styles: list of (name, start, end), spoiled: list of (index, name)."""
    height, width = size
    names = [""] + rng.sample(styles.NAMES, styles_per_chunk)
    n_plain = int(CHUNK * plain_share)
    which = sorted([0] * n_plain + [1 + i % styles_per_chunk for i in range(CHUNK - n_plain)])
    all_rows, ids, labels, mentions, time_ids, view, spoiled, alone = [], [], [], [], [], [], [], []
    for i, k in enumerate(which):
        spec = scene.draw_spec(rng, names[k])
        text, said, bad = words_for(spec, rng)
        if bad:
            spoiled.append((i, bad))
        original, top, left = height, 0, 0
        if rng.random() < 0.10:
            original = height * rng.choice([5, 6]) // 4
            spare = original - height
            top, left = rng.randint(0, spare), rng.randint(0, spare * width // height)
        rows = scene.compose(spec, width / height, styles.scene_of(spec.style))
        all_rows.append(rows)
        ids.append(tok.encode(text))
        labels.append((SUBJECT_NAMES.index(spec.subject), COLOUR_NAMES.index(spec.shown_colour), spec.count - 1,
                       SETTING_NAMES.index(spec.setting), k and styles.NAMES.index(names[k]) + 1, TIME_NAMES.index(spec.time),
                       WEATHER_NAMES.index(spec.weather)))
        mentions.append([said[name] for name in LABELS])
        alone.append(not spec.other)
        seen = (128, 128 * width // height) if bad == "lowres" else (original, original * width // height)
        time_ids.append((*seen, top, left, height, width))
        view.append((original, top, left))
    spans, start = [], 0
    for k, name in enumerate(names):
        n = which.count(k)
        spans.append((name, start, start + n))
        start += n
    return {"rows": pack(all_rows), "ids": np.asarray(ids, np.int16), "labels": np.asarray(labels, np.int16),
            "mentions": np.asarray(mentions, np.int16), "time_ids": np.asarray(time_ids, np.float32),
            "view": np.asarray(view, np.float32), "alone": np.asarray(alone), "spans": spans, "spoiled": spoiled, "size": size}


def judge_labels(chunk):
    """labels [n, 7] for the judge's training: -100, which is to say nothing, for subject, colour and count of pictures
    with a second object, in which either could be meant."""
    labels = chunk["labels"].astype(np.int64)
    labels[np.ix_(~chunk["alone"], [0, 1, 2])] = -100
    return torch.from_numpy(labels)


def _spoil(name, z):
    """z: [1, 3, h, w]."""
    if name == "blurry":
        h, w = z.shape[2:]
        return F.interpolate(F.interpolate(z, scale_factor=0.2, mode="area"), size=(h, w), mode="bilinear", align_corners=False)
    if name == "noise":
        return z + torch.randn_like(z[:, :1]) * 0.14
    if name == "oversaturated":
        y = style_fx.luma(z)
        return y + (z - y) * 2.6
    if name == "washed out":
        return z * 0.45 + 0.36
    if name == "overexposed":
        return z * 1.9 + 0.1
    if name == "dark":
        return z * 0.35
    h, w = z.shape[2:]
    return F.interpolate(F.interpolate(z, scale_factor=0.125, mode="area"), size=(h, w), mode="nearest")


@torch.no_grad()
def render(chunk, device, generator):
    """-> pictures [n, 3, h, w] float32 in 0..1 on the device."""
    height, width = chunk["size"]
    if torch.device(device).type == "cpu":
        canvas = torch.stack([shapes.paint_one(r.tolist(), height, width, v) for r, v in zip(chunk["rows"], chunk["view"])])
    else:
        rows = torch.from_numpy(chunk["rows"]).to(device)
        import shapes_triton
        canvas = shapes_triton.paint(rows, height, width, torch.from_numpy(chunk["view"]).to(device))
    out = torch.cat([style_fx.apply(name, canvas[a:b], generator) for name, a, b in chunk["spans"] if b > a])
    for i, name in chunk["spoiled"]:
        out[i:i + 1] = _spoil(name, out[i:i + 1])
    return out.clamp(0, 1)


def _work(seed, merges, share_other, queue, torch_threads=1):
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(10)
    torch.set_num_threads(torch_threads)
    rng = random.Random(seed)
    tok = tokenizer.load(merges)
    while True:
        size = rng.choice(OTHERS) if rng.random() < share_other else SQUARE
        queue.put(make_chunk(rng, tok, size))


class Stream:
    """next() -> a chunk. workers 0: made here, for tests."""

    def __init__(self, seed, merges, workers, share_other=0.0, depth=48):
        self.workers = []
        self.rng, self.tok = random.Random(seed), tokenizer.load(merges)
        self.share_other = share_other
        if workers:
            context = mp.get_context("fork")
            self.queue = context.Queue(depth)
            for k in range(workers):
                worker = context.Process(target=_work, args=(seed * 1000 + k, merges, share_other, self.queue), daemon=True)
                worker.start()
                self.workers.append(worker)

    def next(self):
        if self.workers:
            return self.queue.get()
        size = self.rng.choice(OTHERS) if self.rng.random() < self.share_other else SQUARE
        return make_chunk(self.rng, self.tok, size)

    def close(self):
        for worker in self.workers:
            worker.terminate()
