"""Nights over HTTP: checked, begun, followed, added to, stopped, gone on with, reported; what the network may not
name; and that a night outlives its server. Pictures are the embedded model's."""
import json
import os
import subprocess
import sys
import time

from serving import Server, check, end, equal

program = sys.argv[1]
NIGHT = {"prompts": "lab-tiny", "seed": 7, "until_jobs": 3, "steps": 4, "size": "128x128", "min_free": "1MB"}
LONG = dict(NIGHT, until_jobs=400, steps=12)


def begin(server, config, **more):
    return server.ask("POST", "/api/v1/nights", {"config": config, **more}, timeout=60)


def night(server, id):
    return server.get("/api/v1/nights/" + id).json()


def wait(server, id, suits, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = night(server, id)
        if suits(now):
            return now
        time.sleep(0.1)
    return night(server, id)


def is_over(now):
    return not now["is_running"]


def wrong(server, name, config, field, *words, address="/api/v1/nights/check"):
    answer = server.ask("POST", address, {"config": config})
    status, found, sentence = answer.error() if answer.code >= 400 else (None, None, answer.body)
    check(name, answer.code == 422 and found == field and all(word in sentence for word in words),
          (answer.code, found, sentence))


def configurations(server):
    folder = os.path.join(server.output, "nights")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


server = Server(program, "--device", "cpu", "--workers", "1")
try:
    keys = server.get("/api/v1/nights/keys").json()["keys"]
    check("keys are listed", {"prompts", "until", "disk_budget", "quiet_hours"} <= {key["name"] for key in keys}, keys)
    equal("a key that may read a file does not", [key["choices"] for key in keys if key["name"] == "learn_from"], [["favourites"]])
    themes = server.get("/api/v1/themes").json()["themes"]
    check("themes are listed with what they are about",
          len(themes) >= 8 and all(theme["about"] and not theme["error"] for theme in themes), themes)
    equal("there is no night yet", server.get("/api/v1/nights").json(), {"nights": []})

    # What a night would be.
    answer = server.ask("POST", "/api/v1/nights/check", {"config": NIGHT})
    told = answer.json()
    equal("a configuration is checked", (answer.code, told["until"]), (200, "3 jobs"))
    check("its first jobs are decided", len(told["first_jobs"]) == 3 and all(job["prompt"] for job in told["first_jobs"]))
    check("and how many prompts there are", "prompts" in told["prompts"], told["prompts"])
    equal("nothing was made", configurations(server), [])

    wrong(server, "a theme that there is none of", dict(NIGHT, prompts="lab-tiney"), "prompts", "lab-tiny")
    wrong(server, "a file as a theme", dict(NIGHT, prompts="/etc/passwd"), "prompts", "is a file", "/api/v1/themes")
    wrong(server, "a file in the folder as a theme", dict(NIGHT, prompts=["lab-tiny", "x.yaml"]), "prompts", "x.yaml")
    told = server.ask("POST", "/api/v1/nights/check", {"config": dict(NIGHT, learn_from="favourites")}).json()
    equal("it may learn from what is loved", (told["until"], told["lots"]), ("3 jobs", {}))
    wrong(server, "a file to learn from", dict(NIGHT, learn_from="/etc/passwd"), "learn_from", "no file")
    wrong(server, "a place for the pictures", dict(NIGHT, output_dir="/tmp"), "output_dir", "not set over the network")
    wrong(server, "a device", dict(NIGHT, device="cuda"), "device", "not set over the network")
    wrong(server, "a model by its path", dict(NIGHT, model="/etc"), "model", "path")
    wrong(server, "a mistyped key", dict(NIGHT, until_job=3), "until_job", "until_jobs")
    wrong(server, "no end", {"prompts": "lab-tiny"}, None, "when the night ends")
    wrong(server, "nothing to draw", {"until_jobs": 3}, None, "what to draw")
    wrong(server, "steps that are none", dict(NIGHT, steps=0), "steps", "1")
    wrong(server, "an hour that is none", dict(NIGHT, until="25:00"), "until", "25:00")
    wrong(server, "a job's setting", dict(NIGHT, jobs=[{"prompt": "a cat", "output_dir": "/tmp"}]), "jobs", "output_dir")
    wrong(server, "a job's init image", dict(NIGHT, jobs=[{"init_image": "/etc/passwd"}]), "jobs", "init_image")
    wrong(server, "jobs that are no list", dict(NIGHT, jobs="cats"), "jobs", "list")
    wrong(server, "no configuration", [], "config", "object")
    wrong(server, "a night that cannot begin", {"prompt": "a cat", "until_jobs": 1, "model": "no-such-model"}, None, "no-such-model",
          address="/api/v1/nights")
    equal("nothing was left of those", configurations(server), [])
    for path in ("night_none", "night_..", "x"):
        equal("no night " + path, server.get("/api/v1/nights/" + path).code, 404)

    # A night from its beginning to its end.
    answer = begin(server, NIGHT)
    equal("a night begins", answer.code, 201)
    id = answer.json()["id"]
    now = wait(server, id, is_over)
    equal("and ends", (now["state"], now["n_done"], now["n_failed"]), ("done", 3, 0))
    report = subprocess.run([program, "night", "report", os.path.join(server.output, id), "--json"],
                            capture_output=True, text=True, env=server.environment)
    equal("its report is that of the command", now["report"], json.loads(report.stdout))
    equal("the log has its jobs", sum(1 for line in open(
        [os.path.join(server.output, name) for name in os.listdir(server.output) if name.startswith("jobs")][0])), 3)
    page = server.get("/api/v1/nights/%s/report" % id)
    check("the report is a page to keep", page.code == 200 and b"<html" in page.body and
          "attachment" in page.headers["Content-Disposition"] and page.body.count(b"data:image/") >= 3, page.headers)
    equal("its pictures are in the gallery", len(server.get("/api/v1/pictures?run=" + id).json()["pictures"]), 3)
    file = now["config"]
    again = subprocess.run([program, "night", "check", file, "--json"], capture_output=True, text=True,
                           env=server.environment)
    equal("its configuration is a file for the command", json.loads(again.stdout)["until"], "3 jobs")
    equal("what is done does not go on", server.ask("POST", "/api/v1/nights/%s/resume" % id, {}).code, 409)
    equal("nor is it stopped", server.ask("POST", "/api/v1/nights/%s/stop" % id, {}).code, 409)

    # One that is stopped and goes on; one at a time.
    id = begin(server, LONG).json()["id"]
    wait(server, id, lambda now: now["n_done"] >= 1)
    check("who draws is told", night(server, id)["at_work"])
    answer = begin(server, NIGHT)
    check("there is one night at a time", answer.code == 409 and id in answer.error()[2], answer.body)
    answer = server.ask("POST", "/api/v1/nights/%s/jobs" % id, {"jobs": [{"prompt": "a blue square"}]})
    equal("a job is added", (answer.code, answer.json()), (202, {"added": 1}))
    for name, job, word in (("path", {"model": "/etc"}, "path"), ("setting", {"stepps": 3}, "steps"),
                            ("place", {"output_dir": "/tmp"}, "output_dir")):
        answer = server.ask("POST", "/api/v1/nights/%s/jobs" % id, {"jobs": [job]})
        check("but none with a wrong " + name, answer.code == 422 and word in answer.error()[2], answer.body)
    equal("nor none at all", server.ask("POST", "/api/v1/nights/%s/jobs" % id, {"jobs": []}).code, 422)
    equal("a mistyped member", server.ask("POST", "/api/v1/nights/%s/stop" % id, {"noww": True}).error()[1], "noww")
    equal("it is stopped", server.ask("POST", "/api/v1/nights/%s/stop" % id, {"now": True}).code, 200)
    now = wait(server, id, is_over)
    equal("and says so", now["state"], "stopped")
    n = now["n_done"]
    equal("it goes on", server.ask("POST", "/api/v1/nights/%s/resume" % id, {}, timeout=60).code, 200)
    now = wait(server, id, lambda now: now["n_done"] > n)
    check("and draws", now["n_done"] > n, now)
    prompts = [one["prompt"] for one in server.get("/api/v1/pictures?limit=50&run=" + id).json()["pictures"]]
    wait(server, id, lambda now: "a blue square" in prompts or now["n_done"] > n + 2)
    prompts = [one["prompt"] for one in server.get("/api/v1/pictures?limit=50&run=" + id).json()["pictures"]]
    check("the added job comes next", "a blue square" in prompts, prompts)

    # A night outlives its server.
    equal("the server ends", server.stop()[0], 143)
    before = now["n_done"]
    status = lambda: json.loads(subprocess.run([program, "night", "status", os.path.join(server.output, id), "--json"],
                                               capture_output=True, text=True, env=server.environment).stdout)
    until = time.monotonic() + 60
    while status()["done"] <= before and time.monotonic() < until:
        time.sleep(0.2)
    found = status()
    check("the night goes on without it", found["is_running"] and found["done"] > before, found["done"])
    other = Server(program, "--device", "cpu", "--workers", "1", output=server.output)
    try:
        now = night(other, id)
        check("the next server finds it", now["is_running"] and now["state"] == "drawing", now["state"])
        equal("and stops it", other.ask("POST", "/api/v1/nights/%s/stop" % id, {"now": True}).code, 200)
        equal("in time", wait(other, id, is_over)["state"], "stopped")
    finally:
        other.clean()
finally:
    subprocess.run([program, "night", "stop", server.output, "--now"], capture_output=True, env=server.environment)
    server.clean()
end()
