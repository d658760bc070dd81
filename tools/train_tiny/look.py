"""Contact sheets of renders, for looking at.
usage: look.py OUT.png [--what subjects|settings|random|styles] [--size 128] [--seed 0]"""
import argparse
import random

import numpy as np
import torch
from PIL import Image

import scene
import shapes
from world import SETTING_NAMES, SUBJECT_NAMES, SUBJECTS, TIME_NAMES


def sheet(images, columns):
    """images: list of [3, h, w] in 0..1 -> PIL picture."""
    h, w = images[0].shape[1:]
    rows = (len(images) + columns - 1) // columns
    out = np.full((rows * (h + 4), columns * (w + 4), 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (h + 4), i % columns * (w + 4)
        out[y:y + h, x:x + w] = (image.clamp(0, 1).permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--what", default="random")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--n", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(args.seed)
    specs = []
    if args.what == "subjects":
        for name in SUBJECT_NAMES:
            spec = scene.draw_spec(rng, allow_held_out=True)
            spec.subject, spec.count, spec.other, spec.setting, spec.time, spec.weather = name, 1, None, "studio", "day", "clear"
            spec.size, spec.where = "large", "center"
            spec.shown_colour = SUBJECTS[name][2][0]
            specs.append(spec)
    elif args.what == "settings":
        for name in SETTING_NAMES:
            for time in TIME_NAMES[:2] + TIME_NAMES[3:]:
                spec = scene.draw_spec(rng)
                spec.setting, spec.time, spec.other = name, time, None
                specs.append(spec)
    elif args.what == "styles":
        import styles
        import style_fx
        images = []
        for k, name in enumerate(styles.NAMES):
            for _ in range(2):
                spec = scene.draw_spec(rng)
                spec.style = name
                rows = scene.compose(spec, 1.0, styles.scene_of(name))
                canvas = shapes.paint_one(rows, args.size, args.size)
                images.append(style_fx.apply(name, canvas[None], torch.Generator().manual_seed(k))[0])
        sheet(images, 8).save(args.out)
        return
    else:
        specs = [scene.draw_spec(rng) for _ in range(args.n)]
    images, most = [], 0
    for spec in specs:
        rows = scene.compose(spec)
        most = max(most, len(rows))
        images.append(shapes.paint_one(rows, args.size, args.size)[:3])
    print("rows at most", most)
    sheet(images, 10 if args.what == "subjects" else 9).save(args.out)


if __name__ == "__main__":
    main()
