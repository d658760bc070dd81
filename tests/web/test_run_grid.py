"""A run as a table of two axes in a real browser: it fills in while it is drawn, axes are swapped and chosen, the arrow keys
follow them, also in the large picture; what failed says why; and its API. usage: test_run_grid.py PROGRAM SOURCE_DIR
[FOLDER for screenshots]"""
import os
import sys

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program = sys.argv[1]
driver = browser.start(1280, 900)
from selenium.webdriver import ActionChains  # noqa: E402  (start() leaves where there is none)
from selenium.webdriver.common.keys import Keys  # noqa: E402
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--threads", "2")
home = "http://127.0.0.1:%d/" % server.port
SWEEP = {"prompt": "a red circle", "size": "64x64", "seed": 3,
         "sweep": {"guidance": [2, 5, 9], "steps": [3, 4], "scheduler": ["Euler", "DDIM"]}}


def headings(css):
    return driver.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", css)


def choose(label, value):
    box = [e for e in find(".axis") if e.text.startswith(label)][0].find_element("css selector", "select")
    box.find_element("css selector", "option[value='%s']" % value).click()


def submit(settings):
    return server.ask("POST", "/api/v1/jobs", {"settings": settings}).json()["id"]


def wait_for(id, states):
    return until(lambda: (lambda job: job if job["state"] in states else None)(
        server.get("/api/v1/jobs/" + id).json()), 120)


def try_api(run):
    answer = server.get("/api/v1/runs/" + run).json()
    equal("a run has all its cells", len(answer["cells"]), 12)
    check("each with what it was asked for as", all({"id", "state", "steps", "guidance"} <= set(c) for c in answer["cells"]))
    equal("and what became of it", {c["state"] for c in answer["cells"]}, {"done"})
    check("and how it is described", answer["run"]["fields"] and answer["run"]["state"] == "done", answer["run"])
    for bad in ("sweep_none", ".index", ".trash"):
        equal("there is no run " + bad, server.get("/api/v1/runs/" + bad).code, 404)
    with open(os.path.join(server.output, run, "cells.js"), "a") as file:
        file.write('cell({"id": "torn')
    equal("a torn line is left out", len(server.get("/api/v1/runs/" + run).json()["cells"]), 12)


def try_table(run):
    driver.get(home + "run/" + run)
    check("it is a table", until(lambda: find(".axes tbody td")))
    check("that fills in", until(lambda: len(find(".axes .cell.done img")) == 6, 120), len(find(".cell.done")))
    rows, columns = headings(".axes tbody th"), headings(".axes thead th")[1:]
    equal("of two axes", sorted([len(rows), len(columns)]), [2, 3])
    shot("run-table")
    button = [b for b in find("button") if b.text == "Swap"][0]
    button.click()
    check("they are swapped", until(lambda: headings(".axes tbody th") == columns))
    check("in the address, too", "rows=" in driver.current_url, driver.current_url)
    button.send_keys(Keys.TAB)
    choose("Rows", "scheduler")
    driver.execute_script("document.activeElement.blur()")
    check("another axis is chosen", until(lambda: sorted(headings(".axes tbody th")) == ["DDIM", "Euler"]),
          headings(".axes tbody th"))
    driver.refresh()
    check("the address keeps it", until(lambda: sorted(headings(".axes tbody th")) == ["DDIM", "Euler"]))


def try_keys():
    until(lambda: find(".place[tabindex='0']"))
    places = find(".place")
    equal("one place is in the order of tabs", len([p for p in places if p.get_attribute("tabindex") == "0"]), 1)
    driver.execute_script("document.querySelector('.place[tabindex=\"0\"]').focus()")
    label = lambda: driver.execute_script("return document.activeElement.getAttribute('aria-label')")  # cells may be drawn anew
    press = lambda key: ActionChains(driver).send_keys(key).perform()
    before = label()
    press(Keys.ARROW_RIGHT)
    check("the arrow keys follow the axes", until(lambda: label() != before and label().split(",")[0] == before.split(",")[0]), (before, label()))
    press(Keys.ENTER)
    check("a picture is shown large", until(lambda: find("dialog[open] img") and driver.execute_script(
        "return document.querySelector('dialog[open] img').naturalWidth === 64")))
    caption = one(".zoom .caption").text
    press(Keys.ARROW_DOWN)
    check("and its neighbours by the arrow keys", until(lambda: one(".zoom .caption").text != caption))
    shot("run-zoom")
    moved = one(".zoom .caption").text
    press(Keys.ESCAPE)
    check("closing it leads to its place", until(lambda: not find("dialog[open]") and label() and all(
        part.split(" ")[-1] in label() for part in moved.split(", "))), (moved, label()))


def try_ways_there(run):
    driver.get(home + "gallery?run=" + run)
    links = until(lambda: [a for a in find(".bar-end a") if a.is_displayed()])
    check("the gallery of a run leads to it", links and links[0].get_attribute("href").endswith("/run/" + run), links)
    driver.get(home + "gallery")
    until(lambda: find("#count") and one("#count").text)
    check("that of all has no such way", not [a for a in find(".bar-end a") if a.is_displayed()])
    driver.get(home + "queue")
    check("so does the queue", until(lambda: [a for a in find("td a") if a.get_attribute("href").endswith("/run/" + run)]))


def try_what_fails():
    id = submit({"prompt": "a cat", "size": "64x64", "steps": 2, "seed": 1,
                 "sweep": {"guidance": [2, 5], "scheduler": ["Euler", "DDIM"]}})
    job = wait_for(id, ("done", "failed"))
    run = os.path.basename(job["run_dir"])
    cells = server.get("/api/v1/runs/" + run).json()["cells"]
    with open(os.path.join(job["run_dir"], "cells.js"), "a") as file:
        file.write('cell({"id": "%s", "state": "failed", "error": "no memory <b>here</b>"});\n' % cells[0]["id"])
    os.remove(os.path.join(job["run_dir"], cells[1]["path"]))
    driver.get(home + "run/" + run)
    check("what failed says why, as text", until(lambda: "no memory <b>here</b>" in one(".cell.failed").text))
    check("what is gone says so", until(lambda: "not here any more" in one(".axes").text), one(".axes").text)
    shot("run-failed")
    driver.get(home + "run/sweep_never")
    check("a run that there is none of says so", until(lambda: "there is no run" in one("main").text))


try:
    id = submit(SWEEP)
    job = until(lambda: (lambda job: job if job.get("run_dir") else None)(server.get("/api/v1/jobs/" + id).json()), 60)
    run = os.path.basename(job["run_dir"])
    try_table(run)
    wait_for(id, ("done",))
    until(lambda: server.get("/api/v1/runs/" + run).json()["run"].get("state"))
    try_api(run)
    try_keys()
    try_ways_there(run)
    try_what_fails()
    bad = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"
           and not any(code in entry["message"] for code in ("404", "410"))]
    equal("nothing went wrong unseen", bad, [])
finally:
    driver.quit()
    server.clean()
end()
