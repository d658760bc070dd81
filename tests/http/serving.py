"""serving.py - a server for a test: started on a free port in a folder of its own, asked, stopped."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

passed = failed = 0


def check(name, fine, found=""):
    global passed, failed
    if fine:
        passed += 1
        print("ok   " + name)
    else:
        failed += 1
        print("FAIL %s%s" % (name, ": %.300r" % (found,) if found != "" else ""))


def equal(name, found, expected):
    check(name, found == expected, "" if found == expected else (found, "expected", expected))


def end():
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0)


class Answer:
    def __init__(self, response):
        self.code = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def error(self):
        """(status, field, sentence) of an error object"""
        error = self.json()["error"]
        return error["status"], error.get("field"), error["message"]


class Server:
    """A server in a new folder. Arguments are added to the command's."""

    def __init__(self, program, *arguments, environment=None, output=None):
        self.home = tempfile.mkdtemp(prefix="sdxl-lab-http-")
        self.output = output or os.path.join(self.home, "out")
        os.makedirs(self.output, exist_ok=True)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("HF_", "GRADIO", "SDXL_LAB", "XDG_", "OUTPUT", "INSTANCE"))}
        self.environment.update({"HOME": self.home, "CUDA_VISIBLE_DEVICES": "", **(environment or {})})
        self.errors = open(os.path.join(self.home, "err"), "w+")
        command = [program, "serve", "--port", "0", "--json", "--output-dir", self.output, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=self.environment, cwd=self.home)
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the server did not start: " + self.log())
            text += line
        self.told = json.loads(text)
        self.port = self.told["port"]

    def log(self):
        self.errors.flush()
        with open(self.errors.name) as file:
            return file.read()

    def ask(self, method, path, body=None, headers=None, connection=None, timeout=30):
        mine = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        mine.request(method, path, body, headers)
        answer = Answer(mine.getresponse())
        if not connection:
            mine.close()
        return answer

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def raw(self, data, timeout=10):
        """What comes back for bytes as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as sock:
            sock.sendall(data)
            got = b""
            try:
                while True:
                    more = sock.recv(65536)
                    if not more:
                        break
                    got += more
            except (ConnectionResetError, TimeoutError):
                pass
            return got

    def stop(self, number=signal.SIGTERM):
        """Its exit code and how long it took."""
        start = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code, time.monotonic() - start

    def clean(self):
        if self.process.poll() is None:
            self.process.terminate() # so that a sanitizer looks for what was lost
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.errors.close()
        shutil.rmtree(self.home, ignore_errors=True)


def start_fails(program, *arguments, environment=None):
    """Exit code and what is said of a server that does not start."""
    home = tempfile.mkdtemp(prefix="sdxl-lab-http-")
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("GRADIO", "SDXL_LAB", "HF_", "XDG_"))}
    clean.update(HOME=home, **(environment or {}))
    try:
        result = subprocess.run([program, "serve", "--output-dir", home, *arguments], capture_output=True, text=True,
                                env=clean, timeout=20)
        return result.returncode, result.stderr
    except subprocess.TimeoutExpired:
        return None, "it started"
    finally:
        shutil.rmtree(home, ignore_errors=True)
