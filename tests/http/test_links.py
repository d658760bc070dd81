"""test_links.py PROGRAM SOURCES - a folder of pictures, and a picture, become links to outside and themselves again while
they are asked for, marked, thrown away and brought back: nothing outside is read, written or moved. XL_LINK_TRIES: how
often, 3,000 where it is not said."""
import http.client
import multiprocessing
import os
import subprocess
import sys

from serving import Server, check, end, equal

program = sys.argv[1]
TRIES = int(os.environ.get("XL_LINK_TRIES", 3000))
SECRET = b"outside, and nobody's business"


def mend(place, aside):
    """The place as it was, whatever was brought back there meanwhile."""
    if os.path.islink(place):
        os.unlink(place)
    if not os.path.lexists(aside):
        return
    if os.path.isdir(place):
        for name in os.listdir(place):
            os.rename(os.path.join(place, name), os.path.join(aside, name))
        os.rmdir(place)
    os.rename(aside, place)


def flip(place, outside, n, is_over):
    aside = place + ".aside"
    while not is_over.is_set():
        try:
            os.rename(place, aside)
            os.symlink(outside, place)
            os.unlink(place)
            os.rename(aside, place)
            n.value += 1
        except OSError:  # it is in the trash now, or was just brought back
            try:
                mend(place, aside)
            except OSError:
                pass
    mend(place, aside)


class Flips:
    """Swaps a place between what it is and a link to a place outside, as fast as it can, in a process of its own."""

    def __init__(self, place, outside):
        self.n, self.is_over = multiprocessing.Value("l", 0), multiprocessing.Event()
        self.process = multiprocessing.Process(target=flip, args=(place, outside, self.n, self.is_over), daemon=True)
        self.process.start()

    def stop(self):
        self.is_over.set()
        self.process.join()
        return self.n.value


def tree(folder):
    return sorted((os.path.join(at, name), open(os.path.join(at, name), "rb").read())
                  for at, _, names in os.walk(folder) for name in names)


def ask(connection, method, path, body=None):
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def race(server, what, place, outside, picture):
    path = "/api/v1/pictures/%s" % picture["id"]
    calls = [("GET", path + "/file", None), ("GET", path + "/thumbnail?side=320", None), ("GET", path, None),
             ("PUT", path + "/mark", '{"favorite": true}'), ("GET", path + "/file", None), ("GET", path + "/thumbnail?side=640", None)]
    rare = [("DELETE", path, None), ("POST", path + "/restore", "{}")]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    before, leaks, broken, found = tree(os.path.dirname(outside)), [], [], 0
    flips = Flips(place, outside)
    for i in range(TRIES // 2):
        call = rare[i // 100 % 2] if i % 100 == 99 else calls[i % len(calls)]
        code, body = ask(connection, *call)
        found += code == 200
        if SECRET in body:
            leaks.append(call)
        if code >= 500 and code != 507:
            broken.append((call, code, body[:200]))
    n = flips.stop()
    check("%s is a link now and then" % what, n > 100, n)
    check("it is found now and then", found > 100, found)
    equal("what is outside is not read", leaks, [])
    equal("nor changed", tree(os.path.dirname(outside)) == before, True)
    equal("and nothing breaks", broken, [])


server = Server(program, "--device", "cpu", "--instance", "test")
try:
    result = subprocess.run([program, "generate", "--prompt", "a red square", "--size", "64x64", "--steps", "1", "--sweep", "seed=1,2",
                             "--device", "cpu", "--output-dir", server.output, "--instance", "test", "--quiet"],
                            env=server.environment, cwd=server.home, capture_output=True, text=True)
    equal("pictures are drawn", result.returncode, 0)
    pictures = server.get("/api/v1/pictures").json()["pictures"]
    run = os.path.dirname(pictures[0]["path"])
    outside = os.path.join(server.home, "outside", "run")
    os.makedirs(outside)
    for picture in pictures:
        with open(os.path.join(outside, os.path.basename(picture["path"])), "wb") as file:
            file.write(SECRET)
    race(server, "the folder", run, outside, pictures[0])
    server.ask("POST", "/api/v1/pictures/%s/restore" % pictures[0]["id"], {})
    race(server, "the picture", pictures[1]["path"], os.path.join(outside, os.path.basename(pictures[1]["path"])), pictures[1])
    equal("the server stays up", server.get("/healthz").code, 200)
finally:
    server.clean()
end()
