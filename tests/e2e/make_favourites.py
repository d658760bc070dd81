#!/usr/bin/env python3
"""make_favourites.py DIR [PICTURES] - the job log of somebody whose taste is known, as the earlier app wrote it, and
lists of what is loved: loved.txt, loved.csv, and a folder of links. Pictures of what is loved are there; most others
are not, as after years. What is loved: one model, one profile, one size."""
import json
import random
import struct
import sys
import zlib
from pathlib import Path

MODELS = ["CyberRealistic XL v5.8", "SDXL Base 1.0", "Juggernaut XL", "Animagine XL 4.0", "=cmd|'/c calc'!A0"]
PROFILES = ["Dark Fantasy / Grimdark", "Photoreal", "Watercolor", "Cinematic", "Pencil Sketch", "None (raw)"]
SIZES = [(768, 768), (1024, 1024), (832, 1216)]
SCHEDULERS = ["DPM++ 2M", "Euler", "UniPC"]
SUBJECTS = ["a castle", "a harbour", "an old fox", "a \u001b[31mred\u0007 door", "a <script>alert(1)</script> robot"]


def png(colour):
    rows = b"".join(b"\0" + bytes(colour) * 8 for _ in range(8))
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    out = Path(sys.argv[1]).resolve()
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    chance = random.Random(5)
    pictures = out / "images"
    pictures.mkdir(parents=True)
    (out / "links").mkdir()
    loved = []
    with open(out / "jobs_old.log", "w") as log:
        for i in range(n):
            model, profile = chance.choice(MODELS), chance.choice(PROFILES)
            (width, height), scheduler = chance.choice(SIZES), chance.choice(SCHEDULERS)
            odds = 0.012 * (4 if model == MODELS[0] else 1) * (4 if profile == PROFILES[0] else 1)
            odds *= 2 if (width, height) == SIZES[0] else 1
            path = pictures / f"{i:06}.png"
            log.write(json.dumps({
                "timestamp": f"2026{1 + i * 10 // n:02}{1 + i % 28:02}_120000", "mode": "txt2img",
                "profile_style": profile, "prompt": f"{chance.choice(SUBJECTS)} at dusk", "model_key": model,
                "model_id": "x/" + model, "scheduler": scheduler, "steps": chance.choice([20, 30, 40]),
                "guidance_scale": chance.choice([5.0, 6.5, 8.0]), "width": width, "height": height,
                "batch_size": 1, "seed_base": i, "seeds": [i], "paths": [str(path)], "run_dir": None}) + "\n")
            if chance.random() < odds:
                loved.append(path)
                path.write_bytes(png((i % 256, i // 256 % 256, 90)))
    (out / "loved.txt").write_text("".join(f"{path}\n" for path in loved) + "/nowhere/strange.png\n")
    (out / "loved.csv").write_text("path,rating\n" + "".join(f"{path},{1 + i % 5}\n" for i, path in enumerate(loved)))
    for path in loved:
        (out / "links" / path.name).symlink_to(path)
    print(len(loved))


if __name__ == "__main__":
    main()
