"""Does the model draw what it is told? Judged by the classifier that was trained on renders only; beside each figure
stands the judge's own on fresh renders of the same scenes. Writes evaluation.json and contact sheets with their prompts.
usage: evaluate.py MODEL_DIR --judge F --out DIR [--only held_out,relations] [--n 500] [--device cuda]
A part that is asked for alone joins what evaluation.json already has of the same weights and judge."""
import argparse
import hashlib
import json
import os
import time

import torch

from artist import Artist
from eval_judge import Eye
from eval_parts import PARTS
from eval_sheets import sheet
from train_unet import LOOK


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    for name in ("--judge", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas: " + ", ".join(PARTS))
    parser.add_argument("--n", type=int, default=500, help="held-out prompts; relations, negatives, sizes, img2img and seeds in proportion")
    parser.add_argument("--n-style", type=int, default=18, help="pictures of each style")
    parser.add_argument("--n-render", type=int, default=500, help="fresh renders of a part, at most")
    parser.add_argument("--n-render-style", type=int, default=18, help="fresh renders of each style")
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=0, help="0: 128 on a GPU, 4 on a CPU; the noise depends on it")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    args.batch = args.batch or (128 if args.device == "cuda" else 4)
    unknown = set(args.only.split(",")) - set(PARTS)
    if unknown:
        parser.error("no such part: " + ", ".join(sorted(unknown)))
    return args


def digest(*paths):
    """Of files and folders of weights."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(os.path.join(d, f) for d, _, names in os.walk(path) for f in names if f.endswith(".safetensors"))
        for name in files or [path]:
            with open(name, "rb") as file:
                total.update(file.read())
    return total.hexdigest()[:16]


def begin(args):
    """-> what evaluation.json has of the same weights, or a new one."""
    made = {"weights": digest(args.dir), "judge": digest(args.judge)}
    try:
        with open(os.path.join(args.out, "evaluation.json"), encoding="utf-8") as file:
            old = json.load(file)
    except FileNotFoundError:
        old = {}
    return old if {k: old.get(k) for k in made} == made else {**made, "made": {}}


def save(out, result):
    with open(os.path.join(out, "evaluation.json.part"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
    os.replace(os.path.join(out, "evaluation.json.part"), os.path.join(out, "evaluation.json"))


def main():
    args = parse()
    os.makedirs(args.out, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.backends.cudnn.deterministic = True  # and no trying out of algorithms: the same figures each time
    artist, result = Artist(args.dir, args.device, args.batch, args.steps), begin(args)
    how = {k: getattr(args, k) for k in ("device", "seed", "guidance", "steps", "batch", "n", "n_style", "n_render", "n_render_style")}
    for name in args.only.split(","):
        start = time.time()
        result[name] = PARTS[name](artist, Eye(args.judge, args.device), args)
        result["made"][name] = {**how, "dtype": "bf16" if artist.dtype else "f32", "seconds": round(time.time() - start, 1)}
        save(args.out, result)
        print(name, json.dumps(result[name], ensure_ascii=False), flush=True)
    sheet(args.out, "samples", artist.draw(LOOK, seed=5, guidance=args.guidance), LOOK)
    print({name: made["seconds"] for name, made in result["made"].items()})


if __name__ == "__main__":
    main()
