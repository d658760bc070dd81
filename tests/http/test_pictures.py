"""test_pictures.py PROGRAM SOURCES - pictures over the network: lists, files, thumbnails, marks, the trash."""
import datetime
import http.client
import json
import os
import struct
import subprocess
import sys
import threading

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
N = 4

server = Server(program, "--instance", "test")
drawn = subprocess.run([program, "generate", "--prompt", "a red square", "--batch", str(N), "--steps", "2", "--size",
                        "64x64", "--seed", "7", "--output-dir", server.output, "--instance", "test", "--quiet"],
                       env=server.environment, cwd=server.home, capture_output=True, text=True)
check("pictures are drawn", drawn.returncode == 0, drawn.stderr)
API = "/api/v1/pictures"


def command(*arguments):
    result = subprocess.run([program, *arguments, "--output-dir", server.output, "--json"], capture_output=True, text=True,
                            env=server.environment, cwd=server.home)
    return json.loads(result.stdout)


def lists():
    page = server.get(API).json()
    equal("a list", (len(page["pictures"]), page["next"]), (N, None))
    seeds = [picture["seed"] for picture in page["pictures"]]
    equal("of all seeds", sorted(seeds, key=int), ["7", "8", "9", "10"])
    first = server.get(API + "?limit=3&sort=oldest").json()
    second = server.get(API + "?limit=3&sort=oldest&after=" + first["next"]).json()
    equal("page by page", sorted(p["id"] for p in first["pictures"] + second["pictures"]),
          sorted(p["id"] for p in page["pictures"]))
    order = server.get(API + "/order").json()
    equal("the order", (order["total"], order["ids"], order["widths"][0]),
          (N, [p["id"] for p in page["pictures"]], 64))
    short = server.get(API + "/order?format=binary").body
    numbers = struct.unpack("<%dI%dH" % (N, 2 * N), short)
    ids = [sum(numbers[:i + 1]) % 2 ** 32 for i in range(N)]
    equal("the order in bytes", (ids, numbers[N:]), (order["ids"], (64,) * 2 * N))
    facets = server.get(API + "/facets").json()
    equal("facets", (facets["total"], facets["facets"]["size"]), (N, [{"value": "64x64", "pictures": N, "loved": 0}]))
    for query, n in (("seed=8", 1), ("text=red+square", N), ("text=blue", 0), ("size=64x64", N), ("steps=2", N),
                     ("steps=3", 0), ("since=1h", N), ("until=2001-01-01", 0), ("loved", 0), ("judged=without", N),
                     ("trash=only", 0), ("steps=%3E1", N), ("steps=%3E2", 0), ("steps=%3E%3D2", N), ("steps=%3C2", 0), ("steps=%3C%3D2", N),
                     ("steps=1..2", N), ("steps=3..9", 0), ("seed=8..9", 2), ("seed=%3E8", 2), ("seed=%3C8", 1), ("seed=%3C9223372036854775809", N),
                     ("seed=%3E18446744073709551614", 0), ("guidance=0.5..100", N), ("guidance=%3C0.5", 0), ("exclude=blue", N),
                     ("exclude=squ", 0), ("exclude=blue+red", 0), ("text=red&exclude=blue", N)):
        equal("pictures: " + query, len(server.get(API + "?" + query).json()["pictures"]), n)
    for query, field in (("seed=x", "seed"), ("steps=many", "steps"), ("steps=%3E", "steps"), ("steps=5..", "steps"), ("steps=-1", "steps"),
                         ("steps=%3D5", "steps"), ("steps=9223372036854775808", "steps"), ("guidance=inf", "guidance"), ("guidance=1..x", "guidance"),
                         ("seed=18446744073709551616", "seed"), ("steps=1..2..3", "steps"), ("sort=worst", "sort"), ("since=soon", "since"),
                         ("limit=0", "limit"), ("limit=1001", "limit"), ("min_rating=6", "min_rating"),
                         ("after=1;drop", None), ("size=big", "size"), ("colour=red", "colour"), ("seed=7&seed=8", "seed"),
                         ("loved=perhaps", "loved")):
        answer = server.get(API + "?" + query)
        equal("no list: " + query, (answer.code, answer.error()[1]), (422, field))
    return page["pictures"]


def one(picture):
    path = API + "/%d" % picture["id"]
    record = server.get(path).json()
    equal("one, with its record", (record["cell"], record["record"]["steps"]), (picture["cell"], 2))
    equal("by its cell", server.get(API + "/" + picture["cell"]).json()["id"], picture["id"])
    for name in ("0", "999999", "-1", "x", "00000000000000000000000000000000", "1e3", "99999999999999999999"):
        answer = server.get(API + "/" + name)
        equal("none: " + name, (answer.code, answer.error()[0]), (404, "NOT_FOUND"))


def files(picture):
    path = API + "/%d/file" % picture["id"]
    with open(picture["path"], "rb") as file:
        bytes_ = file.read()
    whole = server.get(path)
    equal("a file", (whole.code, whole.headers["Content-Type"], whole.body == bytes_), (200, "image/png", True))
    equal("shown, not run", whole.headers["Content-Disposition"].split(";")[0], "inline")
    equal("for its user", server.get(path + "?download").headers["Content-Disposition"].split(";")[0], "attachment")
    tag = whole.headers["ETag"]
    for header, value, code in (("If-None-Match", tag, 304), ("If-None-Match", '"x", W/%s' % tag, 304),
                                ("If-None-Match", '"x"', 200), ("If-None-Match", "*", 304)):
        equal("%s: %s" % (header, value[:4]), server.get(path, headers={header: value}).code, code)
    n = len(bytes_)
    for range_, part, where in (("bytes=0-9", bytes_[:10], "0-9"), ("bytes=10-", bytes_[10:], "10-%d" % (n - 1)),
                                ("bytes=-5", bytes_[-5:], "%d-%d" % (n - 5, n - 1)),
                                ("bytes=5-999999999", bytes_[5:], "5-%d" % (n - 1))):
        answer = server.get(path, headers={"Range": range_})
        equal("range " + range_, (answer.code, answer.headers["Content-Range"], answer.body == part),
              (206, "bytes %s/%d" % (where, n), True))
    for range_ in ("bytes=%d-" % n, "bytes=-0", "bytes=999999999-"):
        answer = server.get(path, headers={"Range": range_})
        equal("outside: " + range_, (answer.code, answer.headers["Content-Range"]), (416, "bytes */%d" % n))
    for range_ in ("bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "bytes=--1", "bytes="):
        equal("no range: " + range_, server.get(path, headers={"Range": range_}).code, 200)
    equal("a range of another version is the whole",
          server.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).code, 200)
    check("by its cell it is for ever",
          "immutable" in server.get(API + "/%s/file" % picture["cell"]).headers["Cache-Control"])


def thumbnails(picture):
    path = API + "/%d/thumbnail" % picture["id"]
    small = server.get(path)
    equal("a thumbnail", (small.code, small.headers["Content-Type"], small.body[:4], small.body[8:12]),
          (200, "image/webp", b"RIFF", b"WEBP"))
    cache = os.path.join(server.home, ".cache", "sdxl-lab", "thumbnails")
    made = [os.path.join(folder, name) for folder, _, names in os.walk(cache) for name in names]
    equal("it is kept", len(made), 1)
    time = os.stat(made[0]).st_mtime_ns
    equal("and not made again", (server.get(path).body, os.stat(made[0]).st_mtime_ns), (small.body, time))
    equal("of another side", server.get(path + "?side=640").code, 200)
    equal("of no side", server.get(path + "?side=100").error()[1], "side")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.get(path + "?side=1024").body)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal("eight ask at once and get the same", (len(answers), len(set(answers))), (8, 1))


def marks(picture):
    path = API + "/%d/mark" % picture["id"]
    equal("a favourite", server.ask("PUT", path, {"favorite": True, "rating": 4}).json(),
          {"id": picture["id"], "favorite": True, "rating": 4, "rejected": False})
    equal("is one for commands", [p["loved"] for p in command("pictures", "list", "--loved")["pictures"]], [True])
    equal("and in lists", len(server.get(API + "?loved&min_rating=4").json()["pictures"]), 1)
    equal("one thing changes alone", server.ask("PUT", path, {"rating": 5}).json()["favorite"], True)
    equal("rejected", server.ask("PUT", path, {"rejected": True, "favorite": False}).json()["rejected"], True)
    equal("and found so", (len(server.get(API + "?rejected=only").json()["pictures"]),
                           len(server.get(API + "?rejected=without").json()["pictures"])), (1, N - 1))
    equal("judged or not", (len(server.get(API + "?judged=only").json()["pictures"]),
                            len(server.get(API + "?judged=without").json()["pictures"])), (1, N - 1))
    for body, field in (({"favorite": 1}, "favorite"), ({"rating": 6}, "rating"), ({"rating": "5"}, "rating"),
                        ({"stars": 5}, "stars"), ({}, None)):
        answer = server.ask("PUT", path, body)
        equal("no mark: %s" % body, (answer.code, answer.error()[1]), (422, field))
    equal("of no picture", server.ask("PUT", API + "/999/mark", {"favorite": True}).code, 404)
    late(picture, path)
    server.ask("PUT", path, {"rejected": False, "rating": 0})


def lines():
    return [json.loads(line) for name in os.listdir(server.output) if name.startswith("marks")
            for line in open(os.path.join(server.output, name))]


def late(picture, path):
    """Marks that say how long ago they were made."""
    known = len(lines())
    answer = server.ask("PUT", path, {"rating": 1, "age_s": 3600})
    equal("one that is older than what is there", (answer.code, answer.error()[0]), (409, "CONFLICT"))
    equal("changes nothing", (server.get(API + "/%d" % picture["id"]).json()["rating"], len(lines())), (5, known))
    equal("what holds already", server.ask("PUT", path, {"rating": 5, "age_s": 3600}).json()["rating"], 5)
    equal("is not written twice", len(lines()), known)
    other = next(p for p in server.get(API).json()["pictures"] if p["id"] != picture["id"])
    equal("of one without marks", server.ask("PUT", API + "/%d/mark" % other["id"], {"rating": 2, "age_s": 86400.5}).json()["rating"], 2)
    when = datetime.datetime.fromisoformat(lines()[-1]["marked_at"].replace("Z", "+00:00"))
    age = (datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()
    check("it counts from when it was said", 86399 < age < 86460, age)
    equal("which is told", server.get(API + "/%d" % other["id"]).json()["marked_at"], lines()[-1]["marked_at"])
    equal("now is newer", server.ask("PUT", API + "/%d/mark" % other["id"], {"rating": 0, "age_s": 0}).json()["rating"], 0)
    for age in (-1, 40000000, "1", None):
        equal("no age: %r" % age, server.ask("PUT", path, {"rating": 1, "age_s": age}).error()[1], "age_s")
    equal("an age alone says nothing", server.ask("PUT", path, {"age_s": 1}).code, 422)


def live(pictures):
    """What a command or another client says comes as an event."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/api/v1/events")
    stream = connection.getresponse()

    def hear(event, id):
        name = None
        while True:
            line = stream.fp.readline().decode().strip()
            name = line[7:] if line.startswith("event: ") else name
            if line.startswith("data: ") and name == event:
                found = [one for one in json.loads(line[6:])["pictures"] if one["id"] == id]
                if found:
                    return found[0]
    a, b = pictures[:2]
    # Until the first look is through nothing is compared: say something new again and again.
    told = threading.Event()

    def say():
        rating = 1
        while not told.is_set():
            server.ask("PUT", API + "/%d/mark" % a["id"], {"rating": rating})
            rating = rating % 5 + 1
            told.wait(0.3)
    talker = threading.Thread(target=say)
    talker.start()
    equal("a mark comes as an event", hear("marks", a["id"])["id"], a["id"])
    told.set()
    talker.join()
    command("favorite", "rate", "3", b["path"])
    equal("one by a command, too", hear("marks", b["id"]), {"id": b["id"], "favorite": False, "rating": 3, "rejected": False})
    server.ask("PUT", API + "/%d/mark" % b["id"], {"rating": 0})
    equal("and one that is taken away", hear("marks", b["id"])["rating"], 0)
    server.ask("PUT", API + "/%d/mark" % a["id"], {"rating": 0})
    connection.close()


def trash(picture):
    path, file = API + "/%d" % picture["id"], picture["path"]
    inside = os.path.relpath(file, os.path.realpath(server.output))
    away = os.path.join(server.output, ".trash", inside)
    with open(file, "rb") as f:
        bytes_ = f.read()
    equal("to the trash", server.ask("DELETE", path).code, 204)
    check("the file is there and not here", os.path.exists(away) and not os.path.exists(file))
    equal("it is gone from lists", (len(server.get(API).json()["pictures"]),
                                    len(server.get(API + "?trash=only").json()["pictures"]),
                                    server.get(API + "/order").json()["total"]), (N - 1, 1, N - 1))
    equal("its file is in the trash", (server.get(path + "/file").code, server.get(path + "/file").error()[0]), (410, "GONE"))
    equal("a thumbnail shows it there", server.get(path + "/thumbnail").code, 200)
    equal("not twice", server.ask("DELETE", path).code, 410)
    with open(file, "wb") as f:
        f.write(b"another one")
    equal("back where another one is now", server.ask("POST", path + "/restore", {}).code, 409)
    check("nothing is lost", open(away, "rb").read() == bytes_ and open(file, "rb").read() == b"another one")
    os.unlink(file)
    equal("back", server.ask("POST", path + "/restore", {}).code, 204)
    check("as it was", open(file, "rb").read() == bytes_ and not os.path.exists(away))
    equal("and in lists", len(server.get(API).json()["pictures"]), N)
    equal("back once more changes nothing", server.ask("POST", path + "/restore", {}).code, 204)
    os.makedirs(os.path.dirname(away), exist_ok=True)
    with open(away, "wb") as f:
        f.write(b"an earlier one")
    server.ask("DELETE", path)
    check("one that was in the trash before stays", open(away, "rb").read() == bytes_ and
          open(away + "~1", "rb").read() == b"an earlier one")
    server.ask("POST", path + "/restore", {})
    away_dir = os.path.join(server.output, ".trash")
    os.rename(away_dir, away_dir + "_")
    os.symlink("/tmp", away_dir)
    answer = server.ask("DELETE", path)
    check("a trash that is a link elsewhere is not used", answer.code >= 400 and os.path.exists(file), answer.code)
    os.unlink(away_dir)
    server.ask("POST", path + "/restore", {})
    os.rename(file, file + ".png")
    equal("a file that is gone", server.get(path + "/file").code, 404)
    os.symlink("/etc/passwd", file)
    answer = server.get(path + "/file")
    check("a file that became a link elsewhere", answer.code == 404 and b"root:" not in answer.body, answer.code)
    os.unlink(file)
    os.rename(file + ".png", file)


def many(pictures):
    ids = [picture["id"] for picture in pictures[:2]]
    answer = server.ask("POST", API + "/trash", {"pictures": [ids[0], pictures[1]["cell"], 999999]})
    equal("many to the trash, and one that is none", (answer.code, answer.json()["moved"], [f["picture"] for f in answer.json()["failed"]]),
          (200, 2, ["999999"]))
    equal("they are gone from lists", server.get(API + "/order").json()["total"], N - 2)
    equal("back", server.ask("POST", API + "/restore", {"pictures": ids}).json(), {"moved": 2, "failed": []})
    equal("all are there", server.get(API + "/order").json()["total"], N)
    for body in ({}, {"pictures": []}, {"pictures": 7}, {"pictures": [[]]}, {"pictures": [1] * 201}, {"pictures": ids, "now": True}):
        equal("nothing is moved: %.40s" % body, server.ask("POST", API + "/trash", body).code, 422)


def without_log(picture):
    """A picture that no log names is known by its record alone; in the trash it is still known."""
    folder = os.path.join(server.output, "alone")
    os.makedirs(folder)
    with open(picture["path"], "rb") as file:
        bytes_ = file.read()
    with open(os.path.join(folder, "b.png"), "wb") as file:
        file.write(bytes_)
    server.ask("PUT", API + "/%d/mark" % picture["id"], {"rating": 1})  # after a change the index is asked at once
    path = API + "/%d" % next(p["id"] for p in server.get(API).json()["pictures"] if p["path"].endswith("alone/b.png"))
    equal("one without a log: to the trash", server.ask("DELETE", path).code, 204)
    equal("it is known there", [p["path"].endswith("alone/b.png") for p in server.get(API + "?trash=only").json()["pictures"]], [True])
    equal("and seen", server.get(path + "/thumbnail").code, 200)
    equal("and comes back", (server.ask("POST", path + "/restore", {}).code, server.get(path + "/file").code), (204, 200))
    server.ask("DELETE", path)
    os.rmdir(folder)
    command("index", "rebuild")
    again = server.get(API + "?trash=only").json()["pictures"]
    equal("an index that was made anew knows it as well", [p["path"].endswith("alone/b.png") for p in again], [True])
    equal("and brings it back", server.ask("POST", API + "/%d/restore" % again[0]["id"], {}).code, 204)
    equal("once", len([p for p in server.get(API).json()["pictures"] if p["path"].endswith("alone/b.png")]), 1)
    os.unlink(os.path.join(folder, "b.png"))


try:
    pictures = lists()
    one(pictures[0])
    files(pictures[0])
    thumbnails(pictures[0])
    marks(pictures[1])
    live(pictures)
    trash(pictures[2])
    many(pictures)
    without_log(pictures[3])
finally:
    server.clean()
end()
