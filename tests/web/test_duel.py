"""Choosing between two pictures in a real browser: keys, taps, undo, what is not saved yet, a phone.
usage: test_duel.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import json
import os
import sys

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program = sys.argv[1]
driver = browser.start(1280, 900, dark=True)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402  (start() leaves where there is none)
from selenium.webdriver.common.keys import Keys  # noqa: E402
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--threads", "1")


def press(key):
    ActionChains(driver).send_keys(key).perform()


def choices():
    return server.get("/api/v1/duel").json()["choices"]


def ready(n):
    """The n-th pair is painted and can be chosen from."""
    return until(lambda: one(".duel").get_attribute("data-pair") == str(n) and len(find(".side:enabled img")) == 2)


def make_pictures(numbers, colour_of=lambda i: i):
    with open(os.path.join(server.output, "jobs_test.log"), "a") as log:
        for i in numbers:
            path = os.path.join(server.output, "%02d.png" % i)
            k = colour_of(i)
            with open(path, "wb") as file:
                file.write(browser.png(96, 64, (40 + 15 * k, 120, 200 - 12 * k)))
            log.write(json.dumps({"timestamp": "20261001_1200%02d" % i, "mode": "txt2img", "prompt": "picture %d" % i, "model_key": "M",
                                  "model_id": "m", "scheduler": "Euler", "steps": 4, "guidance_scale": 5.0, "width": 96, "height": 64,
                                  "batch_size": 1, "seed_base": i, "seeds": [i], "paths": [path], "run_dir": None}) + "\n")


def open_duel():
    driver.get("http://127.0.0.1:%d/duel" % server.port)
    return until(lambda: find(".duel"))


def try_nothing():
    open_duel()
    check("without pictures it says what is missing", until(lambda: "Two pictures" in one(".duel").text), one(".duel").text)


def try_keys():
    make_pictures(range(12))
    until(lambda: server.get("/api/v1/duel").json()["pictures"] == 12)  # the index has heard of them
    open_duel()
    check("two pictures come", ready(0))
    shot("duel")
    press(Keys.ARROW_LEFT)
    check("a key shows the next pair", ready(1))
    check("and is saved", until(lambda: choices() == 1))
    press(Keys.ARROW_RIGHT)
    check("the other side likewise", ready(2) and until(lambda: choices() == 2))
    press(Keys.ARROW_DOWN)
    check("neither shows the next pair", ready(3))
    equal("and says nothing of both", choices(), 2)
    check("it is told how far one is", until(lambda: "2 choices now, 2 in all" in one(".duel-told").text), one(".duel-told").text)
    press("u")
    check("neither is taken back", ready(2))
    press("u")
    check("a choice is taken back", ready(1) and until(lambda: choices() == 1))
    find(".duel-actions button")[1].click()
    check("by a button as well", ready(0) and until(lambda: choices() == 0))
    check("then there is nothing more to take back", not find(".duel-actions button")[1].is_enabled())


def try_phone():
    driver.set_window_size(360, 740)
    open_duel()
    check("a phone has both", ready(0))
    equal("nothing is wider than a phone", driver.execute_script("return Math.max(0, document.documentElement.scrollWidth - innerWidth)"), 0)
    boxes = [side.rect for side in find(".side")]
    check("one below the other, as high as a thumb is wide", boxes[1]["y"] > boxes[0]["y"] and min(box["height"] for box in boxes) >= 44, boxes)
    shot("duel-phone")
    find(".side")[1].click()
    check("a tap chooses", ready(1) and until(lambda: choices() == 1))


def try_offline():
    """Choices wait for a server that is away, and the pair that was read ahead is there."""
    check("the next pair is read ahead", until(lambda: one(".duel").get_attribute("data-ahead") == "2"))
    server.process.send_signal(19)  # SIGSTOP: it neither answers nor refuses
    press(Keys.ARROW_LEFT)
    check("the next pair comes all the same", ready(2))
    check("what is not saved is told", until(lambda: "1 not saved yet" in one(".duel-told").text), one(".duel-told").text)
    server.process.send_signal(18)
    check("and saved when it is back", until(lambda: choices() == 2 and "not saved" not in one(".duel-told").text))


def try_copies():
    """Eight pictures more that are one and the same: nobody can choose between two of them."""
    make_pictures(range(12, 20), lambda i: 3)
    check("copies are pictures", until(lambda: server.get("/api/v1/duel").json()["pictures"] > 12))

    def content(picture):
        return server.get("/api/v1/pictures/%d/file" % picture["id"]).body
    pairs = [pair for seed in range(6) for pair in server.get("/api/v1/duel?limit=100&seed=%d" % seed).json()["pairs"]]
    equal("but no pair of copies", [pair for pair in pairs if content(pair[0]) == content(pair[1])], [])
    check("and many pairs", len(pairs) >= 6 * 5, len(pairs))


try_nothing()
try_keys()
try_phone()
try_offline()
try_copies()
bad = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
end()
