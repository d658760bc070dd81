"""test_api.py PROGRAM SOURCES - what describes and counts the server: OpenAPI and metrics; the token; calls made from the
description find no internal error."""
import base64
import json
import random
import re
import sys

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
TOKEN = "a-token-for-tests-0123"


def description(server):
    """The document holds together by itself; and validates where the validator is installed."""
    document = server.get("/api/v1/openapi.json").json()
    equal("OpenAPI", document["openapi"], "3.1.0")
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    check("names of operations are different ones", len(set(names)) == len(names) > 15, names)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            inside = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            equal("%s %s: parameters of its path" % (method, path), inside, set(re.findall(r"\{(\w+)\}", path)))
            check("%s %s: summary and answers" % (method, path), operation["summary"] and "2XX" in operation["responses"])
    settings = document["components"]["schemas"]["Settings"]["properties"]
    options = {option["key"] for option in server.get("/api/v1/options").json()["options"]}
    equal("settings are the options", set(settings), options)
    text = json.dumps(document)
    for name in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', text):
        check("a reference leads somewhere: %s/%s" % name, name[1] in document["components"][name[0]])
    try:
        import openapi_spec_validator
    except ImportError:
        print("skip openapi-spec-validator: the package is not installed")
    else:
        try:
            openapi_spec_validator.validate(document)
            check("it validates", True)
        except Exception as wrong:
            check("it validates", False, str(wrong))
    return document


WORDS = ["", "0", "1", "-1", "7", "x", "a b", "%", "..", "../../etc/passwd", "\u202egnp", "\0", "9" * 30, "1e9", "nan", "true",
         "'; DROP TABLE pictures; --", "<script>", "%s%n", "$(id)", "\U0001f98a", "a" * 3000, "None", "[1]", "2026-11-30"]
VALUES = [None, True, 0, -1, 1.5, 10 ** 30, "", "x", [], {}, [[]], {"a": {"b": []}}, "a" * 5000, "\u0000"]


def random_calls(server, document):
    """Many calls that the description allows, and many that it does not: never a 5xx, never silence."""
    from urllib.parse import quote
    rnd = random.Random(5)
    operations = [(method.upper(), path, operation) for path, item in document["paths"].items()
                  for method, operation in item.items()
                  if "text/event-stream" not in operation["responses"]["2XX"].get("content", {})]  # has no end
    codes, wrong = {}, []
    for i in range(1500):
        method, path, operation = rnd.choice(operations)
        query = []
        for parameter in operation["parameters"]:
            schema = parameter["schema"]
            value = rnd.choice(schema["enum"]) if "enum" in schema and rnd.random() < .7 else rnd.choice(WORDS)
            if parameter["in"] == "path":
                path = path.replace("{%s}" % parameter["name"], quote(value, safe=""))
            elif rnd.random() < .3:
                query.append("%s=%s" % (parameter["name"], quote(value, safe="")))
        body, headers = None, {}
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            properties = content["application/json"]["schema"].get("properties", {"a": 0})
            body = json.dumps({name: rnd.choice(VALUES) for name in properties if rnd.random() < .6})
            headers["Content-Type"] = "application/json"
            if rnd.random() < .1:
                body = body[:rnd.randrange(len(body) + 1)]
        elif content:
            headers["Content-Type"] = "multipart/form-data; boundary=x"
            body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n%s\r\n--x--\r\n" % (
                rnd.choice(["a.png", "", "../a"]), rnd.choice(["", "\x89PNG", "<svg>"]))
            body = body.encode()
        answer = server.ask(method, path + ("?" + "&".join(query) if query else ""), body, headers)
        codes[answer.code] = codes.get(answer.code, 0) + 1
        if answer.code >= 500:
            wrong.append((method, path, query, answer.code, answer.body[:200]))
        elif answer.code >= 400 and not answer.error()[2]:
            wrong.append((method, path, "no sentence"))
    check("1500 calls, no internal error: %s" % sorted(codes.items()), not wrong, wrong[:2])
    check("some were answered and some refused", codes.get(200, 0) > 50 and codes.get(422, 0) > 50, codes)


def metrics(server):
    text = server.get("/metrics").body.decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    check("every line of metrics is a name and a number",
          all(re.fullmatch(r'sdxl_lab_\w+(\{(\w+="[^"]*",?)+\})? [-+0-9.e]+', line) for line in lines),
          [line for line in lines if not re.fullmatch(r'sdxl_lab_\w+(\{(\w+="[^"]*",?)+\})? [-+0-9.e]+', line)][:2])
    for name in ("uptime_seconds", "resident_bytes", "connections", "slow_calls", "responses_total", "info"):
        check("metrics: " + name, any(line.startswith("sdxl_lab_" + name) for line in lines))
    check("calls of a route are counted", re.search(
        r'sdxl_lab_requests_total\{method="GET",route="/api/v1/pictures/\{id\}"\} \d+', text) is not None)


def token():
    server = Server(program, "--base-path", "/lab", environment={"SDXL_LAB_TOKEN": TOKEN})
    bearer = {"Authorization": "Bearer " + TOKEN}
    basic = {"Authorization": "Basic " + base64.b64encode(("me:" + TOKEN).encode()).decode()}
    for path, code in (("/api/v1/info", 401), ("/api/v1/pictures", 401), ("/metrics", 401), ("/nothing", 401),
                       ("/api/v1/openapi.json", 401), ("/healthz", 200), ("/readyz", 200), ("/", 200)):
        equal("without the token: " + path, server.get(path).code, code)
    equal("with it", [server.get("/api/v1/info", headers=headers).code for headers in (bearer, basic)], [200, 200])
    equal("with another one", server.get("/api/v1/info", headers={"Authorization": "Bearer " + TOKEN + "x"}).code, 401)
    equal("never in an address", server.get("/api/v1/info?token=" + TOKEN).code, 401)
    login = server.ask("POST", "/api/v1/login", {"token": TOKEN})
    cookie = login.headers["Set-Cookie"]
    equal("a cookie for it", (login.code, "HttpOnly" in cookie, "SameSite=Strict" in cookie, TOKEN in cookie),
          (204, True, True, False))
    equal("below the base path it is the base path's", "Path=/lab;" in server.ask(
        "POST", "/lab/api/v1/login", {"token": TOKEN}).headers["Set-Cookie"], True)
    value = {"Cookie": cookie.split(";")[0]}
    equal("the cookie will do", server.get("/api/v1/info", headers=value).code, 200)
    equal("but not from another page", server.get("/api/v1/info", headers={**value, "Origin": "http://localhost:1"}).code, 403)
    for body, code in (({"token": "wrong-token-wrong-token"}, 401), ({"token": 7}, 422), ({}, 422),
                       ({"token": TOKEN, "more": 1}, 422)):
        equal("no login: %s" % list(body), server.ask("POST", "/api/v1/login", body).code, code)
    equal("a login of another page", server.ask("POST", "/api/v1/login", {"token": TOKEN},
                                                {"Origin": "http://evil.example"}).code, 403)
    equal("a login that is a plain form", server.ask("POST", "/api/v1/login", "token=" + TOKEN, {
        "Content-Type": "application/x-www-form-urlencoded"}).code, 415)
    with open("/proc/%d/cmdline" % server.process.pid) as file:
        check("the token is in no list of processes", TOKEN not in file.read())
    server.clean()


one = Server(program)
try:
    random_calls(one, description(one))
    metrics(one)
    equal("another page of this machine", one.get("/api/v1/info", headers={"Origin": "http://127.0.0.1:1"}).code, 403)
    equal("a name that points here", one.get("/api/v1/info", headers={"Host": "evil.example:%d" % one.port}).code, 403)
finally:
    one.clean()
token()
end()
