"""The same pictures from our engine and from diffusers, and bf16 against f32, in dB of 8-bit pictures.
Then bf16 against f32 over prompts and styles: median and least. usage: check_engine.py MODEL_DIR PATH_TO_sdxl-lab"""
import glob
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image

CASES = [("a red boat on the sea at sunset", None, 1, 256, 256), ("two white rabbits in a meadow", "blurry, dark", 2, 256, 256),
         ("a purple castle in the mountains at sunset", "", 3, 320, 256), ("three yellow mushrooms in the forest", None, 4, 192, 256),
         ("an astronaut in space", "cartoon, illustration, painting", 5, 256, 256)]

PROMPTS = ("a red ball on a beach", "three yellow mushrooms", "a purple castle at sunset", "an owl in the forest at night",
           "two blue cars in the city", "a dragon left of a lighthouse")
STYLES = (None, "Photoreal", "Watercolor", "Pencil Sketch", "Ink & Screentone Manga", "Pixel Art / Isometric Game")


def engine(binary, model, case, dtype, *more):
    """-> pixels, seconds"""
    prompt, negative, seed, width, height = case
    with tempfile.TemporaryDirectory() as out:
        command = [binary, "generate", "--model", model, "--prompt", prompt, "--seed", str(seed), "--steps", "20", "--guidance", "6",
                   "--width", str(width), "--height", str(height), "--dtype", dtype, "--output-dir", out, *more]
        if negative is not None:
            command += ["--negative", negative]
        start = time.time()
        subprocess.run(command, check=True, capture_output=True)
        spent = time.time() - start
        return np.asarray(Image.open(glob.glob(os.path.join(out, "**", "*.png"), recursive=True)[0]).convert("RGB")), spent


def decibels(a, b):
    error = ((a.astype(float) - b.astype(float)) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255 ** 2 / error)


def precision(binary, model):
    """bf16 against f32, prompt by style."""
    found = {}
    for style in STYLES:
        for k, prompt in enumerate(PROMPTS):
            more = ("--profile", style) if style else ()
            full, half = (engine(binary, model, (prompt, None, 10 + k, 256, 256), dtype, *more)[0] for dtype in ("f32", "bf16"))
            found[style, prompt] = decibels(full, half)
        values = [v for (name, _), v in found.items() if name == style]
        print(f"bf16 to f32, {style or 'no style'}: " + " ".join(f"{v:.0f}" for v in values), flush=True)
    values = sorted(found.values())
    print(f"{len(values)} pictures: median {statistics.median(values):.1f} dB, least {values[0]:.1f} dB {min(found, key=found.get)}")


def main():
    model, binary = sys.argv[1:3]
    pipe = StableDiffusionXLPipeline.from_pretrained(model, torch_dtype=torch.float32, variant="fp16", add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    for case in CASES:
        prompt, negative, seed, width, height = case
        theirs = np.asarray(pipe(prompt, negative_prompt=negative, num_inference_steps=20, guidance_scale=6.0, width=width, height=height,
                                 generator=torch.Generator().manual_seed(seed)).images[0])
        full, t32 = engine(binary, model, case, "f32")
        half, t16 = engine(binary, model, case, "bf16")
        print(f"{decibels(full, theirs):6.1f} dB f32 to diffusers, {decibels(half, full):5.1f} dB bf16 to f32, {t32:.2f} s f32, {t16:.2f} s bf16, "
              f"{width}x{height}: {prompt}", flush=True)
    precision(binary, model)


if __name__ == "__main__":
    main()
