#!/usr/bin/env python3
"""library.py BINARY SOURCE_DIR - sdxl-lab models download and the real huggingface_hub on one cache and one hub.

No test runs this: it needs the package huggingface_hub. It shows that
  - the library downloads from tests/hub_server (so the server speaks the protocol),
  - both write the same files, byte for byte, links, refs and locks included,
  - the library reads what the program wrote (scan_cache_dir, snapshot_download with local_files_only),
  - the program reads what the library wrote, transfers nothing again, and goes on with what it began,
  - eight processes of both at once make one whole cache.
"""
import json
import os
import subprocess
import sys
import tempfile

BINARY, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
work = tempfile.mkdtemp()
hub = os.path.join(work, "hub")
tiny = os.path.join(hub, "repos", "org", "tiny")
os.makedirs(os.path.dirname(tiny))
subprocess.run(["cp", "-r", os.path.join(SOURCE, "models", "lab-tiny-xl"), tiny], check=True)
server = subprocess.Popen([sys.executable, os.path.join(SOURCE, "tests", "hub_server", "server.py"), hub],
                          stdout=subprocess.PIPE, text=True)
endpoint = server.stdout.readline().strip()
os.environ.update(HF_ENDPOINT=endpoint, HF_HOME=os.path.join(work, "unused"), HF_HUB_DISABLE_PROGRESS_BARS="1",
                  HF_HUB_DISABLE_TELEMETRY="1")
import huggingface_hub  # noqa: E402  (reads the environment when it is imported)

failed = 0


def check(name, is_so):
    global failed
    failed += not is_so
    print("ok  " if is_so else "FAIL", name)


def lab(cache, *words):
    return subprocess.run([BINARY, *words], env={**os.environ, "HF_HUB_CACHE": cache}, capture_output=True, text=True)


def tree(cache):
    """What lies in a cache: path -> kind and content."""
    found = {}
    for folder, names, files in os.walk(cache):
        for name in names + files:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, cache)
            mode = oct(os.lstat(path).st_mode)
            if os.path.islink(path):
                found[short] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[short] = (mode,)
            else:
                with open(path, "rb") as f:
                    found[short] = (mode, f.read())
    return found


def requests(text):
    path = os.path.join(hub, "requests.log")
    with open(path) as f:
        return sum(text in line for line in f)


print("huggingface_hub", huggingface_hub.__version__)
ours, theirs = os.path.join(work, "ours"), os.path.join(work, "theirs")
done = lab(ours, "models", "download", "org/tiny", "--json")
check("the program downloads", done.returncode == 0)
document = json.loads(done.stdout)["models"][0]
wanted = [f["path"] for f in document["files"]]
folder = huggingface_hub.snapshot_download("org/tiny", cache_dir=theirs, allow_patterns=wanted)
check("the library downloads from the server", os.path.basename(folder) == document["commit"])

a, b = tree(ours), tree(theirs)
extra = sorted(set(b) - set(a))
print("     only in the library's:", extra)
check("the library has nothing more but the list of all files", all("/trees" in p for p in extra))
check("the program has nothing more", not set(a) - set(b))
differ = [p for p in a if p in b and a[p] != b[p]]
print("     different:", [(p, a[p][:1], b[p][:1]) for p in differ][:8])
check("what both have is the same", not differ)

info = huggingface_hub.scan_cache_dir(ours)
check("scan_cache_dir has no warnings", not info.warnings and len(info.repos) == 1)
repo = next(iter(info.repos))
check("scan_cache_dir sees the files", repo.nb_files == len({f["digest"] for f in document["files"]})
      and {r.commit_hash for r in repo.revisions} == {document["commit"]} and "main" in repo.refs)
check("snapshot_download(local_files_only)",
      huggingface_hub.snapshot_download("org/tiny", cache_dir=ours, local_files_only=True) == document["dir"])
check("hf_hub_download(local_files_only)", os.path.exists(
    huggingface_hub.hf_hub_download("org/tiny", "unet/config.json", cache_dir=ours, local_files_only=True)))

before = requests("/cdn/")
done = lab(theirs, "models", "download", "org/tiny")
check("the program finds the library's cache complete", done.returncode == 0 and "all there" in done.stdout)
check("and transfers nothing", requests("/cdn/") == before)
check("and reads it", lab(theirs, "inspect", "model", "--model", "org/tiny").returncode == 0)
huggingface_hub.snapshot_download("org/tiny", cache_dir=ours, allow_patterns=wanted)
check("nor does the library in the program's", requests("/cdn/") == before)

mixed = os.path.join(work, "mixed")
huggingface_hub.snapshot_download("org/tiny", cache_dir=mixed, allow_patterns=["vae/*", "tokenizer/*"])
check("the program goes on with what the library began", lab(mixed, "models", "download", "org/tiny").returncode == 0)

both = os.path.join(work, "both")
with open(os.path.join(hub, "faults.json"), "w") as f:
    json.dump({"bytes_per_s": 8000000}, f)
before = requests("/cdn/")
code = ("import sys, huggingface_hub; "
        "huggingface_hub.snapshot_download('org/tiny', cache_dir=sys.argv[1], allow_patterns=sys.argv[2:])")
processes = [subprocess.Popen([BINARY, "models", "download", "org/tiny", "--quiet"], stdout=subprocess.DEVNULL,
                              env={**os.environ, "HF_HUB_CACHE": both}) for _ in range(4)]
processes += [subprocess.Popen([sys.executable, "-c", code, both, *wanted]) for _ in range(4)]
check("four of each at once", all([p.wait() == 0 for p in processes]))
print("     transfers:", requests("/cdn/") - before, "of large files:",
      sum(p.startswith("models--org--tiny/blobs/") and len(os.path.basename(p)) == 64 for p in a))
check("make what one makes", {p: v for p, v in tree(both).items() if "/trees" not in p} == a)

server.terminate()
subprocess.run(["rm", "-rf", work], check=False)
print("failed:", failed)
sys.exit(failed != 0)
