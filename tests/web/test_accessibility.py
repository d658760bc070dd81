"""Every view in a real browser, dark and light, at 320 pixels and with reduced motion, by the rules of accessibility.js; names of
controls from the browser's own accessibility tree. usage: test_accessibility.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import os
import subprocess
import sys
import tempfile

import browser
from browser import until

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program, source = sys.argv[1:3]
output = os.path.join(tempfile.mkdtemp(prefix="sdxl-lab-accessible-"), "pictures")
subprocess.run([sys.executable, "-B", os.path.join(source, "tests", "e2e", "make_favourites.py"), output, "2000"], check=True, capture_output=True)
driver = browser.start(1280, 900)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--threads", "2", output=output)
home = "http://127.0.0.1:%d/" % server.port
with open(os.path.join(here, "accessibility.js")) as file:
    RULES = file.read()
NAMED = {"button", "checkbox", "combobox", "ComboBoxMenuSelect", "dialog", "DisclosureTriangle", "grid", "gridcell", "heading", "image", "link", "listbox",
         "option", "progressbar", "radio", "searchbox", "slider", "spinbutton", "textbox"}
titles = set()


def cdp(command, **arguments):
    return driver.execute_cdp_cmd(command, arguments)


def rule(name, *arguments):
    return driver.execute_script("return xl_rules[arguments[0]](arguments[1])", name, *arguments)


def media(scheme, motion="no-preference"):
    cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                {"name": "prefers-reduced-motion", "value": motion}])


def nameless():
    """What the browser tells a screen reader of and has no name for."""
    nodes = [node for node in cdp("Accessibility.getFullAXTree")["nodes"] if not node["ignored"] and node["role"]["value"] in NAMED
             and not node.get("name", {}).get("value", "").strip()]
    found = []
    for node in nodes:
        element = cdp("DOM.describeNode", backendNodeId=node["backendDOMNodeId"])["node"]
        found.append("%s: <%s %s>" % (node["role"]["value"], element["localName"], " ".join(element.get("attributes", []))))
    return found


def look(name, may_scroll=None, is_dialog=False):
    """All rules for what is shown now."""
    driver.execute_script(RULES)
    for scheme in ("dark", "light"):
        media(scheme)
        for kind in ("contrast", "edges"):
            equal("%s, %s: %s" % (name, scheme, kind), rule(kind), [])
    equal(name + ": names", nameless(), [])
    cdp("Input.dispatchKeyEvent", type="keyDown", key="Shift", code="ShiftLeft", windowsVirtualKeyCode=16)  # the keyboard is used
    cdp("Input.dispatchKeyEvent", type="keyUp", key="Shift", code="ShiftLeft", windowsVirtualKeyCode=16)
    for kind in ("labels", "ids", "references", "roles", "headings", "page", "targets", "focus"):
        equal("%s: %s" % (name, kind), rule(kind), [])
    media("dark", "reduce")
    equal(name + ": motion", rule("motion"), [])
    if not is_dialog:
        cdp("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=False)
        equal(name + ": reflow", rule("reflow", may_scroll), [])
        shot("narrow-" + name)
        cdp("Emulation.clearDeviceMetricsOverride")
    media("dark")
    titles.add(driver.title)


def open_view(path, css):
    driver.get(home + path)
    check("%s is shown" % (path or "draw"), until(lambda: driver.find_elements("css selector", css)), driver.title)


def job(settings):
    return server.ask("POST", "/api/v1/jobs", {"settings": settings}).json()["id"]


run = job({"prompt": "a red circle", "size": "64x64", "seed": 3, "steps": 2, "sweep": {"guidance": [2, 5], "scheduler": ["Euler", "DDIM"]}})
check("a run is drawn", until(lambda: server.get("/api/v1/jobs/" + run).json()["state"] == "done", 120))
subprocess.run([program, "favorite", "import", os.path.join(output, "links"), "--output-dir", output], env=server.environment, capture_output=True)
pictures = server.get("/api/v1/pictures?limit=4").json()["pictures"]
run_dir = os.path.basename(pictures[0]["run_dir"])
server.ask("POST", "/api/v1/queue", {"paused": True})
for prompt in ("a fox that waits", "another fox"):
    job({"prompt": prompt, "size": "64x64"})

open_view("", ".results li img[src]")
driver.execute_script("""for (const details of document.querySelectorAll('details')) details.open = true;
    const steps = document.querySelector('[data-key=steps] input'); steps.value = 5000;""")
driver.execute_script("document.querySelector('button.main').click()")
check("what is wrong is told", until(lambda: driver.execute_script("return document.querySelector('.field-error:not([hidden])')")))
look("draw")
open_view("queue", "tbody tr")
look("queue")
open_view("gallery", ".tile img")
check("with its filters", until(lambda: driver.find_elements("css selector", ".choice")))
look("gallery")
driver.execute_script("document.querySelector('[aria-label=Keys]').click()")
look("keys", is_dialog=True)
open_view("picture/%s" % pictures[0]["id"], ".g-stage[data-painted]")
check("with its facts", until(lambda: driver.find_elements("css selector", "#facts table")))
look("viewer")
open_view("picture/%s?with=%s" % (pictures[0]["id"], pictures[1]["id"]), ".compare .g-stage[data-painted]")
look("compare")
open_view("picture/%s?with=%s" % (pictures[0]["id"], ",".join(str(picture["id"]) for picture in pictures[1:])), ".compare .g-stage[data-painted]")
check("with all of them", until(lambda: len(driver.find_elements("css selector", ".g-stage[data-painted]")) == 4))
look("survey", ".compare-table")
open_view("cull/%s" % pictures[0]["id"], ".cull .g-stage[data-painted]")
check("with those around it", until(lambda: driver.find_elements("css selector", ".strip-cell img")))
look("cull", ".strip")
open_view("run/" + run_dir, ".axes .cell.done img")
look("run", ".axes-scroller")
open_view("night", ".choice-list input")
look("night")
open_view("duel", ".duel .side img")
look("duel")
open_view("insights", ".rates tbody tr")
look("insights")
open_view("system", ".part table")
look("system")
equal("each view has a title of its own", len(titles), 11)
driver.quit()
server.clean()
end()
