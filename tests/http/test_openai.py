"""test_openai.py PROGRAM SOURCES - OpenAI's image API as a plain client of HTTP meets it: every field, what is wrong,
streams, clients that go away. tests/clients/openai_client.py does it with OpenAI's own package."""
import base64
import http.client
import json
import random
import struct
import sys
import threading
import time
import zlib

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
GENERATE, EDIT = "/v1/images/generations", "/v1/images/edits"
SMALL = {"prompt": "a red circle", "size": "128x128", "steps": 4, "seed": 5}
SECONDS = 120  # generous: machines are busy, sanitizers slow
BEGINNINGS = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}


def generate(server, **fields):
    return server.ask("POST", GENERATE, dict(SMALL, **fields), timeout=SECONDS)


def form(fields, files=()):
    """A body of parts and its headers. files: (field, name, bytes)"""
    edge = "e%032x" % random.getrandbits(128)
    body = b""
    for name, value in fields.items():
        body += ('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge, name, value)).encode()
    for field, name, data in files:
        body += ('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: image/png\r\n\r\n'
                 % (edge, field, name)).encode() + data + b"\r\n"
    return body + ("--%s--\r\n" % edge).encode(), {"Content-Type": "multipart/form-data; boundary=" + edge}


def edit(server, fields, files):
    body, headers = form(fields, files)
    return server.ask("POST", EDIT, body, headers, timeout=SECONDS)


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(
        (b"\0" + b"\x80" * 3 * width) * height)) + chunk(b"IEND", b"")


def pictures(answer):
    return [base64.b64decode(one["b64_json"], validate=True) for one in answer.json()["data"]]


def problem(answer):
    """(type, param, code, sentence); an error has these members and no others."""
    document = answer.json()
    error = document["error"]
    if set(document) != {"error"} or set(error) != {"message", "type", "param", "code"}:
        return ("malformed", None, None, document)
    return error["type"], error["param"], error["code"], error["message"]


def until(suits, seconds=SECONDS):
    """Wait for a condition; what it was in the end."""
    last = time.monotonic() + seconds
    found = suits()
    while not found and time.monotonic() < last:
        time.sleep(0.05)
        found = suits()
    return found


def jobs(server):
    return server.get("/api/v1/jobs").json()["jobs"]


# --- Generations ---------------------------------------------------------------------------------------------------

def try_generating(server):
    before = int(time.time())
    answer = generate(server)
    equal("a picture is drawn", answer.code, 200)
    told = answer.json()
    check("and dated", before <= told["created"] <= time.time(), told["created"])
    equal("as a PNG", [one[:4] for one in pictures(answer)], [BEGINNINGS["png"]])
    equal("with what the original says of it", (told["size"], told["quality"], told["background"], told["output_format"]),
          ("128x128", "auto", "opaque", "png"))
    equal("no tokens are counted", told["usage"]["total_tokens"], 0)
    equal("the same call is the same picture", pictures(generate(server))[0].split(b"IDAT")[1:],
          pictures(answer)[0].split(b"IDAT")[1:])
    job = jobs(server)[0]
    equal("it is a job of the queue", (job["state"], job["origin"], job["settings"]["seed"]), ("done", "openai", 5))
    many = generate(server, n=3)
    equal("three of them", (many.code, len(pictures(many)), len(set(pictures(many)))), (200, 3, 3))
    check("the first is the one alone", pictures(answer)[0].split(b"IDAT")[1:] in
          [one.split(b"IDAT")[1:] for one in pictures(many)])


def try_formats(server):
    for name in ("jpeg", "webp", "png"):
        answer = generate(server, output_format=name)
        equal("output_format " + name, (answer.code, answer.json()["output_format"], pictures(answer)[0][:len(
            BEGINNINGS[name])]), (200, name, BEGINNINGS[name]))
    sizes = [len(pictures(generate(server, output_format="jpeg", output_compression=quality))[0]) for quality in (0, 100)]
    check("output_compression counts", sizes[0] < sizes[1], sizes)
    answer = generate(server, response_format="url")
    url = answer.json()["data"][0]["url"]
    beginning = "http://127.0.0.1:%d/" % server.port
    check("response_format url is an address of this server", url.startswith(beginning), url)
    equal("and the picture is there", server.get(url[len(beginning) - 1:]).body[:4], BEGINNINGS["png"])
    check("dall-e models give addresses as they did", "url" in generate(server, model="dall-e-3").json()["data"][0])


def try_accepted(server):
    for fields in ({"quality": "hd"}, {"quality": "low", "background": "opaque"}, {"moderation": "low"}, {"user": "me"},
                   {"safety_identifier": "x"}, {"style": "vivid"}, {"size": "auto", "width": 128, "height": 128},
                   {"model": "gpt-image-1"}, {"n": None, "stream": None, "quality": None}, {"stream": False},
                   {"model": "Lab Tiny XL"}, {"response_format": "b64_json"}, {"partial_images": 0}):
        equal("taken: %r" % (fields,), generate(server, **fields).code, 200)
    answer = generate(server, negative_prompt="blue", cfg_scale=3, scheduler="euler", guidance_rescale=0.2)
    asked = jobs(server)[0]["settings"]
    equal("settings of our own", (answer.code, asked["negative"], asked["guidance"], asked["scheduler"]),
          (200, "blue", 3, "euler"))


def try_refusals(server):
    known = len(jobs(server))
    for name, fields, code, param in (
            ("no prompt", {"prompt": None}, 400, "prompt"), ("an empty prompt", {"prompt": ""}, 400, "prompt"),
            ("a prompt that is a list", {"prompt": ["x"]}, 400, "prompt"), ("n of 0", {"n": 0}, 400, "n"),
            ("n of 11", {"n": 11}, 400, "n"), ("n of 1.5", {"n": 1.5}, 400, "n"), ("n of many", {"n": "many"}, 400, "n"),
            ("n beyond 64 bits", {"n": "9" * 30}, 400, "n"), ("another quality", {"quality": "best"}, 400, "quality"),
            ("another style", {"style": 3}, 400, "style"), ("a side of 1", {"size": "1x1"}, 400, "size"),
            ("a size that is none", {"size": "huge"}, 400, "size"), ("a size that is a number", {"size": 5}, 400, "size"),
            ("transparency", {"background": "transparent"}, 400, "background"),
            ("another format", {"output_format": "gif"}, 400, "output_format"),
            ("a small PNG", {"output_compression": 50}, 400, "output_compression"),
            ("compression of 101", {"output_format": "webp", "output_compression": 101}, 400, "output_compression"),
            ("four partial pictures", {"stream": True, "partial_images": 4}, 400, "partial_images"),
            ("partial pictures without a stream", {"partial_images": 2}, 400, "partial_images"),
            ("a word for a switch", {"stream": "perhaps"}, 400, "stream"),
            ("an address in a stream", {"stream": True, "response_format": "url"}, 400, "response_format"),
            ("an address of a WebP", {"output_format": "webp", "response_format": "url"}, 400, "response_format"),
            ("another response_format", {"response_format": "file"}, 400, "response_format"),
            ("a model that is not there", {"model": "nobody"}, 404, "model"),
            ("a path for a model", {"model": "/etc/passwd"}, 400, "model"),
            ("a misspelt setting", {"stepz": 3}, 400, None), ("steps of 0", {"steps": 0}, 400, "steps"),
            ("a batch", {"batch": 4}, 400, "batch"), ("a sweep", {"sweep": ["seed=1..3"]}, 400, "sweep"),
            ("every profile", {"all_profiles": True}, 400, "all_profiles"),
            ("templates of many", {"prompt": "{a|b|c}", "prompt_generator": "combinations"}, 400, None),
            ("a field of edits", {"input_fidelity": "high"}, 400, None),
            ("a picture that was not uploaded", {"init_image": "/etc/passwd"}, 400, "init_image")):
        answer = generate(server, **fields)
        kind, about, told, sentence = problem(answer)
        check("refused: " + name, (answer.code, kind, about) == (code, "invalid_request_error", param) and
              len(sentence) > 10, (answer.code, answer.body))
        if code == 404:
            equal("and told so for programs: " + name, told, "model_not_found")
    for name, body, code in (("no JSON", b"{", 400), ("no object", b"[1]", 400), ("nothing", b"", 400)):
        answer = server.ask("POST", GENERATE, body, {"Content-Type": "application/json"})
        check("refused: " + name, answer.code == code and problem(answer)[0] == "invalid_request_error",
              (answer.code, answer.body))
    for method, path, code in (("GET", GENERATE, 405), ("POST", "/v1/images/variations", 404), ("GET", "/v1/", 404),
                               ("GET", "/v1/models/nobody", 404), ("DELETE", "/v1/models", 405)):
        answer = server.ask(method, path, {} if method == "POST" else None)
        check("%s %s: %d" % (method, path, code), answer.code == code and problem(answer)[0] == "invalid_request_error",
              (answer.code, answer.body))
    equal("nothing of it was queued", len(jobs(server)), known)


def try_models(server):
    told = server.get("/v1/models").json()
    ids = [model["id"] for model in told["data"]]
    check("the models", told["object"] == "list" and "Lab Tiny XL" in ids, told)
    check("each as the original has it", all(set(one) == {"id", "object", "created", "owned_by"} and
                                             one["object"] == "model" and isinstance(one["created"], int)
                                             for one in told["data"]), told)
    equal("one of them", server.get("/v1/models/Lab%20Tiny%20XL").json()["id"], "Lab Tiny XL")
    for path in ("org/absent", "org%2Fabsent", "org%2fabsent"):
        answer = server.get("/v1/models/" + path)
        check("a name with a slash: " + path, answer.code == 404 and "\"org/absent\"" in answer.json()["error"]["message"],
              (answer.code, answer.body))
    answer = server.ask("POST", "/v1/images/generations", {"prompt": "x", "seed": 1 << 63})
    equal("a number that is too large", (answer.code, answer.json()["error"]["param"]), (400, "seed"))


# --- Edits -----------------------------------------------------------------------------------------------------------

def try_edits(server):
    fields = {"prompt": "a green circle", "steps": "6", "strength": "0.8", "seed": "3"}
    for field in ("image", "image[]"):
        answer = edit(server, dict(fields, n="2"), [(field, "a.png", png(128, 128))])
        equal("a picture is redrawn: " + field, (answer.code, [one[:4] for one in pictures(answer)]),
              (200, [BEGINNINGS["png"]] * 2))
    record = jobs(server)[0]
    equal("from the one that was sent", (record["settings"]["strength"] in (0.8, "0.8"), "init_image" in record["settings"]),
          (True, True))
    equal("fields of edits", edit(server, dict(fields, input_fidelity="low", quality="high", output_format="webp"),
                                  [("image", "a.png", png(64, 64))]).json()["output_format"], "webp")
    known = len(jobs(server))
    good = [("image", "a.png", png(64, 64))]
    for name, more, files, param in (
            ("no picture", {}, [], "image"), ("no prompt", {"prompt": ""}, good, "prompt"),
            ("a mask", {}, good + [("mask", "m.png", png(64, 64))], "mask"),
            ("two pictures", {}, [("image[]", "a.png", png(64, 64)), ("image[]", "b.png", png(64, 64))], "image"),
            ("a picture that is none", {}, [("image", "a.png", b"nothing of the kind")], "image"),
            ("a file of another name", {}, good + [("markup", "m.png", png(64, 64))], "markup"),
            ("a picture as a text", {"image": "a.png"}, [], "image"), ("n of 0", {"n": "0"}, good, "n"),
            ("a style", {"style": "vivid"}, good, None), ("strength of 2", {"strength": "2"}, good, "strength")):
        answer = edit(server, dict(fields, **more), files)
        check("refused: an edit with " + name, answer.code == 400 and problem(answer)[1] == param and
              len(problem(answer)[3]) > 10, (answer.code, answer.body))
    equal("JSON is no form", server.ask("POST", EDIT, {"prompt": "x"}).code, 415)
    equal("nothing of it was queued", len(jobs(server)), known)


# --- Streams ---------------------------------------------------------------------------------------------------------

def read_events(answer):
    """(name, data) of each event as it comes."""
    name = None
    for line in answer:
        line = line.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def open_stream(server, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("POST", path, body, headers)
    return connection, connection.getresponse()


def stream(server, **fields):
    return open_stream(server, GENERATE, json.dumps(dict(SMALL, stream=True, **fields)),
                       {"Content-Type": "application/json"})


def check_events(what, kind, events, n, most):
    names = [name for name, _ in events]
    partial = [data for name, data in events if name == kind + ".partial_image"]
    done = [data for name, data in events if name == kind + ".completed"]
    check(what + ": events have their type in the data", all(name == data["type"] for name, data in events), names)
    equal(what + ": every picture", (len(done), names[-n:]), (n, [kind + ".completed"] * n))
    check(what + ": partial ones before it, counted", len(partial) <= most and
          [one["partial_image_index"] for one in partial] == list(range(len(partial))), names)
    check(what + ": pictures as base64", all(base64.b64decode(one["b64_json"], validate=True)[:2] ==
                                            BEGINNINGS[one["output_format"]][:2] for one in partial + done))
    check(what + ": all members that clients read", all({"created_at", "background", "quality", "size"} <= set(one)
                                                       for one in partial + done) and
          all("usage" in one for one in done))
    return len(partial)


def try_streams(server):
    connection, answer = stream(server, n=2, output_format="webp")
    equal("a stream", (answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"))
    check_events("a stream", "image_generation", list(read_events(answer)), 2, 0)
    connection.close()
    connection, answer = stream(server, steps=300, partial_images=3)
    found = check_events("partial pictures", "image_generation", list(read_events(answer)), 1, 3)
    check("some came", found > 0, found)
    connection.close()
    body, headers = form({"prompt": "a green circle", "steps": "300", "strength": "1", "stream": "true",
                          "partial_images": "2"}, [("image", "a.png", png(128, 128))])
    connection, answer = open_stream(server, EDIT, body, headers)
    check_events("an edit", "image_edit", list(read_events(answer)), 1, 2)
    connection.close()
    connection, answer = stream(server, steps=0)
    equal("what is wrong is said before the stream", (answer.status, json.loads(answer.read())["error"]["param"]),
          (400, "steps"))
    connection.close()


def running(server, n=1):
    """The ids of jobs at work, once there are n."""
    return until(lambda: (lambda ids: ids if len(ids) >= n else None)(
        [job["id"] for job in jobs(server) if job["state"] == "running"]))


def is_cancelled(server, id):
    return until(lambda: server.get("/api/v1/jobs/" + id).json()["state"] == "cancelled")


def try_leaving(server):
    connection, answer = stream(server, steps=1000)
    ids = running(server)
    answer.close()
    connection.close()
    check("who leaves a stream cancels the job", is_cancelled(server, ids[0]))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("POST", GENERATE, json.dumps(dict(SMALL, steps=1000)), {"Content-Type": "application/json"})
    ids = running(server)
    connection.close()
    check("and who does not wait for an answer, too", is_cancelled(server, ids[0]))
    connection, answer = stream(server, steps=1000)
    server.ask("DELETE", "/api/v1/jobs/" + running(server)[0])
    events = list(read_events(answer))
    equal("a job that somebody cancels ends its stream", [(name, "message" in data["error"]) for name, data in events],
          [("error", True)])
    connection.close()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(generate(server, steps=1000)))
    thread.start()
    server.ask("DELETE", "/api/v1/jobs/" + running(server)[0])
    thread.join(SECONDS)
    equal("and its call", [(answer.code, problem(answer)[0]) for answer in answers], [(410, "invalid_request_error")])


def try_two(server):
    answers = {}
    def ask(seed):
        answers[seed] = generate(server, seed=seed, n=2, output_format="jpeg")
    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    equal("clients side by side get their own", ([answers[seed].code for seed in range(4)], len(
        {one for seed in range(4) for one in pictures(answers[seed])})), ([200] * 4, 5))


def try_stopping():
    server = Server(program, "--device", "cpu", "--threads", "1")
    told = []
    thread = threading.Thread(target=lambda: told.append(generate(server, steps=1000)))
    thread.start()
    running(server)
    connection, answer = stream(server, steps=1000)
    server.stop()
    thread.join(SECONDS)
    check("a server that ends says so", [one.code for one in told] == [503] and problem(told[0])[0] == "server_error",
          [one.body for one in told])
    equal("and in a stream", [name for name, _ in read_events(answer)], ["error"])
    connection.close()
    server.clean()


def try_token():
    token = "a-token-of-this-test"
    server = Server(program, "--device", "cpu", "--threads", "1", environment={"SDXL_LAB_TOKEN": token})
    bearer = {"Authorization": "Bearer " + token}
    answer = server.get("/v1/models")
    equal("without the token", (answer.code, problem(answer)[2]), (401, "invalid_api_key"))
    equal("with it", server.get("/v1/models", headers=bearer).code, 200)
    answer = server.ask("POST", GENERATE, dict(SMALL, response_format="url"), bearer)
    equal("addresses would not open then", (answer.code, problem(answer)[1]), (400, "response_format"))
    answer = server.ask("POST", GENERATE, dict(SMALL, model="dall-e-3"), bearer, timeout=SECONDS)
    equal("so pictures themselves are sent", (answer.code, pictures(answer)[0][:4]), (200, BEGINNINGS["png"]))
    server.clean()


server = Server(program, "--device", "cpu", "--threads", "2")
try_generating(server)
try_formats(server)
try_accepted(server)
try_refusals(server)
try_models(server)
try_edits(server)
try_streams(server)
try_leaving(server)
try_two(server)
server.clean()
try_stopping()
try_token()
end()
