"""test_login.py PROGRAM SOURCES - who shows wrong tokens has to wait, by address; who is logged in does not."""
import http.client
import json
import sys
import time

from serving import Answer, Server, check, end, equal

program, sources = sys.argv[1:]
TOKEN = "a-token-for-tests-0123"
server = Server(program, environment={"SDXL_LAB_TOKEN": TOKEN})


def ask(token=None, source="127.0.0.1", proxied=None, login=False, cookie=None):
    """An answer to a call, or a login, that shows a token; from an address of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60, source_address=(source, 0))
    headers = {"Content-Type": "application/json"}
    if token and not login:
        headers["Authorization"] = "Bearer " + token
    if proxied:
        headers["X-Forwarded-For"] = proxied
    if cookie:
        headers["Cookie"] = cookie
    if login:
        connection.request("POST", "/api/v1/login", json.dumps({"token": token}), headers)
    else:
        connection.request("GET", "/api/v1/info", None, headers)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def until_refused(**how):
    """Codes of wrong tokens, up to the first that is not looked at."""
    codes = []
    while 429 not in codes and len(codes) < 200:
        codes.append(ask("another-token-entirely", **how).code)
    return codes


cookie = ask(TOKEN, login=True).headers["Set-Cookie"].split(";")[0]
equal("a call without a token is no attempt", {ask().code for _ in range(30)}, {401})
codes = until_refused()
check("ten may be wrong, and some more as time goes by", codes[:10] == [401] * 10 and codes[-1] == 429 and len(codes) < 200,
      codes)
late = ask(TOKEN)
check("then the right one has to wait, too", late.code == 429 and 1 <= int(late.headers["Retry-After"]) <= 6,
      (late.code, late.headers["Retry-After"]))
equal("with a sentence", (late.error()[0], len(late.error()[2]) > 10), ("TOO_MANY", True))
late = ask(TOKEN, login=True)
check("and a login", late.code == 429 and int(late.headers["Retry-After"]) >= 1, (late.code, late.body))
equal("who is logged in does not", ask(cookie=cookie).code, 200)
equal("nor does another address", ask(TOKEN, source="127.0.0.2").code, 200)
equal("nor whom a proxy speaks for", ask(TOKEN, proxied="203.0.113.9, 192.0.2.7").code, 200)
check("whose attempts are its own", until_refused(proxied="1.2.3.4, 192.0.2.7")[-1] == 429 and
      ask(TOKEN, proxied="192.0.2.7").code == 429 and ask(TOKEN, proxied="192.0.2.8").code == 200)
check("of IPv6 a network is one", until_refused(proxied="2001:db8::1")[-1] == 429 and
      ask(TOKEN, proxied="2001:db8::2").code == 429 and ask(TOKEN, proxied="2001:db8:0:1::1").code == 200)
check("wrong logins count as well", until_refused(source="127.0.0.3", login=True)[-1] == 429)
equal("what needs no token is answered", server.get("/healthz").code, 200)
until = time.monotonic() + 120
while ask(TOKEN).code == 429 and time.monotonic() < until:
    time.sleep(.2)
equal("and it passes", ask(TOKEN).code, 200)
server.clean()
end()
