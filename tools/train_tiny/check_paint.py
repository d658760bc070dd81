"""Compares the two drivers of the rasteriser on random scenes: check_paint.py [cuda]"""
import random
import sys
import time

import torch

import shapes
import stream
import tokenizer


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    size = 64 if device == "cpu" else 256
    stream.CHUNK = 6 if device == "cpu" else 128
    chunk = stream.make_chunk(random.Random(3), tokenizer.load("merges.json"), (size, size), 0.5, 3)
    rows, view = torch.from_numpy(chunk["rows"]).to(device), torch.from_numpy(chunk["view"]).to(device)
    one = torch.stack([shapes.paint_one(r.tolist(), size, size, v.tolist()) for r, v in zip(rows[:6].cpu(), view.cpu())])
    for name in sys.argv[2:] or ["torch"]:
        if name == "torch":
            many = shapes.paint_batch(rows[:6], size, size, view[:6]).cpu()
        else:
            import shapes_triton
            many = shapes_triton.paint(rows, size, size, view)
            if device == "cuda":
                torch.cuda.synchronize()
                start = time.time()
                for _ in range(5):
                    shapes_triton.paint(rows, size, size, view)
                torch.cuda.synchronize()
                print("%.0f pictures/s" % (5 * len(rows) / (time.time() - start)))
            many = many[:6].cpu()
        diff = (one - many).abs()
        print(name, tuple(rows.shape), "mean difference", diff.mean().item(), "share above 0.02:", (diff > 0.02).float().mean().item())
        assert diff.mean() < 2e-3


if __name__ == "__main__":
    main()
