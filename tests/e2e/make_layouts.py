#!/usr/bin/env python3
"""make_layouts.py RANDOM_REPO DIR - the ten repositories of the lab's list in miniature.

DIR/hub is a Hugging Face cache with blobs and links: the names, variants, shards, stale files and scheduler
classes of the real repositories (docs/MODELS.md) over random weights. Beside it, per repository and called by
the last part of its id:
  DIR/plain/NAME     a folder with just the weights that should be chosen, whole and under their plain names
  DIR/chosen/NAME    their digests, one a line; DIR/others/NAME: those of the weights that should not be
DIR/list has a line a repository: key of the list, id, NAME, the LoRA's file or "-".
Weights that should not be chosen come from another seed, so that they draw another picture.
"""

import hashlib
import json
import os
import pathlib
import random
import struct
import subprocess
import sys

COMMIT = "0123456789012345678901234567890123456789"
STALE = 99  # the seed of all that should not be chosen
UNET, VAE = "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model"
TEXT = ["text_encoder/model", "text_encoder_2/model"]
ALL = [UNET, VAE, *TEXT]
LEADING = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
           "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 1}

tool, top = sys.argv[1], pathlib.Path(sys.argv[2])
made = top / "made"
made.mkdir(parents=True)


def run(*options, name):
    """Random weights, made once."""
    path = made / name
    if not path.exists():
        subprocess.run([tool, *map(str, options), path], check=True, stdout=subprocess.DEVNULL)
    return path


def folder(seed, dtype, size="tiny"):
    return run("--size", size, "--dtype", dtype, "--seed", seed, name=f"{size}-{seed}-{dtype}")


def checkpoint(seed, dtype="f16", size="tiny"):
    return run("--size", size, "--dtype", dtype, "--seed", seed, "--single-file",
               name=f"{size}-{seed}-{dtype}.safetensors")


def weights(seed, dtype, variant="", names=ALL):
    """{path in the repository: file}"""
    ending = f".{variant}.safetensors" if variant else ".safetensors"
    return {name + ending: folder(seed, dtype) / (name + ".safetensors") for name in names}


def configs(seed, scheduler, **config):
    """Everything of a folder but weights, with that scheduler."""
    source = folder(seed, "f16")
    files = {str(p.relative_to(source)): p for p in source.rglob("*") if p.is_file() and p.suffix != ".safetensors"}
    index = json.loads((source / "model_index.json").read_text())
    index["scheduler"][1] = scheduler
    files["model_index.json"] = json.dumps(index, indent=2).encode()
    files["scheduler/scheduler_config.json"] = json.dumps({"_class_name": scheduler, **LEADING, **config}).encode()
    return files


def read(path):
    """(header, the bytes behind it)"""
    data = path.read_bytes()
    n, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    return header, data[8 + n:]


def write(tensors):
    """A safetensors file of {name: (dtype, shape, bytes)}."""
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def shards(stem, path, n=2):
    """The tensors of a file in turn over n files, and their index."""
    header, data = read(path)
    parts, where = [{} for _ in range(n)], {}
    names = [f"{stem}-{i + 1:05}-of-{n:05}.safetensors" for i in range(n)]
    for i, (name, tensor) in enumerate(header.items()):
        begin, end = tensor["data_offsets"]
        parts[i % n][name] = (tensor["dtype"], tensor["shape"], data[begin:end])
        where[name] = os.path.basename(names[i % n])
    index = {"metadata": {"total_size": len(data)}, "weight_map": where}
    return {**{names[i]: write(parts[i]) for i in range(n)},
            stem + ".safetensors.index.json": json.dumps(index, indent=2).encode()}


def lora(path, rank=2):
    """A LoRA in kohya's names for the attention layers of a UNet."""
    header, _ = read(path)
    dice, tensors = random.Random(1), {}
    for name, tensor in header.items():
        if not name.endswith(("to_q.weight", "to_v.weight")):
            continue
        module = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
        rows, columns = tensor["shape"]
        for part, shape in (("lora_down", [rank, columns]), ("lora_up", [rows, rank])):
            values = [dice.gauss(0, 0.3) for _ in range(shape[0] * shape[1])]
            tensors[f"{module}.{part}.weight"] = ("F16", shape, struct.pack(f"<{len(values)}e", *values))
        tensors[module + ".alpha"] = ("F16", [], struct.pack("<e", rank))
    return write(tensors)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        os.link(content, path)


digests = {}


def blob_name(content, is_weight):
    """As the hub does: SHA-256 of large files, git's SHA-1 of the others."""
    key = content if isinstance(content, bytes) else str(content)
    if key not in digests:
        data = content if isinstance(content, bytes) else content.read_bytes()
        digests[key] = (hashlib.sha256(data) if is_weight
                        else hashlib.sha1(b"blob %d\0" % len(data) + data)).hexdigest()
    return digests[key]


def repository(key, repo, files, chosen, plain, lora_file="-"):
    """files: what the repository holds; chosen: the paths that should be read; plain: the folder of the same
    weights."""
    name = repo.rpartition("/")[2]
    base = top / "hub" / ("models--" + repo.replace("/", "--"))
    snapshot = base / "snapshots" / COMMIT
    put(base / "refs/main", COMMIT.encode())
    for path, content in files.items():
        blob = base / "blobs" / blob_name(content, path.endswith((".safetensors", ".bin", ".onnx", ".msgpack")))
        if not blob.exists():
            put(blob, content)
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink("../" * (2 + path.count("/")) + "blobs/" + blob.name, snapshot / path)
    for path, content in plain.items():
        put(top / "plain" / name / path, content)
    found = {path: blob_name(content, True) for path, content in files.items() if path.endswith(".safetensors")}
    right = {found[path] for path in chosen}
    put(top / "chosen" / name, "".join(d + "\n" for d in sorted(right)).encode())
    put(top / "others" / name, "".join(d + "\n" for d in sorted(set(found.values()) - right)).encode())
    with open(top / "list", "a") as out:
        out.write("\t".join((key, repo, name, lora_file)) + "\n")


def of_others(*names):
    """What the lab never reads: {name: bytes}."""
    return {name: b"not for us: " + name.encode() for name in names}


def plain_files(names=ALL):
    return [name + ".safetensors" for name in names]


def main():
    # Both precisions, other frameworks, VAEs of other names, single files and a LoRA at the root.
    base_lora = lora(folder(1, "f16") / (UNET + ".safetensors"))
    settings = configs(1, "EulerDiscreteScheduler")
    own = weights(1, "f32")
    repository("SDXL Base 1.0", "stabilityai/stable-diffusion-xl-base-1.0", {
        **settings, **own, **weights(1, "f16", "fp16"),
        **{path.replace("vae/", "vae_1_0/"): file for path, file in weights(STALE, "f32", names=[VAE]).items()},
        **{path.replace("vae/", "vae_1_0/"): file for path, file in weights(STALE, "f16", "fp16", [VAE]).items()},
        "vae_1_0/config.json": settings["vae/config.json"],
        **of_others("README.md", "LICENSE.md", "unet/diffusion_flax_model.msgpack", "unet/model.onnx",
                    "unet/openvino_model.bin", "unet/openvino_model.xml", "text_encoder/flax_model.msgpack",
                    "vae_decoder/model.onnx", "vae_decoder/config.json", "vae_encoder/model.onnx"),
        "sd_xl_base_1.0.safetensors": checkpoint(STALE), "sd_xl_base_1.0_0.9vae.safetensors": checkpoint(STALE, "f32"),
        "sd_xl_offset_example-lora_1.0.safetensors": base_lora}, plain_files(), {**settings, **own})

    settings, own = configs(2, "EulerAncestralDiscreteScheduler", timestep_spacing="trailing"), weights(2, "f32")
    repository("SDXL Turbo", "stabilityai/sdxl-turbo", {
        **settings, **own, **weights(2, "f16", "fp16"), "sd_xl_turbo_1.0.safetensors": checkpoint(STALE, "f32"),
        "sd_xl_turbo_1.0_fp16.safetensors": checkpoint(STALE)}, plain_files(), {**settings, **own})

    # The UNet of the plain name in shards, its fp16 variant whole.
    settings, own = configs(3, "DDIMScheduler", clip_sample=False, set_alpha_to_one=False), weights(3, "f32")
    parts = shards(UNET, own[UNET + ".safetensors"])
    rest = {path: file for path, file in own.items() if not path.startswith("unet/")}
    repository("RealVis XL V5.0", "SG161222/RealVisXL_V5.0", {
        **settings, **rest, **parts, **weights(3, "f16", "fp16"), "RealVisXL_V5.0_fp16.safetensors": checkpoint(STALE),
        "RealVisXL_V5.0_fp32.safetensors": checkpoint(STALE, "f32")},
        [*rest, *(path for path in parts if path.endswith(".safetensors"))], {**settings, **own})

    settings, own = configs(4, "DDPMScheduler", clip_sample=False, variance_type="fixed_small"), weights(4, "f16")
    repository("CyberRealistic XL v5.8", "John6666/cyberrealistic-xl-v58-sdxl", {**settings, **own}, plain_files(),
               {**settings, **own})

    settings, own = configs(5, "EulerAncestralDiscreteScheduler"), weights(5, "f16")
    repository("Animagine XL 4.0", "cagliostrolab/animagine-xl-4.0", {
        **settings, **own, "animagine-xl-4.0.safetensors": checkpoint(STALE),
        "animagine-xl-4.0-opt.safetensors": checkpoint(5, size="words")}, plain_files(), {**settings, **own})

    # A stale whole file beside the shards that count.
    settings, own = configs(6, "EulerDiscreteScheduler"), weights(6, "f16")
    parts = shards(UNET, own[UNET + ".safetensors"])
    rest = {path: file for path, file in own.items() if not path.startswith("unet/")}
    repository("Juggernaut XL", "stablediffusionapi/juggernautxl", {
        **settings, **rest, **parts, **weights(STALE, "f32", names=[UNET])},
        [*rest, *(path for path in parts if path.endswith(".safetensors"))], {**settings, **own})

    settings = configs(7, "DEISMultistepScheduler", solver_order=2, algorithm_type="deis", solver_type="logrho",
                       lower_order_final=True)
    own = weights(7, "f32")
    repository("DreamShaper XL", "Lykon/dreamshaper-xl-1-0", {**settings, **own, **weights(7, "f16", "fp16")},
               plain_files(), {**settings, **own})

    # One file alone. Its tokenizer is CLIP's own, so its text encoders have CLIP's vocabulary.
    one, same = checkpoint(8, size="words"), folder(8, "f16", "words")
    repository("EpicRealism XL", "AiAF/epicrealismXL-vx1Finalkiss_Checkpoint_SDXL", {
        **of_others(".gitattributes", "README.md"), "epicrealismXL_vx1Finalkiss.safetensors": one},
        ["epicrealismXL_vx1Finalkiss.safetensors"],
        {str(p.relative_to(same)): p for p in same.rglob("*") if p.is_file()})

    pixel_art = lora(folder(1, "f16") / (UNET + ".safetensors"), rank=4)
    repository("Pixel Art XL", "nerijs/pixel-art-xl", {
        **of_others(".gitattributes", "README.md"), "pixel-art-xl.safetensors": pixel_art},
        ["pixel-art-xl.safetensors"], {"pixel-art-xl.safetensors": pixel_art}, "pixel-art-xl.safetensors")

    settings, own = configs(10, "EulerDiscreteScheduler"), weights(10, "f16")
    repository("Anime Illust Diffusion XL", "Eugeoter/anime_illust_diffusion_xl", {
        **settings, **own, "anime-illust-diffusion-v08.safetensors": checkpoint(STALE),
        "aidxlv041.safetensors": checkpoint(STALE), "aidxlv042.safetensors": checkpoint(STALE)}, plain_files(),
        {**settings, **own})


main()
