"""test_together.py PROGRAM - many clients at once, who ask for everything that there is: no call is lost or ends as an
internal error, and the server ends as it should. Under ThreadSanitizer it is this test that shows what the threads of
the routes do to each other."""
import http.client
import random
import sys
import threading
import time

from serving import Server, check, end, equal

program = sys.argv[1]
CLIENTS = 6
ROUNDS = 25
PICTURE = {"prompt": "a red circle", "size": "64x64", "steps": 1, "width": 64, "height": 64}

# What is asked: method, path, body. {number} is a number of the client's, {id} a picture that there is.
CALLS = [
    ("GET", "/sdapi/v1/memory", None), ("GET", "/sdapi/v1/options", None), ("GET", "/sdapi/v1/progress", None),
    ("POST", "/sdapi/v1/options", {"samples_format": "png"}), ("GET", "/sdapi/v1/sd-models", None), ("GET", "/sdapi/v1/loras", None),
    ("POST", "/sdapi/v1/interrupt", {}), ("POST", "/sdapi/v1/skip", {}), ("POST", "/sdapi/v1/txt2img", PICTURE),
    ("GET", "/v1/models", None), ("GET", "/v1/models/org%2Fabsent", None),
    ("POST", "/v1/images/generations", {"prompt": "a blue square", "size": "64x64", "steps": 1, "n": 1}),
    ("GET", "/api/v1/nights", None), ("POST", "/api/v1/nights/check", {"config": {"prompts": "lab-tiny", "until_jobs": 1}}),
    ("GET", "/api/v1/downloads", None), ("POST", "/api/v1/downloads", {"model": "org/absent-{number}"}),
    ("DELETE", "/api/v1/downloads/{number}", None), ("GET", "/api/v1/insights", None), ("GET", "/api/v1/duel", None),
    ("PUT", "/api/v1/pictures/{id}/mark", {"rating": 4}), ("GET", "/api/v1/pictures", None), ("GET", "/api/v1/pictures/facets", None),
    ("GET", "/api/v1/pictures/{id}/thumbnail?side=320", None), ("GET", "/api/v1/disk", None), ("GET", "/api/v1/gpus", None),
    ("GET", "/api/v1/log", None), ("GET", "/api/v1/places", None), ("GET", "/api/v1/jobs", None), ("GET", "/metrics", None),
    ("POST", "/api/v1/jobs", {"settings": {"prompt": "a fox", "size": "64x64", "steps": 1}}),
    ("POST", "/api/v1/jobs/check", {"settings": {"prompt": "a fox", "sweep": "steps=1..4"}}),
    ("POST", "/api/v1/tokens", {"settings": {"prompt": "a fox in the snow"}}), ("GET", "/api/v1/complete?text=a", None),
]


def fill(value, names):
    if isinstance(value, dict):
        return {key: fill(one, names) for key, one in value.items()}
    return value.format(**names) if isinstance(value, str) else value


def client(server, number, ids, codes):
    chance = random.Random(number)
    for i in range(ROUNDS):
        method, path, body = CALLS[(number * 11 + i) % len(CALLS)] if i % 2 else chance.choice(CALLS)
        names = {"number": chance.randrange(1, 9), "id": chance.choice(ids)}
        try:
            code = server.ask(method, fill(path, names), fill(body, names), timeout=300).code
        except OSError as why:
            code = repr(why)
        codes.append((code, method, path))


def follow(server, heard):
    """Until there was a picture, whoever asked for it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    connection.request("GET", "/api/v1/events")
    for line in connection.getresponse():
        if line.startswith(b"event: cell"):
            heard.append(line)
            break
    connection.close()


server = Server(program, "--device", "cpu", "--threads", "1", environment={"HF_HUB_OFFLINE": "1"})
for seed in (1, 2):
    answer = server.ask("POST", "/v1/images/generations", {"prompt": "a green star", "size": "64x64", "steps": 1, "seed": seed}, timeout=300)
    equal("a picture to begin with", answer.code, 200)
ids = [str(one["id"]) for one in server.get("/api/v1/pictures").json()["pictures"]]
codes, heard = [], []
threads = [threading.Thread(target=client, args=(server, number, ids, codes)) for number in range(CLIENTS)]
threads += [threading.Thread(target=follow, args=(server, heard)) for _ in range(2)]
started = time.monotonic()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("     %.1f s" % (time.monotonic() - started))
equal("all were answered", len(codes), CLIENTS * ROUNDS)
check("none by an internal error", all(isinstance(code, int) and code < 500 for code, *_ in codes),
      [one for one in codes if not isinstance(one[0], int) or one[0] >= 500])
check("most by what was asked for", sum(code < 300 for code, *_ in codes if isinstance(code, int)) > CLIENTS * ROUNDS / 2,
      sorted({one for one in codes if one[0] != 200}, key=str))
equal("who follows hears of it", len(heard), 2)
code, _ = server.stop()
equal("it ends as it should", code, 143)
check("and has nothing to say", "ThreadSanitizer" not in server.log() and "Sanitizer" not in server.log(), server.log())
server.clean()
end()
