"""The night page in a real browser: a night is configured, what it would be is told, it is begun, watched, added to,
stopped, gone on with, and its report read; by keyboard, and on a phone. usage: test_night.py PROGRAM SOURCE_DIR
[FOLDER for screenshots]"""
import os
import subprocess
import sys

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program = sys.argv[1]
driver = browser.start(1280, 1000)
from selenium.webdriver.common.keys import Keys  # noqa: E402  (start() leaves where there is none)
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--workers", "1")
home = "http://127.0.0.1:%d/" % server.port
SLOW = 90


def open_view(path):
    driver.get(home + path)
    return until(lambda: find("main h1"))


def write(field, text):
    field.clear()
    field.send_keys(text)


def drawn():
    """How many pictures the page says are drawn."""
    return int(one(".figure strong").text.replace(",", ""))


def button(text):
    return until(lambda: [b for b in find("button") if b.text == text])[0]


def try_form():
    open_view("night")
    check("themes can be chosen", until(lambda: len(find(".choice-list input")) >= 8))
    check("what the night would be is told", until(lambda: "07:00" in one(".plan").text), one(".plan").text)
    check("with its first prompts", until(lambda: len(find(".first-jobs li")) == 3))
    shot("night-form")
    for box in find(".choice-list input:checked"):
        box.send_keys(Keys.SPACE)
    one("input[value=lab-tiny]").send_keys(Keys.SPACE)
    one("input[value=until_jobs]").send_keys(Keys.SPACE)
    write(one(".ending input[type=number]"), "60")
    check("it is told anew by what was changed", until(lambda: "60 jobs" in one(".plan").text), one(".plan").text)
    for summary in find("details summary"):
        summary.send_keys(Keys.ENTER)
    write(one("[data-key=quiet_hours] input"), "99:00")
    check("what is wrong is told at once", until(lambda: "99:00" in one(".plan").text), one(".plan").text)
    button("Begin the night").click()
    check("and at its field", until(lambda: "99:00" in one("[data-key=quiet_hours] .field-error").text))
    write(one("[data-key=quiet_hours] input"), "")
    write(one("[data-key=steps] input[type=number]"), "8")
    driver.refresh()
    check("a draft is kept", until(lambda: "60 jobs" in one(".plan").text), one(".plan").text)
    equal("with its theme", [box.get_attribute("value") for box in find(".choice-list input:checked")][:1], ["lab-tiny"])


def try_watching():
    button("Begin the night").click()
    check("it is shown when it begins", until(lambda: one(".pill").text == "drawing", SLOW), driver.current_url)
    check("in an address of its own", "/night/night_" in driver.current_url, driver.current_url)
    check("pictures come", until(lambda: drawn() >= 2 and find(".newest img"), SLOW))
    check("who draws is told", until(lambda: "on the CPU" in one(".who").text), one(".who").text)
    write(one(".adding input"), "a blue square")
    one(".adding input").send_keys(Keys.ENTER)
    check("a prompt is added", until(lambda: "next" in one(".told").text), one(".told").text)
    shot("night-running")
    driver.refresh()
    check("coming back finds it", until(lambda: one(".pill").text == "drawing"))
    button("Stop now").click()
    check("it is stopped", until(lambda: one(".pill").text == "stopped", SLOW))
    before = drawn()
    button("Go on").click()
    check("and goes on", until(lambda: drawn() > before, SLOW))
    button("Stop now").click()
    until(lambda: one(".pill").text == "stopped", SLOW)
    check("its report can be kept", [a for a in find(".does a") if a.text == "Report to keep"])
    link = [a for a in find("a") if "gallery" in a.text][0]
    link.click()
    check("its pictures are in the gallery", until(lambda: find(".wall img, .tile img"), SLOW), driver.current_url)
    open_view("night")
    check("it is in the list", until(lambda: one("tbody .pill").text == "stopped"))
    shot("nights")
    one("tbody a").click()
    check("which leads to it", until(lambda: "/night/night_" in driver.current_url and one(".figure")))
    shot("night-stopped")


def try_what_is_not_there():
    open_view("night/night_never")
    check("a night that there is none of says so", until(lambda: "there is no night" in one(".title").text))


def try_phone():
    driver.set_window_size(360, 740)
    for path in ("night", "night/" + os.path.basename([name for name in os.listdir(server.output)
                                                       if name.startswith("night_")][0])):
        open_view(path)
        until(lambda: find(".figure, .choice-list input"))
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        check("a phone's width is enough", wide <= driver.execute_script("return innerWidth"), wide)
        shot("night-phone" + ("-one" if "/" in path else ""))


try:
    try_form()
    try_watching()
    try_what_is_not_there()
    try_phone()
    bad = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"
           and not any(code in entry["message"] for code in ("422", "404", "409"))]
    equal("nothing went wrong unseen", bad, [])
finally:
    subprocess.run([program, "night", "stop", server.output, "--now"], capture_output=True, env=server.environment)
    driver.quit()
    server.clean()
end()
