"""test_server.py PROGRAM SOURCES - starting and stopping, addresses and methods, limits, the page."""
import http.client
import json
import os
import posixpath
import re
import signal
import socket
import subprocess
import sys
import time

from serving import Server, check, end, equal, start_fails

program = sys.argv[1]
json_type = {"Content-Type": "application/json"}


def lists(server):
    info = server.get("/api/v1/info")
    equal("info", (info.code, info.json()["name"], info.json()["api"]), (200, "sdxl-lab", 1))
    options = {option["key"]: option for option in server.get("/api/v1/options").json()["options"]}
    equal("options: steps", [options["steps"][key] for key in ("type", "min", "max", "is_axis")],
          ["integer", 1, 1000, True])
    check("options: what is this machine's is not there",
          not {"output_dir", "device", "threads", "job", "port", "token_file"} & set(options))
    for name in ("models", "profiles", "presets", "loras", "embeddings"):
        said = subprocess.run([program, name, "list", "--json"], capture_output=True, text=True, env=server.environment)
        equal(name + ": as the command has them", server.get("/api/v1/" + name).json(), json.loads(said.stdout))
    check("schedulers", {"name": "euler"} in server.get("/api/v1/schedulers").json()["schedulers"])
    equal("healthz", (server.get("/healthz").code, server.get("/readyz").body), (200, b"ready\n"))


def page(server):
    first = server.get("/")
    check("the page", first.code == 200 and b"<!doctype html>" in first.body)
    for header, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                          ("Cross-Origin-Opener-Policy", "same-origin"),
                          ("Cross-Origin-Embedder-Policy", "require-corp")):
        equal("the page: " + header, first.headers[header], value)
    policy = first.headers["Content-Security-Policy"]
    check("the page: policy", all(word in policy for word in (
        "default-src 'none'", "script-src 'self'", "img-src 'self' blob:", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'")), policy)
    style = first.body.decode().split('stylesheet" href="')[1].split('"')[0]
    asset = server.get("/" + style, headers={"Accept-Encoding": "gzip"})
    equal("a file of the page: compressed, for ever",
          (asset.code, asset.headers["Content-Encoding"], "immutable" in asset.headers["Cache-Control"]),
          (200, "gzip", True))
    plain = server.get("/" + style)
    check("a file of the page: plain", plain.headers["Content-Encoding"] is None and b"color-scheme" in plain.body)
    equal("a file of the page: not twice",
          server.get("/" + style, headers={"If-None-Match": asset.headers["ETag"]}).code, 304)
    check("an address two folders deep has its files, too",
          b'href="../assets/' in server.get("/picture/17").body)
    equal("of another version it may change", server.get("/assets/0/style/page.css").headers["Cache-Control"], "no-cache")
    for path in ("/assets/x/../../etc/passwd", "/assets/x/%2e%2e/app.js", "/assets/x/style/none.css", "/assets/x/"):
        check("no file of the page: " + path, server.get(path).code in (400, 404))


def imports(server, root, path, found):
    """What a module imports at once, one by way of another: paths of modules and of style sheets."""
    if path in found:
        return found
    found.add(path)
    if path.endswith(".js"):
        text = server.get(root + path).body.decode()
        for other in re.findall(r"^(?:import|export)\b[^;]*?'(\.[^']*)';", text, re.M):
            imports(server, root, posixpath.normpath(posixpath.join(posixpath.dirname(path), other)), found)
        for sheet in re.findall(r"\bstyle\('(\w+)'\)", text):
            found.add("style/%s.css" % sheet)
    return found


def preloads(server):
    """Each page names what its view imports, and no more; what a view loads later is not among it."""
    root = re.search(r'src="(assets/\w+/)app/app.js"', server.get("/").body.decode()).group(1)
    views = re.findall(r"^  (\w+|''): \(\) => import\('\./([\w/]+)\.js'\)", server.get("/" + root + "app/app.js").body.decode(), re.M)
    check("app.js has views", len(views) > 7, views)
    for name, view in views:
        name = name.strip("'")
        page = server.get("/" + {"picture": "picture/17", "cull": "cull/17", "run": "run/x"}.get(name, name)).body.decode()
        named = set(re.findall(r'<link rel="(?:stylesheet|modulepreload)" href="(?:\.\./)*%s([^"]+)"' % root, page))
        wanted = imports(server, "/" + root, "app/app.js", set()) | imports(server, "/" + root, "app/%s.js" % view, set())
        equal("the page of %s names what it needs" % (name or "the first view"), named - {"style/tokens.css", "style/page.css"}, wanted)
        check("%s is few modules" % (name or "the first view"), len([path for path in wanted if path.endswith(".js")]) <= (17 if name else 15), wanted)


def addresses(server):
    cases = (("GET", "/api/v1/nothing", 404, "NOT_FOUND"), ("GET", "/api/v1/info/", 404, "NOT_FOUND"),
             ("POST", "/api/v1/info", 405, "NO_METHOD"), ("BREW", "/api/v1/info", 405, "NO_METHOD"),
             ("GET", "/api/v1/%zz", 400, "MALFORMED"), ("GET", "/api/v1/%", 400, "MALFORMED"),
             ("GET", "/api/v1/%00", 400, "MALFORMED"), ("GET", "/api/v1/%c0%af", 400, "MALFORMED"),
             ("GET", "/api/v1/%ff", 400, "MALFORMED"), ("GET", "/api/v1/a%2Fb", 400, "MALFORMED"),
             ("GET", "/api/v1/a%5Cb", 400, "MALFORMED"), ("GET", "/api/v1/../info", 400, "MALFORMED"),
             ("GET", "/api/v1/%2e%2e/info", 400, "MALFORMED"), ("GET", "/api/v1/%252e%252e", 404, "NOT_FOUND"),
             ("GET", "/api/v1/info?x=1", 422, "XL_EINVAL"), ("GET", "/api/v1/info?%zz", 400, "MALFORMED"))
    for method, path, code, status in cases:
        answer = server.ask(method, path)
        equal("%s %s" % (method, path), (answer.code, answer.error()[0]), (code, status))
    equal("an unknown parameter is named", server.get("/api/v1/info?colour=1").error()[1], "colour")
    equal("405 says what there is", server.ask("POST", "/api/v1/info").headers["Allow"], "GET, HEAD, OPTIONS")
    equal("of its own pattern, each once", server.ask("DELETE", "/api/v1/jobs/check").headers["Allow"], "POST, OPTIONS")
    options = server.ask("OPTIONS", "/api/v1/info")
    equal("OPTIONS", (options.code, options.headers["Allow"]), (204, "GET, HEAD, OPTIONS"))
    head, get = server.ask("HEAD", "/api/v1/info"), server.get("/api/v1/info")
    equal("HEAD", (head.code, head.body, head.headers["Content-Type"]), (200, b"", get.headers["Content-Type"]))


def connections(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    codes = [server.get(path, connection=connection).code
             for path in ("/api/v1/info", "/api/v1/presets", "/nothing", "/api/v1/info")]
    equal("a connection is used again, also after an error and a slow call", codes, [200, 200, 404, 200])
    sock = connection.sock
    check("and stays open", sock is not None and server.get("/healthz", connection=connection).code == 200)
    connection.close()
    long = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70000 + b"\r\n\r\n")
    check("headers that are too long: 431", b" 431 " in long[:40], long[:80])
    both = server.raw(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    check("two ways to say how long it is: 400", b" 400 " in both[:40], both[:80])
    twice = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    check("two hosts: 400", b" 400 " in twice[:40], twice[:80])
    early = server.raw(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 300000000\r\n\r\n")
    check("a body that is too long is refused before it comes: 413", b" 413 " in early[:40], early[:80])
    pieces = server.raw(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
                        b"1000\r\n" + b"a" * 4096 + b"\r\n1000\r\n" + b"a" * 4096 + b"\r\n0\r\n\r\n")
    check("and in pieces: 413", b" 413 " in pieces[:40], pieces[:80])
    deep = server.ask("POST", "/api/v1/login", '{"token":' + "[" * 100 + "]" * 100 + "}", json_type)
    equal("JSON that is too deep", (deep.code, deep.error()[0]), (400, "MALFORMED"))
    double = server.ask("POST", "/api/v1/login", '{"token":"a","token":"b"}', json_type)
    equal("a key twice", (double.code, double.error()[0]), (400, "MALFORMED"))
    equal("no object", server.ask("POST", "/api/v1/login", "[]", json_type).code, 400)


def base_path():
    server = Server(program, "--base-path", "/lab")
    check("the address has the base path", server.told["url"].endswith("/lab/"))
    equal("with the base path and without",
          [server.get(path).json()["prefix"] for path in ("/lab/api/v1/info", "/api/v1/info")], ["/lab", ""])
    equal("a path that only begins so", server.get("/laboratory").code, 404)
    proxied = server.get("/api/v1/info", headers={"X-Forwarded-Prefix": "/other/place/"})
    equal("what a proxy says comes first", proxied.json()["prefix"], "/other/place")
    for prefix in ("//evil.example", "/a/../b", "https://evil.example", "/a\"b"):
        equal("no prefix: " + prefix, server.get("/api/v1/info", headers={"X-Forwarded-Prefix": prefix}).json()["prefix"], "")
    server.clean()


def starts_and_ends():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = str(taken.getsockname()[1])
    for name, arguments, words in (
            ("a port in use", ["--port", port], "in use"),
            ("no address", ["--bind", "lab.example"], "is no address"),
            ("another machine's address", ["--bind", "192.0.2.7", "--no-token"], "no address of this machine"),
            ("a base path without a slash", ["--base-path", "lab"], "--base-path"),
            ("a port that is none", ["--port", "70000"], "65535"),
            ("an allowed host that is an address of the web", ["--allow-host", "http://lab.example/"], "is no host")):
        code, said = start_fails(program, *arguments)
        check("does not start: " + name, code == 2 and words in said and said.count("\n") == 1, (code, said))
    taken.close()
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        server = Server(program)
        idle = socket.create_connection(("127.0.0.1", server.port))
        found, seconds = server.stop(number)
        equal("signal %d" % number, found, code)
        check("within two seconds, whoever is connected", seconds < 2, seconds)
        idle.close()
        server.clean()
    server = Server(program, "--verbose", environment={"SDXL_LAB_TOKEN": "a-token-for-tests-0123"})
    server.get("/api/v1/info?token=a-token-for-tests-0123", headers={"Authorization": "Bearer a-token-for-tests-0123"})
    server.stop()
    check("what is asked is told, the token never", "/api/v1/info 4" in server.log() and
          "a-token-for" not in server.log(), server.log())
    server.clean()


def asks_how_it_is(server):
    """serve --check, as containers and services use it."""
    ask = lambda *more, **environment: subprocess.Popen([program, "serve", "--check", *more], stderr=subprocess.PIPE, text=True,
                                                        env={**server.environment, **environment})
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    nobody = ask("--port", str(free.getsockname()[1]))  # it waits ten seconds for somebody
    for name, process in (("it is well", ask("--port", str(server.port))),
                          ("by the variables of the server", ask(GRADIO_PORT=str(server.port), GRADIO_SERVER_NAME="0.0.0.0"))):
        said = process.communicate()[1]
        equal("checked: " + name, (process.returncode, said), (0, ""))
    ill = socket.socket()
    ill.bind(("127.0.0.1", 0))
    ill.listen()
    process = ask("--port", str(ill.getsockname()[1]))
    connection = ill.accept()[0]
    check("/healthz is asked", connection.recv(4096).startswith(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"))
    connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    connection.close()
    said = process.communicate()[1]
    check("one that is not well", process.returncode == 7 and "answers 503" in said, (process.returncode, said))
    said = nobody.communicate()[1]
    check("nobody there", nobody.returncode == 7 and "no server answers" in said, (nobody.returncode, said))
    for one in (free, ill):
        one.close()


one = Server(program)
try:
    lists(one)
    page(one)
    preloads(one)
    addresses(one)
    connections(one)
    asks_how_it_is(one)
finally:
    one.clean()
base_path()
starts_and_ends()
end()
