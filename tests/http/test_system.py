"""test_system.py PROGRAM SOURCES FAKES - the machine over HTTP: downloads from a small hub, followed, cancelled and gone on
with; disk, log, and GPUs that a library of ours makes up (FAKES/new, tests/gpus)."""
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from serving import Server, check, end, equal

program, sources, fakes = sys.argv[1:]
SECONDS = 120


class Hub:
    """tests/hub_server with the embedded model as org/tiny, and one file as org/one."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sdxl-lab-hub-")
        shutil.copytree(os.path.join(sources, "models", "lab-tiny-xl"), os.path.join(self.folder, "repos/org/tiny"))
        os.makedirs(os.path.join(self.folder, "repos/org/one"))
        with open(os.path.join(self.folder, "repos/org/one/one.safetensors"), "wb") as file:
            file.write(os.urandom(400000))
        self.process = subprocess.Popen([sys.executable, os.path.join(sources, "tests/hub_server/server.py"), self.folder],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()

    def fault(self, **faults):
        name = os.path.join(self.folder, "faults.json")
        with open(name + ".tmp", "w") as file:
            json.dump(faults, file)
        os.rename(name + ".tmp", name)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Follower(threading.Thread):
    """The events "download" of a server."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        self.connection.request("GET", "/api/v1/events")
        self.answer = self.connection.getresponse()
        self.told = []
        self.start()

    def run(self):
        name = None
        try:
            for line in self.answer:
                name = line[7:].strip() if line.startswith(b"event: ") else name
                if line.startswith(b"data: ") and name == b"download":
                    self.told.append(json.loads(line[6:]))
        except (OSError, ValueError, AttributeError):
            pass


def until(suits):
    last = time.monotonic() + SECONDS
    while not suits() and time.monotonic() < last:
        time.sleep(.05)
    return suits()


def download(server, model):
    return server.ask("POST", "/api/v1/downloads", {"model": model})


def of(server, id):
    return next(one for one in server.get("/api/v1/downloads").json()["downloads"] if one["id"] == id)


def models(server):
    return {model["key"]: model["state"] for model in server.get("/api/v1/models").json()["models"]}


def try_downloads(server, hub):
    follower = Follower(server)
    made = download(server, "org/tiny")
    id = made.json()["id"]
    equal("a download is accepted", (made.code, made.json()["repository"]), (201, "org/tiny"))
    check("and comes", until(lambda: of(server, id)["state"] == "done"), of(server, id))
    told = of(server, id)
    check("whole", told["bytes"] == told["bytes_there"] > 100000, told)
    equal("the model can be drawn with", models(server).get("org/tiny"), "ready")
    check("who follows heard of it", until(lambda: [one["state"] for one in follower.told if one["id"] == id][-1:] == ["done"]),
          follower.told)
    again = download(server, "org/tiny").json()["id"]
    check("again: nothing is left to do", until(lambda: of(server, again)["state"] == "done") and again != id)

    hub.fault(bytes_per_s=50000)
    slow = download(server, "org/one:one.safetensors").json()["id"]
    check("a slow one is under way", until(lambda: 0 < of(server, slow)["bytes_there"] < 400000), of(server, slow))
    equal("who asks for it again gets the same", (download(server, "org/one:one.safetensors").code,
                                                  download(server, "org/one:one.safetensors").json()["id"]), (200, slow))
    waiting = download(server, "org/absent").json()["id"]
    equal("another one waits", of(server, waiting)["state"], "waiting")
    equal("and can be cancelled", (server.ask("DELETE", "/api/v1/downloads/%d" % waiting).json()["state"],
                                   of(server, waiting)["state"]), ("cancelled", "cancelled"))
    server.ask("DELETE", "/api/v1/downloads/%d" % slow)
    check("so can the slow one", until(lambda: of(server, slow)["state"] == "cancelled"), of(server, slow))
    hub.fault()
    before = os.path.getsize(os.path.join(hub.folder, "requests.log"))
    rest = download(server, "org/one:one.safetensors").json()["id"]
    check("which is gone on with", until(lambda: of(server, rest)["state"] == "done"), of(server, rest))
    with open(os.path.join(hub.folder, "requests.log")) as log:
        log.seek(before)
        asked = [line for line in log if "one.safetensors" in line]
    check("from where it stopped", any("range=" in line and "range=-" not in line and "range=0" not in line for line in asked),
          asked)
    follower.connection.close()


def try_remembering(hub):
    """A server that is killed and the next one."""
    folder = tempfile.mkdtemp(prefix="sdxl-lab-cache-")
    shutil.copytree(os.path.join(hub.folder, "repos/org/one"), os.path.join(hub.folder, "repos/org/two"))
    environment = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "", "HF_HUB_CACHE": folder}
    hub.fault(bytes_per_s=50000)
    first = Server(program, "--device", "cpu", environment=environment)
    under_way, waiting, stopped = [download(first, name).json()["id"] for name in
                                   ("org/one:one.safetensors", "org/two:one.safetensors", "org/absent")]
    first.ask("DELETE", "/api/v1/downloads/%d" % stopped)
    check("one is under way", until(lambda: of(first, under_way)["bytes_there"] > 0), of(first, under_way))
    first.process.kill()
    first.process.wait()
    hub.fault(bytes_per_s=100000)
    before = os.path.getsize(os.path.join(hub.folder, "requests.log"))
    second = Server(program, "--device", "cpu", environment=environment, output=first.output)
    told = lambda: [(one["repository"], one["state"]) for one in second.get("/api/v1/downloads").json()["downloads"]]
    equal("a server that was killed: all that was asked for is known", [name for name, _ in told()], ["org/absent", "org/two", "org/one"])
    equal("what was stopped is not begun", told()[0][1], "cancelled")
    ids = [one["id"] for one in second.get("/api/v1/downloads").json()["downloads"]]
    check("under ids that are new", min(ids) > stopped and len(set(ids)) == 3, ids)
    check("the others are gone on with", until(lambda: [state for _, state in told()[1:]] == ["done", "done"]), told())
    with open(os.path.join(hub.folder, "requests.log")) as log:
        log.seek(before)
        asked = [line for line in log if "org/one" in line and "one.safetensors" in line]
    check("from where they were", any("range=" in line and "range=-" not in line and "range=0" not in line for line in asked), asked)
    equal("a server ends", second.stop()[0], 143)
    third = Server(program, "--device", "cpu", environment=environment, output=first.output)
    equal("what is through is forgotten", [(one["repository"], one["state"]) for one in
                                           third.get("/api/v1/downloads").json()["downloads"]], [("org/absent", "cancelled")])
    for server in (third, second, first):
        server.clean()
    shutil.rmtree(folder, ignore_errors=True)
    hub.fault()


def try_refusals(server):
    for name, body, code in (("nothing", {}, 422), ("another kind", {"model": 5}, 422), ("no such name", {"model": "nobody"}, 422),
                             ("a path", {"model": "/etc/passwd"}, 422), ("an address", {"model": "http://x/y/z"}, 422),
                             ("what is here already", {"model": "Lab Tiny XL"}, 422), ("more", {"model": "a/b", "to": "/x"}, 422)):
        answer = server.ask("POST", "/api/v1/downloads", body)
        check("refused: " + name, answer.code == code and answer.error()[1] == "model" and len(answer.error()[2]) > 10,
              (answer.code, answer.body))
    for id, code in (("999", 404), ("0", 422), ("x", 422)):
        equal("no download to stop: " + id, server.ask("DELETE", "/api/v1/downloads/" + id).code, code)
    absent = download(server, "org/absent").json()["id"]
    check("what the hub has not fails", until(lambda: of(server, absent)["state"] == "failed") and
          "org/absent" in of(server, absent)["error"], of(server, absent))


def try_machine(server):
    disk = server.get("/api/v1/disk").json()
    here = os.statvfs(server.output)
    check("the disk", disk["output_dir"] == os.path.realpath(server.output) and disk["total_bytes"] ==
          here.f_blocks * here.f_frsize and 0 < disk["free_bytes"] <= disk["total_bytes"], disk)
    log = server.get("/api/v1/log").json()
    equal("a log with nothing in it", log["lines"], [])
    ids = [server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": "p%d" % i, "size": "64x64", "steps": 1}}).json()["id"]
           for i in range(3)]
    check("jobs are drawn", until(lambda: all(server.get("/api/v1/jobs/" + id).json()["state"] == "done" for id in ids)))
    lines = [json.loads(line) for line in server.get("/api/v1/log?lines=2").json()["lines"]]
    equal("its last lines, the newest last", [line["prompt"] for line in lines], ["p1", "p2"])
    check("in the output directory", os.path.dirname(log["path"]) == disk["output_dir"], log["path"])
    check("pictures take room, as soon as it is looked again",
          until(lambda: server.get("/api/v1/disk").json()["output_bytes"] > disk["output_bytes"]))


def try_gpus(server):
    gpus = server.get("/api/v1/gpus").json()
    check("a machine without a driver says so", gpus["gpus"] == [] and gpus["source"] is None and "driver" in gpus["why"], gpus)
    script = os.path.join(server.home, "nvml")
    with open(script, "w") as file:
        file.write("gpu GPU-aaaaaaaa-0000-0000-0000-000000000001 name=NVIDIA_H200 total=143771 used=30000 util=97 procs=1 temp=64\n"
                   "gpu GPU-bbbbbbbb-0000-0000-0000-000000000002 name=NVIDIA_H200 total=143771\n")
    other = Server(program, "--device", "cpu", "--gpu-lock-dir", os.path.join(server.home, "locks"), environment={"LD_LIBRARY_PATH": os.path.join(fakes, "new"), "FAKE_NVML": script})
    gpus = other.get("/api/v1/gpus").json()
    equal("GPUs", [(gpu["name"], gpu["idle"], gpu["utilization"], gpu["temperature"]) for gpu in gpus["gpus"]],
          [("NVIDIA H200", False, 97, 64), ("NVIDIA H200", True, 0, 30)])
    equal("as the command has them", json.loads(subprocess.run(
        [program, "gpu", "list", "--json", "--gpu-lock-dir", os.path.join(server.home, "locks")], env=other.environment, capture_output=True, text=True).stdout)["gpus"], gpus["gpus"])
    equal("who draws on the CPU has no GPU to tell of", other.get("/sdapi/v1/memory").json()["cuda"], {"error": "unavailable"})
    other.clean()
    drawing = Server(program, "--gpus", "all", "--gpu-lock-dir", os.path.join(server.home, "locks"), environment=other.environment)
    cuda = drawing.get("/sdapi/v1/memory").json()["cuda"]
    MIB = 1 << 20
    equal("for A1111's clients: the memory of a GPU", cuda["system"],
          {"free": 113771 * MIB, "used": 30000 * MIB, "total": 143771 * MIB})
    equal("what is in use, and the most that was", (cuda["allocated"], cuda["events"]["oom"]),
          ({"current": 30000 * MIB, "peak": 30000 * MIB}, 0))
    with open(script, "w") as file:
        file.write("gpu GPU-aaaaaaaa-0000-0000-0000-000000000001 name=NVIDIA_H200 total=143771 used=20000 procs=1\n")
    equal("the peak stays", drawing.get("/sdapi/v1/memory").json()["cuda"]["allocated"],
          {"current": 20000 * MIB, "peak": 30000 * MIB})
    drawing.clean()


hub = Hub()
if "without libcurl" in subprocess.run([program, "models", "download", "org/absent"], capture_output=True, text=True,
                                       env={**os.environ, "HF_ENDPOINT": hub.url}).stderr:
    hub.stop()
    print("skip libcurl: the program was built without it")
    sys.exit(77)
server = Server(program, "--device", "cpu", "--threads", "1", environment={"HF_ENDPOINT": hub.url, "HF_TOKEN": ""})
try_downloads(server, hub)
try_remembering(hub)
try_refusals(server)
try_machine(server)
try_gpus(server)
hub.fault(bytes_per_s=20000)
download(server, "org/one")
code, seconds = server.stop()
check("a server with a download under way ends", code == 143, (code, seconds))
server.clean()
hub.stop()
end()
