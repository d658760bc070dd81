"""The gallery in a real browser: 300 pictures, scrolling, filters, marks by key, the viewer, comparing, the trash, what
arrives meanwhile, a phone. usage: test_gallery.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import os
import subprocess
import sys
import time

import browser
import copies
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

N = 300
program = sys.argv[1]
driver = browser.start(1280, 900)
shot = browser.camera(driver, sys.argv[3:])
from selenium.webdriver import ActionChains  # noqa: E402  (start() leaves where there is none)
from selenium.webdriver.common.keys import Keys  # noqa: E402

server = Server(program, "--device", "cpu", "--threads", "2", "--instance", "test")
home = "http://127.0.0.1:%d/" % server.port


# --- The browser ---

def js(code, *arguments):
    return driver.execute_script("return " + code, *arguments)


def count(css):
    return js("document.querySelectorAll(arguments[0]).length", css)


def text(css):
    return js("document.querySelector(arguments[0])?.textContent ?? ''", css)


def click(css):
    js("document.querySelector(arguments[0]).click()", css)


def press(*keys):
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def with_control(key):
    ActionChains(driver).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()


def open_gallery(query="", least=5):
    driver.get(home + "gallery" + query)
    return until(lambda: count(".tile img") >= least)


def shown(n):
    return until(lambda: text("#count").split(" ")[0] == str(n))


def mark_of(number):
    picture = server.get("/api/v1/pictures/%s" % number).json()
    return picture["loved"], picture["rating"], picture.get("rejected", False)


def active():
    return js("document.activeElement.dataset.id")


def viewer_is_painted():
    return until(lambda: js("document.querySelector('.g-stage')?.dataset.painted"))


SCROLLED = "document.querySelector('.g-scroller').scrollTop"
FIRST_SEEN = """(() => { const s = document.querySelector('.g-scroller').getBoundingClientRect();
  return [...document.querySelectorAll('.tile')].map(t => [t.dataset.id, Math.round(t.getBoundingClientRect().top - s.top)])
    .filter(([, y]) => y > 0).sort((a, b) => a[1] - b[1] || a[0] - b[0])[0]; })()"""


# --- What is tried ---

def try_scrolling():
    check("the gallery is there", open_gallery())
    equal("with all of them", shown(N), True)
    check("few of them as elements", count(".tile") < 120, count(".tile"))
    grid = js("[...['aria-rowcount'].map(a => +document.querySelector('[role=grid]').getAttribute(a)), "
              "document.querySelectorAll('.tile[tabindex=\"0\"]').length]")
    check("one tab stop, and how many rows there are", grid[0] > 20 and grid[1] == 1, grid)
    justified = js("""(() => { const w = document.querySelector('.g-inner').clientWidth;
        return [...document.querySelectorAll('.g-row')].slice(0, 3).map(r => { const c = [...r.children].map(e => e.offsetLeft + e.offsetWidth);
          return w - Math.max(...c); }); })()""")
    equal("rows are as wide as the page", justified, [0, 0, 0])
    shot("gallery")
    js("document.querySelector('.tile').focus()")
    press(Keys.ARROW_RIGHT)
    second = active()
    with_control(Keys.END)
    check("Ctrl+End goes to the last", until(lambda: js("+document.activeElement.dataset.index") == N - 1), active())
    check("whose picture comes", until(lambda: js("!!document.activeElement.dataset.painted")))
    check("still few elements", count(".tile") < 120, count(".tile"))
    with_control(Keys.HOME)
    press(Keys.ARROW_RIGHT)
    equal("and back", active(), second)
    size = driver.find_element("css selector", "#size")
    before = js("document.querySelector('.tile').offsetHeight")
    size.send_keys(Keys.HOME)
    check("the slider makes them smaller", until(lambda: js("document.querySelector('.tile').offsetHeight") < before))
    js("(e => { e.value = 220; e.dispatchEvent(new Event('input')); })(arguments[0])", size)


def try_filters():
    open_gallery()
    check("kinds are counted", until(lambda: count(".choice") > 5))
    click(".choice[data-value='128x64']")
    equal("a size", shown(N // 3), True)
    check("is in the address", "size=128x64" in driver.current_url, driver.current_url)
    click(".g-chips [data-param=size]")
    equal("its chip takes it away", shown(N), True)
    js("document.body.focus()")
    press("/")
    equal("/ goes to the search", js("document.activeElement.id"), "search")
    press("old tower ")
    equal("words", shown(N // 3), True)
    press("seed:1004 ")
    equal("and a field", shown(1), True)
    equal("which is a chip", text(".chip"), "Seed: 1004 ✕")
    press("color:red ")
    check("an unknown field gets a hint", until(lambda: "is nothing here" in text("#search-hint")), text("#search-hint"))
    with_control("a")
    press(Keys.DELETE, Keys.BACKSPACE)
    equal("Backspace takes the chip", shown(N), True)
    press("-tower -sky ")
    equal("words that are not there", shown(2 * N // 3), True)
    equal("a chip each", js("[...document.querySelectorAll('.chip')].map(c => c.textContent)"), ["not tower ✕", "not sky ✕"])
    click(".chip")
    equal("that take away one each", shown(N) and js("[...document.querySelectorAll('.chip')].map(c => c.textContent)"), ["not sky ✕"])
    click(".chip")
    press("steps:>1 seed:1000..1149 ")
    equal("ranges", shown(N // 6), True)
    equal("are chips", js("[...document.querySelectorAll('.chip')].map(c => c.textContent)"), ["Steps: >1 ✕", "Seed: 1000..1149 ✕"])
    press("steps:>x ")
    check("one that is none has a hint", until(lambda: "steps:20..40" in text("#search-hint")), text("#search-hint"))
    with_control("a")
    press(Keys.DELETE, Keys.BACKSPACE, Keys.BACKSPACE)
    equal("nothing is left of it", shown(N), True)
    press("steps:2", Keys.ENTER)
    equal("steps", shown(N // 3), True)
    driver.refresh()
    equal("the address keeps it", shown(N // 3) and text(".chip"), "Steps: 2 ✕")


def try_marks():
    open_gallery()
    js("document.querySelector('.tile').focus()")
    until(lambda: js("document.activeElement.dataset.painted"))
    first = active()
    press("f", "4")
    equal("marks are shown at once", js("document.activeElement.querySelector('.badge').textContent").replace(" •", ""), "♥ ★★★★")
    check("and kept", until(lambda: mark_of(first) == (True, 4, False)), mark_of(first))
    press("x")
    check("what is rejected is no favourite", until(lambda: mark_of(first) == (False, 4, True)), mark_of(first))
    with_control("z")
    check("Ctrl+Z takes it back", until(lambda: mark_of(first) == (True, 4, False)), mark_of(first))
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    press("2")
    check("without a connection it is shown as not kept", until(lambda: "•" in js("document.activeElement.textContent")),
          js("document.activeElement.textContent"))
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", dict(offline, offline=False))
    check("and sent when there is one", until(lambda: mark_of(first) == (True, 2, False)), mark_of(first))
    check("the dot goes", until(lambda: "•" not in js("document.activeElement.textContent")))
    open_gallery("?sort=best", 1)
    check("marks are there after a reload", until(lambda: "♥ ★★" in text(".tile .badge")), text(".tile .badge"))
    driver.get(home + "gallery?loved=true")
    equal("favourites alone", shown(1), True)


def connect(is_there):
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": not is_there, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})


def n_lines():
    return sum(len(list(open(os.path.join(server.output, name)))) for name in os.listdir(server.output) if name.startswith("marks"))


def mark_and_close(index, key):
    """Mark a picture that has no mark while the server is away, and close the page: its number."""
    open_gallery()
    js("document.querySelector(`.tile[data-index='${arguments[0]}']`).focus()", index)
    until(lambda: js("document.activeElement.dataset.painted"))
    until(lambda: js("document.activeElement.getAttribute('aria-label').includes('seed')"))  # its details are known
    marked = active()
    connect(False)
    press(key)
    until(lambda: "•" in js("document.activeElement.textContent"))
    js("(() => { const kept = JSON.parse(localStorage['sdxl-lab.marks']); for (const one of kept) one.at -= 60000; "
       "localStorage['sdxl-lab.marks'] = JSON.stringify(kept); })()")  # a minute ago
    driver.get("about:blank")
    connect(True)
    return marked


def command(*arguments):
    return subprocess.run([program, *arguments, "--output-dir", server.output], capture_output=True, text=True, env=server.environment, check=True)


def try_marks_elsewhere():
    marked = mark_and_close(2, "3")
    before = n_lines()
    equal("a page that was closed has told nothing", mark_of(marked), (False, 0, False))
    driver.get(home + "queue")
    check("the next page sends what it left, whichever it is", until(lambda: mark_of(marked) == (False, 3, False)), mark_of(marked))
    check("and then keeps it no more", until(lambda: js("localStorage['sdxl-lab.marks']") == "[]"))
    driver.refresh()
    open_gallery()
    equal("once", n_lines(), before + 1)
    marked = mark_and_close(3, "5")
    path = server.get("/api/v1/pictures/" + marked).json()["path"]
    command("favorite", "rate", "2", path)
    before = n_lines()
    open_gallery()
    check("a newer mark of a command stays", until(lambda: js("localStorage['sdxl-lab.marks']") == "[]") and mark_of(marked) == (False, 2, False), mark_of(marked))
    equal("and nothing was written", n_lines(), before)
    badge = ".tile[data-id='%s'] .badge" % marked
    check("which is what is shown", until(lambda: text(badge) == "★★"), text(badge))
    told = until(lambda: command("favorite", "add", path) and until(lambda: "♥" in text(badge), 2) or command("favorite", "remove", path) and None, 30)
    check("what a command says shows at once", told, text(badge))
    server.ask("PUT", "/api/v1/pictures/%s/mark" % marked, {"rejected": True, "favorite": False, "rating": 0})
    check("and what another browser says", until(lambda: text(badge) == "✕"), text(badge))
    server.ask("PUT", "/api/v1/pictures/%s/mark" % marked, {"rejected": False})
    check("and takes back", until(lambda: text(badge) == ""), text(badge))


def try_viewer():
    open_gallery()
    js(SCROLLED + " = 900")
    time.sleep(0.3)
    before = js(FIRST_SEEN)
    js("[...document.querySelectorAll('.tile')].find(t => t.dataset.id === arguments[0]).click()", before[0])
    check("a click opens the viewer", viewer_is_painted())
    check("the address has its cell", until(lambda: len(driver.current_url.split("/picture/")[-1]) == 32), driver.current_url)
    check("its settings are told", until(lambda: "Seed" in text("#facts")), text("#facts"))
    shot("viewer")
    links = js("[...document.querySelectorAll('.actions a')].map(a => a.getAttribute('href'))")
    cell = driver.current_url.split("/")[-1]
    equal("what can be done with it", [link.split("/")[-1] for link in links[:3]], ["?from=" + cell, "?from=%s&vary=1" % cell, "?init=" + cell])
    at = int(text("#position").split(" ")[0])
    press(Keys.ARROW_RIGHT)
    equal("→ goes on", until(lambda: text("#position") == "%d of %d" % (at + 1, N)), True)
    number = viewer_is_painted()
    press("3", "p")
    check("keys judge it", until(lambda: mark_of(number) == (True, 3, False)), mark_of(number))
    equal("and the buttons say so", js("document.querySelectorAll('.star.on').length"), 3)
    press("u")
    check("U takes all away", until(lambda: mark_of(number) == (False, 0, False)), mark_of(number))
    # A key right behind the arrow: the next picture is not painted yet, so nothing is judged.
    js("""(() => { const k = key => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        k('ArrowRight'); k('x'); })()""")
    unseen = viewer_is_painted()
    equal("what was not painted is not judged", (unseen != number, mark_of(unseen)), (True, (False, 0, False)))
    whole = js("document.querySelector('.stage-picture').offsetWidth")
    press("z")
    check("Z shows it pixel for pixel", until(lambda: js("document.querySelector('.stage-picture').offsetWidth") in (64, 128)), whole)
    check("from the file itself", until(lambda: js("document.querySelector('.stage-picture img').src.endsWith('/file')")))
    press("z", "?")
    check("? lists the keys", until(lambda: "Favourite" in text("dialog.keys")))
    press(Keys.ESCAPE)
    check("which Esc closes", until(lambda: not count("dialog")) and count(".viewer") == 1)
    driver.refresh()
    check("the address leads to it", viewer_is_painted() == unseen, driver.current_url)
    driver.back()
    check("Back closes it", until(lambda: count(".gallery")) and "/gallery" in driver.current_url, driver.current_url)
    until(lambda: count(".tile") > 20)
    js(SCROLLED + " = 1300")
    time.sleep(0.3)
    before = js(FIRST_SEEN)
    js("[...document.querySelectorAll('.tile')].find(t => t.dataset.id === arguments[0]).click()", before[0])
    viewer_is_painted()
    press(Keys.ESCAPE)
    equal("and everything is where it was", until(lambda: js(FIRST_SEEN) == before), True)
    equal("with the focus on it", until(lambda: active() == before[0]), True)


def try_comparing():
    open_gallery()
    js("document.querySelector('.tile').focus()")
    a = active()
    press(" ", Keys.ARROW_RIGHT)
    b = active()
    press(" ")
    equal("two are picked", (count(".tile.picked"), text("#compare")), (2, "Compare the two"))
    press("c")
    check("both are shown", until(lambda: js("[...document.querySelectorAll('.g-stage')].map(s => s.dataset.painted).join()") == a + "," + b))
    check("with what differs", until(lambda: "Seed" in text("#differences") and "equal" in text("#differences")), text("#differences"))
    shot("compare")
    press("z")
    views = js("[...document.querySelectorAll('.stage-picture')].map(p => p.offsetWidth > 0 && p.style.transform)")
    check("one zoom for both", all(views), views)
    press("z", "s")
    check("a slider", until(lambda: js("document.querySelector('.pane .g-stage').style.clipPath.includes('50%')")))
    js("(e => { e.value = 25; e.dispatchEvent(new Event('input')); })(document.querySelector('#divide'))")
    check("that divides", js("document.querySelector('.pane .g-stage').style.clipPath.includes('75%')"))
    js("document.querySelector('.compare').focus()")
    press("s", Keys.ESCAPE)
    check("Esc goes back", until(lambda: count(".gallery") and count(".tile")))
    painted = "[...document.querySelectorAll('.g-stage')].map(s => s.dataset.painted ?? '')"
    js("document.querySelector('.tile[tabindex=\"0\"]').focus()")
    press(Keys.ARROW_RIGHT, " ")
    third = active()
    equal("three are picked", until(lambda: text("#compare") == "Compare the 3"), True)
    press("n")
    check("N shows them together", until(lambda: js(painted) == [a, b, third]), js(painted))
    check("with what differs", until(lambda: js("[...document.querySelectorAll('.differences thead th')].map(t => t.textContent).join()") == "Setting,A,B,C"))
    js("document.querySelectorAll('.pane')[2].focus()")
    press("3")
    check("a key judges the one that has the focus", until(lambda: mark_of(third) == (False, 3, False)), mark_of(third))
    press("u", "z")
    check("one zoom for all", until(lambda: js("[...document.querySelectorAll('.stage-picture')].every(p => p.offsetWidth < 200)")))
    shot("survey")
    press("z", Keys.ARROW_RIGHT)
    check("an arrow takes another one in, the others stay", until(lambda: "" not in js(painted) and third not in js(painted) and js(painted)[:2] == [a, b]), js(painted))
    driver.get(home + "picture/%s?with=%s,999999" % (a, b))
    check("one that is not there says so, the others are", until(lambda: js(painted)[:2] == [a, b] and "no picture 999999" in text(".pane:last-child .stage-word")),
          text(".panes"))
    open_gallery()
    js("document.querySelector('.tile').focus()")
    press("n")
    check("without picks it is this one and the next three", until(lambda: count(".pane") == 4 and "" not in js(painted)))
    shot("survey-4")
    press(Keys.ESCAPE)
    check("and back", until(lambda: count(".gallery")))


def media(scheme, motion="no-preference"):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme},
                                                                       {"name": "prefers-reduced-motion", "value": motion}]})


# The absolute difference of two files by another way than the page's: {sum, most, n}, and of the pixel below the middle of the canvas.
FIGURES = """const [a, b] = await Promise.all(arguments[0].map(async id => {
    const image = new Image(); image.src = `/api/v1/pictures/${id}/file`; await image.decode();
    const c = new OffscreenCanvas(image.width, image.height).getContext('2d'); c.drawImage(image, 0, 0);
    return c.getImageData(0, 0, image.width, image.height); }));
  const far = [...a.data.keys()].filter(i => i % 4 < 3).map(i => Math.abs(a.data[i] - b.data[i]));
  const canvas = document.querySelector('.difference-canvas'), box = document.querySelector('.stage-picture').getBoundingClientRect();
  const seen = canvas.getBoundingClientRect(), at = [seen.left + seen.width / 2 + 1, seen.top + seen.height / 2 + 1];
  const x = Math.floor((at[0] - box.left) / box.width * a.width), y = Math.floor((at[1] - box.top) / box.height * a.height);
  const there = [...canvas.getContext('2d').getImageData(at[0] - seen.left, at[1] - seen.top, 1, 1).data].slice(0, 3);
  const pixels = [...Array(far.length / 3).keys()].filter(i => far[3 * i] + far[3 * i + 1] + far[3 * i + 2]).length;
  return { mean: far.reduce((x, y) => x + y) / far.length, most: Math.max(...far), share: 100 * pixels / (far.length / 3), there,
           pixel: far.slice(3 * (y * a.width + x), 3 * (y * a.width + x) + 3) };"""


def try_flicker(a, b):
    seen = "[...document.querySelectorAll('.pane')].findIndex(p => p.classList.contains('seen'))"
    media("dark", "reduce")
    driver.get(home + "picture/%s?with=%s" % (a, b))
    check("two for the flicker", until(lambda: count(".g-stage[data-painted]") == 2))
    press("b")
    equal("with reduced motion it waits", (text("#play"), js(seen), text("span.sign:last-child")), ("Play", 0, "A"))
    press(" ")
    equal("Space shows the other one", (js(seen), text("span.sign:last-child"), js("getComputedStyle(document.querySelector('.pane .g-stage')).opacity")), (1, "B", "0"))
    press("3")
    check("which is the one that is judged", until(lambda: mark_of(b) == (False, 3, False)), (mark_of(a), mark_of(b)))
    press("u")
    js("(e => { e.value = 5; e.dispatchEvent(new Event('input')); })(document.querySelector('#speed'))")
    click("#play")
    check("until it is asked for", until(lambda: js(seen) == 0) and until(lambda: js(seen) == 1))
    press("5")
    check("what changes by itself is not judged by key", until(lambda: "Stop the flicker" in text(".g-note")) and mark_of(a)[1] == 0 and mark_of(b)[1] == 0)
    shot("compare-flicker")
    press("r")
    equal("a key stops it", text("#play"), "Play")
    media("dark")
    press("b", "b")
    check("else it begins at once", until(lambda: text("#play") == "Stop" and js(seen) == 1))


def try_difference(a, b, twin):
    press("d")
    painted = "document.querySelector('.difference-canvas').dataset.painted"
    check("D shows the difference", until(lambda: js(painted) == "%s,%s" % (a, b) and "on average" in text("#difference-told")), text("#difference-told"))
    shot("compare-difference")
    js("document.querySelectorAll('.pane')[0].focus()")
    press(*"++++")
    until(lambda: js("document.querySelectorAll('.stage-picture.pixels').length === 2"))
    js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    found = driver.execute_script("return (async () => {" + FIGURES + "}).apply(null, arguments)", [a, b])
    words = "%.1f %% of the pixels differ, by %d of 255 at most, by %.2f on average." % (found["share"], found["most"], found["mean"])
    equal("in figures", text("#difference-told"), words)
    equal("eight times as strong", found["there"], [min(255, 8 * far) for far in found["pixel"]])
    driver.get(home + "picture/%s?with=%s" % (a, twin))
    check("equal ones are said to be equal", until(lambda: text("#difference-told") == "Every pixel is equal."), text("#difference-told"))


def try_alone(a, b):
    places = "[...document.querySelectorAll('.stage-picture')].map(p => p.style.width + p.style.transform)"
    js("localStorage.clear()")
    driver.get(home + "picture/%s?with=%s" % (a, b))
    check("two side by side", until(lambda: count(".g-stage[data-painted]") == 2))
    js("document.querySelectorAll('.pane')[1].focus()")
    press(*"++++++++")
    both = js(places)
    equal("one zoom for both", both[0], both[1])
    press("a")
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
    apart = js(places)
    check("A lets one move alone", apart[0] == both[0] and apart[1] != both[1], apart)
    press("a", "+")
    after = js(places)
    check("which stays away from the other", after[0] != after[1] and after[0] != apart[0], after)
    click("#align")
    equal("until they are aligned", len(set(js(places))), 1)
    before = js(places)
    stage = driver.find_elements("css selector", ".g-stage")[1]
    ActionChains(driver).key_down(Keys.SHIFT).move_to_element(stage).click_and_hold().move_by_offset(-30, 0).release().key_up(Keys.SHIFT).perform()
    check("Shift and the mouse move one alone", js(places)[0] == before[0] and js(places)[1] != before[1], js(places))


def try_modes():
    at = {os.path.basename(one["path"]): str(one["id"]) for one in server.get("/api/v1/pictures?limit=200&size=64x64").json()["pictures"]}
    a, b, twin = at["p000.png"], at["p001.png"], at["p006.png"]
    try_flicker(a, b)
    try_difference(a, b, twin)
    try_alone(a, b)


def try_arrivals():
    open_gallery()
    js(SCROLLED + " = 1500")
    time.sleep(0.3)
    before = js(FIRST_SEEN)
    job = {"settings": {"prompt": "a newcomer", "size": "64x64", "steps": 1, "seed": 5}}
    equal("one is drawn", server.ask("POST", "/api/v1/jobs", job).code // 100, 2)
    check("it waits behind a button", until(lambda: text("#fresh") == "1 new" and not js("document.querySelector('#fresh').hidden"), 25), text("#fresh"))
    equal("nothing moves", js(FIRST_SEEN), before)
    click("#fresh")
    equal("a click shows it", shown(N + 1), True)
    equal("at the top", js(SCROLLED), 0)
    server.ask("POST", "/api/v1/jobs", dict(job, settings=dict(job["settings"], seed=6)))
    equal("at the top it comes by itself", shown(N + 2), True)


def try_trash():
    open_gallery()
    js("document.querySelector('.tile').focus()")
    until(lambda: js("document.activeElement.dataset.painted"))
    gone = active()
    press(Keys.DELETE)
    equal("one less", shown(N + 1), True)
    check("is said, with a way back", until(lambda: "Undo" in text(".g-note")))
    check("the focus is on the next", until(lambda: active() not in (None, gone)), active())
    click(".g-note button")
    equal("Undo brings it back", shown(N + 2), True)
    check("on the disk as well", until(lambda: len(os.listdir(server.output)) and server.get("/api/v1/pictures/%s/file" % gone).code == 200))
    click(".tile")
    first = viewer_is_painted()
    press(Keys.DELETE)
    check("from the viewer too, which goes on", until(lambda: viewer_is_painted() not in (None, first)), first)
    until(lambda: "Undo" in text(".g-note"))
    click(".g-note button")
    check("and comes back", until(lambda: js("document.querySelector('.g-stage').dataset.painted") == first))
    press(Keys.DELETE)
    until(lambda: "Undo" in text(".g-note"))
    driver.get(home + "picture/%s?trash=only" % first)
    check("one in the trash says so", until(lambda: "in the trash" in text("#facts .trashed")), text("main"))
    check("and is seen", viewer_is_painted() == first)
    click("#restore")
    check("and can be brought back from there", until(lambda: viewer_is_painted() == first and
                                                      js("document.querySelector('.stage-picture').offsetWidth") > 60), text("main"))


def try_looks():
    for name, width, height, scheme in (("light", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 360, 740, "dark")):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        open_gallery()
        check("nothing sticks out: " + name, js("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"))
        equal("nor any button: " + name, js("[...document.querySelectorAll('.gallery .bar button, .gallery .bar select')].filter(b => "
                                            "b.offsetParent && b.getBoundingClientRect().right > innerWidth).map(b => b.textContent)"), [])
        shot("gallery-" + name)
        click(".tile")
        viewer_is_painted()
        check("nor in the viewer: " + name, js("document.documentElement.scrollWidth <= innerWidth"))
        small = js("[...document.querySelectorAll('.viewer button')].filter(b => b.offsetParent && (b.offsetHeight < 32 || b.offsetWidth < 24)).map(b => b.textContent)")
        equal("targets are large enough: " + name, small, [])
        shot("viewer-" + name)
        press("c")
        check("nor beside another: " + name, until(lambda: count(".pane") == 2) and js("document.documentElement.scrollWidth <= innerWidth"))
        shot("compare-" + name)
        for mode in ("slider", "flicker", "difference"):
            click("#mode-" + mode)
            check("nor as %s: %s" % (mode, name), js("document.documentElement.scrollWidth <= innerWidth"))
            shot("compare-%s-%s" % (mode, name))
        click("#mode-side")
        driver.get(home + "picture/1?with=2,3,4,5,6,7,8")
        check("nor eight of them: " + name, until(lambda: count(".g-stage[data-painted]") == 8) and js("document.documentElement.scrollWidth <= innerWidth"))
        shot("survey-" + name)


copies.spread(copies.draw(program, server), server.output, N)
try_scrolling()
try_filters()
try_marks()
try_marks_elsewhere()
try_viewer()
try_comparing()
try_modes()
try_arrivals()
try_trash()
try_looks()
bad = [entry["message"] for entry in driver.get_log("browser")
       if entry["level"] == "SEVERE" and "ERR_INTERNET_DISCONNECTED" not in entry["message"]
       and "410 (Gone)" not in entry["message"] and "409 (Conflict)" not in entry["message"] and "pictures/999999" not in entry["message"]]  # those are meant
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
end()
