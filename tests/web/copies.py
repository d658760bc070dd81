"""copies.py - many pictures out of a few that were drawn: each is a copy whose record says another seed and cell."""
import hashlib
import json
import os
import struct
import subprocess
import zlib

KINDS = (("64x64", "1", "a red square", "None (raw)"), ("128x64", "2", "a green field", "Watercolor"),
         ("64x96", "1", "an old tower", "Cinematic"))


def chunks(data):
    at = 8
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + n]
        at += n + 12


def copy(source, target, seed):
    """A picture as if it had been drawn from another seed: its record says so."""
    with open(source, "rb") as file:
        data = file.read()
    out = data[:8]
    for kind, body in chunks(data):
        if kind == b"tEXt" and body.startswith(b"sdxl-lab\0"):
            record = json.loads(body[9:])
            record.update(seed=str(seed), cell=hashlib.md5(target.encode()).hexdigest())
            body = b"sdxl-lab\0" + json.dumps(record).encode()
        elif kind == b"tEXt":
            continue
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with open(target, "wb") as file:
        file.write(out)


def draw(program, server):
    """Two pictures of each kind, drawn by the embedded model: their paths, in the order of the kinds."""
    drawn = []
    for size, steps, prompt, profile in KINDS:
        result = subprocess.run(
            [program, "generate", "--prompt", prompt, "--profile", profile, "--batch", "2", "--steps", steps, "--size", size, "--seed", "7",
             "--device", "cpu", "--output-dir", os.path.join(server.home, "seeds"), "--instance", "test", "--quiet"],
            env=server.environment, cwd=server.home, capture_output=True, text=True)
        if result.returncode:
            raise RuntimeError(result.stderr)
        drawn += result.stdout.split("\n")[:2]
    return drawn


def spread(drawn, folder, n):
    """n copies in a folder: p000.png, p001.png, ..."""
    for i in range(n):
        copy(drawn[i % len(drawn)], os.path.join(folder, "p%03d.png" % i), 1000 + i)
