"""test_uploads.py PROGRAM SOURCES - what strangers send: pictures, bombs, and what only looks like a picture."""
import hashlib
import os
import random
import struct
import subprocess
import sys
import time
import zlib

from serving import Server, check, end, equal

program, sources = sys.argv[1:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows=None, depth=8, colour=2, before=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = rows if rows is not None else (b"\0" + b"\x80" * 3 * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def form(data, name="x.png", field="file", kind="image/png", extra=b""):
    edge = "e%032x" % random.getrandbits(128)
    head = '--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n' % (
        edge, field, name, kind)
    body = extra.replace(b"EDGE", edge.encode()) + head.encode() + data + b"\r\n--" + edge.encode() + b"--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=" + edge}


def send(path, data, **more):
    body, headers = form(data, **more)
    start = time.monotonic()
    answer = server.ask("POST", path, body, headers)
    return answer, time.monotonic() - start


server = Server(program)
folder = os.path.join(server.output, ".uploads")


def kept():
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def pictures():
    text = chunk(b"tEXt", b"parameters\0a fox\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 512x512")
    answer, _ = send("/api/v1/uploads", png(40, 30, before=text) + b"<script>alert(1)</script>")
    sent = answer.json()
    equal("a PNG", (answer.code, sent["width"], sent["height"]), (201, 40, 30))
    with open(sent["init_image"], "rb") as file:
        clean = file.read()
    equal("its name says what is in it", hashlib.sha256(clean).hexdigest(), sent["id"])
    check("only the picture is left", b"script" not in clean and b"parameters" not in clean and len(clean) == sent["bytes"])
    again, _ = send("/api/v1/uploads", png(40, 30), name="../../../etc/passwd")
    equal("the same picture is one file", (again.json()["id"], kept()), (sent["id"], [sent["id"] + ".png"]))
    drawn = subprocess.run([program, "generate", "--prompt", "a fox", "--init-image", sent["init_image"], "--steps", "2",
                            "--output-dir", server.output, "--size", "64x64", "--quiet"], env=server.environment,
                           capture_output=True, text=True)
    check("it can be drawn from", drawn.returncode == 0, drawn.stderr)
    with open(os.path.join(sources, "docs", "images", "demo.jpg"), "rb") as file:
        jpeg = file.read()
    answer, _ = send("/api/v1/uploads", jpeg, name="x.png", kind="image/png")
    equal("a JPEG, whatever it is called", answer.code, 201)
    picture = server.get("/api/v1/pictures").json()["pictures"][0]
    webp = server.get("/api/v1/pictures/%d/thumbnail" % picture["id"]).body
    equal("a WebP", send("/api/v1/uploads", webp)[0].code, 201)


def bombs():
    huge = [("65535x65535", png(65535, 65535, b"")), ("a line of a billion", png(1 << 30, 1, b"")),
            ("nothing wide", png(0, 10, b"")), ("more than there can be", png(0xFFFFFFFF, 0xFFFFFFFF, b"")),
            ("8001x8001", png(8001, 8001, b"")),
            ("one bit, 20 GB as colours", png(80000, 80000, zlib.compress(b""), 1, 0)),
            ("a text of 200 MB", png(4, 4, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 200000000, 9)))),
            ("a profile of 200 MB", png(4, 4, before=chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 200000000, 9)))),
            ("rows that are missing", png(4000, 4000, b"\0")),
            ("more rows than it says", png(4, 4, b"\0" * 100000000)),
            ("a JPEG of 65500x65500", b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"),
            ("a WebP of 16384x16384", b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0"),
            ("a lossless WebP of 16384x16384", b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 5)]
    whole = png(64, 64)
    for i in range(0, len(whole) - 16, max(1, len(whole) // 37)): # the end has no content
        huge.append(("cut at %d" % i, whole[:i]))
    before = kept()
    slowest, ids = 0, set()
    for name, data in huge:
        answer, seconds = send("/api/v1/uploads", data)
        slowest = max(slowest, seconds)
        if answer.code == 201:
            ids.add(answer.json()["id"] + ".png")
        # libpng leaves out texts and profiles that are too large, and rows that are too many.
        fine = answer.code == 422 or (answer.code == 201 and name.split()[0] in ("a", "more"))
        check("%s: %d" % (name, answer.code), fine, answer.body[:200])
    equal("files of %d bombs: none but pictures" % len(huge), [n for n in kept() if not n.endswith(".png")], [])
    equal("nothing is left behind", set(kept()) - set(before) - ids, set())
    print("     the slowest took %.2f s" % slowest)


def others():
    for name, data in (("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
                       ("HTML", b"<!doctype html><script>alert(1)</script>"), ("a GIF", b"GIF89a" + b"\0" * 50),
                       ("a TIFF", b"II*\0" + b"\0" * 50), ("nothing", b""), ("a pickle", b"\x80\x04cos\nsystem\n"),
                       ("HTML that begins as a PNG", b"\x89PNG\r\n\x1a\n<html>"),
                       ("zeros", b"\0" * 100000)):
        answer, _ = send("/api/v1/uploads", data, name=name + ".png")
        equal(name, (answer.code, answer.error()[0], answer.error()[1]), (422, "XL_EINPUT", "file"))
    body, headers = form(png(4, 4))
    for name, path, body_, headers_, code in (
            ("JSON", "/api/v1/uploads", b"{}", {"Content-Type": "application/json"}, 415),
            ("no boundary", "/api/v1/uploads", body, {"Content-Type": "multipart/form-data"}, 400),
            ("another boundary", "/api/v1/uploads", body, {"Content-Type": "multipart/form-data; boundary=no"}, 400),
            ("half of it", "/api/v1/uploads", body[:-20], headers, 400),
            ("no body", "/api/v1/uploads", b"", headers, 400)):
        equal(name, server.ask("POST", path, body_, headers_).code, code)
    text = b'--EDGE\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    equal("more parts than may be", send("/api/v1/uploads", png(4, 4), extra=text * 40)[0].code, 413)
    two = b'--EDGE\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nb\r\n'
    equal("two files", send("/api/v1/uploads", png(4, 4), extra=two)[0].code, 422)
    early = server.raw(b"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                       b"Content-Length: 400000000\r\n\r\n")
    check("300 MB and more are refused before they come", b" 413 " in early[:40], early[:60])
    check("the process that looks is confined", confined())


def confined():
    """A file that the confined process may not open: it has only what it was given."""
    read, write = os.pipe()
    os.close(write)
    result = subprocess.run([program, "clean-picture", "x"], stdin=read, capture_output=True, text=True)
    os.close(read)
    return result.returncode == 2 and "is empty" in result.stderr


def read():
    text = chunk(b"tEXt", b"parameters\0a fox\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: 7, CFG scale: 6, Size: 512x768")
    told = send("/api/v1/read", png(8, 8, before=text))[0].json()
    entries = {entry["key"]: entry["value"] for entry in told["entries"]}
    equal("another program's picture", (entries["Prompt"], entries["Seed"]), ("a fox", "7"))
    check("a model that is not here is named", "model" in (told["why"] or "") and told["why"].startswith("x.png"), told["why"])
    settings = told["settings"] or {}
    equal("as settings", [settings.get(key) for key in ("prompt", "negative", "steps", "size")],
          ["a fox", "blurry", 20, "512x768"])
    picture = server.get("/api/v1/pictures").json()["pictures"][0]
    with open(picture["path"], "rb") as file:
        told = send("/api/v1/read", file.read())[0].json()
    settings = told["settings"] or {}
    equal("one of ours, with what was sent for it", (told["source"], told["why"], settings.get("steps"),
          os.path.dirname(settings.get("init_image", ""))), ("sdxl-lab", None, 2, os.path.realpath(folder)))
    answer = send("/api/v1/read", png(8, 8), name="empty.png")[0]
    equal("one that says nothing", (answer.code, answer.error()[1]), (422, "file"))
    check("its sentence has its name", answer.error()[2].startswith("empty.png"), answer.error()[2])


try:
    pictures()
    bombs()
    others()
    read()
    equal("no process is left, and the server answers", server.get("/healthz").code, 200)
finally:
    server.clean()
end()
