"""test_payloads.py PROGRAM SOURCES - addresses, commands and formats in every field of every API: no address is fetched, no
command run, nothing filled in. An address leads to a listener here, which nobody may call; a command would leave a file;
where there is strace it says the same of the system calls."""
import os
import shutil
import socket
import subprocess
import sys
import time

from serving import Server, check, end, equal

program = sys.argv[1]
HUB = 1  # a port where nobody listens
SMALL = {"size": "64x64", "steps": 1, "seed": 1}

listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
HERE = "http://127.0.0.1:%d" % listener.getsockname()[1]
canary = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".canary-%d" % os.getpid())


def payloads():
    name = "touch " + canary
    return [HERE + "/a.png", HERE.replace("http", "https") + "/a.safetensors", "//%s/a" % HERE[7:], "file:///etc/passwd", "s3://bucket/a",
            "$(%s)" % name, "`%s`" % name, "; %s ;" % name, "| %s" % name, "${IFS}%s" % name, "%n%n%s%s%p", "{0.__class__}", "{{7*7}}",
            "!!python/object/apply:os.system ['%s']" % name, "__import__('os').system('%s')" % name, "<lora:%s/a:1>" % HERE, "<lora:$(%s):1>" % name]


def fields(server):
    """Every setting that the network may set and that is a text."""
    options = server.get("/api/v1/options").json()["options"]
    return [option["key"] for option in options if option["type"] in ("text", "choice", "list")]


def ask_all(server, payload, keys):
    """Each API with the payload in each field; codes."""
    image = "/api/v1/jobs/check"
    for key in keys:
        yield server.ask("POST", image, {"settings": {**SMALL, "prompt": "a", key: payload}})
    for key in ("prompts", "until", "model", "quiet_hours", "gpus"):
        yield server.ask("POST", "/api/v1/nights/check", {"config": {"prompts": "lab-tiny", "until_jobs": 1, key: payload}})
    yield server.ask("POST", "/api/v1/downloads", {"model": payload})
    yield server.ask("POST", "/api/v1/tokens", {"settings": {"prompt": payload}})
    yield server.ask("POST", "/sdapi/v1/png-info", {"image": payload})
    yield server.ask("POST", "/sdapi/v1/img2img", {"prompt": "a", "init_images": [payload], "steps": 1, "width": 64, "height": 64})
    yield server.ask("POST", "/sdapi/v1/options", {"sd_model_checkpoint": payload})
    for key in ("sampler_name", "scheduler", "styles"):
        yield server.ask("POST", "/sdapi/v1/txt2img", {"prompt": "a", "steps": 1, "width": 64, "height": 64, key: [payload] if key == "styles" else payload})
    for key in ("model", "size", "response_format", "image", "user"):
        yield server.ask("POST", "/v1/images/generations", {"prompt": "a", "model": "Lab Tiny XL", "n": 200, key: payload})


def draw(server, payload):
    """As a prompt, which may be anything: it is drawn."""
    id = server.ask("POST", "/api/v1/jobs", {"settings": dict(SMALL, prompt=payload, negative=payload)}).json().get("id")
    until = time.monotonic() + 120
    while id and time.monotonic() < until:
        job = server.get("/api/v1/jobs/" + id).json()
        if job["state"] not in ("queued", "running"):
            return job["state"]
        time.sleep(0.05)
    return id and "too late"


def calls():
    n = 0
    while True:
        try:
            listener.accept()[0].close()
            n += 1
        except BlockingIOError:
            return n


def traced(server):
    """Its calls of connect and execve from here on; None without strace."""
    strace = shutil.which("strace")
    if not strace:
        return None
    path = os.path.join(server.home, "calls")
    tracer = subprocess.Popen([strace, "-f", "-qq", "-e", "trace=connect,execve", "-o", path, "-p", str(server.process.pid)],
                              stderr=subprocess.DEVNULL)
    time.sleep(1)
    return None if tracer.poll() is not None else (tracer, path)


def try_all(server, name, payloads):
    keys, tracer, broken, states = fields(server), traced(server), [], set()
    check("%s: there are fields" % name, len(keys) > 10, keys)
    for payload in payloads:
        for answer in ask_all(server, payload, keys):
            if answer.code >= 500 and answer.code not in (503, 507):
                broken.append((payload, answer.code, answer.body[:200]))
        states.add(draw(server, payload))
    equal("%s: nothing breaks" % name, broken, [])
    check("%s: a prompt may be anything" % name, states <= {"done", None}, states)
    equal("%s: no address is fetched" % name, calls(), 0)
    equal("%s: no command is run" % name, os.path.exists(canary), False)
    if not tracer:
        print("     (without strace)")
        return
    tracer[0].terminate()
    tracer[0].wait(20)
    with open(tracer[1]) as file:
        lines = file.readlines()
    own = (program, "/proc/self/exe", os.path.realpath(program))
    equal("%s: nothing is run but the program itself" % name,
          [line for line in lines if "execve(" in line and not any('execve("%s"' % path in line for path in own)], [])
    equal("%s: no connection is made but to the hub that its owner named" % name,
          [line for line in lines if "connect(" in line and "AF_INET" in line and "htons(%d)" % HUB not in line], [])


for name, environment in (("with a hub", {"HF_ENDPOINT": "http://127.0.0.1:%d" % HUB}), ("offline", {"HF_HUB_OFFLINE": "1"})):
    server = Server(program, "--device", "cpu", "--threads", "2", environment=environment)
    try:
        try_all(server, name, payloads() if name == "offline" else payloads()[:6])  # online: those that are addresses, and one
    finally:
        server.clean()
listener.close()
end()
