"""test_paths.py PROGRAM SOURCES - 200 ways out of a folder, in every field of a request that a file could be named in:
nothing is read or written outside, and nothing breaks."""
import os
import struct
import sys
import zlib
from urllib.parse import quote

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
WAYS = ["../", "..\\", "./../", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "%252e%252e%252f", "..%c0%af", "%c0%ae%c0%ae/", "....//",
        "..;/", "/", "//", "\\\\host\\", "C:\\", "file:///", "~/", "$HOME/", "/proc/self/root/", "/proc/self/fd/", "/dev/",
        "\u202e../", "..\x01/", ".. /", "a/../../", "a" * 300 + "/../"]
TARGETS = ["secret", "etc/passwd", "secret%00.png", "secret.png ", "secret.", "CON", "secret\u0000", ""]
PAYLOADS = [way * (1 + i % 3) + target for i, way in enumerate(WAYS) for target in TARGETS][:200]


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0" * 14)) + chunk(b"IEND", b""))


def tree():
    return sorted(os.path.join(folder, name) for folder, folders, names in os.walk(server.home) for name in names + folders
                  if "/.index" not in folder and not folder.endswith("/.uploads"))


def in_addresses(payload, encoded):
    for path in ("/api/v1/pictures/%s", "/api/v1/pictures/%s/file", "/api/v1/pictures/%s/thumbnail", "/assets/x/%s", "/assets/%s/app.js",
                 "/picture/%s", "/%s", "/api/v1/%s"):
        yield server.ask("GET", path % encoded)
    yield server.get("/api/v1/pictures?run=" + quote(payload, safe=""))
    yield server.get("/api/v1/pictures?after=" + quote(payload, safe=""))


def in_bodies(payload):
    name = payload.replace("\0", "").replace("\x01", "").replace("\\", "\\\\").replace('"', "")
    body = ('--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name[:200]).encode() + png() + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    yield server.ask("POST", "/api/v1/uploads", body, headers)
    yield server.ask("POST", "/api/v1/read", body, headers)
    yield server.ask("POST", "/api/v1/login", {"token": payload})
    safe = "".join(c for c in payload if 32 <= ord(c) < 127)
    yield server.get("/api/v1/info", headers={"X-Forwarded-Prefix": safe, "If-None-Match": safe, "Range": safe})


equal("there are 200 ways", len(set(PAYLOADS)), 200)
server = Server(program)
try:
    with open(os.path.join(server.home, "secret"), "w") as file:
        file.write("outside")
    server.get("/api/v1/pictures")
    server.ask("POST", "/api/v1/uploads", *[b"--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + png() + b"\r\n--x--\r\n",
                                            {"Content-Type": "multipart/form-data; boundary=x"}])
    before, leaks, broken, n = tree(), [], [], 0
    for payload in PAYLOADS:
        answers = list(in_addresses(payload, quote(payload, safe="%/:;~$"))) + list(in_addresses(payload, quote(payload, safe="")))
        for answer in answers + list(in_bodies(payload)):
            n += 1
            if b"outside" in answer.body or b"root:" in answer.body:
                leaks.append((payload, answer.body[:80]))
            if answer.code >= 500:
                broken.append((payload, answer.code, answer.body[:120]))
    equal("%d calls: nothing of outside comes" % n, leaks, [])
    equal("and nothing breaks", broken, [])
    equal("no file is made but the picture that was sent", tree(), before)
    equal("which is one", len(os.listdir(os.path.join(server.output, ".uploads"))), 1)
finally:
    server.clean()
end()
