"""Jobs over HTTP: submitted, followed, moved, cancelled, restored; what is wrong is said with its field; and what
happens when a worker or the server is killed. Pictures are the embedded model's."""
import glob
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

from serving import Server, check, end, equal

program = sys.argv[1]
SMALL = {"prompt": "a red circle", "size": "128x128", "steps": 4, "seed": 5}
LONG = dict(SMALL, steps=900)


def submit(server, settings, **more):
    return server.ask("POST", "/api/v1/jobs", {"settings": settings, **more})


def job(server, id):
    return server.get("/api/v1/jobs/" + id).json()


def wait(server, id, states=("done", "failed", "cancelled"), seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = job(server, id)
        if now["state"] in states:
            return now
        time.sleep(0.05)
    return job(server, id)


def order(server):
    return [one["id"] for one in server.get("/api/v1/jobs").json()["jobs"] if one["state"] in ("queued", "running")]


def workers(server):
    """Process ids of its children that are workers."""
    found = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


class Follower(threading.Thread):
    """A client of the stream of events."""

    def __init__(self, server, query=""):
        super().__init__(daemon=True)
        import http.client
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.request("GET", "/api/v1/events" + query)
        self.answer = self.connection.getresponse()
        self.events = []
        self.ids = []
        self.start()

    def run(self):
        name = None
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("id: "):
                    self.ids.append(line[4:])
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line[6:])))
        except (OSError, ValueError, AttributeError):
            pass

    def has(self, name, suits=lambda data: True, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for found, data in list(self.events):
                if found == name and suits(data):
                    return True
            time.sleep(0.05)
        return False


def try_drawing(server):
    follower = Follower(server)
    made = submit(server, SMALL)
    equal("a job is made", made.code, 201)
    id = made.json()["id"]
    check("and told what was decided for it", made.json()["notices"], made.json())
    done = wait(server, id)
    equal("it is drawn", (done["state"], done["n_done"], len(done["pictures"])), ("done", 1, 1))
    check("who follows hears of it", follower.has("job", lambda data: data["id"] == id and data["state"] == "done"))
    check("and of its picture", follower.has("cell", lambda data: data["job"] == id and "path" in data))
    sampled = [data for name, data in follower.events if name == "progress" and data["phase"] == "sample"]
    equal("no pace is told of the first step", [data["rate"] for data in sampled[:1]], [None])
    check("what a new client has to know comes first", follower.events[0][0] == "state", follower.events[0])
    late = Follower(server, "?after=" + follower.ids[0])
    check("who says what it has seen gets the rest, and no state", late.has("cell", lambda data: data["job"] == id) and
          "state" not in [name for name, _ in late.events], late.events[:2])
    check("who has seen another server's is told", Follower(server, "?after=another-7").has("reset"))
    cell, path = done["pictures"][0][0], done["pictures"][0][1]
    served = server.get("/api/v1/pictures/%s/file" % cell)
    with open(path, "rb") as file:
        equal("the picture is served", (served.code, served.body), (200, file.read()))
    alone = os.path.join(server.home, "alone")
    subprocess.run([program, "generate", "--prompt", SMALL["prompt"], "--size", "128x128", "--steps", "4", "--seed", "5",
                    "--output-dir", alone, "--quiet", "--device", "cpu"], env=server.environment, check=True,
                   capture_output=True)
    check_same(path, glob.glob(alone + "/*.png")[0])


def check_same(one, other):
    """The same pixels: records differ in when they were made."""
    def pixels(path):
        data, at, found = open(path, "rb").read(), 8, hashlib.sha256()
        while at < len(data):
            n = int.from_bytes(data[at:at + 4], "big")
            if data[at + 4:at + 8] == b"IDAT":
                found.update(data[at + 8:at + 8 + n])
            at += 12 + n
        return found.hexdigest()
    equal("it is the picture that the command line draws", pixels(one), pixels(other))


def try_refusals(server):
    for name, body, field in (
            ("a misspelt setting", {"settings": {"prompt": "x", "stepz": 3}}, None),
            ("a value out of its range", {"settings": {"prompt": "x", "steps": 0}}, "steps"),
            ("a value of another kind", {"settings": {"prompt": "x", "steps": "many"}}, "steps"),
            ("a model that is not there", {"settings": {"prompt": "x", "model": "nobody/nothing"}}, None),
            ("a path where a name belongs", {"settings": {"prompt": "x", "model": "/etc"}}, None),
            ("a number beyond 64 bits", {"settings": {"prompt": "x", "seed": 1 << 64}}, "seed"),
            ("one in a list", {"settings": {"prompt": "x", "sweep": {"seed": [1, -(1 << 70)]}}}, "seed"),
            ("no settings", {}, "settings"),
            ("settings that are none", {"settings": [1]}, "settings"),
            ("a member that there is none of", {"settings": {"prompt": "x"}, "nxt": True}, "nxt"),
            ("a word for a switch", {"settings": {"prompt": "x"}, "next": "yes"}, "next")):
        answer = server.ask("POST", "/api/v1/jobs", body)
        check("refused: " + name, answer.code == 422 and len(answer.error()[2]) > 10, (answer.code, answer.body))
        if field:
            equal("and the field is told: " + name, answer.error()[1], field)
    equal("nothing of it was queued", order(server), [])
    equal("no such job", server.get("/api/v1/jobs/nothing").code, 404)
    equal("no such job to cancel", server.ask("DELETE", "/api/v1/jobs/nothing").code, 404)
    planned = server.ask("POST", "/api/v1/jobs/check",
                         {"settings": dict(SMALL, sweep=["seed=1..6", "steps=2,3"], seed=None)})
    if planned.code == 422:  # null is no seed: left out then
        planned = server.ask("POST", "/api/v1/jobs/check", {"settings": {
            "prompt": "x", "size": "128x128", "sweep": ["seed=1..6", "steps=2,3"]}})
    equal("a plan is counted", planned.json().get("n_cells"), 12)
    equal("and nothing queued", order(server), [])


def try_order(server):
    server.ask("POST", "/api/v1/queue", {"paused": True})
    ids = [submit(server, dict(SMALL, seed=i)).json()["id"] for i in range(4)]
    equal("a paused queue waits", order(server), ids)
    revision = server.get("/api/v1/jobs").json()["revision"]
    moved = server.ask("POST", "/api/v1/jobs/%s/move" % ids[3], {"before": ids[1], "revision": revision})
    equal("a job is moved", (moved.code, order(server)), (200, [ids[0], ids[3], ids[1], ids[2]]))
    late = server.ask("POST", "/api/v1/jobs/%s/move" % ids[0], {"to": "bottom", "revision": revision})
    check("who saw another order is told so", late.code == 409 and len(late.error()[2]) > 10, (late.code, late.body))
    for where in ({"to": "top", "before": ids[1]}, {"to": {}, "before": ids[1]}, {"to": "up"}, {"before": 1}, {}):
        equal("no move: %s" % sorted(where.items(), key=str), server.ask("POST", "/api/v1/jobs/%s/move" % ids[0],
                                                                         where).code, 422)
    equal("cancelled", server.ask("DELETE", "/api/v1/jobs/" + ids[0]).json()["state"], "cancelled")
    equal("restored, last", (server.ask("POST", "/api/v1/jobs/%s/restore" % ids[0], {}).code, order(server)[-1]),
          (200, ids[0]))
    equal("one that waits cannot be restored", server.ask("POST", "/api/v1/jobs/%s/restore" % ids[0], {}).code, 409)
    server.ask("POST", "/api/v1/queue", {"paused": False})
    for id in ids:
        equal("drawn in the end", wait(server, id)["state"], "done")


def try_cancelling(server):
    id = submit(server, LONG).json()["id"]
    wait(server, id, ("running",))
    time.sleep(1)
    shown = server.get("/api/v1/jobs/%s/preview" % id)
    begun = time.monotonic()
    equal("one that is drawn is cancelled", server.ask("DELETE", "/api/v1/jobs/" + id).code, 200)
    check("within a step", wait(server, id, seconds=10)["state"] == "cancelled", time.monotonic() - begun)
    check("a preview, or none yet", shown.code in (200, 204), shown.code)
    id = submit(server, LONG).json()["id"]
    got, until = None, time.monotonic() + 20
    while not got and time.monotonic() < until:
        answer = server.get("/api/v1/jobs/%s/preview" % id)
        got = answer if answer.code == 200 else None
        time.sleep(0.1)
    check("previews are JPEGs", got and got.body[:2] == b"\xff\xd8" and got.headers["X-Preview"], got and got.code)
    if got:
        later = server.get("/api/v1/jobs/%s/preview?after=%s" % (id, 10 ** 12))
        check("none newer than one that is known", later.code in (200, 204), later.code)
    equal("everything is cancelled", server.ask("POST", "/api/v1/queue/cancel-all", {}).json(), {"cancelled": 1})
    equal("and ends so", wait(server, id)["state"], "cancelled")


def try_killing(server):
    id = submit(server, dict(SMALL, sweep=["seed=1..6"], steps=30)).json()["id"]
    wait(server, id, ("running",))
    for _ in range(100):
        if workers(server):
            break
        time.sleep(0.05)
    for pid in workers(server):
        os.kill(pid, signal.SIGKILL)
    done = wait(server, id)
    equal("a worker that is killed loses nothing", (done["state"], done["n_done"]), ("done", 6))
    equal("and the server is there", server.get("/healthz").code, 200)
    figures = server.get("/metrics").body.decode()
    counted = dict(line.rsplit(" ", 1) for line in figures.split("\n") if line.startswith("sdxl_lab_jobs_"))
    check("which counts its jobs", int(counted["sdxl_lab_jobs_done_total"]) >= 6 and
          int(counted["sdxl_lab_jobs_cancelled_total"]) >= 2 and counted["sdxl_lab_jobs_waiting"] == "0", counted)


def try_restart():
    server = Server(program, "--device", "cpu", "--threads", "1")
    first = submit(server, {"prompt": "a red circle", "size": "128x128", "steps": 20, "sweep": ["seed=1..6"]}).json()["id"]
    second = submit(server, SMALL).json()["id"]
    until = time.monotonic() + 30
    while job(server, first)["n_done"] < 2 and time.monotonic() < until:
        time.sleep(0.02)
    server.process.kill()
    server.process.wait()
    time.sleep(1)  # its workers hear that nobody speaks to them
    again = Server(program, "--device", "cpu", "--threads", "1", output=server.output)
    equal("a server that was killed comes back with its queue", [wait(again, id)["state"] for id in (first, second)],
          ["done", "done"])
    pictures = glob.glob(server.output + "/**/*seed*.png", recursive=True)
    equal("and each picture is there once", len(pictures), 7)
    again.clean()
    server.clean()


def try_pace():
    """How long a job takes is known after a restart, before anything is drawn."""
    server = Server(program, "--device", "cpu", "--threads", "1")
    estimate = lambda of, **more: of.ask("POST", "/api/v1/jobs/check", {"settings": {**SMALL, **more}}).json()["estimate_s"]
    equal("nobody knows how long a first picture takes", estimate(server), None)
    wait(server, submit(server, SMALL).json()["id"])
    first = estimate(server)
    check("then one knows", first and first > 0, first)
    check("and of more steps, that they take longer", estimate(server, steps=40) > 5 * first, (estimate(server, steps=40), first))
    server.stop()
    again = Server(program, "--device", "cpu", "--threads", "1", output=server.output)
    equal("also after a restart", round(estimate(again), 6), round(first, 6))
    again.stop()
    name = glob.glob(os.path.join(server.output, ".queue", "*.pace.json"))[0]
    with open(name, "w") as file:
        file.write('{"format": 1, "devices": "CPU", "s_per_cost": ')
    third = Server(program, "--device", "cpu", "--threads", "1", output=server.output)
    equal("a damaged file says nothing", estimate(third), None)
    for one in (third, again, server):
        one.clean()


server = Server(program, "--device", "cpu", "--threads", "2")
try_drawing(server)
try_refusals(server)
try_order(server)
try_cancelling(server)
try_killing(server)
code, seconds = server.stop()
check("it ends when it is told to, a job or not", code == 143 and seconds < 10, (code, seconds))
server.clean()
try_restart()
try_pace()
end()
