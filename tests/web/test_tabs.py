"""Seven tabs of one browser in a real browser: one stream of events for all, the tab that has it closed, nothing lost; and
without locks (plain http elsewhere) a tab that is not seen. usage: test_tabs.py PROGRAM SOURCE_DIR"""
import os
import sys

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

TABS = 7  # a browser allows six connections to a server
program = sys.argv[1]
driver = browser.start(1280, 900)
server = Server(program, "--device", "cpu", "--threads", "1")
WATCH = """
window.streams = []; window.got = [];
const Stream = window.EventSource;
window.EventSource = class extends Stream { constructor(...all) { super(...all); streams.push(this); } };
"""
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });"
HEAR = """
import(document.querySelector('script[type=module]').src.replace('app/app.js', 'lib/events.js'))
  .then((events) => { events.on('cell', (data) => got.push(data.cell)); window.hears = true; });
"""


def js(code, *arguments):
    return driver.execute_script("return " + code, *arguments)


def open_tab(script):
    driver.switch_to.new_window("tab")
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    driver.get("http://127.0.0.1:%d/queue" % server.port)
    driver.execute_script(HEAR)
    check("tab %d knows the queue" % len(driver.window_handles),
          until(lambda: js("window.hears") and "jobs" in js("document.querySelector('main').textContent")))
    return driver.current_window_handle


def each(tabs, code):
    found = []
    for tab in tabs:
        driver.switch_to.window(tab)
        found.append(js(code))
    return found


def streams(tabs):
    return each(tabs, "streams.filter((one) => one.readyState !== 2).length")


def ask_for(n, prompt):
    job = {"settings": {"prompt": prompt, "size": "64x64", "steps": 2, "batch": n}}
    return server.ask("POST", "/api/v1/jobs", job).json()["id"]


def cells_of(job):
    """All that it drew, once it has."""
    done = until(lambda: (lambda found: found["state"] == "done" and found)(server.get("/api/v1/jobs/" + job).json()))
    return [picture[0] for picture in done["pictures"]]


def all_have(tabs, cells):
    """Every tab has heard of all of these, of each once."""
    return until(lambda: each(tabs, "[...got].sort().join()") == [",".join(sorted(cells))] * len(tabs))


def try_seven():
    tabs = [open_tab(WATCH) for _ in range(TABS)]
    check("one stream for all", until(lambda: sum(streams(tabs)) == 1), streams(tabs))
    cells = cells_of(ask_for(3, "for seven"))
    check("all of them hear all of it", all_have(tabs, cells), each(tabs, "got.length"))
    for _ in range(2):
        job = ask_for(8, "while the stream moves %d" % len(tabs))
        leader = tabs[streams(tabs).index(1)]
        driver.switch_to.window(leader)
        until(lambda: js("got.length") > len(cells))
        driver.close()
        tabs.remove(leader)
        cells += cells_of(job)
        check("another one takes over", until(lambda: sum(streams(tabs)) == 1), streams(tabs))
        check("and nothing is lost, nothing comes twice", all_have(tabs, cells), (each(tabs, "got.length"), len(cells)))
    open_late = open_tab(WATCH)
    driver.switch_to.window(open_late)
    check("one that comes later has none of its own", sum(streams(tabs + [open_late])) == 1)
    check("but knows what was drawn", until(lambda: "for seven" in js("document.querySelector('main').textContent")), js("document.querySelector('main').textContent")[:200])


def try_without_locks():
    tab = open_tab(NO_LOCKS + WATCH)
    check("without locks a tab has a stream", until(lambda: streams([tab]) == [1]))
    hide = "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });" \
           "document.dispatchEvent(new Event('visibilitychange'));"
    driver.execute_script(hide, True)
    equal("but none while it is not seen", streams([tab]), [0])
    cells = cells_of(ask_for(3, "not seen"))
    driver.execute_script(hide, False)
    check("and hears what it has missed", all_have([tab], cells), js("got"))


try_seven()
try_without_locks()
bad = []
for tab in driver.window_handles:
    driver.switch_to.window(tab)
    bad += [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
end()
