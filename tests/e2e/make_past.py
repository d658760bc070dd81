"""make_past.py FOLDER - pictures with the records of other programs, as those write them. Standard library only."""
import json
import struct
import sys
import zlib

out = sys.argv[1]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def text_chunk(keyword, text, kind):
    key = keyword.encode("latin-1")
    if kind == "tEXt":
        return chunk(b"tEXt", key + b"\0" + text.encode("latin-1"))
    if kind == "zTXt":
        return chunk(b"zTXt", key + b"\0\0" + zlib.compress(text.encode("latin-1")))
    return chunk(b"iTXt", key + b"\0\0\0\0\0" + text.encode("utf-8"))


def png(name, texts, extra=b""):
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    body = b"".join(text_chunk(k, t, kind) for k, t, kind in texts)
    data = chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 24) * 8)) + chunk(b"IEND", b"")
    with open(f"{out}/{name}", "wb") as file:
        file.write(head + body + extra + data)


def exif(text, order, code=b"UNICODE\0"):
    """A TIFF block whose EXIF directory has a UserComment."""
    end = ">" if order == "MM" else "<"
    encoded = text.encode("utf-16-be" if order == "MM" else "utf-16-le") if code[:1] == b"U" else text.encode()
    value = code + encoded
    first = struct.pack(end + "H", 1) + struct.pack(end + "HHII", 0x8769, 4, 1, 26) + struct.pack(end + "I", 0)
    second = struct.pack(end + "H", 1) + struct.pack(end + "HHII", 0x9286, 7, len(value), 44) + struct.pack(end + "I", 0)
    return order.encode() + struct.pack(end + "HI", 42, 8) + first + second + value


def jpeg(name, block):
    app0 = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    body = b"Exif\0\0" + block
    with open(f"{out}/{name}", "wb") as file:
        file.write(b"\xff\xd8" + app0 + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xda\0\2\xff\xd9")


def webp(name, block):
    body = b"VP8X" + struct.pack("<I", 10) + bytes(10) + b"EXIF" + struct.pack("<I", len(block)) + block + b"\0" * (len(block) % 2)
    with open(f"{out}/{name}", "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


A1111 = """a castle, (fog:1.2) <lora:pixel-art-xl:0.8>
on a hill
Negative prompt: blurry, lowres
Steps: 26, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 1234567890123, Size: 832x1216, Model hash: 31e35c80fc, \
Model: sd_xl_base_1.0, Clip skip: 2, RNG: CPU, Hires upscale: 2, Lora hashes: "pixel-art-xl: bbf3d8defbfb", Version: v1.10.1"""
png("a1111.png", [("parameters", A1111, "tEXt")])
png("a1111-old.png", [("parameters", "a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 512x512, Model: x", "zTXt")])
png("a1111-utf8.png", [("parameters", "ein Käfer, 狐\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7", "iTXt")])
png("a1111-automatic.png", [("parameters", A1111.replace("Karras", "Automatic"), "tEXt")])
jpeg("a1111.jpg", exif(A1111, "MM"))
jpeg("a1111-intel.jpg", exif(A1111, "II"))
jpeg("a1111-ascii.jpg", exif("a fox\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 9", "II", b"ASCII\0\0\0"))
webp("a1111.webp", exif(A1111, "MM"))

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {
        "seed": 42, "steps": 25, "cfg": 6.5, "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1.0,
        "model": ["11", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 1216, "height": 832, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["13", 0]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["13", 0]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "pixel.safetensors", "strength_model": 0.7,
                                                  "strength_clip": 1.0, "model": ["4", 0], "clip": ["4", 1]}},
    "11": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "line.safetensors", "strength_model": 1, "model": ["10", 0]}},
    "12": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "a lighthouse at dusk"}},
    "13": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["10", 1]}},
    "20": {"class_type": "KSampler", "inputs": {
        "seed": 43, "steps": 10, "cfg": 5, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.4,
        "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["3", 0]}},
}
png("comfy.png", [("prompt", json.dumps(GRAPH), "tEXt"), ("workflow", json.dumps({"nodes": []}), "tEXt")])
png("comfy-custom.png", [("prompt", json.dumps({
    "1": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["2", 0], "guider": ["3", 0], "sampler": ["4", 0],
                                                            "sigmas": ["5", 0], "latent_image": ["6", 0]}},
    "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 18446744073709551615}},
    "3": {"class_type": "CFGGuider", "inputs": {"model": ["7", 0], "positive": ["8", 0], "negative": ["9", 0], "cfg": 4}},
    "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler_ancestral"}},
    "5": {"class_type": "BasicScheduler", "inputs": {"scheduler": "simple", "steps": 12, "denoise": 1, "model": ["7", 0]}},
    "6": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 640}},
    "7": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "turbo.safetensors"}},
    "8": {"class_type": "CLIPTextEncodeSDXL", "inputs": {"text_g": "a tree", "text_l": "a tree", "clip": ["7", 1]}},
    "9": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["7", 1]}},
}), "tEXt")])
circle = json.loads(json.dumps(GRAPH))
circle["4"]["inputs"] = {"model": ["11", 0], "ckpt_name": ["4", 0]}
circle["12"]["inputs"] = {"value": ["6", 0]}
circle["5"]["inputs"] = {"width": ["5", 0], "height": ["3", 0]}
png("comfy-circle.png", [("prompt", json.dumps(circle), "tEXt")])
wide = {str(i): {"class_type": "KSampler" if i % 2 else "Reroute", "inputs": {
    **{f"x{k}": [str((i * 7 + k) % 9000), 0] for k in range(8)}, "latent_image": [str((i + 1) % 9000), 0]}} for i in range(9000)}
png("comfy-wide.png", [("prompt", json.dumps(wide), "zTXt")])
deep = {str(i): {"class_type": "Reroute", "inputs": {"model": [str(i + 1), 0]}} for i in range(15000)}
deep["0"] = {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["1", 0], "latent_image": ["1", 0], "steps": 3}}
png("comfy-deep.png", [("prompt", json.dumps(deep), "zTXt")])

png("invoke.png", [("invokeai_metadata", json.dumps({
    "app_version": "5.4.2", "generation_mode": "sdxl_txt2img", "positive_prompt": "a fox", "negative_prompt": "text",
    "width": 1024, "height": 768, "seed": 99, "cfg_scale": 7.5, "cfg_rescale_multiplier": 0.5, "steps": 30,
    "scheduler": "dpmpp_2m_k", "model": {"key": "k", "name": "Juggernaut XL v9", "base": "sdxl"},
    "loras": [{"model": {"name": "pixel"}, "weight": 0.75}]}), "iTXt")])
png("invoke-2.png", [("sd-metadata", json.dumps({
    "model_weights": "stable-diffusion-1.5", "app_id": "invoke-ai/InvokeAI", "app_version": "2.3.5",
    "image": {"prompt": [{"prompt": "an owl", "weight": 1}], "steps": 50, "cfg_scale": 7.5, "height": 512, "width": 512,
              "seed": 5, "sampler": "k_euler_a"}}), "tEXt"), ("Dream", "an owl -s 50", "tEXt")])
png("dream.png", [("Dream", '"an old owl" -s 50 -S 1950357039 -W 512 -H 640 -C 7.5 -A k_lms', "tEXt")])
png("swarm.png", [("parameters", json.dumps({"sui_image_params": {
    "prompt": "a boat", "negativeprompt": "people", "model": "OfficialStableDiffusion/sd_xl_base_1.0", "seed": 3, "steps": 20,
    "cfgscale": 7.0, "width": 1344, "height": 768, "sampler": "euler", "scheduler": "normal", "loras": ["pixel"],
    "loraweights": ["0.5"], "swarm_version": "0.9.4"}, "sui_models": []}), "iTXt")])
png("fooocus.png", [("parameters", json.dumps({
    "base_model": "juggernautXL_v8Rundiffusion", "base_model_hash": "aeb7e9e689", "clip_skip": 2, "guidance_scale": 4,
    "loras": [["offset", 0.1, "abc"]], "negative_prompt": "", "prompt": "a barn", "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "seed": "77", "sharpness": 2, "steps": 30,
    "styles": "['Fooocus V2']", "version": "Fooocus v2.5.5"}), "tEXt"), ("fooocus_scheme", "fooocus", "tEXt")])
png("novel.png", [("Software", "NovelAI", "tEXt"), ("Source", "Stable Diffusion XL C1E1CCE8", "tEXt"), ("Comment", json.dumps({
    "prompt": "a girl", "steps": 28, "height": 1216, "width": 832, "scale": 5.0, "cfg_rescale": 0.0, "seed": 8,
    "sampler": "k_euler_ancestral", "noise_schedule": "karras", "uc": "bad"}), "tEXt")])

png("none.png", [("Software", "gimp", "tEXt")])
png("hostile.png", [("parameters", "a\x1b[31mred\x07 \x9b fox\nSteps: 1, Sampler: E\x1b]0;x\x07uler, CFG scale: 1, Seed: 1", "tEXt")])
png("nested.png", [("prompt", "{" + '"a":{' * 50000, "zTXt")])
png("bomb.png", [("parameters", "x" * (300 << 20), "zTXt")])
bad = chunk(b"tEXt", b"parameters\0x")[:-1] + b"?"
png("damaged.png", [("Comment", "hello", "tEXt")], bad)
with open(f"{out}/a1111.png", "rb") as file:
    whole = file.read()
with open(f"{out}/cut.png", "wb") as file:
    file.write(whole[:-30])
jpeg("loops.jpg", b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + struct.pack(">HHII", 0x8769, 4, 1, 8) + b"\0\0\0\0")
jpeg("far.jpg", b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + struct.pack(">HHII", 0x010E, 2, 0xFFFFFFFF, 0xFFFFFFF0) + b"\0\0\0\0")
