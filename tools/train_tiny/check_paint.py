"""Compares the two drivers of the rasteriser on random scenes: check_paint.py [cuda]"""
import random
import sys

import torch

import scene
import shapes
import stream
import tokenizer


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    size = 96 if device == "cpu" else 256
    stream.CHUNK = 6
    chunk = stream.make_chunk(random.Random(3), tokenizer.load("merges.json"), (size, size), 0.5, 3)
    rows = torch.from_numpy(chunk["rows"])
    view = torch.from_numpy(chunk["view"])
    one = torch.stack([shapes.paint_one(r.tolist(), size, size, v) for r, v in zip(chunk["rows"], view)])
    many = shapes.paint_batch(rows.to(device), size, size, device != "cpu", view.to(device)).cpu()
    diff = (one[:, :3] - many[:, :3]).abs()
    print("rows", rows.shape, "mean difference", diff.mean().item(), "share above 0.02:", (diff > 0.02).float().mean().item())
    assert diff.mean() < 2e-3


if __name__ == "__main__":
    main()
