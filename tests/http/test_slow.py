"""test_slow.py PROGRAM SOURCES - clients that dawdle: they harm nobody, and are cut after half a minute."""
import resource
import socket
import subprocess
import sys
import time

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
server = Server(program)


def memory():
    with open("/proc/%d/statm" % server.process.pid) as file:
        return int(file.read().split()[1]) * resource.getpagesize()


try:
    server.get("/api/v1/pictures")
    before, start = memory(), time.monotonic()
    dawdlers = []
    for i in range(500):
        sock = socket.create_connection(("127.0.0.1", server.port))
        if i % 3 == 0:
            sock.sendall(b"GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\nX: ")
        elif i % 3 == 1:
            sock.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 4000\r\n\r\n")
        sock.setblocking(False)
        dawdlers.append(sock)
    answered = sum(server.get(path).code == 200 for path in ("/healthz", "/api/v1/info", "/api/v1/pictures", "/") * 25)
    equal("others are answered", answered, 100)
    if any(word in subprocess.run(["ldd", program], capture_output=True, text=True).stdout for word in ("libasan", "libtsan")):
        print("skip sanitizer-memory: what a sanitizer takes beside it is more")
    else:
        check("500 of them take less than 64 MiB", memory() - before < 64 << 20, (memory() - before) >> 20)
    is_open, cut = set(dawdlers), 0
    while is_open and time.monotonic() - start < 38:
        for sock in list(is_open):
            try:
                sock.send(b"x")
                if sock.recv(4096) == b"":
                    is_open.discard(sock)
            except BlockingIOError:
                pass
            except OSError:
                is_open.discard(sock)
        time.sleep(0.5)
    equal("all are cut in the end, however they dawdle", len(is_open), 0)
    check("and not before", time.monotonic() - start > 25)
    equal("the server answers", server.get("/api/v1/info").code, 200)
finally:
    server.clean()
end()
