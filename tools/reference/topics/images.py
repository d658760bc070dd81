"""Picture files of every kind, and what Pillow makes of them.

NAME.png .jpg .webp  small pictures; decode.json holds, for each, the size, the RGB bytes (hex) that
                     Image.open(NAME).convert("RGB") gives, and by how much a decoder may differ
orientations.json    whole files (hex) with EXIF data, and what exif_transpose makes of them
texts.png            text chunks of all three kinds; texts.json holds keywords and texts in order
resize.json          [width, height, new width, new height, CRC-32 of the RGB bytes] of Pillow's
                     Lanczos, for pictures of pseudo-random bytes (see noise)
infotext.json        "parameters" texts of several tools, and how the web UI reads them: its regular
                     expression and its rules for lines, run by Python's own re
"""
import io
import json
import re
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

W, H = 13, 11
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


# ---- PNG files that Pillow cannot write ----

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, bits):
    """Rows of samples [h, w, channels] as PNG stores them, each after filter type 0."""
    rows = b""
    for row in samples.reshape(samples.shape[0], -1).astype(">u2"):
        if bits == 16:
            rows += b"\0" + row.tobytes()
        else:
            spread = (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            rows += b"\0" + np.packbits(spread.astype(np.uint8)).tobytes()
    return rows


def png(samples, bits, colour, interlaced=False, before=b"", after=b""):
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes]
    rows = b"".join(pack_rows(p, bits) for p in parts if p.size)
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before +
            chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b""))


def png_files(rng):
    depths = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16),
              RGBA: (8, 16)}
    names = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGBA: "rgba"}
    for colour, all_bits in depths.items():
        for bits in all_bits:
            samples = rng.integers(0, 1 << bits, (H, W, CHANNELS[colour]), dtype=np.uint16)
            before = b""
            if colour == PALETTE:
                before = chunk(b"PLTE", rng.integers(0, 256, 3 << bits, dtype=np.uint8).tobytes())
            for interlaced in (False, True):
                name = f"{names[colour]}-{bits}{'-interlaced' if interlaced else ''}.png"
                yield name, png(samples, bits, colour, interlaced, before)
    small = rng.integers(0, 256, (H, W, 3), dtype=np.uint16)
    yield "rgb-gamma.png", png(small, 8, RGB, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "rgb-transparent.png", png(small, 8, RGB, before=chunk(
        b"tRNS", struct.pack(">3H", *map(int, small[0, 0]))))
    colours = chunk(b"PLTE", rng.integers(0, 256, 30, dtype=np.uint8).tobytes())
    indices = rng.integers(0, 10, (H, W, 1), dtype=np.uint16)
    yield "palette-transparent.png", png(indices, 8, PALETTE,
                                         before=colours + chunk(b"tRNS", bytes([0, 128, 255])))
    yield "palette-short.png", png(indices + 5, 8, PALETTE, before=colours)
    yield "one-pixel.png", png(small[:1, :1], 8, RGB)
    yield "one-row-interlaced.png", png(small[:1], 8, RGB, interlaced=True)
    yield "one-column-interlaced.png", png(small[:, :1], 8, RGB, interlaced=True)


def grey_16(data):
    """Pillow clips 16-bit grey at 255; the project keeps the upper byte, as for every other kind."""
    samples = np.array(Image.open(io.BytesIO(data)))
    return np.repeat((samples >> 8).astype(np.uint8)[:, :, None], 3, axis=2)


# ---- JPEG and WebP, written by Pillow ----

def photo(width, height):
    """Smooth enough that the colours of neighbours tell decoders' upsampling apart."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [128 + 120 * np.sin(x / a + y / b + c)
                for a, b, c in ((5, 9, 0), (11, 4, 1), (7, -6, 2))]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg_files():
    picture = photo(23, 19)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        for suffix, options in (("", {}), ("-progressive", {"progressive": True})):
            yield f"ycbcr-{name}{suffix}.jpg", encoded(picture, "JPEG", subsampling=subsampling,
                                                       quality=90, **options)
    yield "restarts.jpg", encoded(picture, "JPEG", restart_marker_rows=1)
    yield "rgb.jpg", encoded(picture, "JPEG", keep_rgb=True)
    yield "grey.jpg", encoded(picture.convert("L"), "JPEG")
    yield "grey-progressive.jpg", encoded(picture.convert("L"), "JPEG", progressive=True)
    inks = Image.merge("CMYK", [*picture.split(), picture.convert("L").rotate(180)])
    yield "cmyk.jpg", encoded(inks, "JPEG", quality=90)
    yield "one-pixel.jpg", encoded(photo(1, 1), "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    yield "orientation.jpg", encoded(picture, "JPEG", exif=exif)


# ---- Orientation ----

def tiff(order, entries):
    """EXIF data: one directory of (tag, type, value) in this order of bytes."""
    mark = "<" if order == "II" else ">"
    body = struct.pack(mark + "H", len(entries))
    for tag, kind, value in entries:
        body += struct.pack(mark + "HHI", tag, kind, 1)
        body += struct.pack(mark + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
    return order.encode() + struct.pack(mark + "HI", 42, 8) + body + struct.pack(mark + "I", 0)


def with_exif(kind, picture, exif):
    if kind == "jpeg":
        return encoded(picture, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + exif)
    if kind == "webp":
        return encoded(picture, "WEBP", lossless=True, exif=exif)
    samples = np.array(picture).astype(np.uint16)
    where = {"png-before": "before", "png-after": "after"}[kind]
    return png(samples, 8, RGB, **{where: chunk(b"eXIf", exif)})


def write_orientations(out):
    """Files with EXIF data of every kind, and what Pillow's exif_transpose makes of them."""
    cases = []
    picture = Image.fromarray(np.kron(np.arange(6).reshape(2, 3), np.ones((4, 4)))[:, :, None]
                              .repeat(3, 2).astype(np.uint8) * np.array([40, 25, 10], np.uint8))
    extra = [(0x010F, 4, 77), (0x0112, 3, 6), (0x0132, 3, 5)]
    exifs = [(f"{way} {order}", tiff(order, [(0x0112, 3, way)]))
             for way in range(1, 9) for order in ("II", "MM")]
    exifs += [("among others", tiff("MM", extra)), ("long", tiff("II", [(0x0112, 4, 8)])),
              ("none", tiff("II", [(0x010F, 4, 6)])), ("zero", tiff("II", [(0x0112, 3, 0)])),
              ("nine", tiff("MM", [(0x0112, 3, 9)])),
              ("prefixed", b"Exif\0\0" + tiff("II", [(0x0112, 3, 6)]))]
    for kind in ("jpeg", "png-before", "png-after", "webp"):
        for name, exif in exifs:
            data = with_exif(kind, picture, exif)
            turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
            cases.append({"name": f"{kind} {name}", "file": data.hex(), "width": turned.width,
                          "height": turned.height, "tolerance": 2 if kind == "jpeg" else 0,
                          "rgb": turned.tobytes().hex()})
    lines = ",\n".join(json.dumps(c) for c in cases)
    (out / "orientations.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')


def webp_files():
    picture = photo(23, 19)
    alpha = picture.copy()
    alpha.putalpha(picture.convert("L").rotate(180))
    yield "lossy.webp", encoded(picture, "WEBP", quality=80)
    yield "lossless.webp", encoded(picture, "WEBP", lossless=True)
    yield "lossy-alpha.webp", encoded(alpha, "WEBP", quality=80)
    yield "lossless-alpha.webp", encoded(alpha, "WEBP", lossless=True)
    yield "profile.webp", encoded(picture, "WEBP", quality=80, icc_profile=b"not looked at")
    yield "one-pixel.webp", encoded(photo(1, 1), "WEBP", lossless=True)
    frames = [picture, picture.rotate(180)]
    yield "animation.webp", encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:],
                                    duration=100, lossless=True)
    yield "animation-small-frame.webp", small_frame(encoded(photo(12, 10), "WEBP", lossless=True))


def small_frame(still):
    """An animation whose only frame, a still WebP file, leaves most of the canvas uncovered."""
    def riff_chunk(kind, data):
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    def u24(number):
        return struct.pack("<I", number)[:3]
    frame = u24(6 // 2) + u24(4 // 2) + u24(12 - 1) + u24(10 - 1) + u24(100) + b"\0" + still[12:]
    body = (b"WEBP" + riff_chunk(b"VP8X", b"\x12\0\0\0" + u24(23 - 1) + u24(17 - 1)) +
            riff_chunk(b"ANIM", b"\xff\xff\xff\xff\0\0") + riff_chunk(b"ANMF", frame))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def write_pictures(out, files):
    cases = []
    for name, data in files:
        (out / name).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of transparency that is dropped
            picture = Image.open(io.BytesIO(data))
            picture = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
        if name.startswith("grey-16"):
            picture = grey_16(data)
        cases.append({"file": name, "width": picture.shape[1], "height": picture.shape[0],
                      "tolerance": 2 if name.endswith(".jpg") else 0, "rgb": picture.tobytes().hex()})
    return cases


# ---- Texts in PNG files ----

def write_texts(out):
    latin1, other = "Pr\u00e4fix \u00fc\u00ff, \u0080", "\u6f22\u5b57 \U0001f600"
    info = PngImagePlugin.PngInfo()
    texts = [("parameters", "a cat\nSteps: 20"), ("Latin", latin1), ("Other", other), ("Empty", "")]
    for keyword, text in texts:
        info.add_text(keyword, text)
    packed = [("zipped", latin1 * 50), ("zipped other", other * 50)]
    for keyword, text in packed:
        info.add_text(keyword, text, zip=True)
    info.add_itxt("itxt", other, lang="de", tkey="Schl\u00fcssel")
    info.add_itxt("itxt zipped", other * 30, lang="de", tkey="Schl\u00fcssel", zip=True)
    Image.new("RGB", (2, 2)).save(out / "texts.png", pnginfo=info)
    texts += packed + [("itxt", other), ("itxt zipped", other * 30)]
    assert dict(texts) == dict(Image.open(out / "texts.png").text)
    return {"texts": texts}


# ---- Lanczos ----

SIZES = [
    (1, 1, 64, 48), (64, 48, 1, 1), (5, 1, 1, 5), (2, 3, 3, 2), (1, 1000, 1, 1), (1000, 1, 1, 1),
    (1000, 1, 999, 1), (37, 29, 74, 58), (37, 29, 64, 48), (128, 96, 64, 48), (128, 96, 127, 95),
    (100, 100, 100, 50), (100, 100, 50, 100), (3, 200, 200, 3), (200, 3, 3, 200), (600, 400, 8, 8),
    (8, 8, 1024, 8), (8, 8, 8, 600), (640, 427, 1024, 1024), (517, 389, 512, 512),
    (255, 257, 256, 256), (96, 64, 96, 64), (333, 17, 85, 86), (7, 7, 341, 343),
    # Pillow 13 begins with the rows when the height loses more than twice what the width loses.
    (60, 60, 50, 40), (60, 60, 50, 39), (60, 60, 59, 59), (60, 60, 59, 57), (60, 60, 61, 59),
]


def noise(width, height):
    """Bytes of the generator x -> 1664525 x + 1013904223 (Numerical Recipes), upper 8 of 32 bits."""
    x, values = width << 16 | height, bytearray()
    for _ in range(width * height * 3):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        values.append(x >> 24)
    return Image.frombytes("RGB", (width, height), bytes(values))


def resize_cases():
    return [[*size, zlib.crc32(noise(*size[:2]).resize(size[2:], Image.Resampling.LANCZOS).tobytes())]
            for size in SIZES]


# ---- The web UI's texts ----

PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')

TEXTS = [
    "a castle, (fog:1.2)\nNegative prompt: blurry, lowres\nSteps: 26, Sampler: DPM++ 2M, Schedule "
    "type: Karras, CFG scale: 7.5, Seed: 1234, Size: 1024x576, Model hash: 31e35c80fc, Model: "
    "sd_xl_base_1.0, Denoising strength: 0.6, Style profile: Photoreal, Lab note: \"a, b: c\", "
    "Version: sdxl-lab-0.1",
    "", " ", "\n\n", "a cat", "a cat\nSteps: 20, Seed: 1", "a cat\nSteps: 20, Seed: 1, Size: 8x8",
    "Steps: 20, Seed: 1, Size: 8x8", "Negative prompt: bad\nSteps: 20, Seed: 1, Size: 8x8",
    "Steps: 20, Sampler: x, Seed: 5\nreally a prompt\nSteps: 9, Sampler: y, Seed: 6",
    "light: soft, mood: dark, style: noir",
    "one\ntwo\n\nthree\nNegative prompt: four\nfive\nSteps: 1, Seed: 2, Size: 3x4",
    "  padded  \r\nNegative prompt:   x  \r\nSteps: 1, Seed: 2, Size: 3x4\r\n",
    "a\nNegative prompt: b\nNegative prompt: c\nSteps: 1, Seed: 2, Size: 3x4",
    "a\nNegative prompt:\nSteps: 1, Seed: 2, Size: 3x4",
    "a\n Negative prompt: indented\nSteps: 1, Seed: 2, Size: 3x4",
    'q\nSteps: 1, Note: "a \\"quoted\\" word, and: more\\n\\u00e9\\ud83d\\ude00", Seed: 2, Size: 3x4',
    'q\nSteps: 1, Open: "no end, Seed: 2, Size: 3x4',
    'q\nSteps: 1, Odd: "a" b, Seed: 2, Bad: "\\q", Empty: "", One: ", Size: 3x4',
    'q\nSteps: 1, Lora hashes: "a: 1234, b: 5678", TI hashes: "x: 9", Seed: 2',
    "q\nSteps: , Seed:2,Size:3x4,  CFG scale :  7 , Tail: end  ,",
    "q\nSteps: 1, junk without colon, Seed: 2, -Dash: 3, a: 4, (x: 5), Size: 3x4",
    "q\nKey/with slash: 1, Key-dash: 2, Under_score: 3, 7th key: 4, \u00dcmlaut: 5, \u6f22\u5b57: 6",
    "q\nSteps: 1, Seed: 2, Steps: 3",
    "q\nURL: http://example.org/a:b, Seed: 2, Time: 12:30:00",
    "q\n\u3000Steps:\u00a01, Seed:\t2, Size: 3x4\u2003",
    "\u6f22\u5b57, \U0001f600\nNegative prompt: \u00e9\nSteps: 1, Seed: 2, Model: m\u00f6del",
    "\u0085q\x1c\nSteps: 1,\u0085Seed:\x1f2, Size: 3x4\u2028",
    '{"sui_image_params": {"prompt": "x"}}',
    "a b: c d: e, f: g, " * 3,
    "x\nSteps: 1, Seed: 2, Size: 3x4, : 5, ::, ,,",
]
# sd-dynamic-prompts appends the template after the pairs; the web UI itself is lost then.
TEMPLATES = "\nTemplate: {a|b}, light: x, mood: y, style: z\nNegative Template: n"


def parse(text):
    *lines, last = text.strip().split("\n")
    pairs = PAIR.findall(last)
    if len(pairs) < 3:
        lines, pairs = lines + [last], []
    prompt, negative, in_negative = "", "", False
    for line in lines:
        line = line.strip()
        if line.startswith("Negative prompt:"):
            in_negative, line = True, line[16:].strip()
        if in_negative:
            negative += ("\n" if negative else "") + line
        else:
            prompt += ("\n" if prompt else "") + line
    return {"prompt": prompt, "negative": negative,
            "pairs": [[key, unquote(value)] for key, value in pairs if value]}


def unquote(value):
    if value[0] != '"' or value[-1] != '"':
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def infotext_cases():
    cases = [{"text": text, **parse(text)} for text in TEXTS]
    cases.append({"text": TEXTS[0] + TEMPLATES, **parse(TEXTS[0])})
    return cases


def write_json(path, value):
    """One entry a line: the list's, or the object's first list's."""
    (key, entries), = value.items()
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    path.write_text(f'{{"{key}": [\n{lines}\n]}}\n')


def make(out):
    rng = np.random.default_rng(20)
    files = [*png_files(rng), *jpeg_files(), *webp_files()]
    write_json(out / "decode.json", {"pictures": write_pictures(out, files)})
    write_json(out / "texts.json", write_texts(out))
    write_json(out / "resize.json", {"sizes": resize_cases()})
    write_json(out / "infotext.json", {"cases": infotext_cases()})
