"""The page of the server in a real browser: draw, watch, cancel, what is refused, sweeps, the queue, coming back, a
phone. usage: test_page.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import os
import sys

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program = sys.argv[1]
driver = browser.start(1280, 900)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402  (start() leaves where there is none)
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--threads", "2")
home = "http://127.0.0.1:%d/" % server.port


def text_of(css):
    return until(lambda: [e.text for e in find(css) if e.text]) or []


def click(css):
    """Also where the element is replaced meanwhile."""
    check("%s is clicked" % css, until(lambda: one(css).click() is None))


def write(key, value):
    field = one("[data-key=%s] textarea, [data-key=%s] input" % (key, key))
    field.clear()
    field.send_keys(value)


def open_view(path=""):
    driver.get(home + path)
    return until(lambda: find("main h1"))


def try_drawing():
    open_view()
    check("the form is there", until(lambda: find("[data-key=prompt] textarea")))
    check("with what the network may set", len(find(".field")) > 15, len(find(".field")))
    write("prompt", "a red circle above a blue square")
    write("steps", "40")
    check("what it comes to is told", until(lambda: "1 picture" in one(".plan").text), one(".plan").text)
    one("button.main").click()
    check("progress is shown", until(lambda: "step" in one(".meters").text), one(".live").text)
    check("and a preview", until(lambda: find("img.preview")), driver.title)
    check("and how far it is in the title", until(lambda: "%" in driver.title), driver.title)
    shot("drawing")
    driver.refresh()
    check("coming back finds it", until(lambda: "step" in one(".meters").text or find(".results img")))
    equal("the settings are still there", one("[data-key=prompt] textarea").get_attribute("value"),
          "a red circle above a blue square")
    check("the picture comes", until(lambda: find(".stage img:not(.preview)") and find(".results li")))
    check("and is shown whole", until(lambda: driver.execute_script(
        "const i = document.querySelector('.stage img'); return !i.classList.contains('preview') && i.naturalWidth === 256")))
    shot("drawn")


def try_cancelling():
    write("steps", "900")
    one("button.main").click()
    check("a long one is drawn", until(lambda: "step" in one(".meters").text))
    until(lambda: find(".open-jobs button"))[0].click()
    check("and cancelled", until(lambda: not find(".open-jobs button")))
    write("steps", "2000")
    one("button.main").click()
    check("what is refused is told at its field",
          until(lambda: "1000" in one("[data-key=steps] .field-error").text), text_of(".field-error"))
    equal("which is marked", one("[data-key=steps] input[type=number]").get_attribute("aria-invalid"), "true")
    write("steps", "6")


def try_sweeps():
    profiles, models = one("[data-key=all_profiles] input"), one("[data-key=all_models] input")
    profiles.click()
    check("a sweep is counted before it starts", until(lambda: "28 pictures" in one(".plan").text
                                                       or "29 pictures" in one(".plan").text), one(".plan").text)
    models.click()
    equal("the sweeps exclude each other", (profiles.is_selected(), models.is_selected()), (False, True))
    models.click()


def try_form():
    open_view()
    until(lambda: find("[data-key=prompt] textarea"))
    lora = one("[data-key=lora] select")
    lora.send_keys("turbo")
    one("[data-key=lora] button").click()
    check("a LoRA is a row", until(lambda: len(find(".lora-rows li")) == 1))
    weight = one(".lora-rows input[type=number]")
    weight.clear()
    weight.send_keys("0.6")
    size = one("[data-key=size] select")
    size.send_keys("Another size")
    check("another size has sliders", until(lambda: one(".sides").is_displayed()))
    find(".sides input[type=number]")[0].clear()
    find(".sides input[type=number]")[0].send_keys("320")
    find(".sides input[type=number]")[1].clear()
    find(".sides input[type=number]")[1].send_keys("256")
    driver.refresh()
    until(lambda: find(".lora-rows li"))
    equal("rows and sizes come back", (one(".lora-rows input[type=number]").get_attribute("value"),
          [e.get_attribute("value") for e in find(".sides input[type=number]")]), ("0.6", ["320", "256"]))
    find("[data-key=seed] button")[1].click()
    last = server.ask("GET", "/api/v1/jobs").json()["jobs"]
    last = max((job for job in last if job["n_done"]), key=lambda job: job["created"])["settings"]["seed"]
    equal("the last picture's seed is taken", one("[data-key=seed] input").get_attribute("value"), str(last))
    find("[data-key=seed] button")[0].click()
    equal("and a new one each time", one("[data-key=seed] input").get_attribute("value"), "")
    click(".diff summary")
    check("what differs is told", until(lambda: find("[data-diff=lora]") and find("[data-diff=size]")), one(".diff").text)
    shot("form")
    click("[data-diff=lora] button")
    check("one is reset alone", until(lambda: not find(".lora-rows li") and not find("[data-diff=lora]") and find("[data-diff=size]")))
    click("[data-diff=size] button")
    one(".diff select").send_keys("the last picture")
    check("or told against the last picture", until(lambda: "last picture" in one(".diff summary").text), one(".diff").text)
    check("a sweep's time is known before it starts", one("[data-key=all_profiles] input").click() is None
          and until(lambda: "about" in one(".plan").text and "pictures" in one(".plan").text), one(".plan").text)
    one("[data-key=all_profiles] input").click()


def try_queue():
    server.ask("POST", "/api/v1/queue", {"paused": True})
    for i in range(3):
        server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": "job %d" % i, "size": "64x64", "steps": 2}})
    open_view("queue")
    rows = lambda: [e.text for e in find("td.what")]
    check("jobs are listed in their order", until(lambda: rows()[:3] == ["job 0", "job 1", "job 2"]), rows())
    find("tbody tr")[2].find_element("css selector", "button").click()
    check("one goes to the top", until(lambda: rows()[:3] == ["job 2", "job 0", "job 1"]), rows())
    [b for b in find("button") if b.text == "Cancel all"][0].click()
    check("all are cancelled", until(lambda: "0 jobs" in one("main").text))
    until(lambda: [b for b in find("button") if b.text == "Undo"])[0].click()
    check("and back", until(lambda: "3 jobs" in one("main").text), one("main").text[:200])
    shot("queue")
    [b for b in find("button") if b.text == "Go on"][0].click()
    check("and drawn", until(lambda: "0 jobs" in one("main").text))
    server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": "a long one", "size": "64x64", "steps": 2, "batch": 64, "group": 1}})
    done = lambda: one("td.running ~ td.pictures").text
    until(lambda: done() > "0")
    driver.execute_script("window.cancel = [...document.querySelectorAll('tr:has(td.running) button')].at(-1); cancel.focus()")
    before = done()
    check("a row's buttons stay while it goes on", until(lambda: done() != before)
          and driver.execute_script("return cancel.isConnected && document.activeElement === cancel"))
    ActionChains(driver).send_keys(" ").perform()
    check("and a key cancels it", until(lambda: one("tbody td").text == "cancelled"), rows())
    open_view("system")
    check("the system view says who draws", until(lambda: "Lab Tiny XL" in one("main").text))


def try_phone():
    driver.set_window_size(360, 740)
    open_view()
    until(lambda: find("[data-key=prompt] textarea"))
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    check("a phone's width is enough", wide <= driver.execute_script("return innerWidth"), wide)
    shot("phone")


try_drawing()
try_cancelling()
try_sweeps()
try_form()
try_queue()
try_phone()
bad = [entry["message"] for entry in driver.get_log("browser")
       if entry["level"] == "SEVERE" and "422" not in entry["message"] and "409" not in entry["message"]]
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
end()
