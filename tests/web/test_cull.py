"""Culling in a real browser: keys that go on and keys that stay, what was not painted, undo, marks that wait for the server,
stopping and going on, the rejected ones to the trash and back, a phone.
usage: test_cull.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import os
import sys

import browser
import copies
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

N = 24
program = sys.argv[1]
driver = browser.start(1280, 900, dark=True)
shot = browser.camera(driver, sys.argv[3:])
from selenium.webdriver import ActionChains  # noqa: E402  (start() leaves where there is none)
from selenium.webdriver.common.keys import Keys  # noqa: E402

server = Server(program, "--device", "cpu", "--threads", "1", "--instance", "test")
home = "http://127.0.0.1:%d/" % server.port


def js(code, *arguments):
    return driver.execute_script("return " + code, *arguments)


def text(css):
    return js("document.querySelector(arguments[0])?.textContent ?? ''", css)


def click(css):
    return until(lambda: js("(e => e && !e.disabled && (e.click(), true))(document.querySelector(arguments[0]))", css))


def press(*keys):
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def held(modifier, key):
    ActionChains(driver).key_down(modifier).send_keys(key).key_up(modifier).perform()


def ids():
    """All pictures, the newest first, whatever is thought of them."""
    return server.get("/api/v1/pictures/order").json()["ids"]


def mark_of(number):
    picture = server.get("/api/v1/pictures/%d" % number).json()
    return picture["loved"], picture["rating"], picture.get("rejected", False)


def at(k, n):
    """The k-th of n is there and painted: its number."""
    return until(lambda: text("#position") == "%d of %d" % (k, n) and js("+document.querySelector('.g-stage').dataset.painted || 0"))


def at_once(*keys):
    """Keys within one moment: no picture is painted in between."""
    js("arguments[0].forEach(key => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })))", list(keys))


def try_keys():
    driver.get(home + "gallery")
    until(lambda: js("document.querySelectorAll('.tile img').length") > 3)
    js("document.querySelectorAll('.tile')[1].focus()")
    press("k")
    check("K begins at the ringed picture", at(2, N) == ids()[1], text("#position"))
    check("it is one of those that were not judged", "judged=without" in driver.current_url, driver.current_url)
    check("nothing else is there", not js("document.querySelector('.top').offsetParent"))
    check("but the pictures around it", until(lambda: js("document.querySelectorAll('.strip-cell img').length") >= 8))
    equal("with this one in the middle", js("+document.querySelector('.strip-cell[aria-current]').dataset.id"), ids()[1])
    shot("cull")
    read = "performance.getEntriesByType('resource').some(e => e.name.includes(`pictures/${arguments[0]}/thumbnail?side=1024`))"
    check("two ahead and one behind are read", until(lambda: all(js(read, ids()[k]) for k in (0, 2, 3))))
    press("p")
    check("P picks and goes on", at(3, N) and until(lambda: mark_of(ids()[1]) == (True, 0, False)), mark_of(ids()[1]))
    press("x")
    check("X rejects and goes on", at(4, N) and until(lambda: mark_of(ids()[2]) == (False, 0, True)), mark_of(ids()[2]))
    held(Keys.SHIFT, "4")
    check("with Shift a mark stays", until(lambda: mark_of(ids()[3]) == (False, 4, False)) and text("#position") == "4 of %d" % N)
    press("5")
    check("a digit rates and goes on", at(5, N) and until(lambda: mark_of(ids()[3]) == (False, 5, False)))
    at_once("x", "x", "ArrowRight")
    equal("what was not painted is neither judged nor left", (at(6, N), mark_of(ids()[5])), (ids()[5], (False, 0, False)))
    held(Keys.CONTROL, "z")
    check("Ctrl+Z goes back to the picture whose mark it takes",
          at(5, N) == ids()[4] and until(lambda: mark_of(ids()[4]) == (False, 0, False)), text("#position"))
    at_once("ArrowRight", "ArrowRight", "ArrowRight")
    equal("arrows go by one that is seen each", at(6, N), ids()[5])
    press("p")
    at(7, N)
    press(Keys.ARROW_LEFT)
    at(6, N)
    press("u")
    check("U takes all marks away", at(7, N) and until(lambda: mark_of(ids()[5]) == (False, 0, False)))


def try_pixels():
    files = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/file')).length"
    equal("no original was asked for", js(files), 0)
    stage = driver.find_element("css selector", ".g-stage")
    ActionChains(driver).move_to_element_with_offset(stage, -100, 40).perform()
    press("z")
    check("Z shows it pixel for pixel, from the file",
          until(lambda: js("document.querySelector('.stage-picture img').src.endsWith('/file')") and js(files) == 1))
    press("z")


def try_waiting():
    """Marks show at once and are sent when the server is there again."""
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.enable", {})
    k = int(text("#position").split(" ")[0])
    number = at(k, N)
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    press("p")
    check("a picture that was read ahead comes without a connection", at(k + 1, N))
    badge = ".strip-cell[data-id='%d'] .badge" % number
    equal("the mark shows, with a dot", text(badge), "♥ •")
    check("how many wait is told", until(lambda: "1 not kept yet" in text("#told")), text("#told"))
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", dict(offline, offline=False))
    check("it is sent when there is one", until(lambda: mark_of(number) == (True, 0, False)), mark_of(number))
    check("and the dot goes", until(lambda: text(badge) == "♥" and not text("#told")), text(badge))


def try_end():
    press(Keys.ESCAPE)
    check("Esc tells how far it is", until(lambda: "2 picked, 1 rejected, %d not judged" % (N - 4) in text("#summary")), text("#summary"))
    check("and offers the rejected ones", until(lambda: text("#summary #trash") == "Move 1 rejected picture to the trash"), text("#summary"))
    shot("cull-summary")
    press(Keys.ARROW_LEFT)
    check("← goes back to the picture", until(lambda: js("document.querySelector('#summary').hidden")))
    press(Keys.ESCAPE)
    check("Esc tells it again", until(lambda: not js("document.querySelector('#summary').hidden")))
    press(Keys.ESCAPE)
    check("Esc twice leaves", until(lambda: js("document.querySelectorAll('.gallery .tile').length") > 3), driver.current_url)
    press("k")
    at(1, N - 4)
    at_once("Escape", "Escape")
    check("also when nothing has come in between", until(lambda: js("document.querySelectorAll('.gallery .tile').length") > 3), driver.current_url)
    press("k")
    check("what was judged is not there the next time", until(lambda: text("#position").endswith("of %d" % (N - 4))), text("#position"))
    driver.get(home + "cull/0?judged=without")
    at(1, N - 4)
    press("x")
    at(2, N - 4)
    click("#done")
    check("rejected ones of both times", until(lambda: text("#summary #trash") == "Move 2 rejected pictures to the trash"), text("#summary"))
    click("#summary #trash")
    check("go to the trash together", until(lambda: "2 pictures in the trash" in text(".g-note")), text(".g-note"))
    equal("all of them", (len(ids()), server.get("/api/v1/pictures/order?trash=only").json()["total"]), (N - 2, 2))
    click(".g-note button")
    check("and come back with Undo", until(lambda: "2 pictures brought back" in text(".g-note")) and len(ids()) == N, len(ids()))


def try_phone():
    for name, width, height, scheme in (("light", 1280, 900, "light"), ("phone", 360, 740, "dark")):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        driver.get(home + "cull/0?judged=without")
        first = at(1, N - 5)
        check("nothing sticks out: " + name, js("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"))
        until(lambda: js("document.querySelectorAll('.strip-cell img').length") > 2)
        shot("cull-" + name)
    small = js("[...document.querySelectorAll('.cull button:not(.strip-cell)')].filter(b => b.offsetParent && (b.offsetHeight < 40 || b.offsetWidth < 40)).map(b => b.textContent)")
    equal("targets are large enough", small, [])
    click(".mark[aria-label=Reject]")
    equal("a button for one star says so", js("document.querySelector('.mark.star').getAttribute('aria-label')"), "1 star")
    check("a button judges and goes on", at(2, N - 5) and until(lambda: mark_of(first) == (False, 0, True)))
    click("#undo")
    check("and another one takes it back", at(1, N - 5) == first and until(lambda: mark_of(first) == (False, 0, False)))
    while click("#next") and js("document.querySelector('#summary').hidden"):
        k = int(text("#position").split(" ")[0])
        if not at(k, N - 5):
            break
    check("behind the last one it tells how far it is", until(lambda: "not judged" in text("#summary")), text("#summary"))


copies.spread(copies.draw(program, server), server.output, N)
try_keys()
try_pixels()
try_waiting()
try_end()
try_phone()
bad = [entry["message"] for entry in driver.get_log("browser")
       if entry["level"] == "SEVERE" and "ERR_INTERNET_DISCONNECTED" not in entry["message"]]
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
end()
