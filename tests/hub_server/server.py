#!/usr/bin/env python3
"""server.py FOLDER - a small hub: repositories in FOLDER/repos/ORG/NAME/, spoken to as huggingface.co is.

Prints "http://127.0.0.1:PORT" once it listens. Large files are answered with a redirect to another host
(127.0.0.2), as the hub does; small ones directly. What goes wrong is read from FOLDER/faults.json before each
request, and every request is a line of FOLDER/requests.log:

    METHOD PATH host=HOST auth=TOKEN|- range=FROM|- CODE BYTES

faults.json, all optional:
    "token": "hf_x"         requests of repositories need it (401)
    "gated": ["org/name"]   files of these are refused (403 GatedRepo) whoever asks
    "status": [{"match": TEXT, "code": 503, "times": 2, "headers": {...}}]   for paths with TEXT in them
    "cut": {"seed": 1, "times": 5}   bodies of large files end at random bytes
    "wrong": {"match": TEXT, "times": 1}   one byte of the body is another
    "no_range": true        ranges are not known: 200 and the whole file
    "no_such_range": 1      so many ranges are answered 416
    "bytes_per_s": 100000   slow
    "page": 3               files a page of the list
    "renamed": {"old/name": "new/name"}    a relative redirect

Files of less than 4096 bytes are in git (SHA-1), others in LFS (SHA-256). Commits: main is the digest of all
files. No file of FOLDER/repos may change while a test runs.
"""
import hashlib
import http.server
import json
import os
import random
import sys
import threading
import time
import urllib.parse

FOLDER = sys.argv[1]
LFS_BYTES = 4096
lock = threading.Lock()
counts = {}  # of each fault: how often it was used
randoms = {}
cdn_port = 0


def faults():
    try:
        with open(os.path.join(FOLDER, "faults.json")) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def uses(name, times):
    """Whether a fault may happen once more."""
    with lock:
        counts[name] = counts.get(name, 0) + 1
        return counts[name] <= times


class File:
    def __init__(self, root, path):
        self.path, self.file = path, os.path.join(root, path)
        with open(self.file, "rb") as f:
            data = f.read()
        self.size = len(data)
        self.git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.is_lfs = self.size >= LFS_BYTES

    @property
    def etag(self):
        return self.sha256 if self.is_lfs else self.git

    def entry(self):
        entry = {"type": "file", "oid": self.git, "size": self.size, "path": self.path}
        if self.is_lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 134}
        return entry


class Repo:
    def __init__(self, name):
        root = os.path.join(FOLDER, "repos", name)
        self.files = {}
        for folder, _, names in sorted(os.walk(root)):
            for one in sorted(names):
                path = os.path.relpath(os.path.join(folder, one), root)
                self.files[path] = File(root, path)
        about = "".join(f"{p} {f.sha256}\n" for p, f in sorted(self.files.items()))
        self.commit = hashlib.sha1(about.encode()).hexdigest()


repos = {}
by_digest = {}


def repo(name):
    with lock:
        if name not in repos:
            if not os.path.isdir(os.path.join(FOLDER, "repos", name)):
                return None
            repos[name] = Repo(name)
            for file in repos[name].files.values():
                by_digest[file.sha256] = file
        return repos[name]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, code, n):
        auth = (self.headers.get("Authorization") or "-").removeprefix("Bearer ")
        start = (self.headers.get("Range") or "-").removeprefix("bytes=").rstrip("-") or "-"
        line = (f"{self.command} {self.path} host={self.headers.get('Host', '').split(':')[0]} "
                f"auth={auth} range={start} {code} {n}\n")
        with lock, open(os.path.join(FOLDER, "requests.log"), "a") as f:
            f.write(line)

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.note(code, len(body))

    def json(self, document, **headers):
        self.answer(200, json.dumps(document).encode(), Content_Type="application/json", **headers)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        try:
            self.route(faults())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self, fault):
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(p) for p in url.path.strip("/").split("/")]
        for i, one in enumerate(fault.get("status", [])):
            if one["match"] in self.path and uses(f"status{i}", one.get("times", 1)):
                headers = {k.replace("-", "_"): v for k, v in one.get("headers", {}).items()}
                return self.answer(one["code"], b"fault", **headers)
        for old, new in fault.get("renamed", {}).items():
            if f"/{old}/" in self.path:
                return self.answer(307, Location=self.path.replace(f"/{old}/", f"/{new}/"))
        if parts[0] == "cdn":
            return self.cdn(fault, parts[1])
        is_api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if is_api else parts[:2])
        found = repo(name)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not found or ("token" in fault and token != fault["token"]):
            return self.answer(401, b"{}", X_Error_Code="RepoNotFound",
                               X_Error_Message="Repository not found")
        if is_api:
            return self.api(fault, name, found, parts[4:], urllib.parse.parse_qs(url.query))
        if name in fault.get("gated", []):
            return self.answer(403, b"{}", X_Error_Code="GatedRepo", X_Error_Message="gated")
        return self.resolve(fault, found, parts[2:])

    def api(self, fault, name, found, parts, query):
        if len(parts) > 1 and parts[1] not in ("main", "refs/pr/1", found.commit):
            return self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
        if parts and parts[0] == "tree":
            entries = [f.entry() for f in found.files.values()]
            folders = {os.path.dirname(f) for f in found.files} - {""}
            entries += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": f} for f in sorted(folders)]
            page, at = fault.get("page", 1000), int(query.get("cursor", ["0"])[0])
            headers = {}
            if at + page < len(entries):
                host = self.headers["Host"]
                headers["Link"] = (f'<http://{host}/api/models/{name}/tree/{parts[1]}?recursive=true&'
                                   f'expand=false&cursor={at + page}>; rel="next"')
            return self.json(entries[at:at + page], **headers)
        card = {}
        readme = found.files.get("README.md")
        if readme:
            with open(readme.file) as f:
                for line in f:
                    if line.startswith("license: "):
                        card["license"] = line.split(": ")[1].strip()
        gated = "auto" if name in fault.get("gated", []) else False
        return self.json({"_id": "0" * 24, "id": name, "modelId": name, "sha": found.commit, "gated": gated,
                          "private": False, "tags": [], "downloads": 0, "likes": 0, "cardData": card,
                          "siblings": [{"rfilename": p} for p in found.files]})

    def resolve(self, fault, found, parts):
        path = "/".join(parts[2:])
        if parts[0] != "resolve" or parts[1] not in ("main", "refs/pr/1", found.commit):
            return self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
        if path not in found.files:
            return self.answer(404, b"{}", X_Error_Code="EntryNotFound", X_Repo_Commit=found.commit)
        file = found.files[path]
        if not file.is_lfs:
            return self.body(fault, file, X_Repo_Commit=found.commit, ETag=f'"{file.etag}"')
        where = f"http://127.0.0.2:{cdn_port}/cdn/{file.sha256}?Signature=secret"
        return self.answer(302, Location=where, X_Repo_Commit=found.commit, ETag=f'"{file.git}"',
                           X_Linked_Etag=f'"{file.etag}"', X_Linked_Size=file.size)

    def cdn(self, fault, digest):
        if digest not in by_digest:
            return self.answer(404)
        return self.body(fault, by_digest[digest], ETag='"an-etag-of-its-own"')

    def body(self, fault, file, **headers):
        start, code = 0, 200
        asked = self.headers.get("Range")
        if asked and not fault.get("no_range"):
            start, code = int(asked.removeprefix("bytes=").split("-")[0]), 206
            if start >= file.size or uses("416", fault.get("no_such_range", 0)):
                return self.answer(416, Content_Range=f"bytes */{file.size}")
            headers["Content_Range"] = f"bytes {start}-{file.size - 1}/{file.size}"
        with open(file.file, "rb") as f:
            f.seek(start)
            data = bytearray(f.read())
        wrong = fault.get("wrong")
        if wrong and wrong["match"] in file.path and data and uses("wrong", wrong.get("times", 1)):
            data[len(data) // 2] ^= 1
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return self.note(code, 0)
        n = len(data)
        cut = fault.get("cut")
        if cut and file.is_lfs and n > 1:
            with lock:
                rng = randoms.setdefault(cut["seed"], random.Random(cut["seed"]))
                point = rng.randrange(n)
            if uses(f"cut{cut['seed']}", cut["times"]):
                n = point
        self.send(data[:n], fault.get("bytes_per_s"))
        self.note(code, n)
        if n < len(data):
            self.close_connection = True

    def send(self, data, bytes_per_s):
        piece = max(1, bytes_per_s // 20) if bytes_per_s else 1 << 20
        for at in range(0, len(data), piece):
            self.wfile.write(data[at:at + piece])
            if bytes_per_s:
                self.wfile.flush()
                time.sleep(0.05)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


cdn = Server(("127.0.0.2", 0), Handler)
cdn_port = cdn.server_address[1]
threading.Thread(target=cdn.serve_forever, daemon=True).start()
hub = Server(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{hub.server_address[1]}", flush=True)
hub.serve_forever()
