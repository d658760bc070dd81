"""test_properties.py PROGRAM SOURCES - every route of the OpenAPI file with values at their bounds, beyond them and of other
kinds: an answer is fine or an error object, never 5xx; the server lives on, and keeps no descriptors.
XL_PROPERTY_CALLS=20000 is for a night, XL_PROPERTY_SEED=N for other calls; a call that fails is printed."""
import http.client
import json
import os
import random
import sys
import time
import urllib.parse

import description
from serving import Server, check, end, equal

program, sources = sys.argv[1:]
CALLS = int(os.environ.get("XL_PROPERTY_CALLS", "1000"))
SEED = int(os.environ.get("XL_PROPERTY_SEED", "1"))
SECONDS = 120
rng = random.Random(SEED)
# Answers of these come when something is drawn, or never end: the client goes away.
WAITING = ("/v1/images/", "/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/api/v1/events")
TEXTS = ["", " ", "0", "-1", "1", "9" * 40, "1e999", "nan", "..", "../../etc/passwd", "/etc/passwd", "~", "$HOME", "a\0b",
         "\r\nX: y", "<script>", "' OR 1=1 --", "%s%n%x", "\u202e\u0000", "\ud7ff\ue000", "\U0001f98a" * 50, "e\u0301" * 200,
         "x" * 5000, "null", "true", "{}", "[]", "a,b;c", "=@/etc/passwd", "seed=1..3", "128x128", "none", "\ufeff", "日本語"]
SEGMENTS = ["%00", "%2e%2e", "..", "%2f", "%5c", "%ff", "%c0%af", "%", "%zz", "%25", "0", "-1", "9" * 40, "a" * 3000, "%F0%9F%A6%8A",
            "x%0d%0aX:y", "order", "Lab%20Tiny%20XL", "deadbeef" * 4, "", ";", "a?b=c", "%E2%80%AE"]
BODIES = [b"", b"{", b"[]", b"null", b"1", b"\xff\xfe{}", b"{\"a\":1,\"a\":2}", b"{\"a\":NaN}", b"{\"a\":1e999}", b"\xef\xbb\xbf{}",
          b"[" * 5000, b"{\"a\":" * 200 + b"1" + b"}" * 200, b"{\"\\ud800\": 1}", b"{\"a\":\"\xc3\x28\"}", b"{}{}", b"\0" * 100]
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301"
                    "0100c9fe92ef0000000049454e44ae426082")


def number(schema, whole):
    least, most = schema.get("minimum", -10), schema.get("maximum", 10)
    near = [least, most, least - 1, most + 1, (least + most) / 2, 0, -1, 2 ** 31, 2 ** 53 + 1, -2 ** 63, 2 ** 64, 10 ** 30]
    value = rng.choice(near)
    return int(value) if whole and rng.random() < .9 else float(value) if rng.random() < .3 else value


def anything(depth=0):
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [anything(depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {rng.choice(TEXTS): anything(depth + 1) for _ in range(rng.randrange(4))}
    return [None, True, False, number({}, True), rng.random() * 10 ** rng.randrange(-300, 300), rng.choice(TEXTS)][kind]


def value_of(document, schema):
    """A value of a schema, or near to one, or of another kind."""
    schema = description.resolve(document, schema)
    if rng.random() < .15:
        return anything()
    if "enum" in schema and rng.random() < .8:
        return rng.choice(schema["enum"])
    kinds = schema.get("type", "string")
    kind = rng.choice(kinds) if isinstance(kinds, list) else kinds
    if kind == "object":
        return object_of(document, schema)
    if kind in ("integer", "number"):
        return number(schema, kind == "integer")
    if kind == "boolean":
        return rng.random() < .5
    if kind == "array":
        return [value_of(document, schema.get("items", {})) for _ in range(rng.randrange(3))]
    most = schema.get("maxLength")
    return "x" * (most + rng.randrange(-1, 2)) if most and rng.random() < .2 else rng.choice(TEXTS)


def object_of(document, schema):
    properties = schema.get("properties", {})
    some = rng.sample(sorted(properties), min(len(properties), rng.choice((1, 2, 3, 8))))
    needed = schema.get("required", []) if rng.random() < .8 else []
    found = {key: value_of(document, properties[key]) for key in [*needed, *some]}
    if rng.random() < .1:
        found[rng.choice(TEXTS)] = anything()
    return found


def path_of(document, path, operation):
    query = []
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            path = path.replace("{%s}" % one["name"], rng.choice(SEGMENTS))
        elif one.get("required") or rng.random() < .3:
            query.append((one["name"], value_of(document, one["schema"])))
    if rng.random() < .05:
        query.append((rng.choice(TEXTS), rng.choice(TEXTS)))
    return path + ("?" + urllib.parse.urlencode(query, errors="replace") if query else "")


def form_of(document, schema):
    edge = "edge%d" % rng.randrange(10 ** 9)
    body = b""
    for key, value in object_of(document, schema).items():
        is_file = description.resolve(document, schema.get("properties", {}).get(key, {})).get("format") == "binary"
        name = key.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")
        body += b'--%s\r\nContent-Disposition: form-data; name="%s"' % (edge.encode(), name)
        if is_file:
            body += b'; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + (PNG if rng.random() < .5 else b"junk")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            body += b"\r\n\r\n" + text.encode("utf-8", "replace")
        body += b"\r\n"
    body += b"--" + edge.encode() + b"--\r\n"
    return body if rng.random() < .9 else body[:len(body) // 2], "multipart/form-data; boundary=" + edge


def body_of(document, operation):
    """Bytes and their type; None: none."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return None, None
    kind = rng.choice(sorted(content))
    schema = description.resolve(document, content[kind].get("schema", {}))
    if kind == "multipart/form-data":
        return form_of(document, schema)
    if rng.random() < .15:
        return rng.choice(BODIES), kind
    found = object_of(document, schema)
    if found.get("paused") is False:  # nothing is to be drawn here
        found["paused"] = True
    return json.dumps(found).encode(), kind if rng.random() < .95 else "text/plain"


def headers_of(kind):
    headers = {"Content-Type": kind} if kind else {}
    for name, values in (("Range", ("bytes=0-", "bytes=9-1", "bytes=-0", "x", "bytes=0-1,3-4")), ("Accept-Encoding", ("gzip", "")),
                         ("If-None-Match", ('"x"', "*", "")), ("Last-Event-ID", ("x", "0-0", "9" * 30)),
                         ("X-Forwarded-Prefix", ("/lab", "//x", "/../x")), ("Accept", ("nothing/such",))):
        if rng.random() < .05:
            headers[name] = rng.choice(values)
    return headers


def ask(server, method, path, body, headers):
    """Code, type and bytes of an answer; None where it waits, and the client has gone away."""
    waits = path.startswith(WAITING)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=.5 if waits else SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        streams = answer.headers.get("Content-Type", "").startswith("text/event-stream")
        return answer.status, answer.headers.get("Content-Type", ""), b"" if streams else answer.read()
    except TimeoutError:
        return None if waits else (0, "", b"no answer in time")
    except OSError as error:
        return 0, "", str(error).encode()
    finally:
        connection.close()


def fault_of(document, operation, method, answer):
    """What is wrong with an answer; None: nothing."""
    if answer is None:
        return None
    code, kind, body = answer
    if not 200 <= code < 500:
        return "code %d" % code
    if code < 400 or method == "head":
        return None
    if not kind.startswith("application/json"):
        return "an error of type %r" % kind
    lacking = description.problem_lacks(document, operation, json.loads(body))
    return "an error without %s" % lacking if lacking else None


def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def try_calls(server, document):
    rows = description.operations(document)
    first, codes = None, {}
    for i in range(CALLS):
        method, path, operation = rows[i % len(rows)]
        if path == "/api/v1/events" and i >= len(rows):
            continue  # a stream's descriptor is there until its next comment
        body, kind = body_of(document, operation)
        target = path_of(document, path, operation)
        asked = rng.choice(("patch", "options", "head", "put", "delete")) if rng.random() < .03 else method
        answer = ask(server, asked.upper(), target, body, headers_of(kind))
        fault = fault_of(document, operation, asked, answer)
        if fault or server.process.poll() is not None:
            check("call %d: %s %.200s %.300r" % (i, asked, target, body), False, (fault, answer))
        if server.process.poll() is not None:
            return
        codes[answer and answer[0]] = codes.get(answer and answer[0], 0) + 1
        if i == CALLS // 4:
            first = descriptors(server)
    print("seed %d: %s" % (SEED, ", ".join("%s: %d" % (code, n) for code, n in sorted(codes.items(), key=str))))
    check("all kinds of answers came", codes.get(200, 0) > CALLS / 20 and codes.get(404, 0) > CALLS / 100 and
          codes.get(422, 0) > CALLS / 50, codes)
    until = time.monotonic() + SECONDS
    while descriptors(server) > first + 4 and time.monotonic() < until:
        time.sleep(.2)
    check("no descriptor is left behind", descriptors(server) <= first + 4, (first, descriptors(server)))


server = Server(program, "--device", "cpu", "--threads", "1", environment={"HF_HUB_OFFLINE": "1"})
document = server.get("/api/v1/openapi.json").json()
equal("nothing is drawn here", server.ask("POST", "/api/v1/queue", {"paused": True}).json()["paused"], True)
try_calls(server, document)
check("the server is there", server.process.poll() is None and server.get("/healthz").code == 200, server.log()[-2000:])
server.ask("POST", "/api/v1/queue/cancel-all", {})
code, _ = server.stop()
equal("and ends as it should", code, 143)
server.clean()
end()
