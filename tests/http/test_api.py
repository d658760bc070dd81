"""test_api.py PROGRAM SOURCES - what describes and counts the server: OpenAPI and metrics; the token."""
import base64
import re
import sys

import description
from serving import Server, check, end, equal

program, sources = sys.argv[1:]
TOKEN = "a-token-for-tests-0123"


def try_description(server):
    document = server.get("/api/v1/openapi.json").json()
    equal("the description is OpenAPI", description.wrong(document), [])
    settings = document["components"]["schemas"]["Settings"]["properties"]
    options = {option["key"] for option in server.get("/api/v1/options").json()["options"]}
    equal("settings are the options", set(settings), options)


def metrics(server):
    server.get("/api/v1/pictures/1")
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
    try_description(one)
    metrics(one)
    equal("another page of this machine", one.get("/api/v1/info", headers={"Origin": "http://127.0.0.1:1"}).code, 403)
    equal("a name that points here", one.get("/api/v1/info", headers={"Host": "evil.example:%d" % one.port}).code, 403)
finally:
    one.clean()
token()
end()
